"""The two languages between which a page is served: Textual's web driver's packets, and the page's messages.

A packet is a letter, the length as four bytes, and so many bytes: `D` is what a terminal would show or type, `M` is
JSON about it. The page sends JSON lists, the first item of which names the kind. What it says is not trusted: anything
else than what is described here is dropped.
"""

from __future__ import annotations

import json
from typing import Any, Final

#: What comes before the first packet.
PRELUDE: Final = b"__GANGLION__\n"
#: No packet of the application is near that.
LARGEST: Final = 64 << 20
#: The least and the most columns and lines of a screen; a page may say anything.
COLUMNS: Final = (1, 1000)
LINES: Final = (1, 500)


def packet(kind: bytes, payload: bytes) -> bytes:
    """Return one packet."""
    return b"%s%s%s" % (kind, len(payload).to_bytes(4, "big"), payload)


def about(**data: Any) -> bytes:
    """Return a packet of kind `M`."""
    return packet(b"M", json.dumps(data).encode())


def size_of(width: Any, height: Any) -> tuple[int, int]:
    """Return the size of a screen, within reason, from what a page says."""
    return _within(width, COLUMNS, 80), _within(height, LINES, 24)


def from_page(text: str) -> tuple[bytes, str]:
    """Return what a page's message means to the application, and what is answered to the page; both may be empty."""
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return b"", ""
    match message:
        case ["stdin", str(typed)]:
            return packet(b"D", typed.encode("utf-8", "replace")), ""
        case ["resize", {"width": width, "height": height}]:
            columns, lines = size_of(width, height)
            return about(type="resize", width=columns, height=lines), ""
        case ["focus" | "blur" as kind, *_]:
            return about(type=kind), ""
        case ["ping", (int() | float() | str()) as data]:
            return b"", json.dumps(["pong", data])
        case _:
            return b"", ""


def _within(value: Any, bounds: tuple[int, int], default: int) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        return default
    return min(max(number, bounds[0]), bounds[1])
