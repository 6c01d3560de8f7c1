"""What the engine needs of whoever keeps a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from specular_tui.model.event import AnyEvent
from specular_tui.model.plan import Task
from specular_tui.model.run import RunState
from specular_tui.store.logs.live import LiveLog


class Recorder(Protocol):
    """Keeps the state, and has a place for events and logs. Where the disk refuses, it raises `StorageError` alone."""

    state: RunState
    tasks: Mapping[str, Task]

    @property
    def path(self) -> Path:
        """The folder that all of it lies in."""

    def append(self, event: AnyEvent, *files: int) -> None:
        """Record an event; `files` are open descriptors that must be on disk before the record counts. Owned.

        Raises:
            StorageError: it could not be recorded; the state is unchanged.
        """

    def open_log(self, task_id: str) -> LiveLog:
        """Return a new log for the next attempt of a task; an earlier attempt's log is kept.

        Raises:
            StorageError: it cannot be made.
        """

    def prepare_log(self) -> None:
        """Have a file ready for the log of whatever starts next; where there can be none, `open_log` tells."""

    def name_log(self, log: LiveLog) -> None:
        """Let a running attempt's log be seen under its name.

        Raises:
            StorageError: it cannot be renamed.
        """

    def end_log(self, log: LiveLog, *, printed: bool) -> int | None:
        """Let go of the log of an attempt that has ended; if it has `printed`, return what `append` brings to disk.

        Raises:
            StorageError: it cannot be given its name.
        """

    def log_path(self, task_id: str) -> Path:
        """Return where the latest log of a task is."""

    def prepare_snapshot(self, now: int, control: str | None = None) -> Callable[[], None]:
        """Return what publishes the state as it is now; it may be called on another thread.

        Raises (the returned call):
            StorageError: it could not be published.
        """

    def publish_all(self, now: int) -> None:
        """Publish the state as it is now, and all that belongs to it.

        Raises:
            StorageError: it could not be published.
        """

    def flush(self) -> None:
        """Return once all that was recorded is on disk.

        Raises:
            StorageError: the disk refused.
        """

    def rescue(self, now: int) -> Sequence[AnyEvent]:
        """After a failed write: make what was recorded safe once more, if that is possible; return what was lost.

        Raises:
            StorageError: it is not possible.
        """

    def close(self, now: int) -> None:
        """Publish the last state and let go of the run.

        Raises:
            StorageError: it could not be published; the run is let go of all the same.
        """
