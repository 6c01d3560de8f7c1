"""How fast a run gets on: the tasks that have ended of late. Pure."""

from __future__ import annotations

from collections import deque
from typing import Final

#: So far back is looked, in milliseconds.
WINDOW: Final = 120_000
#: With fewer tasks, or in less time, nothing can be said.
_FEWEST: Final = 3
_SHORTEST: Final = 5_000
#: Counts are kept at most this often.
_STEP: Final = 1_000


class Pace:
    """Is told how many tasks have ended, and answers how many do in a minute."""

    def __init__(self) -> None:
        self._counts: deque[tuple[int, int]] = deque()

    def note(self, now: int, ended: int) -> None:
        """At `now`, in milliseconds of running time, `ended` tasks had ended."""
        counts = self._counts
        if counts and (now < counts[-1][0] or ended < counts[-1][1]):
            counts.clear()  # another session, or tasks that run again
        if len(counts) > 1 and now - counts[-2][0] < _STEP:
            counts[-1] = (now, ended)
        else:
            counts.append((now, ended))
        while counts[0][0] < now - WINDOW:
            counts.popleft()

    def per_minute(self) -> float | None:
        """Return the tasks that end in a minute; None where too few have ended to say so."""
        if not self._counts:
            return None
        (since, before), (now, ended) = self._counts[0], self._counts[-1]
        if ended - before < _FEWEST or now - since < _SHORTEST:
            return None
        return (ended - before) * 60_000 / (now - since)
