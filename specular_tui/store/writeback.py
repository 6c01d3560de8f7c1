"""What waits for the disk: how much that is, and files whose sync follows, which the disk begins to take.

Syncs of several new files, one after the other, each wait for blocks to be found, bytes to be written and the file
system's own journal to have it all. Where the bytes of all of them are on their way before the first is synced, that
one waits for all, and the others find next to nothing left to do.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from functools import cache
from typing import Final

#: SYNC_FILE_RANGE_WRITE of Linux: start, and wait for nothing.
_WRITE: Final = 2
_DIRTY: Final = re.compile(rb"^Dirty: +(\d+) kB$", re.MULTILINE)


def begin(fd: int) -> None:
    """Have the bytes of a file be written; whether that succeeds, its sync tells. Without a way to do so, nothing."""
    start = _starter()
    if start is not None:
        start(fd, 0, 0, _WRITE)


def waiting() -> int:
    """Return how many bytes of this machine's files wait for the disk; 0 where nobody says."""
    try:
        with open("/proc/meminfo", "rb") as file:
            found = _DIRTY.search(file.read(1 << 14))
    except OSError:
        return 0
    return int(found[1]) << 10 if found is not None else 0


@cache
def _starter() -> Callable[[int, int, int, int], int] | None:
    """Return `sync_file_range` of libc, where there is one."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes  # only who writes a checkpoint needs it

    try:
        found = ctypes.CDLL(None).sync_file_range
    except (AttributeError, OSError):
        return None
    found.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
    start: Callable[[int, int, int, int], int] = found
    return start
