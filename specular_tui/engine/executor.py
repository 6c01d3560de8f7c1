"""What the runner asks of whatever runs a task: a small protocol, and the values that go through it."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, Protocol

from msgspec import Struct


class Work(Struct, frozen=True, kw_only=True):
    """One attempt, ready to be run."""

    task: str
    attempt: int
    #: A string runs under `sh -c`; a tuple is an argument vector.
    command: str | tuple[str, ...]
    #: What is set in its environment, beside what it inherits; a container inherits nothing.
    env: Mapping[str, str]
    #: Absolute folder that it runs in.
    workdir: str
    image: str | None = None
    #: Open descriptor that takes stdout and stderr.
    log_fd: int


class Exit(NamedTuple):
    """How an attempt ended. Just one of `exit_code` and `signal` is set."""

    exit_code: int | None
    #: `SIGKILL`, …
    signal: str | None
    cpu_ms: int | None = None
    max_rss_kb: int | None = None
    #: What the executor knows beyond the code: `container killed (OOMKilled): out of memory, mem_limit 64m`.
    reason: str | None = None


#: What keeps a program from being started for a while: no room for processes, memory or files, or a file that is just
#: being written.
PASSING: Final = frozenset({errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ETXTBSY})


class StartError(Exception):
    """An attempt could not be started at all; the message says why, `exit_code` is what a shell would answer."""

    def __init__(self, message: str, exit_code: int = 127, *, passing: bool = False) -> None:
        """Say why; `passing` where a moment later it may be otherwise, so that it is worth a retry."""
        super().__init__(message)
        self.exit_code = exit_code
        self.passing = passing


class Job(Protocol):
    """A running attempt."""

    @property
    def pid(self) -> int | None:
        """The process on this machine, where there is one."""

    @property
    def pid_start(self) -> int | None:
        """Its start time in clock ticks since boot."""

    @property
    def container(self) -> str | None:
        """The container's name, where there is one."""

    def freeze(self) -> None:
        """Make it stand still, with all that it started."""

    def thaw(self) -> None:
        """Let it go on."""

    def terminate(self) -> bool:
        """Ask it to end; False where it has ended by itself already."""

    def kill(self) -> None:
        """End it at once."""


class Executor(Protocol):
    """Starts attempts."""

    def start(self, work: Work, on_exit: Callable[[Exit], None]) -> Job:
        """Start an attempt; `on_exit` is called once, on the event loop, when nothing of it is left.

        Raises:
            StartError: it could not be started.
        """

    def close(self) -> None:
        """Let go of what the executor holds; no attempt runs any more."""
