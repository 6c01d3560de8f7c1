"""Stored runs: which there are, what is in them, and taking them away."""

from __future__ import annotations

import os
import zlib
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from specular_tui.errors import RunNotFoundError, SpecularError, UsageError
from specular_tui.model.plan import Plan
from specular_tui.model.quote import quote
from specular_tui.model.run import GATE_PREFIX, RunState
from specular_tui.store import checkpoint, layout, lock
from specular_tui.store.checkpoint import RunSummary, StoredRun
from specular_tui.store.folder import Folder
from specular_tui.store.glance import Glance, Look, glance, looks

if TYPE_CHECKING:
    from specular_tui.store.follow import JournalTail
    from specular_tui.store.logs.file import LogFile

#: Lines are counted in no more than so many bytes of a log.
_COUNTED = 256 << 20


def list_runs(root: Path) -> list[RunSummary]:
    """Return every run of the checkpoint directory, newest first."""
    return checkpoint.summaries(root)


def run_ids(root: Path) -> list[str]:
    """Return the ids of all runs in the checkpoint directory, sorted by name; nothing of them is read."""
    return checkpoint.run_ids(root)


def find_run(root: Path, name: str | None) -> str:
    """Return the id that a whole run id, or a prefix of just one, names; of the newest run for None.

    Raises:
        RunNotFoundError, AmbiguousRunError: there is none, or there are several.
    """
    if name is not None:
        return checkpoint.find(root, name)
    runs = checkpoint.summaries(root)
    if not runs:
        raise RunNotFoundError(
            f"there are no checkpoints in {root}", hint="start a build: specular build --plan plan.json"
        )
    return runs[0].run_id


def find_live_run(root: Path, name: str | None) -> RunSummary:
    """Return the live run that `name` names, or the only live one for None.

    Raises:
        SpecularError: it is not live, none is, or several are. StorageError: of one it cannot be told.
    """
    if name is not None:
        run = checkpoint.summarise(root, checkpoint.find(root, name))
        if run.live:
            return run
        raise SpecularError(
            f"{run.run_id} is not running: it is {run.status}",
            hint=f"go on with it: specular build --resume {run.run_id}" if run.resumable else None,
        )
    locks = list(_locks(root))
    live = [checkpoint.summarise(root, run_id) for run_id, found in locks if found is True]
    if len(live) == 1:
        return live[0]
    if not live:
        for _, found in locks:
            if isinstance(found, SpecularError):
                raise found  # it may be the one that is meant
        raise SpecularError("no build is running here", hint="see what is stored: specular checkpoint list")
    raise UsageError(
        f"{len(live)} builds are running here", details=[run.run_id for run in live], hint="name one of them"
    )


def load_run(root: Path, run_id: str) -> StoredRun:
    """Read a run as of now."""
    return checkpoint.load(root, run_id)


def summarise_run(root: Path, run_id: str) -> RunSummary:
    """Read what a list says of a run."""
    return checkpoint.summarise(root, run_id)


def look_at_runs(root: Path) -> list[Look]:
    """Return every run of the checkpoint directory with what a glance shows of it, newest first; one look at each.

    A run that cannot be opened is there, as damaged.
    """
    return looks(root)


def glance_at_run(root: Path, run_id: str) -> Glance:
    """Return what a run takes on the disk, and what is wrong with it as far as can be seen without reading it.

    Raises:
        RunNotFoundError: it is not there. StorageError: it cannot be opened.
    """
    return glance(root, run_id)


def live_run_ids(root: Path) -> list[str]:
    """Return the ids of the runs that a process works on; nothing but their locks is looked at.

    One of which that cannot be told is left out: whoever removes runs asks `RunSummary.in_doubt`, or takes the lock.
    """
    return [run_id for run_id, found in _locks(root) if found is True]


def _locks(root: Path) -> Iterator[tuple[str, bool | SpecularError]]:
    """Yield the ids of all runs, and of each whether a process works on it, or why that cannot be told."""
    for run_id in checkpoint.run_ids(root):
        try:
            with checkpoint.open_run(root, run_id) as folder:
                yield run_id, lock.held(folder)
        except RunNotFoundError:
            continue  # it has gone meanwhile
        except SpecularError as error:
            yield run_id, error


def is_live(root: Path, run_id: str) -> bool:
    """Tell whether a process works on the run."""
    with checkpoint.open_run(root, run_id) as folder:
        return lock.held(folder)


def plan_of(root: Path, run_id: str, state: RunState | None = None) -> Plan:
    """Return the plan that a run was last built with, from the copy in its checkpoint.

    Whoever follows the run gives its `state`, and so saves reading the whole journal; so do the functions below.

    Raises:
        PlanError: the copy is damaged. CheckpointError: it is gone.
    """
    from specular_tui.workspace.plans import stored_plan

    with checkpoint.open_run(root, run_id) as folder:
        return stored_plan(folder, state or checkpoint.read(folder, run_id).state)


def tail(root: Path, run_id: str) -> JournalTail:
    """Return what reads a run's journal on as it grows; the caller closes it."""
    from specular_tui.store.follow import JournalTail

    return JournalTail(checkpoint.open_run(root, run_id))


def changes(paths: list[Path]) -> AsyncGenerator[set[str], None]:
    """Yield what changes directly in the folders `paths`, grouped over 50 ms."""
    from specular_tui.store import follow

    return follow.changes(paths)


def log_name(
    root: Path, run_id: str, task_id: str, attempt: int | None = None, state: RunState | None = None
) -> tuple[Folder, str]:
    """Return the folder (the caller closes it) and the name of a task's log, without `.gz` where it is packed.

    `attempt` None is the latest. The file may be missing where the task printed nothing.

    Raises:
        UsageError: the run has no such task or attempt.
    """
    with checkpoint.open_run(root, run_id) as run:
        state = state or checkpoint.read(run, run_id).state
        known = state.gates if task_id.startswith(GATE_PREFIX) else state.tasks
        task = known.get(task_id)
        if task is None:
            from specular_tui.model.nearest import suggestion

            raise UsageError(
                f"{run_id} has no task {quote(task_id, 128)}{suggestion(task_id, [*state.tasks, *state.gates])}",
                hint=f"list its tasks: specular checkpoint show {run_id} --format table",
            )
        outputs = run.folder(layout.OUTPUTS)
        if attempt is None or attempt == task.attempt:
            kept = layout.log_name(task_id, task.attempt)
            return outputs, kept if _is_there(outputs, kept) else layout.log_name(task_id)
        if not any(earlier.attempt == attempt for earlier in task.earlier):
            outputs.close()
            raise UsageError(
                f"task {task_id} has no attempt {attempt}: "
                + (f"it has had {task.attempt}" if task.attempt else "it has not run yet")
            )
        return outputs, layout.log_name(task_id, attempt)


def open_log(
    root: Path, run_id: str, task_id: str, attempt: int | None = None, state: RunState | None = None
) -> LogFile | None:
    """Return a task's log, read by line number; None where there is none. The caller closes it.

    Raises:
        UsageError: the run has no such task or attempt. OSError: the log cannot be read.
    """
    from specular_tui.store.logs.file import LogFile

    folder, name = log_name(root, run_id, task_id, attempt, state)
    with folder:
        for stored in (name, name + ".gz"):
            if folder.has(stored):
                return LogFile(folder.path / stored)
    return None


def _is_there(folder: Folder, name: str) -> bool:
    return folder.has(name) or folder.has(name + ".gz")


def read_log_end(root: Path, run_id: str, task_id: str, limit: int = 16 << 10, state: RunState | None = None) -> bytes:
    """Return at most the last `limit` bytes of a task's latest log; nothing where there is none."""
    folder, name = log_name(root, run_id, task_id, state=state)
    with folder:
        return end_of(folder, name, limit)


def lines_before_end(path: Path, limit: int) -> int:
    """Return how many lines the log `path` has before its last `limit` bytes; -1 where that is too long to count."""
    try:
        with Folder.at(path.parent) as folder, checkpoint.open_plain(folder, path.name) as log:
            if not log.seekable():
                return -1
            ahead = max(0, log.seek(0, os.SEEK_END) - limit)
            if ahead > _COUNTED:
                return -1
            log.seek(0)
            found = 0
            while ahead > 0 and (data := log.read(min(ahead, 1 << 20))):
                ahead -= len(data)
                found += data.count(b"\n")
            return found
    except (OSError, SpecularError, EOFError, zlib.error):
        return -1


def read_log_file(path: Path, limit: int = 16 << 10) -> bytes:
    """Return at most the last `limit` bytes of the log `path`; nothing where it is missing or cannot be read."""
    try:
        folder = Folder.at(path.parent)
    except (OSError, SpecularError):
        return b""
    with folder:
        return end_of(folder, path.name, limit)


def end_of(folder: Folder, name: str, limit: int) -> bytes:
    """Return at most the last `limit` bytes of the log `name`; nothing where it is missing or cannot be read."""
    try:
        fd = folder.open(name)
    except OSError:
        try:
            with checkpoint.open_plain(folder, name) as packed:
                return packed.read()[-limit:]
        except (OSError, EOFError):
            return b""
    try:
        size = os.fstat(fd).st_size
        return os.pread(fd, limit, max(0, size - limit))
    finally:
        os.close(fd)
