"""Numbers and times in the words of a table."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from specular_tui.model import duration, quantity

if TYPE_CHECKING:
    from specular_tui.model.forecast import Forecast


#: What is said where no estimate can be made.
UNKNOWN: Final = "nobody knows yet how long"


def age(at: int, now: int | None = None) -> str:
    """Return how long ago the millisecond `at` was, `-` where that is unknown."""
    return quantity.age((time.time_ns() // 1_000_000 if now is None else now) - at) if at > 0 else "-"


def left(found: Forecast, now: int, *, frozen: bool) -> str:
    """Return `~3-5m left, until 14:31-14:33`; no hour where the run stands still, `longer than expected` after its end.

    `now` is the moment that it is counted from, in milliseconds since the epoch.
    """
    if not found.high_ms:
        return "longer than expected"
    span = duration.between(found.low_ms, found.high_ms).replace("–", "-")
    return f"{span} left" if frozen else f"{span} left, until {_hours(now + found.low_ms, now + found.high_ms, now)}"


def _hours(start: int, end: int, now: int) -> str:
    """Return two moments as local clock times, with the day where that is not today."""
    today = datetime.fromtimestamp(now / 1000).date()

    def said(ms: int) -> str:
        moment = datetime.fromtimestamp(ms / 1000)
        return f"{moment:%H:%M}" if moment.date() == today else f"{moment:%a %H:%M}"

    return said(start) if said(start) == said(end) else f"{said(start)}-{said(end)}"


def number(value: Any) -> int:
    """Return `value` if it is a whole number, else 0: files on disk may say anything."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def text(value: Any) -> str:
    """Return `value` if it is text, else nothing."""
    return value if isinstance(value, str) else ""


def state(
    status: str, *, interrupted: bool = False, live: bool = False, stopping: bool = False, draining: bool = False
) -> str:
    """Return a run's state with what has to be known beside it."""
    if interrupted:
        return f"{status}, interrupted"
    if live and (stopping or draining):
        return f"{status}, {'stopping' if stopping else 'draining'}"
    return f"{status}, live" if live and status == "paused" else status
