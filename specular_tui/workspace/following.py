"""Following a run while it is built: its events, and the log of one of its tasks, as they come.

Nothing is looked at again and again: the file system tells of changes. It does not tell of a process that was killed,
so that whether the run is live is asked once more after a second without any.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from specular_tui.errors import CheckpointError
from specular_tui.model.event import AnyEvent
from specular_tui.model.run import GATE_PREFIX, RunState, TaskState, TaskStatus
from specular_tui.store import follow, layout
from specular_tui.store.folder import Folder
from specular_tui.store.journal import JournalDamage
from specular_tui.workspace import runs

_SLICE = 1 << 20
_QUIET_SECONDS = 1.0
_ENDED = (TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.SKIPPED)


class _Changes:
    """Says when something has changed in one of some folders."""

    def __init__(self, folders: list[Path]) -> None:
        self._folders = folders
        self._stir = asyncio.Event()

    async def __aenter__(self) -> _Changes:
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task

    async def _watch(self) -> None:
        # Where nothing can be watched, what `wait` answers after a second is all there is.
        with contextlib.suppress(OSError, RuntimeError):
            async for _ in follow.changes(self._folders):
                self._stir.set()

    async def wait(self) -> None:
        """Return when something has changed since the last time, or after a second."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stir.wait(), _QUIET_SECONDS)
        self._stir.clear()


class _Followed:
    """A run that is followed: its journal up to now, and whether it is live."""

    def __init__(self, root: Path, run_id: str) -> None:
        self._run_id = run_id
        self._tail = runs.tail(root, run_id)
        self.live = False

    @property
    def state(self) -> RunState:
        return self._tail.state

    def read(self) -> Iterator[list[AnyEvent]]:
        """Read on to the end of the journal and hand out its events in batches; then `live` and `state` are of now."""
        # In this order: a run that is found dead now can have no record written after its journal is read.
        live = self._tail.live()
        more = True
        while more:
            try:
                events, more = self._tail.poll()
            except JournalDamage as damage:
                raise CheckpointError(
                    f"checkpoint validation failed: the journal is damaged: {damage}",
                    hint=f"see what is damaged: specular checkpoint validate {self._run_id}",
                ) from None
            except FileNotFoundError:
                self.live = False
                return
            yield events
        self.live = live

    def update(self) -> None:
        """Read on to the end of the journal."""
        for _ in self.read():
            pass

    def close(self) -> None:
        self._tail.close()


async def follow_events(root: Path, run_id: str) -> AsyncIterator[tuple[list[AnyEvent], RunState]]:
    """Yield the events of a run, oldest first, in batches with the state behind each, until no process works on it.

    Raises:
        CheckpointError: its journal is damaged.
    """
    run = _Followed(root, run_id)
    try:
        async with _Changes([root / run_id]) as changes:
            while True:
                for events in run.read():
                    if events:
                        yield events, run.state
                if not run.live:
                    return
                await changes.wait()
    finally:
        run.close()


async def follow_log(root: Path, run_id: str, task_id: str, attempt: int | None) -> AsyncIterator[bytes | int]:
    """Yield what a task prints, also from before it starts, until it has ended; a number where that attempt begins.

    Without `attempt` all attempts from the latest on are followed.

    Raises:
        UsageError: the run has no such task or attempt. CheckpointError: its journal is damaged.
    """
    outputs, _ = runs.log_name(root, run_id, task_id, attempt)
    run = _Followed(root, run_id)
    log: _Log | None = None
    try:
        async with _Changes([root / run_id, outputs.path]) as changes:
            run.update()
            number = attempt or max(1, _task(run.state, task_id).attempt)
            first = number
            while True:
                run.update()
                task = _task(run.state, task_id)
                log = log or _Log.find(outputs, task_id, number, task)
                if log is not None:
                    if log.fresh and number > first:
                        yield number
                    for data in log.read():
                        yield data
                if task.attempt > number:
                    if log is not None:
                        log.close()
                    log, number = None, number + 1
                    if attempt is not None:
                        return
                elif task.status in _ENDED or not run.live:
                    return
                else:
                    await changes.wait()
    finally:
        if log is not None:
            log.close()
        run.close()
        outputs.close()


def _task(state: RunState, task_id: str) -> TaskState:
    known = state.gates if task_id.startswith(GATE_PREFIX) else state.tasks
    return known.get(task_id) or TaskState()


class _Log:
    """The log of one attempt while it grows."""

    def __init__(self, fd: int) -> None:
        self._fd = fd
        #: Nothing has been read of it yet.
        self.fresh = True

    @classmethod
    def find(cls, outputs: Folder, task_id: str, number: int, task: TaskState) -> _Log | None:
        if task.attempt < number:
            return None
        kept, latest = layout.log_name(task_id, number), layout.log_name(task_id)
        try:
            fd = outputs.open(latest if task.attempt == number else kept)
            if task.attempt == number and outputs.has(kept):
                # The next attempt has just taken the name.
                os.close(fd)
                fd = outputs.open(kept)
        except OSError:
            return None
        return cls(fd)

    def read(self) -> Iterator[bytes]:
        self.fresh = False
        while data := os.read(self._fd, _SLICE):
            yield data

    def close(self) -> None:
        os.close(self._fd)
