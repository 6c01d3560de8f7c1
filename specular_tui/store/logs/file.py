"""The lines of a log of any size, by number, while it grows.

The newlines of each 64 KiB block are counted once, in slices; the place of any line is found from these counts with
one read. The end can be read at once, before anything has been counted. Nothing is kept but the counts.
"""

from __future__ import annotations

import errno
import os
import stat
import tempfile
import time
import zlib
from array import array
from bisect import bisect_left
from pathlib import Path
from typing import Final, Literal

from specular_tui.store.logs.search import LogSearch

BLOCK: Final = 1 << 16
#: A line is handed out up to this many bytes.
LONGEST: Final = 1 << 14
#: A compressed log is unpacked up to this many bytes.
UNPACKED: Final = 1 << 31
_STEP: Final = 1 << 12
_TAIL: Final = 1 << 18
_TAIL_MOST: Final = 1 << 22

#: What `poll` found: nothing new, more at the end, another file (or a shorter one), or that the file was removed.
Change = Literal["same", "grew", "replaced", "gone"]


def _open(path: str | Path, dir_fd: int | None) -> int:
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=dir_fd)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "not a regular file", os.fspath(path))
    return fd


def bounded(line: bytes, length: int, limit: int = LONGEST) -> bytes:
    """Return what is shown of a line of which `line` holds the start: cut with a mark where it is too long."""
    if length <= limit:
        return line
    keep = limit
    while keep > limit - 4 and line[keep] & 0xC0 == 0x80:
        keep -= 1
    return line[:keep] + f"\x1b[0;2m … {length - keep:,} bytes more\x1b[0m".encode()


def _shown(line: bytes) -> bytes:
    """Return what is shown of a whole line in memory."""
    if len(line) <= LONGEST:
        return line
    if b"\r" in line[: LONGEST - 1]:
        return _latest(line[-LONGEST:])
    return bounded(line, len(line))


def _latest(end: bytes) -> bytes:
    """Return the end of a line that is written over again and again, from a carriage return on."""
    return end[end.find(b"\r") + 1 :]


class LogFile:
    """A log that is read by line number. Negative numbers count from the end, and do so before all is counted.

    `advance` counts for a given time; `poll` looks whether the file has changed. Neither is called by itself.
    """

    def __init__(self, path: str | Path, *, dir_fd: int | None = None) -> None:
        """Open `path`, in the folder `dir_fd` if that is given; a name that ends in `.gz` is unpacked.

        Raises:
            OSError: it does not exist, cannot be read, is a link, or is not a regular file.
        """
        self._path, self._dir_fd = path, dir_fd
        self._fd = _open(path, dir_fd)
        self._gone = False
        #: Why less is shown than there should be.
        self.problem: str | None = None
        self._packed: _Unpacker | None = None
        if os.fspath(path).endswith(".gz"):
            self._packed = _Unpacker(self._fd)
            self._fd = self._packed.out
        self._reset()

    def _reset(self) -> None:
        self._identity, self._size = self._look()
        self._indexed = 0
        self._newlines = 0
        self._last_end = 0
        self._counts = array("Q")
        self._blocks: dict[int, bytes] = {}
        self._tail: tuple[int, int, list[bytes]] | None = None

    def _look(self) -> tuple[tuple[int, int], int]:
        if self._packed is not None:
            return (0, 0), self._packed.size
        status = os.fstat(self._fd)
        return (status.st_dev, status.st_ino), status.st_size

    def close(self) -> None:
        """Let go of the file."""
        if self._fd >= 0:
            if self._packed is not None:
                self._packed.close()
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> LogFile:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    # What is known of it ---------------------------------------------------------------------------------------------

    @property
    def size(self) -> int:
        """Its length in bytes at the last look; of a compressed one what has been unpacked."""
        return self._size

    @property
    def counted_bytes(self) -> int:
        """How many of its bytes have been looked through for newlines."""
        return self._indexed

    @property
    def ready(self) -> bool:
        """Whether all of it has been counted, so that every line has its number."""
        return self._indexed >= self._size and (self._packed is None or self._packed.done)

    @property
    def line_count(self) -> int:
        """How many lines have been counted; a last one without a newline is one."""
        return self._newlines + (self._last_end < self._indexed)

    @property
    def tail_count(self) -> int:
        """How many lines can be read from the end."""
        return self.line_count if self.ready else len(self._tail_lines(0))

    def poll(self) -> Change:
        """Look whether the file has changed."""
        if self._packed is not None or self._fd < 0:
            return "same"
        removed = False
        try:
            named = os.stat(self._path, dir_fd=self._dir_fd, follow_symlinks=False)
            if (named.st_dev, named.st_ino) != self._identity:
                fd = _open(self._path, self._dir_fd)
                os.close(self._fd)
                self._fd = fd
                self._gone = False
                self._reset()
                return "replaced"
            self._gone = False
        except OSError:
            removed, self._gone = not self._gone, True
        size = os.fstat(self._fd).st_size
        if size < self._size:
            self._reset()
            return "replaced"
        if size > self._size:
            self._size = size
            return "grew"
        return "gone" if removed else "same"

    def advance(self, budget: float) -> bool:
        """Count newlines for about `budget` seconds; return whether all are counted."""
        deadline = time.perf_counter() + budget
        while True:
            if self._indexed >= self._size:
                if self._packed is None or self._packed.done:
                    return True
                self._packed.step()
                self._size = self._packed.size
                self.problem = self._packed.problem
            else:
                self._count_block()
            if time.perf_counter() >= deadline:
                return self.ready

    def _count_block(self) -> None:
        at = self._indexed
        data = self._read(at, min(self._size, (at // BLOCK + 1) * BLOCK) - at)
        if not data:
            # Shorter than it was a moment ago; the next poll says so.
            self._size = at
            return
        self._newlines += data.count(b"\n")
        newline = data.rfind(b"\n")
        if newline >= 0:
            self._last_end = at + newline + 1
        self._indexed = at + len(data)
        if self._indexed % BLOCK == 0:
            self._counts.append(self._newlines)

    def _read(self, at: int, length: int) -> bytes:
        return os.pread(self._fd, length, at) if length > 0 and self._fd >= 0 else b""

    # Lines -----------------------------------------------------------------------------------------------------------

    def lines(self, start: int, count: int) -> list[bytes]:
        """Return up to `count` lines from number `start` on, without newlines, each of bounded length.

        A line that is cut says so at its end; of one that is written over (progress) the latest state is shown.
        """
        if start < 0:
            if not self.ready:
                tail = self._tail_lines(-start)
                return tail[max(0, len(tail) + start) :][:count]
            start = max(0, self.line_count + start)
        count = min(count, self.line_count - start)
        found: list[bytes] = []
        at = self.offset(start)
        while len(found) < count and at is not None:
            data = self._read(at, min(BLOCK, self._indexed - at))
            if not data:
                break
            pos = 0
            while len(found) < count and (newline := data.find(b"\n", pos)) >= 0:
                found.append(_shown(data[pos:newline]))
                pos = newline + 1
            if len(found) < count and at + len(data) >= self._indexed:
                found.append(_shown(data[pos:]))
                break
            if pos == 0:
                after = self.offset(start + len(found) + 1)
                end = self._indexed if after is None else after - 1
                found.append(self._long_line(at, end))
                at = after
            else:
                at += pos
        return found

    def _long_line(self, start: int, end: int) -> bytes:
        head = self._read(start, min(LONGEST + 1, end - start))
        if b"\r" in head:
            return _latest(self._read(max(start, end - LONGEST), LONGEST).removesuffix(b"\r"))
        return bounded(head, end - start)

    def offset(self, line: int) -> int | None:
        """Return where a counted line starts, or None if there is no such line."""
        if line <= 0:
            return 0 if line == 0 else None
        if line > self._newlines:
            return None
        block = self.block_of(line)
        before = self._counts[block - 1] if block else 0
        data = self._block(block)
        left, pos = line - before, 0
        while (some := data.count(b"\n", pos, pos + _STEP)) < left:
            left -= some
            pos += _STEP
            if pos > len(data):
                return None
        for _ in range(left):
            pos = data.find(b"\n", pos) + 1
        return block * BLOCK + pos

    def block_of(self, line: int) -> int:
        """Return the number of the block that holds the newline before a line."""
        return bisect_left(self._counts, line)

    def first_line(self, block: int) -> int:
        """Return the first line that starts behind the first newline of a block (line 0 is that of block 0)."""
        return self._counts[block - 1] + 1 if block else 0

    @property
    def block_count(self) -> int:
        """How many blocks have been counted, a last one that is not full among them."""
        return -(-self._indexed // BLOCK)

    def read(self, start: int, end: int) -> bytes:
        """Return the bytes from `start` to `end`, as far as they have been counted."""
        return self._read(start, min(end, self._indexed) - start)

    @property
    def end(self) -> int:
        """Up to where all has been counted."""
        return self._indexed

    def _block(self, block: int) -> bytes:
        data = self._blocks.get(block)
        if data is None or len(data) < min(BLOCK, self._indexed - block * BLOCK):
            data = self._read(block * BLOCK, min(BLOCK, self._indexed - block * BLOCK))
            if len(self._blocks) > 8:
                self._blocks.clear()
            self._blocks[block] = data
        return data

    def _tail_lines(self, count: int) -> list[bytes]:
        """Return the last lines of what has not been counted yet: at least `count`, if they are within a few MB."""
        if self._packed is not None:
            return []
        length = _TAIL
        if self._tail is not None and self._tail[0] == self._size:
            length, lines = self._tail[1:]
            if len(lines) >= count or length >= min(self._size, _TAIL_MOST):
                return lines
            length = min(length * 4, _TAIL_MOST)
        while True:
            start = max(0, self._size - length)
            lines = self._read(start, self._size - start).split(b"\n")
            if not lines[-1]:
                lines.pop()
            most = length >= min(self._size, _TAIL_MOST)
            if start > 0 and not (most and len(lines) == 1):
                lines.pop(0)
            if most or len(lines) >= max(1, count):
                break
            length = min(length * 4, _TAIL_MOST)
        lines = [_shown(line) for line in lines]
        self._tail = (self._size, length, lines)
        return lines

    def search(self, pattern: str, from_line: int, direction: Literal[1, -1]) -> LogSearch:
        """Return a search that goes through the whole file, from `from_line` on in `direction`, then round."""
        return LogSearch(self, pattern, from_line, direction)


class _Unpacker:
    """Unpacks a gzip file, step by step, into a temporary file without a name."""

    def __init__(self, fd: int) -> None:
        self._in = fd
        self._at = 0
        self._z = zlib.decompressobj(wbits=31)
        self._pending = b""
        self.size = 0
        self.done = False
        self.problem: str | None = None
        with tempfile.TemporaryFile() as file:
            self.out = os.dup(file.fileno())

    def close(self) -> None:
        """Let go of the compressed file; whoever took `out` closes that."""
        os.close(self._in)

    def step(self) -> None:
        """Unpack a little more."""
        try:
            self._step()
        except (zlib.error, EOFError):
            self.problem, self.done = "the compressed log is damaged from here on", True
        except OSError as error:
            self.problem, self.done = f"the compressed log cannot be unpacked: {error.strerror}", True

    def _step(self) -> None:
        if not self._pending:
            self._pending = os.pread(self._in, BLOCK, self._at)
            self._at += len(self._pending)
        if self._z.eof:
            if not self._pending:
                self.done = True
                return
            self._z = zlib.decompressobj(wbits=31)
        at_end = not self._pending
        plain = self._z.decompress(self._pending, 4 * BLOCK)
        self._pending = self._z.unused_data if self._z.eof else self._z.unconsumed_tail
        if at_end and not plain and not self._z.eof:
            raise EOFError
        view = memoryview(plain)
        while view:
            written = os.pwrite(self.out, view, self.size)
            self.size += written
            view = view[written:]
        if self.size >= UNPACKED:
            self.problem, self.done = f"only the first {UNPACKED >> 30} GB are shown", True
