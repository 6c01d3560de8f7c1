"""Following runs as they change: the events that a journal gains, and what watchfiles says of the directory."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncGenerator
from pathlib import Path

from specular_tui.model.event import AnyEvent
from specular_tui.model.run import RunState
from specular_tui.store import layout, lock
from specular_tui.store.folder import Folder
from specular_tui.store.journal import JournalReader

#: A tail reads at most this much at a time, so that a face stays fluent while it catches up.
SLICE = 4 << 20


class JournalTail:
    """Reads a journal on from where it stopped. Each `poll` folds what is new; errors leave it where it was."""

    def __init__(self, run: Folder) -> None:
        """Follow the journal of the open folder `run`, from its start."""
        self._run = run
        self._reader = JournalReader()
        self._inode = 0
        self._read = 0

    def close(self) -> None:
        """Let go of the run's folder."""
        self._run.close()

    @property
    def state(self) -> RunState:
        """The state as of the last poll."""
        return self._reader.state

    def poll(self, limit: int = SLICE) -> tuple[list[AnyEvent], bool]:
        """Return the new events, and whether more is there to be read at once.

        When the journal has been folded meanwhile, it is read anew, and the first event is the folded state.

        Raises:
            JournalDamage: a record is not what was written. OSError: the run has vanished or cannot be read.
        """
        if not self._run.is_in_place():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(self._run.path))
        fd = self._run.open(layout.JOURNAL)
        try:
            status = os.fstat(fd)
            if status.st_ino != self._inode or status.st_size < self._read:
                self._reader = JournalReader()
                self._inode, self._read = status.st_ino, 0
            data = os.pread(fd, min(limit, status.st_size - self._read), self._read)
        finally:
            os.close(fd)
        self._read += len(data)
        return self._reader.feed(data), self._read < status.st_size

    def live(self) -> bool:
        """Tell whether a process works on the run."""
        return lock.held(self._run)


async def changes(paths: list[Path], *, every_ms: int = 50) -> AsyncGenerator[set[str], None]:
    """Yield the paths that changed directly in one of `paths` (folders or files), grouped over `every_ms`.

    The first that is yielded is an empty set, once they are being watched: what changed before has to be looked for
    then, and nothing that changes later is missed. Sub-folders are not watched. On file systems that tell nobody of
    changes watchfiles looks by itself.
    """
    import asyncio
    import importlib

    # It takes long to import, which must not keep the loop from anything.
    watchfiles = await asyncio.to_thread(importlib.import_module, "watchfiles")
    watched = watchfiles.awatch(
        *paths,
        recursive=False,
        step=every_ms,
        debounce=every_ms,
        ignore_permission_denied=True,
        watch_filter=None,
    )
    coming = asyncio.ensure_future(anext(watched))
    try:
        # The watching begins with the first step of that.
        await asyncio.sleep(0)
        yield set()
        while True:
            yield {path for _, path in await coming}
            coming = asyncio.ensure_future(anext(watched))
    except StopAsyncIteration:
        return
    finally:
        coming.cancel()
        # What comes of it does not matter any more; whoever cancels this one meanwhile is heard.
        await asyncio.gather(coming, return_exceptions=True)
        await watched.aclose()
