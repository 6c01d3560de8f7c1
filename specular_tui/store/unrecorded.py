"""The recorder of a build that keeps no checkpoint: the same fold, and only logs on disk, for as long as it runs."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from specular_tui.errors import StorageError
from specular_tui.model.event import AnyEvent, RunCreated
from specular_tui.model.fold import apply
from specular_tui.model.plan import Task
from specular_tui.model.run import RunState
from specular_tui.store import layout
from specular_tui.store.explaining import explain
from specular_tui.store.folder import Folder
from specular_tui.store.logs.live import LiveLog, LiveLogs


class Unrecorded:
    """Keeps the state in memory and the logs in a temporary folder that goes with the build."""

    def __init__(self, event: RunCreated, tasks: Mapping[str, Task]) -> None:
        """Begin with the run's first event.

        Raises:
            StorageError: there is no place for logs.
        """
        import tempfile  # most builds keep a checkpoint, and need no such module

        self.tasks = tasks
        self.state = apply(RunState(), event)
        self.state.seq = 1
        try:
            self._folder = Folder.at(Path(tempfile.mkdtemp(prefix="specular-")))
        except OSError as error:
            raise _explain(error, "make a folder for logs", error.filename) from error
        self._logs = LiveLogs(self._folder)

    @property
    def path(self) -> Path:
        """The temporary folder."""
        return self._folder.path

    def append(self, event: AnyEvent, *files: int) -> None:
        """Fold an event in."""
        for fd in files:
            os.close(fd)
        self.state = apply(self.state, event)
        self.state.seq += 1

    def open_log(self, task_id: str) -> LiveLog:
        """Return a new, empty log; that of an earlier attempt keeps another name. Raises StorageError."""
        latest = layout.log_name(task_id)
        attempt = self.state.task(task_id).attempt
        with self._explained(latest):
            if attempt and self._folder.finds(latest):
                self._folder.rename(latest, layout.log_name(task_id, attempt))
            return self._logs.open(latest)

    def prepare_log(self) -> None:
        """Have a file ready for the log of whatever starts next."""
        self._logs.prepare()

    def name_log(self, log: LiveLog) -> None:
        """Let a running attempt's log be seen under its name. Raises StorageError."""
        with self._explained(log.name):
            self._logs.name(log)

    def end_log(self, log: LiveLog, *, printed: bool) -> int | None:
        """Let go of the log of an attempt that has ended. Raises StorageError."""
        with self._explained(log.name):
            return self._logs.end(log, printed=printed)

    @contextlib.contextmanager
    def _explained(self, name: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise _explain(error, "write a log", self._folder.path / name) from error

    def log_path(self, task_id: str) -> Path:
        """Return where the latest log of a task is while the build runs."""
        return self._folder.path / layout.log_name(task_id)

    def prepare_snapshot(self, now: int, control: str | None = None) -> Callable[[], None]:
        """Nothing is published."""
        return lambda: None

    def publish_all(self, now: int) -> None:
        """Nothing is published."""

    def flush(self) -> None:
        """Nothing is on disk."""

    def rescue(self, now: int) -> tuple[()]:
        """Nothing can be saved."""
        return ()

    def close(self, now: int) -> None:
        """Remove the logs."""
        import shutil

        self._logs.close()
        self._folder.close()
        shutil.rmtree(self._folder.path, ignore_errors=True)


def _explain(error: OSError, doing: str, where: object) -> StorageError:
    return explain(error, doing, where, elsewhere="name another folder for temporary files: export TMPDIR=FOLDER")
