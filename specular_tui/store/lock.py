"""The lock of a run: held by the process that runs the build, for its life.

It is a flock, which is what other programs look for, and beside it an open-file-description lock, which can be queried
without being taken. Both belong to the open file and end with the process, however it ends; neither is inherited by
tasks, because the descriptor is closed on exec.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import struct
import sys
from collections.abc import Collection, Iterator
from typing import Final

from specular_tui.errors import RunHeldError, StorageError
from specular_tui.store import layout
from specular_tui.store.explaining import explain
from specular_tui.store.folder import Folder

# struct flock of 64-bit Linux: l_type, l_whence, l_start, l_len, l_pid.
_FLOCK = "hhqqi4x"
#: What the opening of a lock file says where there is none, or what no process could have taken as one.
NO_LOCK: Final = frozenset({errno.ENOENT, errno.ELOOP, errno.EINVAL, errno.EISDIR, errno.ENXIO})
_HAS_OFD = sys.platform.startswith("linux") and hasattr(fcntl, "F_OFD_SETLK")


class HeldError(Exception):
    """Another process holds the lock."""


def acquire(run: Folder) -> int:
    """Take the lock of `run` and return the descriptor that holds it; closing it lets go.

    Raises:
        HeldError: another process has it.
        OSError: the lock file cannot be made.
    """
    fd = run.open(layout.LOCK, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _HAS_OFD:
            fcntl.fcntl(fd, fcntl.F_OFD_SETLK, struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0))
    except (BlockingIOError, PermissionError):
        os.close(fd)
        raise HeldError from None
    except BaseException:
        os.close(fd)
        raise
    return fd


@contextlib.contextmanager
def holding(run: Folder, refused: RunHeldError, *, spared: Collection[int] = ()) -> Iterator[None]:
    """Hold the lock of `run` within a `with`. `refused` is raised where another process has it.

    Where the lock file cannot be made for one of the `spared` reasons (errno), what is within is done without it.

    Raises:
        OSError: the lock file cannot be made.
    """
    fd = -1
    try:
        fd = acquire(run)
    except HeldError:
        raise refused from None
    except OSError as error:
        if error.errno not in spared:
            raise
    try:
        yield
    finally:
        if fd >= 0:
            os.close(fd)


def held(run: Folder, known: bytes | None = None) -> bool:
    """Tell whether a process holds the lock of `run`, without taking it and without writing anything.

    Whoever asks for many runs gives the kernel's list of locks as it was before (`kernel_list`), so that it is made
    once. Only a flock that another program has taken is looked for there.

    Raises:
        StorageError: it cannot be told. The run may be live then.
    """
    try:
        fd = run.open(layout.LOCK)
    except OSError as error:
        if error.errno in NO_LOCK:
            return False
        raise _explain(error, run) from error
    try:
        if not _HAS_OFD:
            return _held_by_trying(fd)
        query = struct.pack(_FLOCK, fcntl.F_WRLCK, os.SEEK_SET, 0, 0, 0)
        answer = fcntl.fcntl(fd, fcntl.F_OFD_GETLK, query)
        if struct.unpack(_FLOCK, answer)[0] != fcntl.F_UNLCK:
            return True
        return _flocked(fd, kernel_list() if known is None else known)
    except OSError as error:
        raise _explain(error, run) from error
    finally:
        os.close(fd)


def _explain(error: OSError, run: Folder) -> StorageError:
    return explain(error, "see whether the checkpoint is in use", run.path / layout.LOCK)


def kernel_list() -> bytes:
    """Return the kernel's own list of the locks that are held now; nothing where it has none to read."""
    try:
        with open("/proc/locks", "rb", buffering=0) as file:
            return file.readall()
    except OSError:
        return b""


def _flocked(fd: int, locks: bytes) -> bool:
    """Look for a plain flock on the file in the kernel's list."""
    status = os.fstat(fd)
    name = b"%02x:%02x:%d" % (os.major(status.st_dev), os.minor(status.st_dev), status.st_ino)
    # A list of runs asks this for each of them, and hardly one is locked.
    return name in locks and any(
        words[1:2] == [b"FLOCK"] and words[5:6] == [name]
        for words in map(bytes.split, locks.splitlines())
        if b"->" not in words
    )


def _held_by_trying(fd: int) -> bool:
    """Where nothing can be queried: a shared lock for an instant."""
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(fd, fcntl.LOCK_UN)
    return False
