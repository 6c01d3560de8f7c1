"""What files and folders take on the disk, as `du` counts it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from typing import Final

DIRECTORY_FLAGS: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def entries_of(fd: int) -> Iterator[tuple[str, os.stat_result]]:
    """Yield what is known of everything in an open folder, by name; links are not followed, what vanishes left out."""
    with os.scandir(fd) as entries:
        for entry in entries:
            try:
                yield entry.name, entry.stat(follow_symlinks=False)
            except OSError:
                continue


def size_within(fd: int, entries: Iterable[tuple[str, os.stat_result]], seen: set[tuple[int, int]]) -> int:
    """Return the bytes that the `entries` of the open folder `fd`, and all below them, take on the disk.

    A file of several names counts once: those that are `seen` already, as (device, inode), count nothing.
    """
    total = 0
    for name, status in entries:
        if stat.S_ISDIR(status.st_mode):
            try:
                inner = os.open(name, DIRECTORY_FLAGS, dir_fd=fd)
                try:
                    total += size_within(inner, entries_of(inner), seen)
                finally:
                    os.close(inner)
            except OSError:
                continue
        elif status.st_nlink > 1:
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
        total += room_on_disk(status)
    return total


def room_on_disk(status: os.stat_result) -> int:
    """Return the bytes that a file or folder takes on the disk: whole blocks, so a small file more than it holds."""
    # A file system that does not say, such as one over a network, is taken to need what the file holds.
    return status.st_blocks * 512 or (0 if stat.S_ISDIR(status.st_mode) else status.st_size)
