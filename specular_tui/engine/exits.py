"""Being told by the kernel that a child process has ended, without reaping it."""

from __future__ import annotations

import asyncio
import os
import select
import signal
from collections.abc import Callable
from typing import Final

from specular_tui.engine.open_files import OpenFiles

#: So often ends are looked for again before timers, signals and readers have their turn.
_ROUNDS: Final = 8


class Exits:
    """Calls back on the event loop when a child has ended; whoever is called reaps it.

    With pidfds (Linux) one epoll holds those of all children, and the loop waits for that: the loop's own book-keeping
    for a descriptor costs more than noticing the end of a child. Elsewhere SIGCHLD has all watched children looked at.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, files: OpenFiles | None = None) -> None:
        """Watch children on `loop`, with a descriptor for each of them."""
        self._loop = loop
        self._files = files if files is not None else OpenFiles()
        self._pidfds = _has_pidfds()
        #: By pidfd, or by pid where there are no pidfds.
        self._watched: dict[int, Callable[[], None]] = {}
        if self._pidfds:
            self._epoll = select.epoll()
            loop.add_reader(self._epoll.fileno(), self._some_ready)
        else:
            loop.add_signal_handler(signal.SIGCHLD, self._look)

    def watch(self, pid: int, ended: Callable[[], None]) -> None:
        """Call `ended` once, when `pid` has ended.

        Raises:
            OSError: there are too many open files.
        """
        if self._pidfds:
            fd = self._files.put_away(os.pidfd_open(pid))
            self._watched[fd] = ended
            self._epoll.register(fd, select.EPOLLIN)
        else:
            self._watched[pid] = ended
            self._look()

    def _some_ready(self) -> None:
        # Whoever is told starts the next task, and meanwhile another quick one ends: the loop need not go round for it.
        for _ in range(_ROUNDS):
            ready = self._epoll.poll(0)
            if not ready:
                return
            for fd, _ in ready:
                self._epoll.unregister(fd)
                os.close(fd)
                ended = self._watched.pop(fd)
                try:
                    ended()
                except Exception as error:  # must not cost the others their call
                    self._loop.call_exception_handler({"message": "noticing the end of a process", "exception": error})

    def _look(self) -> None:
        for pid in tuple(self._watched):
            if has_ended(pid):
                self._loop.call_soon(self._watched.pop(pid))

    def close(self) -> None:
        """Watch nothing any more."""
        if not self._pidfds:
            self._loop.remove_signal_handler(signal.SIGCHLD)
            return
        self._loop.remove_reader(self._epoll.fileno())
        self._epoll.close()
        for fd in self._watched:
            os.close(fd)
        self._watched = {}


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
