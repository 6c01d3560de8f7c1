"""Text that was read strictly: its data, what is wrong with it, and where in it everything stands."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple, Protocol

#: The way from the root of the data to a value in it: `("tasks", 3, "timeout")`.
Path = tuple[str | int, ...]

#: Deeper nesting than this is refused.
MAX_DEPTH = 100
#: So many faults are collected; what follows them is not looked at.
MAX_FAULTS = 200


class Position(NamedTuple):
    """A place in a text; both numbers count from 1, columns in characters."""

    line: int
    column: int


class Place(NamedTuple):
    """Something that has a position: the value at `path`, or the key that leads to it."""

    path: Path
    key: bool = False


class Fault(NamedTuple):
    """One reason why a text is refused, and where."""

    position: Position
    reason: str


class TextError(Exception):
    """A text that is refused; `faults` are in the order of the text, at least one."""

    def __init__(self, faults: Collection[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = tuple(faults)


class Document(Protocol):
    """A text that was read: dicts, lists, str, int, float, bool, None."""

    @property
    def value(self) -> object:
        """The data; None also for a YAML text without any."""

    def positions(self, places: Iterable[Place]) -> dict[Place, Position]:
        """Return where `places` stand, in one pass over the text; a place that is not there is left out."""


START = Position(1, 1)


def decode(data: bytes) -> str:
    """Return `data` as text, without a byte order mark.

    Raises:
        TextError: it is not UTF-8.
    """
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise TextError([Fault(START, "the file is UTF-16; save it as UTF-8")])
    body = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        before = body[: error.start].decode("utf-8")
        reason = f"byte 0x{body[error.start]:02x} is not valid UTF-8"
        raise TextError([Fault(position_of(before, len(before)), reason)]) from None


def position_of(text: str, offset: int) -> Position:
    """Return the position of the character at `offset` of `text`."""
    line_start = text.rfind("\n", 0, offset) + 1
    return Position(text.count("\n", 0, offset) + 1, offset - line_start + 1)


def positions_of(text: str, offsets: Iterable[int]) -> dict[int, Position]:
    """Return the positions of many offsets, in one pass over `text`."""
    found: dict[int, Position] = {}
    line, line_start, done = 1, 0, 0
    for offset in sorted(set(offsets)):
        newlines = text.count("\n", done, offset)
        if newlines:
            line += newlines
            line_start = text.rfind("\n", done, offset) + 1
        done = offset
        found[offset] = Position(line, offset - line_start + 1)
    return found


def prefixes(places: Iterable[Place]) -> set[Path]:
    """Return every path on the way to `places`, the places' own included."""
    return {place.path[:end] for place in places for end in range(len(place.path) + 1)}
