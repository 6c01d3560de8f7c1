"""The logs of running attempts.

Making a file is the dearest thing that a checkpoint does for a quick task. So a log gets the name of its task when
there is something in it, or when its task has been running for a while; until then it has a temporary name. The file of
a task that ended without a word serves the next one, once so many silent tasks have got an empty log that nobody would
look for another.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import sys
import threading
import time
from collections import deque
from typing import Final

from specular_tui.store.folder import TEMPORARY, Folder

_READER: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_WRITER: Final = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
#: So many silent attempts of a session leave an empty log, so that in a build of human size every task has one.
EMPTY_LOGS: Final = 1_000
#: So many files are kept that somebody may still be writing to.
_MOST_SPARE: Final = 16
#: How long a process that is being started may hold the log of another one.
_MOMENTS: Final = 5
_MOMENT_S: Final = 0.000_2


class LiveLog:
    """The log of one attempt: `writer` is what the task writes to, `fd` what its bytes are read and synced through."""

    __slots__ = ("_folder", "fd", "name", "temporary", "writer")

    def __init__(self, name: str, temporary: str, fd: int, writer: int, folder: Folder | None = None) -> None:
        """Own both descriptors; `temporary` is the name of the file until it gets `name`, "" if it has it already.

        `folder` is where it lies, if there is a way to tell who else writes to it.
        """
        self.name = name
        self.temporary = temporary
        self.fd = fd
        self.writer = writer
        self._folder = folder

    def seal(self) -> None:
        """Keep out of the log of an attempt that has ended whatever has outlived it, and would write on.

        Such a process keeps the file that it has open, which loses its name to a copy of what is in it now. On a thread
        of the caller's choice, and before the log is hashed.

        Raises:
            OSError: the copy cannot be made; the log is as it was.
        """
        self.close_writer()
        if self._folder is None or self.temporary or _is_written_by_nobody(self.fd):
            return
        # A task that is just being started holds what this process had open, for a moment.
        for _ in range(_MOMENTS):
            time.sleep(_MOMENT_S)
            if _is_written_by_nobody(self.fd):
                return
        self._folder.renew(self.name)
        fd = self._folder.open(self.name)
        os.close(self.fd)
        self.fd = fd

    def close_writer(self) -> None:
        """Close `writer`, if it is not closed yet."""
        if self.writer >= 0:
            os.close(self.writer)
            self.writer = -1


class LiveLogs:
    """The live logs of a run, in its folder of logs. Not thread-safe. Errors are plain `OSError`s."""

    def __init__(self, folder: Folder) -> None:
        """Make logs in `folder`, which stays its owner's."""
        self._folder = folder
        self._spare: deque[tuple[str, int]] = deque()
        self._ready: tuple[str, int, int] | None = None
        self._made = 0
        self._empty_left = EMPTY_LOGS
        self._reuse = _can_tell_who_writes()
        self._where = folder if self._reuse else None

    def open(self, name: str, *, named: bool = False) -> LiveLog:
        """Return a new, empty log that is to be called `name`; with `named` it is called so at once."""
        file, self._ready = self._ready or self._make(), None
        log = LiveLog(name, *file, self._where)
        if named:
            self.name(log)
        return log

    def prepare(self) -> None:
        """Have a file ready for the next log, so that the start of its task need not wait for it."""
        if self._ready is None:
            with contextlib.suppress(OSError):  # whoever needs it is told
                self._ready = self._make()

    def _make(self) -> tuple[str, int, int]:
        """Return the temporary name of an empty file, and the descriptors to read it and to write to it."""
        if (spare := self._take_spare()) is not None:
            return spare
        self._made += 1
        temporary = f"{TEMPORARY}{os.getpid()}-log-{self._made}"
        made = self._folder.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND)
        os.set_blocking(made, True)
        try:
            return temporary, os.open(temporary, _READER, dir_fd=self._folder.fd), made
        except BaseException:
            os.close(made)
            raise

    def _take_spare(self) -> tuple[str, int, int] | None:
        """Return the temporary name and the descriptors of a file that nobody writes to any more."""
        if not self._spare:
            return None
        for _ in range(len(self._spare)):
            temporary, fd = self._spare.popleft()
            try:
                if not _is_in_use(fd):
                    return temporary, fd, os.open(temporary, _WRITER, dir_fd=self._folder.fd)
            except FileNotFoundError:  # somebody has tidied up
                os.close(fd)
                continue
            # A process that has just been spawned may hold it for a moment still, what has outlived its task for long.
            if len(self._spare) < _MOST_SPARE:
                self._spare.append((temporary, fd))
            else:
                self._drop(temporary, fd)
        return None

    def _drop(self, temporary: str, fd: int) -> None:
        os.close(fd)
        self._folder.remove(temporary, missing_ok=True)

    def name(self, log: LiveLog) -> None:
        """Give a log its name, where it does not have it yet."""
        if log.temporary:
            self._folder.rename(log.temporary, log.name)
            log.temporary = ""

    def end(self, log: LiveLog, *, printed: bool) -> int | None:
        """Let go of the log of an attempt that has ended; return the descriptor to sync it by if it has `printed`."""
        log.close_writer()
        if log.temporary and not printed and self._empty_left > 0 and not (self._reuse and _is_in_use(log.fd)):
            self._empty_left -= 1
            with contextlib.suppress(OSError):  # a log without a byte is not missed
                self.name(log)
        if printed:
            try:
                self.name(log)
            except BaseException:
                os.close(log.fd)
                raise
            return log.fd
        if not log.temporary:
            os.close(log.fd)
        elif self._reuse:
            self._spare.append((log.temporary, log.fd))
        else:
            self._drop(log.temporary, log.fd)
        return None

    def close(self) -> None:
        """Remove the files that no task has used."""
        if self._ready is not None:
            temporary, fd, writer = self._ready
            self._ready = None
            os.close(writer)
            self._spare.append((temporary, fd))
        while self._spare:
            with contextlib.suppress(OSError):
                self._drop(*self._spare.popleft())


def _can_tell_who_writes() -> bool:
    """Tell whether leases are to be had; without them no file serves twice."""
    if not sys.platform.startswith("linux") or threading.current_thread() is not threading.main_thread():
        return False
    # Who opens a file while somebody holds a lease on it has this signal sent; its default is to end the process.
    if signal.getsignal(signal.SIGIO) is signal.SIG_DFL:
        signal.signal(signal.SIGIO, signal.SIG_IGN)
    return True


def _is_written_by_nobody(fd: int) -> bool:
    """Tell whether no process has the file open for writing: what has outlived its task would write on in it."""
    try:
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError:
        return False
    return True


def _is_in_use(fd: int) -> bool:
    """Tell whether somebody may write to the file of a silent attempt, or has done so after all."""
    return not _is_written_by_nobody(fd) or os.fstat(fd).st_size > 0
