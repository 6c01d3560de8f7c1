"""JSON from disk, read as strictly as it was written: what a lenient reader would let pass is refused."""

from __future__ import annotations

import json
from typing import Any, Final

#: Deeper nesting than this is refused; nothing that Specular writes comes near.
MAX_DEPTH: Final = 100
#: Integers have at most so many digits: what 64 bits hold.
_MAX_DIGITS: Final = 20


class NotJson(ValueError):
    """Why some bytes are refused, in one line that follows `it …`."""


def read(data: bytes) -> Any:
    """Return the value that `data` holds: dict, list, str, int, float, bool or None.

    Raises:
        NotJson: it is not UTF-8 or not JSON, has a key twice in one object, NaN, Infinity or a number beyond 64 bits,
            half of a surrogate pair, or is nested deeper than `MAX_DEPTH`.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotJson(f"is not UTF-8 (byte {error.start})") from None
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_constant, parse_int=_integer, parse_float=_float
        )
    except json.JSONDecodeError as error:
        raise NotJson(f"is not valid JSON (line {error.lineno}, column {error.colno})") from None
    except RecursionError:
        raise NotJson("is nested too deeply") from None
    _prove(value)
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise NotJson(f"has the key {twice[:60]!a} twice")
    return members


def _constant(name: str) -> float:
    raise NotJson(f"holds {name}, which is no number of JSON")


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS or not -(1 << 63) <= (value := int(digits)) < 1 << 63:
        raise NotJson(f"holds the number {digits[:24]}…, which is beyond 64 bits")
    return value


def _float(digits: str) -> float:
    value = float(digits)
    if value - value != 0:
        raise NotJson(f"holds the number {digits[:24]}, which is beyond 64 bits")
    return value


def _prove(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        inner: list[Any] = []
        for item in level:
            if type(item) is dict:
                inner.extend(item)
                inner.extend(item.values())
            elif type(item) is list:
                inner.extend(item)
            elif type(item) is str and not item.isascii():
                _prove_text(item)
        if not inner:
            return
        level = inner
    raise NotJson("is nested too deeply")


def _prove_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise NotJson("holds half of a surrogate pair") from None
