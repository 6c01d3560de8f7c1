"""The slots of a run: attempts in as few rows as ran at once. Pure."""

from __future__ import annotations

from heapq import heappop, heappush


class Slots:
    """Gives each attempt, in the order of their starts, the first slot in which nothing runs any more; from 0."""

    def __init__(self) -> None:
        """Begin without any."""
        self._count = 0
        self._free: list[int] = []
        #: Slots that will be free, by when.
        self._busy: list[tuple[int, int]] = []

    def take(self, start: int) -> int:
        """Return the slot of an attempt that starts at `start`."""
        while self._busy and self._busy[0][0] <= start:
            heappush(self._free, heappop(self._busy)[1])
        if self._free:
            return heappop(self._free)
        self._count += 1
        return self._count - 1

    def leave(self, slot: int, end: int) -> None:
        """Say that the attempt in `slot` ends at `end`."""
        heappush(self._busy, (end, slot))
