"""A search through a log of any size, in slices: which lines hold a text."""

from __future__ import annotations

import re
import time
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from typing import Final, Literal, Protocol

_ESCAPE: Final = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")
_PIECE: Final = 1 << 18
#: So many lines are remembered; a search that finds more stops there.
MOST: Final = 100_000


class Indexed(Protocol):
    """What a search needs of a log: see `LogFile`."""

    @property
    def ready(self) -> bool: ...  # noqa: D102
    @property
    def line_count(self) -> int: ...  # noqa: D102
    @property
    def block_count(self) -> int: ...  # noqa: D102
    @property
    def end(self) -> int: ...  # noqa: D102
    def block_of(self, line: int) -> int: ...  # noqa: D102
    def first_line(self, block: int) -> int: ...  # noqa: D102
    def offset(self, line: int) -> int | None: ...  # noqa: D102
    def read(self, start: int, end: int) -> bytes: ...  # noqa: D102


class LogSearch:
    """The lines that hold a text. It starts at a line, so that what is near is found first, and goes round.

    Capitals in the text are told from small letters only if it has any; colours inside a line are looked through.
    """

    def __init__(self, log: Indexed, pattern: str, from_line: int, direction: Literal[1, -1]) -> None:
        """Nothing is read before `advance`, and nothing is searched before the log is ready."""
        self.pattern = pattern
        self.direction = direction
        #: Numbers of the matching lines found so far, ascending.
        self.hits: list[int] = []
        self.done = not pattern
        #: There were more than are remembered.
        self.capped = False
        self._log = log
        self._from = from_line
        self._by_case = pattern != pattern.lower()
        self._needle = pattern.encode("utf-8", "replace")
        #: The lines from `_low` to before `_high` have been gone through.
        self._low = self._high = max(0, from_line)
        self._work: Iterator[None] | None = None
        self._last = -1

    def cancel(self) -> None:
        """Stop; what has been found stays."""
        self._work = None
        self.done = True

    def extend(self) -> None:
        """Go on with what the log has gained since."""
        if self.done and self.pattern and not self.capped and self._log.ready and self._last >= 0:
            # The last line may have been unfinished: it is looked at again, from the block that it starts in.
            self._work = self._run(range(self._log.block_of(self._last), self._log.block_count), None)
            self.done = False

    def advance(self, budget: float) -> bool:
        """Search for about `budget` seconds; return whether the whole log has been gone through."""
        if self.done or not self._log.ready:
            return self.done
        if self._work is None:
            self._work = self._start()
        deadline = time.perf_counter() + budget
        while next(self._work, self) is not self:
            if time.perf_counter() >= deadline:
                return False
        self.done = True
        return True

    def near(self, line: int, direction: Literal[1, -1]) -> int | None:
        """Return the nearest matching line behind (or before) `line`, round the end; None if it is not known yet."""
        at = bisect_right(self.hits, line) if direction > 0 else bisect_left(self.hits, line) - 1
        if 0 <= at < len(self.hits):
            hit = self.hits[at]
            if self.done or (self._low <= line <= self._high and self._low <= hit < self._high):
                return hit
        elif self.done and self.hits:
            return self.hits[0 if direction > 0 else -1]
        return None

    def place(self, line: int) -> int | None:
        """Return which match, from 0, is in `line`."""
        at = bisect_left(self.hits, line)
        return at if at < len(self.hits) and self.hits[at] == line else None

    def _start(self) -> Iterator[None]:
        log = self._log
        blocks = log.block_count
        start = min(log.block_of(max(0, self._from)), max(0, blocks - 1))
        if self.direction > 0:
            self._low = self._high = log.first_line(start)
            yield from self._run(range(start, blocks), 1)
            yield from self._run(range(start), None)
        else:
            self._low = self._high = self._first(start + 1)
            yield from self._run(range(start, -1, -1), -1)
            yield from self._run(range(blocks - 1, start, -1), None)

    def _first(self, block: int) -> int:
        return self._log.first_line(block) if block < self._log.block_count else self._log.line_count

    def _run(self, blocks: range, grows: Literal[1, -1] | None) -> Iterator[None]:
        self._last = max(0, self._log.line_count - 1)
        for block in blocks:
            first, last = self._log.first_line(block), self._first(block + 1)
            if first < last:
                found: list[int] = []
                for piece in self._lines_with(first, last):
                    found += piece
                    yield
                low, high = bisect_left(self.hits, first), bisect_left(self.hits, last)
                self.hits[low:high] = found
            if grows == 1:
                self._high = max(self._high, last)
            elif grows == -1:
                self._low = min(self._low, first)
            if len(self.hits) >= MOST:
                self.capped = True
                return
            yield

    def _lines_with(self, first: int, last: int) -> Iterator[list[int]]:
        """Yield the matching lines from `first` to before `last`, read in pieces."""
        at, end = self._log.offset(first), self._log.offset(last)
        if at is None:
            return
        end = self._log.end if end is None else end
        line, rest, matched = first, b"", -1
        while at < end:
            data = self._log.read(at, min(end, at + _PIECE))
            if not data:
                return
            at += len(data)
            data = rest + data
            found, newlines = self._match(data, line, matched)
            yield found
            matched = found[-1] if found else matched
            # What may hold the start of a match is looked at again with the next piece.
            keep = max(data.rfind(b"\n") + 1, len(data) - len(self._needle) - 64)
            rest = data[keep:]
            line += newlines

    def _match(self, data: bytes, line: int, matched: int) -> tuple[list[int], int]:
        newlines = data.count(b"\n")
        if b"\x1b" in data:
            data = _ESCAPE.sub(b"", data)
        needle = self._needle
        if not self._by_case:
            data, needle = data.lower(), needle.lower()
        if not needle.isascii() and not self._by_case:
            data = data.decode("utf-8", "replace").lower().encode()
        found: list[int] = []
        before, at = 0, data.find(needle)
        while at >= 0:
            line += data.count(b"\n", before, at)
            if line != matched:
                found.append(line)
            before = at
            newline = data.find(b"\n", at)
            if newline < 0:
                break
            at = data.find(needle, newline)
        return found, newlines
