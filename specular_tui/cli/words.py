"""Numbers and times in the words of a table."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from specular_tui.model import duration

if TYPE_CHECKING:
    from specular_tui.model.forecast import Forecast


def age(at: int, now: int | None = None) -> str:
    """Return how long ago the millisecond `at` was, in one unit: `just now`, `40 s ago`, `3 min ago`, `5 days ago`."""
    if at <= 0:
        return "-"
    seconds = ((time.time_ns() // 1_000_000 if now is None else now) - at) // 1000
    if seconds < 10:
        return "just now"
    for length, word in ((86_400, "day"), (3_600, "h"), (60, "min")):
        if seconds >= length:
            number = seconds // length
            return f"{number} {word}{'s' if number != 1 and word == 'day' else ''} ago"
    return f"{seconds} s ago"


def left(found: Forecast, now: int, *, frozen: bool) -> str:
    """Return `~3-5m left, until 14:31-14:33`; no hour where the run stands still, `about to end` at its end.

    `now` is the moment that it is counted from, in milliseconds since the epoch.
    """
    if not found.high_ms:
        return "about to end"
    span = duration.between(found.low_ms, found.high_ms).replace("–", "-")
    return f"{span} left" if frozen else f"{span} left, until {_hours(now + found.low_ms, now + found.high_ms, now)}"


def _hours(start: int, end: int, now: int) -> str:
    """Return two moments as local clock times, with the day where that is not today."""
    today = datetime.fromtimestamp(now / 1000).date()

    def said(ms: int) -> str:
        moment = datetime.fromtimestamp(ms / 1000)
        return f"{moment:%H:%M}" if moment.date() == today else f"{moment:%a %H:%M}"

    return said(start) if said(start) == said(end) else f"{said(start)}-{said(end)}"


def size(count: int) -> str:
    """Return a number of bytes as people read it: `812 B`, `4.1 KB`, `120 MB`."""
    if count < 1000:
        return f"{count} B"
    value, unit = float(count), "B"
    for unit in ("KB", "MB", "GB", "TB"):  # noqa: B007
        value /= 1000
        if value < 999.5:
            break
    return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"


def plural(count: int, noun: str) -> str:
    """Return `1 task`, `2 tasks`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def number(value: Any) -> int:
    """Return `value` if it is a whole number, else 0: files on disk may say anything."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def text(value: Any) -> str:
    """Return `value` if it is text, else nothing."""
    return value if isinstance(value, str) else ""


def state(status: str, *, interrupted: bool = False, live: bool = False) -> str:
    """Return a run's state with what has to be known beside it."""
    if interrupted:
        return f"{status}, interrupted"
    return f"{status}, live" if live and status == "paused" else status
