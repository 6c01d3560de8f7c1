"""BLAKE3 digests as Specular writes them: `blake3:` and the hex digits that `b3sum` prints."""

from __future__ import annotations

import os
from collections.abc import Callable
from io import BufferedIOBase

from blake3 import blake3

PREFIX = "blake3:"

#: Digest of no bytes at all; the log of a silent task.
EMPTY = PREFIX + blake3(b"").hexdigest()

#: Files below this size are read and hashed in one go.
_SMALL = 1 << 16
#: Files up to this size are hashed at once; larger ones in parallel slices.
_PARALLEL_FROM = 1 << 20
_SLICE = 8 << 20


def of_bytes(data: bytes | bytearray | memoryview) -> str:
    """Return the digest of `data`."""
    return PREFIX + blake3(data).hexdigest()


def raw(data: bytes) -> bytes:
    """Return the digest of `data` as its 32 bytes: a fraction of what the text takes in memory."""
    return blake3(data).digest()


def shown(digest: bytes) -> str:
    """Return a raw digest as it is written."""
    return PREFIX + digest.hex()


def of_file(fd: int, progress: Callable[[int], None] | None = None) -> tuple[int, str]:
    """Return (size in bytes, digest) of the open file `fd`, read from its start without moving its offset.

    `progress` is called with the number of bytes of each slice read; what it raises ends the reading.
    """
    data = os.pread(fd, _SMALL, 0)
    if len(data) < _SMALL:
        if progress is not None and data:
            progress(len(data))
        return len(data), of_bytes(data)
    hasher = blake3(max_threads=blake3.AUTO)
    offset = 0
    while True:
        size = _SLICE if offset else _PARALLEL_FROM
        data = os.pread(fd, size, offset)
        if not data:
            return offset, PREFIX + hasher.hexdigest()
        hasher.update(data)
        offset += len(data)
        if progress is not None:
            progress(len(data))
        if len(data) < size and offset < _PARALLEL_FROM:
            return offset, PREFIX + hasher.hexdigest()


def of_stream(file: BufferedIOBase, limit: int, progress: Callable[[int], None] | None = None) -> tuple[int, str]:
    """Return (size in bytes, digest) of the first `limit` bytes of `file`, read from where it is."""
    hasher = blake3(max_threads=blake3.AUTO)
    size = 0
    while size < limit and (data := file.read(min(_PARALLEL_FROM, limit - size))):
        hasher.update(data)
        size += len(data)
        if progress is not None:
            progress(len(data))
    return size, PREFIX + hasher.hexdigest()
