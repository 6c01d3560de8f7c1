"""Work that takes a while: done on several threads, with progress in bytes, and cancellable."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Generic, TypeVar

from specular_tui.errors import SpecularError

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

        Where the system gives no threads (`ulimit -u`), this one does them, one after the other.

        Raises:
            CancelledError: the work is not wanted any more; running jobs notice at their next `add`.
        """
        shared = _Shared(jobs)
        threads: list[threading.Thread] = []
        try:
            for _ in range(min(len(jobs), 8, 1 + (os.cpu_count() or 1)) if len(jobs) > 1 else 0):
                thread = threading.Thread(target=shared.work, name="specular-effort")
                try:
                    thread.start()
                except RuntimeError:
                    break  # the system gives no more of them: those that there are do it all
                threads.append(thread)
            if not threads:
                for _ in shared.one_by_one():
                    self.tell()
            while not shared.over.wait(_TICK):
                self.tell()
            results = shared.results()
            self.tell()
            return results
        except BaseException:
            # Whatever happened, nobody waits for the other jobs' results: they end at their next slice.
            self._broken = True
            raise
        finally:
            shared.stop()
            for thread in threads:
                thread.join()


class _Shared(Generic[T]):
    """Jobs that some threads share: each takes the next one, until all are done or one has failed."""

    def __init__(self, jobs: Sequence[Callable[[], T]]) -> None:
        self._jobs = jobs
        self._lock = threading.Lock()
        self._next = 0
        self._left = len(jobs)
        self._done: dict[int, T] = {}
        self._error: BaseException | None = None
        #: Nothing is left to wait for.
        self.over = threading.Event()
        if not jobs:
            self.over.set()

    def work(self) -> None:
        """Do jobs until there are no more."""
        for _ in self.one_by_one():
            pass

    def one_by_one(self) -> Iterator[None]:
        """Do jobs until there are no more, with a pause behind each."""
        while (at := self._take()) is not None:
            try:
                result = self._jobs[at]()
            except BaseException as error:
                with self._lock:
                    self._error = self._error or error
                self.over.set()
                return
            with self._lock:
                self._done[at] = result
                self._left -= 1
                if not self._left:
                    self.over.set()
            yield

    def stop(self) -> None:
        """Have no further job begun."""
        with self._lock:
            self._next = len(self._jobs)

    def results(self) -> list[T]:
        """Return what the jobs returned, in order, or raise what the first one that failed raised."""
        if self._error is not None:
            raise self._error
        return [self._done[at] for at in range(len(self._jobs))]

    def _take(self) -> int | None:
        with self._lock:
            if self._error is not None or self._next >= len(self._jobs):
                return None
            self._next += 1
            return self._next - 1
