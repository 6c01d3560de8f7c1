"""The time of a session: the wall clock where it starts, counted on by a clock that nobody sets."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final


def _boottime() -> Callable[[], int]:
    """Return a clock, in nanoseconds, that goes on while the machine sleeps; where there is none, one that does not."""
    try:
        number = time.CLOCK_BOOTTIME
        time.clock_gettime_ns(number)
    except (AttributeError, OSError):
        return time.monotonic_ns
    return lambda: time.clock_gettime_ns(number)


_since_boot: Final = _boottime()


class Clock:
    """Milliseconds since the epoch that never go back within a session, whatever happens to the wall clock."""

    def __init__(self, not_before: int = 0) -> None:
        """Start now, but not before `not_before`: the last event of the session before, if the clock was set back."""
        self._wall = max(time.time_ns() // 1_000_000, not_before)
        self._began = _since_boot()
        self._awake = time.monotonic_ns()

    def now(self) -> int:
        """Return the present time in milliseconds since the epoch."""
        return self._wall + (_since_boot() - self._began) // 1_000_000

    def slept(self) -> int:
        """Return the milliseconds that the machine has slept (suspend, hibernation) since the session started."""
        # The awake clock is read first: what passes between the two readings must not make it less than nothing.
        awake = time.monotonic_ns() - self._awake
        return max(0, _since_boot() - self._began - awake) // 1_000_000
