"""Numbers as people read them: counts of things, bytes, and how long ago something was."""

from __future__ import annotations

from typing import Final

_UNITS: Final = ((86_400, "day"), (3_600, "h"), (60, "min"))


def plural(count: int, noun: str) -> str:
    """Return `1 task`, `2 tasks`, `1,200 tasks`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def size(count: int) -> str:
    """Return a number of bytes as people read it: `812 B`, `4.1 KB`, `120 MB`."""
    if count < 1000:
        return f"{count} B"
    value = float(count)
    for unit in ("KB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.5:
            return f"{value:.1f} {unit}" if value < 9.95 else f"{value:.0f} {unit}"
    return f"{value:.0f} TB"


def age(ms: int) -> str:
    """Return how long ago something was, in one unit: `just now`, `40 s ago`, `3 min ago`, `5 days ago`.

    Seconds are said in tens: nobody counts along, and no program shall wake for each of them.
    """
    seconds = ms // 1000
    if seconds < 10:
        return "just now"
    for length, word in _UNITS:
        if seconds >= length:
            number = seconds // length
            return f"{number} {word}{'s' if number != 1 and word == 'day' else ''} ago"
    return f"{seconds // 10 * 10} s ago"


def age_lasts(ms: int) -> int:
    """Return the milliseconds for which the text about an age stays the same, from its first moment on."""
    return next((length * 1000 for length, _ in _UNITS if ms >= length * 1000), 10_000)
