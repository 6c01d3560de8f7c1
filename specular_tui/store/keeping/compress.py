"""Compressing a run that rests: its logs, records and snapshots become `.gz` files of the same bytes.

Hashes are of the plain bytes and stay what they are; readers take `name`, or else `name.gz`. A plain file goes only
when its packed one is on disk, name and all, so that at every moment, and after every crash, at least one is whole;
where both are there, the plain one counts. The journal, metadata.json, the plan and the policy stay plain.
"""

from __future__ import annotations

import os
import stat
import threading
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from msgspec import Struct

from specular_tui.errors import RunHeldError
from specular_tui.store import checkpoint, layout, lock
from specular_tui.store.effort import Effort, Progress
from specular_tui.store.explaining import explain
from specular_tui.store.folder import Folder, temporary_name, write_all
from specular_tui.store.room import room_on_disk

ENDING: Final = ".gz"
#: The higher ones take twice as long, for logs that are one hundredth smaller.
_LEVEL: Final = 4
_SLICE: Final = 1 << 20
#: Plain files wait for their packed ones to be on disk in groups of so many files or so many bytes.
_GROUP_FILES: Final = 512
_GROUP_BYTES: Final = 256 << 20


class Compressed(Struct, frozen=True):
    """What compressing a run has brought."""

    #: Files that are packed now and were not before.
    files: int
    #: Bytes that they took on the disk before, and take now.
    before: int
    after: int

    @property
    def saved(self) -> int:
        """The bytes that are free now."""
        return self.before - self.after


class _File(NamedTuple):
    name: str
    size: int
    #: Bytes on the disk.
    room: int


def compress(
    root: Path, run_id: str, *, progress: Progress | None = None, cancel: threading.Event | None = None
) -> Compressed:
    """Compress the run `run_id`. `progress` is told bytes read and bytes in all; setting `cancel` ends it early.

    Raises:
        RunNotFoundError: it is not there. RunHeldError: it is live. StorageError: the disk refuses.
        CancelledError: `cancel` was set; what is packed by then stays so.
    """
    with checkpoint.open_run(root, run_id) as run:
        refused = RunHeldError(
            f"{run_id} is being built: a live run is not compressed",
            hint=f"wait for it, or stop it first: specular stop {run_id}",
        )
        try:
            with lock.holding(run, refused):
                return compress_held(run, Effort(progress, cancel))
        except OSError as error:
            raise explain(error, "compress the checkpoint", run.path) from error


def compress_held(run: Folder, effort: Effort) -> Compressed:
    """Do the same for a run whose lock the caller holds. Raises `CancelledError` and `OSError`."""
    run.remove(layout.RESERVE, missing_ok=True)  # a killed build has left it; the next one makes its own
    top = list(_plain(run, lambda name: name in (layout.STATE, layout.PROGRESS)))
    with run.make(layout.OUTPUTS) as outputs:
        inner = list(_plain(outputs, lambda name: name.endswith((".json", ".log"))))
        effort.total += sum(file.size for file in top + inner)
        done = Compressed(0, 0, 0)
        for folder, files in ((run, top), (outputs, inner)):
            folder.clear_temporary()
            for group in _groups(files):
                done = _pack_group(folder, group, done, effort)
    return done


def _plain(folder: Folder, wanted: Callable[[str], bool]) -> Iterator[_File]:
    """Yield the regular files worth packing; an empty one takes no room."""
    for name in sorted(folder.names()):
        if wanted(name):
            status = folder.stat(name)
            if stat.S_ISREG(status.st_mode) and status.st_size:
                yield _File(name, status.st_size, room_on_disk(status))


def _groups(files: list[_File]) -> Iterator[list[_File]]:
    group: list[_File] = []
    size = 0
    for file in files:
        group.append(file)
        size += file.size
        if len(group) >= _GROUP_FILES or size >= _GROUP_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _pack_group(folder: Folder, files: list[_File], done: Compressed, effort: Effort) -> Compressed:
    sizes = effort.spread([partial(_pack, folder, file.name, effort) for file in files])
    folder.sync_all([file.name + ENDING for file in files])
    for file in files:
        folder.remove(file.name, missing_ok=True)
    folder.sync()
    before = done.before + sum(file.room for file in files)
    return Compressed(done.files + len(files), before, done.after + sum(sizes))


def _pack(folder: Folder, name: str, effort: Effort) -> int:
    """Write `name`.gz beside `name` and return what it takes on the disk; the same bytes give the same file."""
    temporary = temporary_name(name + ENDING)
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)  # a gzip header without time and name
    source = folder.open(name)
    try:
        target = folder.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            while data := os.read(source, _SLICE):
                write_all(target, packer.compress(data))
                effort.add(len(data))
            write_all(target, packer.flush())
            size = room_on_disk(os.fstat(target))
        except BaseException:
            folder.remove(temporary, missing_ok=True)
            raise
        finally:
            os.close(target)
    finally:
        os.close(source)
    folder.rename(temporary, name + ENDING)
    return size
