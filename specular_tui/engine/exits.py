"""Being told by the kernel that a child process has ended, without reaping it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable

from specular_tui.engine.open_files import OpenFiles


class Exits:
    """Calls back on the event loop when a child has ended; whoever is called reaps it.

    With pidfds (Linux) each child is a descriptor of the loop; elsewhere SIGCHLD has all watched children looked at.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, files: OpenFiles | None = None) -> None:
        """Watch children on `loop`, with a descriptor for each of them."""
        self._loop = loop
        self._files = files if files is not None else OpenFiles()
        self._pidfds = _has_pidfds()
        self._open: set[int] = set()
        self._watched: dict[int, Callable[[], None]] = {}
        if not self._pidfds:
            loop.add_signal_handler(signal.SIGCHLD, self._look)

    def watch(self, pid: int, ended: Callable[[], None]) -> None:
        """Call `ended` once, when `pid` has ended.

        Raises:
            OSError: there are too many open files.
        """
        if self._pidfds:
            fd = self._files.put_away(os.pidfd_open(pid))
            self._open.add(fd)
            self._loop.add_reader(fd, self._pidfd_ready, fd, ended)
        else:
            self._watched[pid] = ended
            self._look()

    def _pidfd_ready(self, fd: int, ended: Callable[[], None]) -> None:
        self._let_go(fd)
        ended()

    def _let_go(self, fd: int) -> None:
        self._loop.remove_reader(fd)
        self._open.discard(fd)
        os.close(fd)

    def _look(self) -> None:
        for pid in tuple(self._watched):
            if has_ended(pid):
                self._loop.call_soon(self._watched.pop(pid))

    def close(self) -> None:
        """Watch nothing any more."""
        for fd in tuple(self._open):
            self._let_go(fd)
        if not self._pidfds:
            self._loop.remove_signal_handler(signal.SIGCHLD)


def _has_pidfds() -> bool:
    """Tell whether this kernel gives pidfds; one that is too old, or a sandbox, may not."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


def has_ended(pid: int) -> bool:
    """Tell whether the child `pid` has ended and waits to be reaped."""
    try:
        return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True
