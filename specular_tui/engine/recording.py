"""The way of an event: to the recorder, then to whoever watches; and what becomes of it where the disk refuses."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable

from msgspec.structs import replace

from specular_tui.errors import StorageError
from specular_tui.model.event import AnyEvent, SessionEnded, TaskReset
from specular_tui.model.run import RunState, RunStatus
from specular_tui.store.recorder import Recorder

Observer = Callable[[AnyEvent, RunState], None]


class Recording:
    """Records the events of a session, in their order."""

    def __init__(self, recorder: Recorder, observer: Observer, on_failure: Callable[[], None]) -> None:
        """Tell `observer` of each event that is recorded; call `on_failure` once, when the disk refuses."""
        self._recorder = recorder
        self._observer = observer
        self._on_failure = on_failure
        #: Why nothing can be recorded any more.
        self.error: StorageError | None = None
        #: Events that the journal has refused; from the first one on all wait here, so that their order is kept.
        self._unsaved: list[AnyEvent] = []

    def record(self, event: AnyEvent, *files: int) -> None:
        """Record an event; `files` are open descriptors that must be on disk before it counts. Owned."""
        if self._unsaved:
            self._unsaved.append(event)
            for fd in files:
                os.close(fd)
            return
        try:
            self._recorder.append(event, *files)
        except StorageError as error:
            self._unsaved.append(event)
            self.fail(error)
        else:
            self._observer(event, self._recorder.state)

    def fail(self, error: StorageError) -> None:
        """The checkpoint cannot be written any more: nothing done from now on would be kept."""
        if self.error is None:
            self.error = error
            self._on_failure()

    def finish(self, now: int) -> None:
        """Save what the disk has refused, now that nothing else is written, in a new journal if need be."""
        if self._unsaved and not self._save_rest():
            with contextlib.suppress(StorageError):
                lost = self._recorder.rescue(now)
                for event in lost:
                    self._observer(event, self._recorder.state)
                if any(isinstance(event, TaskReset) for event in lost):
                    self._unsaved = [_not_completed(event) for event in self._unsaved]
                self._save_rest()

    def _save_rest(self) -> bool:
        """Record what waits; False where it is still refused."""
        try:
            while self._unsaved:
                self._recorder.append(self._unsaved[0])
                self._observer(self._unsaved.pop(0), self._recorder.state)
        except StorageError:
            return False
        return True


def _not_completed(event: AnyEvent) -> AnyEvent:
    """Return the end of a session whose last results are lost: there is something to resume."""
    if isinstance(event, SessionEnded) and event.status == RunStatus.COMPLETED:
        return replace(event, status=RunStatus.PAUSED, reason="storage")
    return event
