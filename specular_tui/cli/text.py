"""Task output for a terminal or a pipe: its text, and nothing that would steer either."""

from __future__ import annotations

import codecs
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
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028\u2029\u202a-\u202e\u2060-\u2069\u061c\ufeff\ud800-\udfff]"
)
#: What any of the above begins with or is, and the carriage return.
_SUSPECT: Final = re.compile(r"\r|" + _CONTROLS.pattern)

#: Bytes that are shown as they are.
_PLAIN: Final = bytes(range(0x20, 0x7F)) + b"\n\t"

#: A line longer than this is handed out in pieces.
LONGEST: Final = 1 << 18


class Cleaner:
    """Makes output readable as it arrives, line by line, in bounded memory."""

    def __init__(self) -> None:
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode
        self._rest = ""
        #: Nothing in the rest has to be looked at.
        self._rest_is_plain = True

    def feed(self, data: bytes) -> str:
        """Return the text of the lines that `data` completes."""
        # Most output is plain, and it takes a tenth of the time to see that.
        plain = not data.translate(None, _PLAIN)
        text = self._rest + self._decode(data)
        end = text.rfind("\n") + 1
        lines, self._rest = text[:end], text[end:]
        if not (plain and self._rest_is_plain):
            lines = clean(lines)
        self._rest_is_plain = not self._rest or (plain and (self._rest_is_plain or end > 0))
        return lines + self._shorten() if len(self._rest) > LONGEST else lines

    def finish(self) -> str:
        """Return the last line, which has no line feed."""
        rest, self._rest = self._rest + self._decode(b"", True), ""
        return clean(rest)

    def _shorten(self) -> str:
        """Settle what can be settled of a long line; return it if it is still long."""
        # An escape may have only begun.
        escape = max(self._rest.rfind("\x1b", -64), self._rest.rfind("\x9b", -64))
        settled, begun = (self._rest, "") if escape < 0 else (self._rest[:escape], self._rest[escape:])
        settled = _overwritten(_CONTROLS.sub("", _ESCAPES.sub("", settled)))
        if len(settled) > LONGEST // 2:
            self._rest = begun
            return settled
        # The next part starts at the line's beginning, if it would have.
        back = "\r" if self._rest[: len(self._rest) - len(begun)].endswith("\r") else ""
        self._rest = settled + back + begun
        return ""


def clean(text: str) -> str:
    """Return `text` without escapes and control characters but line feeds and tabs.

    A line that rewrote itself with carriage returns is what it was in the end.
    """
    if not _SUSPECT.search(text):
        return text
    text = _CONTROLS.sub("", _ESCAPES.sub("", text))
    if "\r" in text:
        text = "\n".join(_overwritten(line) for line in text.split("\n"))
    return text


def readable(data: bytes) -> str:
    """Return the text of the whole output `data`, cleaned."""
    return clean(data.decode("utf-8", "replace"))


def _overwritten(line: str) -> str:
    parts = line.split("\r")
    shown = parts.pop()
    for part in reversed(parts):
        if len(part) > len(shown):
            shown += part[len(shown) :]
    return shown
