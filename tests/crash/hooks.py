"""What a forked `specular` may be told to do differently: to steer a test, or to be wrong on purpose.

The mistakes are those that a checkpoint must not make, each there to prove that the test which looks for it finds it.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any


def snapshots_at_once() -> None:
    """Publish snapshots on the main thread, where every call has its place in one order."""

    async def at_once(function: Callable[..., Any], /, *args: Any, **more: Any) -> Any:
        return function(*args, **more)

    asyncio.to_thread = at_once


def die_at_pack() -> None:
    """Be killed when the task `pack` has just been started."""
    from specular_tui.engine.runner import Runner
    from specular_tui.model.plan import Task

    really = Runner._launch

    def launch(self: Runner, task: Task, inputs_hash: str | None) -> None:
        really(self, task, inputs_hash)
        if task.id == "pack":
            os.kill(os.getpid(), signal.SIGKILL)

    Runner._launch = launch  # type: ignore[method-assign]


def sync_late() -> None:
    """Leave it to a flush to bring records to disk: a kill finds much that was never synced."""
    from specular_tui.store import commit

    commit.WINDOW = 3_600  # type: ignore[misc]


def stop_before_pack() -> None:
    """Stop politely, as by Ctrl+C, when the task `pack` is to start."""
    from specular_tui.engine.runner import Runner

    really = Runner._start

    def start(self: Runner, task_id: str) -> None:
        if task_id == "pack":
            self.stop("SIGINT")
            self._perform(self._scheduler.interrupted(task_id))
        else:
            really(self, task_id)

    Runner._start = start  # type: ignore[method-assign]


def stop_after_five() -> None:
    """Stop politely, as by Ctrl+C, when five tasks are completed."""
    from specular_tui.engine.runner import Runner
    from specular_tui.model.plan import Task
    from specular_tui.model.run import TaskStatus

    really = Runner._ended

    def ended(self: Runner, task: Task, outcome: str, retry: bool) -> None:
        really(self, task, outcome, retry)
        if self.state.count(TaskStatus.COMPLETED) == 5:
            self.stop("SIGINT")

    Runner._ended = ended  # type: ignore[method-assign]


def another_boot() -> None:
    """Find the machine rebooted."""
    from specular_tui.workspace import session

    session.boot_id = lambda: "11111111-2222-3333-4444-555555555555"


def clock_jumps() -> None:
    """Let the wall clock jump by up to two days, back and forth, at every look."""
    really, jumps = time.time_ns, itertools.cycle((0, 172_800, -172_800, 3_600, -7, -90_000, 5))

    def jumping() -> int:
        return really() + next(jumps) * 1_000_000_000

    time.time_ns = jumping
    time.time = lambda: jumping() / 1e9


def clock_set_back() -> None:
    """Let the wall clock be a year behind."""
    really = time.time_ns
    time.time_ns = lambda: really() - 365 * 86_400 * 1_000_000_000
    time.time = lambda: time.time_ns() / 1e9


def wrong_no_file_syncs() -> None:
    """A mistake: files are published under their names before their bytes are on disk."""
    from specular_tui.store.folder import Folder, write_all

    def publish_all(self: Folder, files: Mapping[str, Iterable[bytes]], *, sync: bool = True) -> None:
        for name, pieces in files.items():
            fd = self.open(f".tmp-{name}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            for piece in pieces:
                write_all(fd, piece)
            os.close(fd)
            self.rename(f".tmp-{name}", name)
            os.fsync(self.fd)

    Folder.publish_all = publish_all  # type: ignore[method-assign]


def wrong_said_before_synced() -> None:
    """A mistake: records count as being on disk before they are."""
    from specular_tui.store import commit

    commit._fdatasync = lambda fd: None  # type: ignore[misc]


def wrong_run_seen_too_early() -> None:
    """A mistake: a new run has its name before it has its files."""
    from specular_tui.store.folder import Folder

    really = Folder.make

    def make(self: Folder, name: str) -> Folder:
        return really(self, "small" if name.startswith(".new-") else name)

    rename = os.rename

    def keep(source: str, target: str, **folders: int) -> None:
        if not str(source).startswith(".new-"):
            rename(source, target, **folders)

    Folder.make = make  # type: ignore[method-assign]
    os.rename = keep  # type: ignore[assignment]


def wrong_logs_not_synced() -> None:
    """A mistake: a result is recorded without waiting for its log."""
    from specular_tui.store.recorder import RunRecorder

    really = RunRecorder.append

    def append(self: RunRecorder, event: Any, *files: int) -> None:
        for fd in files:
            os.close(fd)
        really(self, event)

    RunRecorder.append = append  # type: ignore[method-assign]


def wrong_outputs_not_saved() -> None:
    """A mistake: outputs of results that a killed process had recorded are taken for being on disk."""
    from specular_tui.store import declared

    declared.bring_to_disk = lambda folder, outputs, failed=(): True


def wrong_done_before_recorded() -> None:
    """A mistake: a task is said to be done before that is in the journal."""
    from specular_tui.engine.recording import Recording
    from specular_tui.model.event import TaskEnded

    really = Recording.record

    def record(self: Recording, event: Any, *files: int) -> None:
        if isinstance(event, TaskEnded) and event.outcome == "completed":
            os.write(1, f"now DONE {event.task}\n".encode())
        really(self, event, *files)

    Recording.record = record  # type: ignore[method-assign]


def wrong_errors_are_warnings() -> None:
    """A mistake: what cannot be written is left out, and the build goes on."""
    from specular_tui.errors import StorageError
    from specular_tui.store.recorder import RunRecorder

    really = RunRecorder._write

    def write(self: RunRecorder, line: bytes) -> None:
        try:
            really(self, line)
        except StorageError:
            self._end += 0

    RunRecorder._write = write  # type: ignore[method-assign]
