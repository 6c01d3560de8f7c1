"""What is wrong with a JSON text: every fault that reading can go on after, up to the first that it cannot.

A slow, complete, iterative reader; it runs only on texts that `spec.jsontext` refused.
"""

from __future__ import annotations

import json
import re
from contextlib import suppress
from typing import NoReturn

from specular_tui.model.quote import quote
from specular_tui.spec.jsontext import INTEGER_LIMIT
from specular_tui.spec.source import MAX_DEPTH, MAX_FAULTS, Fault, position_of, positions_of

_SPACE = re.compile(r"[ \t\n\r]*")
_NUMBER = re.compile(r"(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORD = re.compile(r"[^\s,:{}\[\]\"']{1,200}")
_LITERALS = {"true", "false", "null"}
_NOT_NUMBERS = {"NaN", "Infinity", "-Infinity"}
_MEANT = {
    "True": "true", "TRUE": "true", "False": "false", "FALSE": "false",
    "None": "null", "NULL": "null", "Null": "null", "nil": "null", "undefined": "null",
}  # fmt: skip
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_decoder = json.JSONDecoder()
_STRING_FAULTS = {
    "Unterminated string": "the string that starts here has no closing quote on its line",
    "Invalid control": "control characters in a string must be written as escapes such as \\n or \\t",
    "Invalid \\escape": "this is not an escape that JSON has; write a backslash itself as \\\\",
    "Invalid \\uXXXX": "\\u must be followed by four hexadecimal digits",
}


def find_faults(text: str) -> list[Fault]:
    """Return the faults of `text` in its order, at most `MAX_FAULTS`; none if `text` is good."""
    reader = _Reader(text)
    with suppress(_Stopped):
        reader.read()
    at = positions_of(text, (offset for offset, _ in reader.faults))
    return [Fault(at[offset], reason) for offset, reason in reader.faults]


class _Stopped(Exception):
    """Reading cannot go on, or enough was found."""


class _Container:
    """An object or a list that is being read."""

    def __init__(self, start: int, is_object: bool) -> None:
        self.start = start
        self.keys: dict[str, int] | None = {} if is_object else None

    @property
    def end(self) -> str:
        return "]" if self.keys is None else "}"

    @property
    def noun(self) -> str:
        return "list" if self.keys is None else "object"


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.faults: list[tuple[int, str]] = []
        self.open: list[_Container] = []

    def read(self) -> None:
        """Read the whole text."""
        if not self._peek():
            self._stop("the file is empty")
        self._value()
        while self.open:
            container = self.open[-1]
            following = self._peek()
            if following == container.end:
                self.at += 1
                self.open.pop()
            elif following == ",":
                comma = self.at
                self.at += 1
                if self._peek() in ("}", "]"):
                    self._stop(f"trailing comma before '{self.text[self.at]}'", comma)
                self._member(container)
            else:
                self._stop_at_end()
                self._stop_at_comment()
                self._stop(f"expected ',' or '{container.end}' here, found {self._found()}")
        if self._peek():
            self._stop_at_comment()
            self._stop("there is more text after the end of the JSON value")

    def _value(self) -> None:
        """Read one value, of a container only its beginning up to its first member."""
        following = self._peek()
        start = self.at
        if following == '"':
            self._string()
        elif following and following in "{[":
            self.at += 1
            self.open.append(container := _Container(start, following == "{"))
            if len(self.open) > MAX_DEPTH:
                self._stop(f"nested deeper than {MAX_DEPTH} levels", start)
            if self._peek() != container.end:
                self._first(container)
        elif following and following in "-0123456789":
            self._number()
        else:
            self._word()

    def _first(self, container: _Container) -> None:
        if self._peek() == ",":
            self._stop("there is nothing before this comma")
        self._member(container)

    def _member(self, container: _Container) -> None:
        if container.keys is not None:
            if self._peek() != '"':
                self._stop_at_end()
                self._stop_at_comment()
                if self.text[self.at] == "'":
                    self._stop("strings need double quotes")
                self._stop(f"expected a field name in double quotes, found {self._found()}")
            start = self.at
            key = self._string()
            first = container.keys.setdefault(key, start)
            if first != start:
                line = position_of(self.text, first).line
                self._note(start, f"duplicate key {quote(key)} (first at line {line})")
            if self._peek() != ":":
                self._stop_at_end()
                self._stop(f"expected ':' after {quote(key)}, found {self._found()}")
            self.at += 1
        self._value()

    def _string(self) -> str:
        start = self.at
        try:
            value, self.at = _decoder.raw_decode(self.text, start)
        except json.JSONDecodeError as error:
            reasons = [reason for prefix, reason in _STRING_FAULTS.items() if error.msg.startswith(prefix)]
            char = self.text[error.pos : error.pos + 1]
            if char and char in "\r\n":
                self._stop(_STRING_FAULTS["Unterminated string"], start)
            if char == "\0":
                self._stop("NUL character in a string", error.pos)
            self._stop(reasons[0] if reasons else "this string is not valid", error.pos)
        text = str(value)
        if "\0" in text:
            self._note(start, "NUL character in a string")
        if not text.isascii() and _SURROGATE.search(text):
            self._note(start, "half of a surrogate pair in a string")
        return text

    def _number(self) -> None:
        start = self.at
        match = _NUMBER.match(self.text, start)
        if match is None:
            self._word()
            return
        self.at = match.end()
        whole, fraction, exponent = match.groups()
        following = self.text[self.at : self.at + 1]
        if following.isdigit():
            self._stop("numbers have no leading zeros", start)
        if following and (following in ".+-_" or following.isalpha()):
            word = _WORD.match(self.text, start)
            self._stop(f"{quote(word[0] if word else following, 30)} is not a number", start)
        if fraction or exponent:
            value = float(match[0])
            if value - value != 0:
                self._note(start, f"the number {_short(match[0])} is too large")
        elif len(whole) > 20 or not -INTEGER_LIMIT <= int(whole) < INTEGER_LIMIT:
            self._note(start, f"the number {_short(whole)} does not fit into 64 bits")

    def _word(self) -> None:
        self._stop_at_end()
        self._stop_at_comment()
        start = self.at
        match = _WORD.match(self.text, start)
        word = match[0] if match else self.text[start]
        if word in _LITERALS:
            self.at += len(word)
        elif word in _NOT_NUMBERS:
            self.at += len(word)
            self._note(start, f"{word} is not a JSON value")
        elif word in _MEANT:
            self._stop(f"{word} is not a JSON value; write {_MEANT[word]}")
        elif self.text[start] == "'":
            self._stop("strings need double quotes")
        else:
            self._stop(f"expected a value, found {self._found()}")

    def _peek(self) -> str:
        match = _SPACE.match(self.text, self.at)
        if match:
            self.at = match.end()
        return self.text[self.at : self.at + 1]

    def _found(self) -> str:
        match = _WORD.match(self.text, self.at)
        return quote(match[0] if match else self.text[self.at], 30)

    def _stop_at_end(self) -> None:
        if self.at < len(self.text):
            return
        if not self.open:
            self._stop("the file ends where a value should be")
        container = self.open[-1]
        line = position_of(self.text, container.start).line
        self._stop(f"the file ends inside the {container.noun} that starts at line {line}")

    def _stop_at_comment(self) -> None:
        if self.text.startswith(("//", "/*", "#"), self.at):
            self._stop("JSON has no comments; a YAML file may have them")

    def _note(self, at: int, reason: str) -> None:
        self.faults.append((at, reason))
        if len(self.faults) >= MAX_FAULTS:
            raise _Stopped

    def _stop(self, reason: str, at: int | None = None) -> NoReturn:
        self.faults.append((self.at if at is None else at, reason))
        raise _Stopped


def _short(digits: str) -> str:
    return digits if len(digits) <= 30 else digits[:30] + "…"
