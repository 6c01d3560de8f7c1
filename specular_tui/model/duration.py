"""Durations as people write them (`90s`, `5m`, `1h30m`, `7d`) and as people read them."""

from __future__ import annotations

import re

DAY_MS = 86_400_000
_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": DAY_MS, "w": 604_800_000}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|[smhdw])")
_WHOLE = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|[smhdw]))+")

#: Longer than any build or retention period can mean: 100 years.
MAX_MS = 100 * 366 * DAY_MS


def parse(text: str) -> int:
    """Return the milliseconds that `text` names.

    Accepts numbers with a unit, one after the other: `500ms`, `90s`, `5m`, `2h`, `7d`, `2w`, `1h30m`.

    Raises:
        ValueError: `text` is not a duration, or is longer than 100 years.
    """
    stripped = text.strip()
    if len(stripped) > 64 or not _WHOLE.fullmatch(stripped):
        raise ValueError(f"'{text[:40]}' is not a duration such as 90s, 5m, 2h, 7d or 1h30m")
    total = sum(float(number) * _UNITS_MS[unit] for number, unit in _PART.findall(stripped))
    if total > MAX_MS:
        raise ValueError(f"'{text[:40]}' is longer than 100 years")
    return round(total)


def humanise(ms: float) -> str:
    """Return `ms` milliseconds in at most two units: `0.42s`, `9.1s`, `1m05s`, `2h03m`, `3d04h`."""
    if ms < 0:
        return "-" + humanise(-ms)
    seconds = ms / 1000
    if seconds < 9.95:
        return f"{seconds:.2f}s" if seconds < 0.995 else f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    minutes, second = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}m{second:02d}s"
    hours, minute = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h{minute:02d}m"
    days, hour = divmod(hours, 24)
    return f"{days}d{hour:02d}h"


def rough(ms: float) -> str:
    """Return an estimate: `<1s`, `~45s`, `~2m`, `~1h30m`; no finer than anybody can know."""
    seconds = round(ms / 1000)
    if seconds < 1:
        return "<1s"
    if seconds < 90:
        return f"~{seconds}s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"~{minutes}m"
    hours, minute = divmod(minutes, 60)
    if hours < 48:
        return f"~{hours}h{minute:02d}m" if minute and hours < 10 else f"~{hours}h"
    return f"~{round(hours / 24)}d"


def between(low: float, high: float) -> str:
    """Return `~40–55s`, `~3–5m`, `~30s–2m`; one number where both ends are the same."""
    first, last = rough(low), rough(high).removeprefix("~")
    if last.endswith("m") and 55_000 <= low < 90_000:
        first = "~1m"
    if last == first or first == f"~{last}":
        return first
    if (first, last) == ("<1s", "1s"):
        return "~1s"
    if first[-1] == last[-1] and first[1:-1].isdigit() and last[:-1].isdigit():
        first = first[:-1]
    return f"{first}–{last}"
