"""The time of day as the screens need it; tests put a fixed one in its place."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, tzinfo

from msgspec import Struct


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class Clock(Struct, frozen=True):
    """What time it is, in milliseconds since the epoch, and where."""

    now: Callable[[], int] = _wall_ms
    #: None is the zone of this machine.
    zone: tzinfo | None = None

    def at(self, ms: int) -> datetime:
        """Return the local time of a moment."""
        return datetime.fromtimestamp(ms / 1000, self.zone)

    def time(self, ms: int) -> str:
        """Return `12:03:11`, with the date where it is not today's."""
        moment = self.at(ms)
        today = self.at(self.now()).date()
        return f"{moment:%H:%M:%S}" if moment.date() == today else f"{moment:%Y-%m-%d %H:%M}"
