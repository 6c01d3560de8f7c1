"""The names of logs: a log that is still empty gets one when its task has been running for a while."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from typing import Final

from specular_tui.engine.clock import Clock
from specular_tui.engine.running import Running
from specular_tui.errors import StorageError
from specular_tui.store.recorder import Recorder

#: A log that is still empty gets its name when its task has been running for so long, and at most twice that.
AFTER_MS: Final = 40


class Naming:
    """Gives logs their names. Only for use on the session's loop."""

    def __init__(
        self,
        running: Callable[[], Collection[Running]],
        recorder: Recorder,
        clock: Clock,
        on_error: Callable[[StorageError], None],
    ) -> None:
        """`running` returns the attempts that run; call `on_error` where the disk refuses a name."""
        self._running = running
        self._recorder = recorder
        self._clock = clock
        self._on_error = on_error
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def name(self, running: Running) -> None:
        """Give a log its name; where the disk refuses that, an attempt that has ended counts as interrupted."""
        try:
            self._recorder.name_log(running.log)
        except StorageError as error:
            if running.ended:
                # One that runs is still to be told to end, as all are then.
                running.ended_by = "stop"
            self._on_error(error)

    def soon(self) -> None:
        """Give the logs of tasks that go on running their names in a while."""
        if self._timer is None:
            self._timer = self._loop.call_later(AFTER_MS / 1000, self._name_old_ones)

    def close(self) -> None:
        """Name nothing any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _name_old_ones(self) -> None:
        """Let the logs of tasks that have been running for a while be seen, and those of younger ones the next time."""
        self._timer = None
        old_enough = self._clock.now() - AFTER_MS
        for running in tuple(self._running()):
            if running.log.temporary and not running.ended:
                if running.started_at <= old_enough:
                    self.name(running)
                else:
                    self.soon()
