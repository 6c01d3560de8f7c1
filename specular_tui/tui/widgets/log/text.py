"""The text of a log as it is drawn: parsed lines by number, broken into rows, with matches and selection over them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, NamedTuple, Protocol

from rich.cells import cell_len, get_character_cell_size
from rich.segment import Segment
from rich.style import Style

from specular_tui.tui.safe import PLAIN, Line, Sgr, ansi_line, carried

#: Colours are looked for so many lines back when reading starts somewhere in the middle.
_BACK: Final = 100
_RESET: Final = b"\x1b[0m"
_CHUNK: Final = 64
_KEPT: Final = 4096

_EMPTY: Final = Line("", (), PLAIN)


class LogSearch(Protocol):
    """A search in progress: see `store.logs.search`."""

    pattern: str
    hits: list[int]
    done: bool
    capped: bool

    def advance(self, budget: float) -> bool: ...  # noqa: D102
    def extend(self) -> None: ...  # noqa: D102
    def cancel(self) -> None: ...  # noqa: D102
    def near(self, line: int, direction: Literal[1, -1]) -> int | None: ...  # noqa: D102
    def place(self, line: int) -> int | None: ...  # noqa: D102


class LogSource(Protocol):
    """What the view needs of a log: see `store.logs.file`."""

    problem: str | None

    @property
    def size(self) -> int: ...  # noqa: D102
    @property
    def counted_bytes(self) -> int: ...  # noqa: D102
    @property
    def ready(self) -> bool: ...  # noqa: D102
    @property
    def line_count(self) -> int: ...  # noqa: D102
    @property
    def tail_count(self) -> int: ...  # noqa: D102
    def poll(self) -> Literal["same", "grew", "replaced", "gone"]: ...  # noqa: D102
    def advance(self, budget: float) -> bool: ...  # noqa: D102
    def lines(self, start: int, count: int) -> list[bytes]: ...  # noqa: D102
    def search(self, pattern: str, from_line: int, direction: Literal[1, -1]) -> LogSearch: ...  # noqa: D102
    def close(self) -> None: ...  # noqa: D102


class Row(NamedTuple):
    """A row on screen: characters `start` to `end` of a line."""

    line: int
    start: int
    end: int


class LogText:
    """The lines of a source, parsed and kept as long as they are looked at. Negative numbers count from the end."""

    def __init__(self, source: LogSource) -> None:
        self.source = source
        #: The first line that is wanted now; None where it is not known that no line above will be.
        self.first: int | None = None
        self._lines: dict[int, Line] = {}
        self._tail: dict[int, Line] = {}
        self._breaks: dict[tuple[int, int], list[tuple[int, int]]] = {}

    def forget(self, first: int = 0) -> None:
        """Forget the lines from `first` on, which may have changed, and those counted from the end."""
        self._tail.clear()
        for key in [key for key in self._breaks if key[0] >= first or key[0] < 0]:
            del self._breaks[key]
        if first == 0:
            self._lines.clear()
        else:
            for number in [number for number in self._lines if number >= first]:
                del self._lines[number]

    def line(self, number: int) -> Line:
        """Return a line, drawn as a terminal would draw it."""
        lines = self._lines if number >= 0 else self._tail
        found = lines.get(number)
        if found is None:
            self._read(number, lines)
            found = lines.get(number, _EMPTY)
        return found

    def _read(self, number: int, lines: dict[int, Line]) -> None:
        if len(lines) > _KEPT:
            lines.clear()
            self._breaks.clear()
        before = lines.get(number - 1)
        if before is not None:
            start, state = number, before.state
        else:
            # Most likely what is above is wanted as well.
            start = number - _CHUNK if number < 0 else max(0, number - _CHUNK // 2)
            if self.first is not None and start < self.first <= number:
                start = self.first
            while start < number and start in lines:
                start += 1
            state = self._state_before(start)
        count = _CHUNK if number >= 0 else min(_CHUNK, -start)
        raw = self.source.lines(start, max(count, number - start + 1))
        if number < 0:
            start = max(start, -self.source.tail_count)
        for at, content in enumerate(raw, start):
            parsed = ansi_line(content, state)
            state = parsed.state
            lines[at] = parsed

    def _state_before(self, start: int) -> Sgr:
        known = self._lines.get(start - 1) if start > 0 else None
        if known is not None or start <= 0:
            return known.state if known is not None else PLAIN
        back = min(_BACK, start)
        raw = self.source.lines(start - back, back)
        # What stands before the last line that takes all colours back does not count.
        begin = next((at for at in range(len(raw) - 1, 0, -1) if _RESET in raw[at]), 0)
        state = PLAIN
        for content in raw[begin:]:
            if b"\x1b" in content or b"\xc2\x9b" in content:
                state = carried(content, state)
        return state

    def rows(self, number: int, width: int) -> list[Row]:
        """Return a line broken into rows of `width` cells."""
        key = (number, width)
        breaks = self._breaks.get(key)
        if breaks is None:
            if len(self._breaks) > _KEPT:
                self._breaks.clear()
            breaks = self._breaks[key] = broken(self.line(number).text, width)
        return [Row(number, start, end) for start, end in breaks]


def broken(text: str, width: int) -> list[tuple[int, int]]:
    """Return where rows of `width` cells start and end; at least one row."""
    width = max(2, width)
    if text.isascii():
        return [(at, min(at + width, len(text))) for at in range(0, len(text), width)] or [(0, 0)]
    found: list[tuple[int, int]] = []
    start = used = 0
    for at, char in enumerate(text):
        size = get_character_cell_size(char)
        if used + size > width:
            found.append((start, at))
            start, used = at, 0
        used += size
    return [*found, (start, len(text))]


def occurrences(text: str, pattern: str) -> list[tuple[int, int]]:
    """Return where `pattern` stands in `text`; capitals matter only if it has any."""
    if pattern == pattern.lower() and len(text.lower()) == len(text):
        text = text.lower()
    found: list[tuple[int, int]] = []
    at = text.find(pattern) if pattern else -1
    while at >= 0:
        found.append((at, at + len(pattern)))
        at = text.find(pattern, at + len(pattern))
    return found


def index_at(text: str, cell: int) -> int:
    """Return the index of the character at a cell of `text`, or its length behind the end."""
    if text.isascii():
        return max(0, min(cell, len(text)))
    used = 0
    for at, char in enumerate(text):
        used += get_character_cell_size(char)
        if used > cell:
            return at
    return len(text)


def painted(
    line: Line, start: int, end: int, base: Style, over: Iterable[tuple[int, int, Style]], *, colors: bool = True
) -> list[Segment]:
    """Return characters `start` to `end` of a line, with further styles over parts of it."""
    segments: list[Segment] = []
    at = 0
    for segment in line.segments(base, colors=colors):
        low, high = max(start - at, 0), min(end - at, len(segment.text))
        if low < high:
            segments.append(Segment(segment.text[low:high], segment.style))
        at += len(segment.text)
    for first, last, style in over:
        segments = _overlaid(segments, first - start, last - start, style)
    return segments


def _overlaid(segments: list[Segment], first: int, last: int, style: Style) -> list[Segment]:
    if last <= 0:
        return segments
    result: list[Segment] = []
    at = 0
    for segment in segments:
        text, own = segment.text, segment.style
        low, high = max(0, min(first - at, len(text))), max(0, min(last - at, len(text)))
        if low < high:
            for part, part_style in ((text[:low], own), (text[low:high], (own or Style()) + style), (text[high:], own)):
                if part:
                    result.append(Segment(part, part_style))
        else:
            result.append(segment)
        at += len(text)
    return result


def width_of(text: str) -> int:
    """Return how many cells `text` takes."""
    return len(text) if text.isascii() else cell_len(text)
