"""How many files this process may hold open: raised for many tasks at once, and never for the tasks themselves.

A task's log and the descriptor that tells of its end stay open as long as it runs. A limit that is usual for a shell is
used up by some hundred tasks, while the hard limit allows far more. A task gets the limit that this process was started
with: the limit is lowered for the moment of its start. So that this disturbs no thread that opens a file meanwhile,
long-lived descriptors are moved above the low limit, and the numbers below it stay free.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
from collections.abc import Iterator
from typing import Final

#: Descriptors of a running task, and of those that have just ended and are being brought to disk.
_EACH: Final = 5
#: Descriptors of everything else: the journal, the loop, threads that read outputs.
_RESERVE: Final = 128


def affordable(jobs: int) -> int:
    """Return how many of `jobs` tasks can run at once under the hard limit; at least one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        return jobs
    return max(1, min(jobs, (hard - _RESERVE) // _EACH))


class OpenFiles:
    """The limit of this process for the length of a session. `close` gives back the one that it had."""

    def __init__(self, jobs: int = 0) -> None:
        """Raise the soft limit to what `jobs` tasks at once need, if that is more than it is; 0 leaves it alone."""
        self._own = resource.getrlimit(resource.RLIMIT_NOFILE)
        self._raised = self._own
        soft, hard = self._own
        needed = _RESERVE + jobs * _EACH
        if soft != resource.RLIM_INFINITY and jobs and needed > soft:
            wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
            # macOS has a second bound that getrlimit does not tell; then the start of a task says what is missing.
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
                self._raised = (wanted, hard)
        self.is_raised = self._raised != self._own

    @contextlib.contextmanager
    def lowered(self, fd: int) -> Iterator[int]:
        """Give whatever is started meanwhile the limit that this process was started with.

        What is yielded takes the place of `fd`: nothing can be started with a descriptor above the limit.

        Raises:
            OSError: no descriptor below the limit is free.
        """
        if not self.is_raised:
            yield fd
            return
        low = os.dup(fd)
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, self._own)
            yield low
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, self._raised)
            os.close(low)

    def put_away(self, fd: int) -> int:
        """Return the descriptor that takes the place of `fd`, which stays open for long; it may be `fd` itself."""
        if not self.is_raised or fd >= self._own[0]:
            return fd
        try:
            moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, self._own[0])
        except OSError:
            return fd
        os.close(fd)
        return moved

    def close(self) -> None:
        """Give back the limit that this process had."""
        if self.is_raised:
            resource.setrlimit(resource.RLIMIT_NOFILE, self._own)
            self.is_raised = False
