"""The time of a session: the wall clock where it starts, counted on by the monotonic clock."""

from __future__ import annotations

import time


class Clock:
    """Milliseconds since the epoch that never go back within a session, whatever happens to the wall clock."""

    def __init__(self, not_before: int = 0) -> None:
        """Start now, but not before `not_before`: the last event of the session before, if the clock was set back."""
        self._wall = max(time.time_ns() // 1_000_000, not_before)
        self._monotonic = time.monotonic_ns()

    def now(self) -> int:
        """Return the present time in milliseconds since the epoch."""
        return self._wall + (time.monotonic_ns() - self._monotonic) // 1_000_000
