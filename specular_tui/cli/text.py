"""Task output for a terminal or a pipe: its text, and nothing that would steer either."""

from __future__ import annotations

import re
from typing import Final

# CSI, OSC/DCS/SOS/PM/APC up to their end (or the end of the line, where that is missing), and two-character escapes.
_ESCAPES: Final = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]?"
    r"|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?"
    r"|\x1b[ -/]*[0-~]?"
    r"|\x9b[0-?]*[ -/]*[@-~]?"
    r"|[\x90\x98\x9d-\x9f][^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?"
)
_CONTROLS: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\u061c\ufeff\ud800-\udfff]"
)


def readable(data: bytes) -> str:
    """Return the text of `data` without escapes and control characters but line feeds and tabs.

    A line that rewrote itself with carriage returns is what it was in the end.
    """
    text = _ESCAPES.sub("", data.decode("utf-8", "replace"))
    return _CONTROLS.sub("", "\n".join(_overwritten(line) for line in text.split("\n")))


def _overwritten(line: str) -> str:
    if "\r" not in line:
        return line
    shown = ""
    for part in line.split("\r"):
        shown = part + shown[len(part) :]
    return shown
