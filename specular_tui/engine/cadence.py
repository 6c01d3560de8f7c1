"""How often the three JSON files are rewritten."""

from __future__ import annotations

from msgspec import Struct


class Cadence(Struct):
    """Says when a snapshot is due: every so many ended tasks, or so much time after the last.

    The journal has every event anyway, so that a snapshot is for readers alone. In a large run it may cost more than
    the tasks that it tells of: over `credit_ms` of processor time, no more than `share` of the time is spent on them.
    """

    every_tasks: int
    every_ms: int
    share: float = 0.01
    credit_ms: float = 50
    ended: int = 0
    last: int = 0
    spent_ms: float = 0
    since: int = 0

    def start(self, now: int) -> None:
        """A session begins."""
        self.last = self.since = now

    def task_ended(self) -> None:
        """One more task has ended."""
        self.ended += 1

    def due(self, now: int) -> bool:
        """Tell whether a snapshot should be made now."""
        wanted = self.ended >= self.every_tasks or (self.ended > 0 and now - self.last >= self.every_ms)
        return wanted and self.spent_ms <= self.credit_ms + self.share * (now - self.since)

    def began(self, now: int) -> None:
        """A snapshot of the state as it is now is being made; tasks that end from here on are for the next one."""
        self.ended = 0
        self.last = now

    def made(self, cost_ms: float) -> None:
        """It has been made, and took `cost_ms` of processor time."""
        self.spent_ms += cost_ms
