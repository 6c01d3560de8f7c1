"""The one table of signs: everything that is drawn and is no letter, and what stands for it where there is no Unicode.

Screens and widgets draw with these names and never think of ASCII: where the terminal has no Unicode, `look` passes
all that is painted through `ascii_text`, whoever painted it. Each sign is one cell wide, and so is what stands for it,
so that nothing moves. A new sign is a new line here; a test sees to it that no other is drawn.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

from rich.cells import cell_len

# States, of tasks and of runs.
DONE: Final = "✓"
FAILED: Final = "✗"
RUNNING: Final = "●"
PENDING: Final = "○"
BLOCKED: Final = "⊗"
SKIPPED: Final = "⊘"
FROZEN: Final = "‖"
RETRYING: Final = "↻"
ABANDONED: Final = "∅"
DRAINING: Final = "◐"
UNKNOWN: Final = "?"
PINNED: Final = "◆"
MARKED: Final = "◉"

# Bars: each state has a line of its own, so that they can be told apart without colours.
BAR_DONE: Final = "━"
BAR_FAILED: Final = "╳"
BAR_SKIPPED: Final = "┄"
BAR_RUNNING: Final = "╍"
BAR_PENDING: Final = "─"

# Charts.
FULL: Final = "█"
HALF: Final = "▌"
LIGHT: Final = "░"
MEDIUM: Final = "▒"
DARK: Final = "▓"
HATCH: Final = "╱"
NOW: Final = "│"
TICK: Final = "┬"
CUT: Final = "┊"
SLOW: Final = "▲"
CORNER: Final = "└"
BRANCH: Final = "├"

# Text.
ELLIPSIS: Final = "…"
INERT: Final = "·"
LOST: Final = "\N{REPLACEMENT CHARACTER}"
DASH: Final = "–"
TIMES: Final = "×"
UP: Final = "↑"
DOWN: Final = "↓"
LEFT: Final = "←"
RIGHT: Final = "→"
POINTER: Final = "›"
#: The thumb of a scroll indicator.
THUMB: Final = "▐"

#: What stands for each sign in ASCII; those without a name are Textual's own.
ASCII: Final = {
    DONE: "+",
    FAILED: "x",
    RUNNING: "*",
    PENDING: ".",
    BLOCKED: "o",
    SKIPPED: "-",
    FROZEN: "=",
    RETRYING: "@",
    ABANDONED: "0",
    DRAINING: "%",
    PINNED: "!",
    MARKED: "#",
    BAR_DONE: "=",
    BAR_FAILED: "x",
    BAR_SKIPPED: "~",
    BAR_RUNNING: ">",
    BAR_PENDING: "-",
    FULL: "#",
    HALF: "#",
    LIGHT: ":",
    MEDIUM: "%",
    DARK: "#",
    HATCH: "/",
    NOW: "|",
    TICK: "+",
    CUT: ":",
    SLOW: "^",
    CORNER: "`",
    BRANCH: "|",
    ELLIPSIS: "~",
    INERT: ".",
    LOST: "?",
    DASH: "-",
    TIMES: "x",
    UP: "^",
    DOWN: "v",
    LEFT: "<",
    RIGHT: ">",
    POINTER: ">",
    THUMB: "|",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    "•": "*",
    "►": ">",
    "▶": ">",
    "▼": "v",
    "❯": ">",
    "—": "-",
    "■": "#",
    "▪": "*",
    "\u00a0": " ",
}


@lru_cache(maxsize=4096)
def ascii_text(text: str) -> str:
    """Return `text` in ASCII, as wide as it was: signs by the table, letters without their marks, others as `?`."""
    if text.isascii():
        return text
    return "".join(char if char.isascii() else _ascii(char) for char in text)


@lru_cache(maxsize=4096)
def _ascii(char: str) -> str:
    width = cell_len(char)
    known = ASCII.get(char) or _line(char)
    if known is None:
        # What is left of a letter without its accent.
        known = "".join(part for part in unicodedata.normalize("NFKD", char) if part.isascii() and part.isprintable())
    return known if len(known) == width else "?" * width


def _line(char: str) -> str | None:
    """Return what stands for a part of a frame or for a block."""
    if not "\u2500" <= char <= "\u259f":
        return None
    name = unicodedata.name(char)
    if "BLOCK" in name and ("EIGHTH" in name or "QUARTER" in name or "HALF" in name):
        return "_" if "LOWER" in name else "-" if "UPPER" in name else "|"
    if "HORIZONTAL" in name and "VERTICAL" not in name:
        return "-"
    if "VERTICAL" in name and "HORIZONTAL" not in name:
        return "|"
    return "#" if char >= "\u2580" else "+"
