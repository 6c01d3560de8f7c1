"""The standard streams as the commands find them: open, and able to take every text."""

from __future__ import annotations

import codecs
import os
import sys
from typing import Final

#: What stands for a sign where the terminal has no Unicode; letters lose their marks, all others become `?`.
_SIGNS: Final = {
    "✓": "+",
    "✗": "x",
    "●": "*",
    "█": "#",
    "░": ".",
    "→": "->",
    "…": "...",
    "–": "-",
    "—": "-",
    "‘": "'",
    "’": "'",
    "“": '"',
    "”": '"',
    "•": "*",
    "×": "x",
    "\u00a0": " ",
}


def open_streams() -> None:
    """Give the standard streams that are closed (`>&-`) something to be, so that no file of a run becomes one."""
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest free descriptor: this one
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - for the life of the process
        elif hasattr(stream, "reconfigure"):
            # A terminal that is not Unicode gets something for every sign, and no command ends because of one.
            if utf8(stream):
                stream.reconfigure(errors="replace")
            else:
                codecs.register_error("specular", _stand_in)
                stream.reconfigure(errors="specular")
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115


def utf8(stream: object) -> bool:
    """Tell whether a stream takes every character there is."""
    return (getattr(stream, "encoding", None) or "").lower().replace("-", "") == "utf8"


def _stand_in(error: UnicodeError) -> tuple[str, int]:
    """Return what is written for the characters that an encoding does not have."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    import unicodedata

    text = error.object[error.start : error.end]
    shown = "".join(_SIGNS.get(char) or unicodedata.normalize("NFKD", char)[0] for char in text)
    return "".join(char if char.isascii() else "?" for char in shown), error.end
