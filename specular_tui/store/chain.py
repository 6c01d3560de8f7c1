"""The chain of a journal: how each record follows the one before it, told without decoding any.

A record ends with `,"chain":"<32 hex digits>"}`: the BLAKE3 (16 bytes) of the chain value before it and of the line's
bytes up to there. See `store.journal`, which writes and reads records.
"""

from __future__ import annotations

import os
from typing import Final

from blake3 import blake3

from specular_tui.store import layout
from specular_tui.store.folder import Folder

#: Hex digits of a chain value.
LENGTH: Final = 32
#: Bytes of a record from `,"chain"` on, without its line feed.
TAIL: Final = len(b',"chain":""}') + LENGTH
#: So many bytes at the end of a journal are proved by a glance: all of a small build's, and little enough for a list.
GLANCE: Final = 16 << 10


def said(line: bytes) -> bytes:
    """Return the chain value at the end of a record."""
    return line[-LENGTH - 2 : -2]


def follows(line: bytes, before: bytes) -> bool:
    """Tell whether a record is what was written behind the chain value `before`; `line` is without its line feed."""
    return said(line) == blake3(before + line[:-TAIL]).hexdigest(length=LENGTH // 2).encode()


def ends_with(folder: Folder, length: int, chain: str) -> bool:
    """Tell whether the journal in `folder` is of `length` bytes, the last record of which has the value `chain`.

    The last `GLANCE` bytes of it are proved, as records that follow each other; what is in front of them is not read.
    """
    try:
        fd = folder.open(layout.JOURNAL)
    except OSError:
        return False
    try:
        if os.fstat(fd).st_size != length:
            return False
        start = max(0, length - GLANCE)
        data = os.pread(fd, GLANCE, start)
    except OSError:
        return False
    finally:
        os.close(fd)
    lines = data.split(b"\n")
    if lines.pop():
        return False  # a torn record
    if start or not lines or not lines[0].startswith(b'{"seq":1,') or b'"event":"folded"' in lines[0][:40]:
        # What the first one follows is not known: it is cut, or stands for records that are gone.
        first = lines.pop(0) if lines else b""
        if len(first) < LENGTH + 2 and lines:
            first = lines.pop(0)  # the cut went through a chain value, or through what stands behind it
        before = said(first)
        if not lines:
            return before == chain.encode()
    else:
        before = b""
    for line in lines:
        if not follows(line, before):
            return False
        before = said(line)
    return before == chain.encode()
