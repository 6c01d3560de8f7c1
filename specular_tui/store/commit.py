"""Group commit: brings records, and the logs that they vouch for, to disk together.

Appending writes a record at once, so that a killed process loses nothing; this thread makes it survive a power cut, at
most `window` after the first record of a group, with one fdatasync for all of them. The logs go first, so that a record
that is known to be durable never vouches for a log that is not.
"""

from __future__ import annotations

import errno
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from itertools import zip_longest
from typing import Final

from specular_tui.store import writeback

#: Seconds from a group's first record to its sync; the promise is 50 ms, the sync itself included.
WINDOW: Final = 0.02
#: A sync that takes longer waits for the disk, and not for this process.
_SLOW_S: Final = 0.000_3
#: So few files are synced one after the other all the same; of more, so many at once.
_FEW: Final = 4
_AT_ONCE: Final = 8

_fdatasync: Final[Callable[[int], None]] = getattr(os, "fdatasync", os.fsync)


class GroupCommit:
    """The thread that syncs one journal. It owns the descriptors that are handed to `written`."""

    def __init__(
        self, journal_fd: int, folder_fd: int, seq: int, on_error: Callable[[OSError], None] | None = None
    ) -> None:
        """Start it. `folder_fd` is the folder of the logs, synced with them; `seq` is known to be on disk.

        `on_error` is called on this thread, once: after a failed sync nothing is synced again, because the kernel may
        answer a second one with success while the disk holds old bytes.

        Raises:
            OSError: this process may have no further thread.
        """
        self.synced = seq
        self.error: OSError | None = None
        #: (device, inode) of the files whose sync failed.
        self.failed: set[tuple[int, int]] = set()
        self._journal_fd = journal_fd
        self._folder_fd = folder_fd
        self._on_error = on_error
        self._seq = seq
        #: By (device, inode): what is named twice is synced once, and kept open once.
        self._files: dict[tuple[int, int], int] = {}
        self._urgent = False
        self._closing = False
        #: The thread waits for a first record; only then it is worth waking.
        self._idle = False
        self._pool: ThreadPoolExecutor | None = None
        #: No thread can be started beside this one: files are synced one after the other.
        self._alone = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="group-commit", daemon=True)
        try:
            self._thread.start()
        except RuntimeError as error:
            raise OSError(errno.EAGAIN, str(error)) from error

    def written(self, seq: int, *files: int) -> None:
        """Say that the journal has been written up to record `seq`, which vouches for the open `files`."""
        if not files:
            # In this order, and the thread the other way round: either it sees the record, or it is woken.
            self._seq = seq
            if not self._idle:
                return
        with self._changed:
            for fd in files:
                status = os.fstat(fd)
                if self._files.setdefault((status.st_dev, status.st_ino), fd) != fd:
                    os.close(fd)
            self._seq = seq
            if self._idle:
                self._changed.notify_all()

    def flush(self) -> None:
        """Return once all that was written is on disk.

        Raises:
            OSError: the sync failed, now or before.
        """
        with self._changed:
            target = self._seq
            self._urgent = True
            self._changed.notify_all()
            while self.synced < target and self.error is None and self._thread.is_alive():
                self._changed.wait(1)
            if self.error is not None:
                raise self.error
            if self.synced < target:
                raise OSError(errno.EIO, "the thread that brings records to disk has ended")

    def close(self) -> None:
        """End the thread; what was not flushed stays for the kernel to write."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()
        self._thread.join()
        if self._pool is not None:
            self._pool.shutdown()
        for fd in self._files.values():
            os.close(fd)
        self._files = {}

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._wait_for_group():
                    return
                seq, files = self._seq, list(self._files.values())
                self._files, self._urgent = {}, False
            try:
                self._sync(files)
            except Exception as error:
                # Whatever it was, these records are not on disk, and nobody may be left to wait for them.
                failure = error if isinstance(error, OSError) else OSError(errno.EIO, f"not synced: {error!r}")
                with self._changed:
                    self.error = failure
                    self._changed.notify_all()
                if self._on_error is not None:
                    self._on_error(failure)
                return
            with self._changed:
                self.synced = seq
                self._changed.notify_all()

    def _wait_for_group(self) -> bool:
        """Wait for a record, and a little for those that follow it; False when there is nothing more to do."""
        self._idle = True
        while self._seq == self.synced and not self._closing:
            self._changed.wait()
        self._idle = False
        until = time.monotonic() + WINDOW
        while not (self._urgent or self._closing) and (left := until - time.monotonic()) > 0:
            self._changed.wait(left)
        return not self._closing

    def _sync(self, files: list[int]) -> None:
        try:
            self._bring_all(files)
        finally:
            for fd in files:
                os.close(fd)
        if files:
            self._bring(os.fsync, self._folder_fd)
        self._bring(_fdatasync, self._journal_fd)

    def _bring_all(self, files: list[int]) -> None:
        """Sync files: one after the other where that is quick, at once where it is not.

        One sync of a new file is one commit of the file system's own journal, which keeps everybody from making files
        meanwhile. Files whose bytes are on their way before the first is synced share one, and so do syncs that come
        together.
        """
        for fd in files:
            writeback.begin(fd)
        if files:
            # What the kernel writes of it before the logs counts for nothing until its own sync.
            writeback.begin(self._journal_fd)
        left = deque(files)
        took = 0.0
        failure: OSError | None = None
        while left and (took < _SLOW_S or len(left) < _FEW or self._alone):
            began = time.monotonic()
            is_first = len(left) == len(files)
            try:
                self._bring(_fdatasync, left.popleft())
            except OSError as error:  # the others are tried all the same: which of them failed is worth knowing
                failure = failure or error
            # The first one waits for what all have in common; what the next take is what they cost.
            took = 0.0 if is_first else time.monotonic() - began
        if left:
            self._bring_at_once(list(left))
        if failure is not None:
            raise failure

    def _bring_at_once(self, files: list[int]) -> None:
        if self._pool is None:
            self._pool = ThreadPoolExecutor(_AT_ONCE, "group-commit")
        begun: list[Future[None]] = []
        try:
            for fd in files:
                sync = self._pool.submit(self._bring, _fdatasync, fd)
                begun.append(sync)
        except RuntimeError:
            self._go_on_alone(files, begun)
            return
        wait(begun)  # for all: the descriptors are closed next
        for sync in begun:
            sync.result()

    def _go_on_alone(self, files: list[int], begun: list[Future[None]]) -> None:
        """The limit on threads is reached: sync the files here whose syncs have not begun."""
        self._alone = True
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None
        done = [sync for sync in begun if not sync.cancelled()]
        for sync in done:
            sync.result()
        if self.failed:
            # Of the file whose sync could not be handed over: a thread may have got to it all the same.
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        for fd, sync in zip_longest(files, begun):
            if sync is None or sync.cancelled():
                self._bring(_fdatasync, fd)

    def _bring(self, sync: Callable[[int], None], fd: int) -> None:
        try:
            if fd == self._journal_fd:
                sync(fd)
            else:  # a log is where the journal is, and that tells whether files can be synced there
                writeback.sync_foreign(fd, sync)
        except OSError:
            status = os.fstat(fd)
            self.failed.add((status.st_dev, status.st_ino))
            raise
