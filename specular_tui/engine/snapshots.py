"""The snapshots of a session: the three JSON files, rewritten on a thread as often as the cadence says."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from specular_tui.engine.background import Background
from specular_tui.engine.cadence import Cadence
from specular_tui.engine.clock import Clock
from specular_tui.errors import StorageError
from specular_tui.store.recorder import Recorder


class Snapshots:
    """Makes snapshots, one at a time. Only for use on the session's loop."""

    def __init__(
        self,
        recorder: Recorder,
        cadence: Cadence,
        clock: Clock,
        background: Background,
        on_error: Callable[[StorageError], None],
    ) -> None:
        """Call `on_error` where one cannot be made."""
        self._recorder = recorder
        self._cadence = cadence
        self._clock = clock
        self._background = background
        self._on_error = on_error
        self._control: str | None = None
        self._loop = asyncio.get_running_loop()
        self._making: asyncio.Task[None] | None = None
        self._again = False
        self._over = False
        self._interval: asyncio.TimerHandle | None = None

    def start(self, control: str | None) -> None:
        """Make the first one. `control` is the path of the socket that readers are told of."""
        self._control = control
        self._cadence.start(self._clock.now())
        self.make()

    def close(self) -> None:
        """Make no more of them but the one that is being made."""
        self._over = True
        if self._interval is not None:
            self._interval.cancel()

    def make(self) -> None:
        """Make one of the state as it is now; once more afterwards where one is being made already."""
        self._again = self._making is not None
        if self._again or self._over:
            return
        # Not the time that it takes: most of that is waiting for the disk, and keeps nobody from working.
        began = time.thread_time()
        now = self._clock.now()
        self._cadence.began(now)
        write = self._recorder.prepare_snapshot(now, self._control)
        self._making = self._background.start(self._write(write, time.thread_time() - began))

    async def _write(self, write: Callable[[], None], rendering: float) -> None:
        def timed() -> float:
            began = time.thread_time()
            write()
            return rendering + time.thread_time() - began

        try:
            self._cadence.made(await asyncio.to_thread(timed) * 1000)
        except StorageError as error:
            self._on_error(error)
        finally:
            self._making = None
        if self._again:
            self.make()
        elif not self._over:
            self.make_if_due(self._clock.now())

    def task_ended(self, now: int) -> None:
        """A task has ended: that may make one due."""
        self._cadence.task_ended()
        self.make_if_due(now)

    def make_if_due(self, now: int) -> None:
        """Make one where it is due, or see to it that it is made when it is."""
        if self._cadence.due(now):
            if self._making is None:
                self.make()
        elif self._interval is None and self._cadence.ended and not self._over:
            self._interval = self._loop.call_later(self._cadence.every_ms / 1000, self._interval_over)

    def _interval_over(self) -> None:
        self._interval = None
        self.make_if_due(self._clock.now())
