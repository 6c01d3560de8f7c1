"""The deadlines of running attempts: their timeouts, and the grace of those that were told to end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from specular_tui.engine.running import Running


class Deadlines:
    """One timer for each attempt that has a deadline. Only for use on the session's loop."""

    def __init__(self, grace_ms: int, ran_for: Callable[[Running], int]) -> None:
        """Give attempts that are told to end `grace_ms`; `ran_for` returns the milliseconds that one has run, without
        those in which it was frozen.
        """
        self._grace_ms = grace_ms
        self._ran_for = ran_for
        self._loop = asyncio.get_running_loop()
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def start(self, running: Running) -> None:
        """Count from now on, as it starts or goes on: what is left of its timeout, or the grace if it is to end."""
        self.stop(running)
        limit = running.task.timeout_ms
        if running.ended:
            return
        if running.ended_by:
            self._kill_later(running)
        elif limit is not None:
            left = max(0, limit - self._ran_for(running))
            self._timers[running.task.id] = self._loop.call_later(left / 1000, self.end, running, "timeout")

    def stop(self, running: Running) -> None:
        """Forget the attempt's deadline, because it has ended or stands still."""
        timer = self._timers.pop(running.task.id, None)
        if timer is not None:
            timer.cancel()

    def end(self, running: Running, why: str) -> None:
        """Ask an attempt to end, and end it by force after the grace period. One that is to stop is not asked again."""
        if running.ended or running.ended_by == "stop":
            return
        self.stop(running)
        if not running.job.terminate():
            return
        running.ended_by = why
        self._kill_later(running)

    def _kill_later(self, running: Running) -> None:
        self._timers[running.task.id] = self._loop.call_later(self._grace_ms / 1000, running.job.kill)
