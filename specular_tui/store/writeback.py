"""What waits for the disk, and how it gets there: files alone, together, or all of a file system at once.

Syncs of several new files, one after the other, each wait for blocks to be found, bytes to be written and the file
system's own journal to have it all. Where the bytes of all of them are on their way before the first is synced, that
one waits for all, and the others find next to nothing left to do.
"""

from __future__ import annotations

import errno
import os
import re
import sys
from collections.abc import Callable, Sequence
from functools import cache
from typing import Final

#: SYNC_FILE_RANGE_WRITE of Linux: start, and wait for nothing.
_WRITE: Final = 2
#: So many bytes may wait for the disk for a sweep to be worth it, and so many more for each file that it brings there:
#: in the time of one sync a disk writes about as much.
LITTLE: Final = 64 << 20
EACH: Final = 256 << 10
_DIRTY: Final = re.compile(rb"^Dirty: +(\d+) kB$", re.MULTILINE)


def begin(fd: int) -> None:
    """Have the bytes of a file be written; whether that succeeds, its sync tells. Without a way to do so, nothing."""
    start = _starter()
    if start is not None:
        start(fd, 0, 0, _WRITE)


def bring(files: Sequence[int]) -> None:
    """Sync open files together: all are on their way before the first one is waited for."""
    if len(files) > 1:
        for fd in files:
            begin(fd)
    for fd in files:
        os.fsync(fd)


def sweep(fd: int, files: int) -> bool:
    """Bring everything on the file system of `fd` to disk, for the sake of so many files.

    False where the system has no call for that, or so much waits for the disk that this would be waiting for others.
    """
    if not sys.platform.startswith("linux") or waiting() > LITTLE + files * EACH:
        return False
    import ctypes  # readers never need it, and it takes 2 ms of their start

    libc = ctypes.CDLL(None, use_errno=True)
    if libc.syncfs(fd) != 0:
        code = ctypes.get_errno()
        if code == errno.ENOSYS:
            return False
        raise OSError(code, os.strerror(code))
    return True


def sync_foreign(fd: int, sync: Callable[[int], None] | None = None) -> None:
    """Bring a folder to disk, or a file that others have made, where the system can; `sync` is how (None: fsync).

    A file system may have no call for that: folders of VirtualBox cannot be synced, and nothing in /proc. What answers
    so is brought to disk in the file system's own way, or not at all, and there is nothing more to be done for it.
    """
    try:
        (sync or os.fsync)(fd)
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise


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
