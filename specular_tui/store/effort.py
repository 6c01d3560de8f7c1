"""Work that takes a while: done on several threads, with progress in bytes, and cancellable."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from specular_tui.errors import SpecularError

if TYPE_CHECKING:
    from concurrent.futures import Future

T = TypeVar("T")

#: Is told the bytes done and the bytes there are in all; called on the thread that began the work.
Progress = Callable[[int, int], None]

#: Seconds between two calls of a progress callback.
_TICK: Final = 0.1


class CancelledError(SpecularError):
    """The user did not want to wait; what was being read or written is as before."""

    def __init__(self) -> None:
        """There is only one thing to say."""
        super().__init__("cancelled")


class Effort:
    """One piece of work: how far it is, and whether it is still wanted."""

    def __init__(self, progress: Progress | None = None, cancel: threading.Event | None = None) -> None:
        """`progress` is told how far it is; setting `cancel` ends it with `CancelledError`."""
        self.total = 0
        self.done = 0
        self._progress = progress
        self._cancel = cancel
        self._broken = False
        self._lock = threading.Lock()
        self._told = 0.0

    def add(self, count: int) -> None:
        """Say that `count` more bytes are done; from any thread.

        Raises:
            CancelledError: the work is not wanted any more.
        """
        with self._lock:
            self.done += count
        self._prove_wanted()

    def tell(self) -> None:
        """Tell whoever waits how far it is; only on the thread that began the work.

        Raises:
            CancelledError: the work is not wanted any more.
        """
        self._prove_wanted()
        now = time.monotonic()
        if self._progress is not None and (now - self._told >= _TICK or self.done >= self.total):
            self._told = now
            self._progress(self.done, max(self.total, self.done))

    def _prove_wanted(self) -> None:
        if self._broken or (self._cancel is not None and self._cancel.is_set()):
            raise CancelledError

    def spread(self, jobs: Sequence[Callable[[], T]]) -> list[T]:
        """Do `jobs` on a few threads and return their results in order; the first exception ends it all.

        Raises:
            CancelledError: the work is not wanted any more; running jobs notice at their next `add`.
        """
        if len(jobs) < 2:
            results = [job() for job in jobs]
            self.tell()
            return results
        # Loading this takes as long as many a run takes to be proved.
        from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait

        pool = ThreadPoolExecutor(min(len(jobs), 8, 1 + (os.cpu_count() or 1)), thread_name_prefix="specular-effort")
        try:
            futures: list[Future[T]] = [pool.submit(job) for job in jobs]
            waiting = set(futures)
            while waiting:
                done, waiting = wait(waiting, timeout=_TICK, return_when=FIRST_EXCEPTION)
                for future in done:
                    future.result()
                self.tell()
            return [future.result() for future in futures]
        except BaseException:
            # Whatever happened, nobody waits for the other jobs' results: they end at their next slice.
            self._broken = True
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
