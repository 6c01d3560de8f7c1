"""What is in a file, a link or a folder, as one digest."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from blake3 import blake3

from specular_tui.store import digest

#: Called with the number of bytes of each slice that is read; what it raises ends the reading.
OnRead = Callable[[int], None]

_FOLDER: Final = b"folder\0"


class _Level:
    """A folder on the way down to what is being hashed: what is known of it so far, and what is left of its entries."""

    def __init__(self, path: str, name: bytes) -> None:
        self.name = name
        self.total = 0
        self.hasher = blake3(_FOLDER)
        with os.scandir(path) as entries:
            self.left: Iterator[os.DirEntry[str]] = iter(sorted(entries, key=lambda e: os.fsencode(e.name)))

    def add(self, kind: bytes, name: bytes, size: int, found: str) -> None:
        self.total += size
        self.hasher.update(kind + name + b"\0" + found.encode() + b"\n")

    def result(self) -> tuple[int, str]:
        return self.total, digest.PREFIX + self.hasher.hexdigest()


def hash_path(path: str | Path, on_read: OnRead | None = None) -> tuple[int, str]:
    """Return (bytes, digest) of a file, a link (its target's text) or a folder (its sorted listing and digests).

    A folder, a link or a special file never has the digest of a regular file: an empty folder not that of an empty
    file, a link not that of a file with its target's text.

    Raises:
        OSError: it is not there or cannot be read.
    """
    path = os.fspath(path)
    return _hash_folder(path, on_read) if stat.S_ISDIR(os.lstat(path).st_mode) else _hash_leaf(path, on_read)


def _hash_leaf(path: str, on_read: OnRead | None) -> tuple[int, str]:
    mode = os.lstat(path).st_mode
    if stat.S_ISREG(mode):
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return digest.of_file(fd, on_read)
        finally:
            os.close(fd)
    if stat.S_ISLNK(mode):
        target = os.fsencode(os.readlink(path))
        return len(target), digest.of_bytes(b"link\0" + target)
    return 0, digest.of_bytes(b"special\0" + stat.filemode(mode)[:1].encode())


def _hash_folder(path: str, on_read: OnRead | None) -> tuple[int, str]:
    # Nothing recurses: folders may lie deeper in each other than Python's calls may.
    way = [_Level(path, b"")]
    while True:
        level = way[-1]
        entry = next(level.left, None)
        if entry is None:
            size, found = level.result()
            way.pop()
            if not way:
                return size, found
            way[-1].add(b"d", level.name, size, found)
        elif entry.is_dir(follow_symlinks=False):
            way.append(_Level(entry.path, os.fsencode(entry.name)))
        else:
            kind = b"l" if entry.is_symlink() else b"f"
            level.add(kind, os.fsencode(entry.name), *_hash_leaf(entry.path, on_read))
