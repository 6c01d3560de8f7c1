"""JSON as RFC 8259 has it and no more: what Python's reader lets through by itself is refused here.

A good text costs one pass of the C scanner. Only a text that is refused is read again, slowly, by
`spec.jsonfault`, to say everything that is wrong with it and where; only an error about the content asks
for `positions`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from specular_tui.spec.source import (
    MAX_DEPTH,
    START,
    Fault,
    Path,
    Place,
    Position,
    TextError,
    decode,
    positions_of,
    prefixes,
)

#: Integers from -2**63 on and below 2**63 are read: what other tools can hold as well.
INTEGER_LIMIT = 2**63

_SPACE = re.compile(r"[ \t\n\r]*")
# An escape for NUL or for half of a surrogate pair: worth a second look.
_SUSPICIOUS_ESCAPE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_decoder = json.JSONDecoder()


class _Refused(ValueError):
    """Seen by a hook of the C scanner; which fault it is, and where, `spec.jsonfault` finds out."""


class JsonDocument:
    """A JSON text that was read; see `spec.source.Document`."""

    def __init__(self, text: str, value: object) -> None:
        self._text = text
        self._value = value

    @property
    def value(self) -> object:
        """The data."""
        return self._value

    def positions(self, places: Iterable[Place]) -> dict[Place, Position]:
        """Return where `places` stand; a place that is not there is left out."""
        wanted = list(places)
        finder = _Finder(self._text, prefixes(wanted))
        finder.walk((), _skip_space(self._text, 0))
        offsets = {
            place: found
            for place in wanted
            if (found := (finder.keys if place.key else finder.values).get(place.path)) is not None
        }
        at = positions_of(self._text, offsets.values())
        return {place: at[offset] for place, offset in offsets.items()}


def read(data: bytes) -> JsonDocument:
    """Read one JSON value.

    Raises:
        TextError: `data` is not UTF-8 or not JSON; has duplicate keys, NaN or Infinity, numbers beyond 64 bits,
            NUL characters or lone surrogates in strings; or is nested deeper than `MAX_DEPTH`.
    """
    text = decode(data)
    try:
        value: object = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_float,
            parse_constant=_constant,
        )
    except (ValueError, RecursionError):
        raise TextError(_faults(text)) from None
    if _too_deep(value):
        raise TextError(_faults(text))
    if _SUSPICIOUS_ESCAPE.search(text) and (faults := _find_faults(text)):
        raise TextError(faults)
    return JsonDocument(text, value)


def _find_faults(text: str) -> list[Fault]:
    from specular_tui.spec.jsonfault import find_faults

    return find_faults(text)


def _faults(text: str) -> list[Fault]:
    return _find_faults(text) or [Fault(START, "this is not valid JSON")]


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Refused
    return members


def _integer(digits: str) -> int:
    if len(digits) < 19:
        return int(digits)
    if len(digits) > 20 or not -INTEGER_LIMIT <= (value := int(digits)) < INTEGER_LIMIT:
        raise _Refused
    return value


def _float(digits: str) -> float:
    value = float(digits)
    if value - value != 0:  # infinite
        raise _Refused
    return value


def _constant(name: str) -> float:
    raise _Refused(name)


def _too_deep(value: object) -> bool:
    level: list[object] = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        # type() instead of isinstance: this line sees every value of a plan, and the scanner makes no subclasses.
        level = [
            inner
            for outer in level
            for inner in (outer.values() if type(outer) is dict else outer)  # type: ignore[attr-defined]
            if type(inner) is dict or type(inner) is list
        ]
        if not level:
            return False
    return True


def _skip_space(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


class _Finder:
    """Walks a text that is known to be good, only into containers on the way to something wanted."""

    def __init__(self, text: str, wanted: set[Path]) -> None:
        self.text = text
        self.wanted = wanted
        self.values: dict[Path, int] = {}
        self.keys: dict[Path, int] = {}

    def walk(self, path: Path, at: int) -> int:
        """Note where the wanted value at `path` begins, look into it, and return where it ends."""
        self.values[path] = at
        opening = self.text[at]
        if opening not in "{[":
            return _decoder.raw_decode(self.text, at)[1]
        index = 0
        at = _skip_space(self.text, at + 1)
        while self.text[at] not in "}]":
            step: str | int = index
            key_at = at
            if opening == "{":
                step, at = _decoder.raw_decode(self.text, at)
                at = _skip_space(self.text, _skip_space(self.text, at) + 1)
            inner = (*path, step)
            if inner in self.wanted:
                if opening == "{":
                    self.keys[inner] = key_at
                at = self.walk(inner, at)
            else:
                at = _decoder.raw_decode(self.text, at)[1]
            index += 1
            at = _skip_space(self.text, at)
            if self.text[at] == ",":
                at = _skip_space(self.text, at + 1)
        return at + 1
