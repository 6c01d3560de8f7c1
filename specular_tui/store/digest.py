"""BLAKE3 digests as Specular writes them: `blake3:` and the hex digits that `b3sum` prints."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from io import BufferedIOBase

from blake3 import blake3

PREFIX = "blake3:"

#: Digest of no bytes at all; the log of a silent task.
EMPTY = PREFIX + blake3(b"").hexdigest()

#: Files below this size are read and hashed in one go.
_SMALL = 1 << 16
#: Larger files are hashed in slices of so many bytes.
_SLICE = 1 << 20


def of_bytes(data: bytes | bytearray | memoryview) -> str:
    """Return the digest of `data`."""
    return PREFIX + blake3(data).hexdigest()


def raw(data: bytes) -> bytes:
    """Return the digest of `data` as its 32 bytes: a fraction of what the text takes in memory."""
    return blake3(data).digest()


def shown(digest: bytes) -> str:
    """Return a raw digest as it is written."""
    return PREFIX + digest.hex()


def unshown(text: str) -> bytes:
    """Return the raw digest that `shown` has written.

    Raises:
        ValueError: it is none.
    """
    return bytes.fromhex(text.removeprefix(PREFIX))


def of_file(fd: int, progress: Callable[[int], None] | None = None) -> tuple[int, str]:
    """Return (size in bytes, digest) of the open file `fd`, read from its start without moving its offset.

    `progress` is called with the number of bytes of each slice read; what it raises ends the reading.
    """
    data: bytes | memoryview = os.pread(fd, _SMALL, 0)
    if len(data) < _SMALL:
        if progress is not None and data:
            progress(len(data))
        return len(data), of_bytes(data)
    hasher = blake3(max_threads=blake3.AUTO)
    hasher.update(data)
    offset = len(data)
    while True:
        if progress is not None:
            progress(len(data))
        data = _read(fd, offset)
        if not data:
            return offset, PREFIX + hasher.hexdigest()
        hasher.update(data)
        offset += len(data)


def _read_into_buffer(fd: int, offset: int) -> memoryview:
    """Return bytes of a file that stay what they are until this thread reads the next ones.

    One buffer that fits into the processor's cache, and whose pages are there already, is twice as quick as new ones.
    """
    buffer: bytearray | None = getattr(_local, "buffer", None)
    if buffer is None:
        buffer = _local.buffer = bytearray(_SLICE)
    return memoryview(buffer)[: os.preadv(fd, [buffer], offset)]


def _read_anew(fd: int, offset: int) -> bytes:
    return os.pread(fd, _SLICE, offset)


_local = threading.local()
_read: Callable[[int, int], bytes | memoryview] = _read_into_buffer if hasattr(os, "preadv") else _read_anew


def of_stream(file: BufferedIOBase, limit: int, progress: Callable[[int], None] | None = None) -> tuple[int, str]:
    """Return (size in bytes, digest) of the first `limit` bytes of `file`, read from where it is."""
    hasher = blake3(max_threads=blake3.AUTO)
    size = 0
    while size < limit and (data := file.read(min(_SLICE, limit - size))):
        hasher.update(data)
        size += len(data)
        if progress is not None:
            progress(len(data))
    return size, PREFIX + hasher.hexdigest()
