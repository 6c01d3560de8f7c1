"""YAML without its traps: plain data only, scalars as the core schema of YAML 1.2 reads them.

Aliases, anchors, tags, merge keys, duplicate keys, keys that are not text, and further documents are refused,
so a text can neither grow when it is read nor mean something else than it shows: `no` and `on` are text, and so
is `2024-01-15`. The events of libyaml (of PyYAML's own parser where libyaml is missing) are turned into data by
a loop here, so depth is bounded before anything recurses.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NoReturn, Protocol

from specular_tui.model.quote import plain, quote
from specular_tui.spec.source import (
    MAX_DEPTH,
    MAX_FAULTS,
    START,
    Fault,
    Path,
    Place,
    Position,
    TextError,
    decode,
    position_of,
    prefixes,
)

if TYPE_CHECKING:
    import yaml

_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_NUMERIC_START = frozenset("0123456789+-.")
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_NOT_ALLOWED = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_INTEGER_LIMIT = 2**63

Node = dict[str, object] | list[object]


class YamlDocument:
    """A YAML text that was read; see `spec.source.Document`."""

    def __init__(self, text: str, value: object) -> None:
        self._text = text
        self._value = value

    @property
    def value(self) -> object:
        """The data; None also for a text without any."""
        return self._value

    def positions(self, places: Iterable[Place]) -> dict[Place, Position]:
        """Return where `places` stand; a place that is not there is left out."""
        wanted = set(places)
        found = {Place(()): START} if Place(()) in wanted else {}
        found.update(_locate(self._text, wanted))
        return found


def read(data: bytes) -> YamlDocument:
    """Read one YAML document.

    Raises:
        TextError: `data` is not UTF-8 or not YAML, or holds what this module refuses; infinite or not-a-number
            values, integers beyond 64 bits, NUL characters; or is nested deeper than `MAX_DEPTH`.
    """
    text = decode(data)
    strange = _NOT_ALLOWED.search(text)
    if strange:
        at = position_of(text, strange.start())
        raise TextError([Fault(at, f"the character {quote(strange[0])} is not allowed in YAML")])
    builder = _Builder()
    try:
        builder.build(_events(text))
    except _Stopped:
        pass
    except _Broken as error:
        builder.faults.append(error.fault)
    if builder.faults:
        raise TextError(builder.faults)
    return YamlDocument(text, builder.root)


class _Mark(Protocol):
    """What the marks of libyaml and of PyYAML have in common; both count from 0."""

    @property
    def line(self) -> int: ...
    @property
    def column(self) -> int: ...


class _Stopped(Exception):
    """Reading cannot go on, or enough was found."""


class _Broken(Exception):
    """The text is not YAML."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.reason)
        self.fault = fault


def _events(text: str) -> Iterator[yaml.Event]:
    import yaml

    loader: type[yaml.SafeLoader | yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        yield from yaml.parse(text, Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        reason = f"not valid YAML: {plain(str(error.problem or error.context or 'cannot be read'))}"
        opened = error.context_mark if _is_unclosed(text, error.context, error.context_mark, mark) else None
        if opened is not None and mark is not None:
            # Where it is noticed is some line further down, in which nothing is wrong.
            reason += f" up to line {mark.line + 1} ({plain(str(error.context))})"
            mark = opened
        elif error.context and error.problem and error.context_mark and mark:
            reason += f" ({plain(error.context)}"
            line = error.context_mark.line
            reason += f" that starts at line {line + 1})" if line != mark.line else ")"
        if mark and mark.index < len(text) and text[mark.index] == "\t":
            reason = "a tab cannot indent YAML; use spaces"
        raise _Broken(Fault(_position(mark), reason)) from None
    except yaml.YAMLError:
        raise _Broken(Fault(START, "not valid YAML")) from None


def _is_unclosed(text: str, context: str | None, opened: _Mark | None, noticed: _Mark | None) -> bool:
    """Tell whether a bracket or quote was most likely never closed: what comes next does not lie deeper than its line.

    Where it does, a comma is missing there.
    """
    if opened is None or noticed is None or opened.line == noticed.line:
        return False
    if not (context or "").startswith(("while parsing a flow", "while scanning a quoted")):
        return False
    lines = text.splitlines()
    if noticed.line >= len(lines):
        return True

    def indent(number: int) -> int:
        return len(lines[number]) - len(lines[number].lstrip())

    return indent(noticed.line) <= indent(opened.line)


def _position(mark: _Mark | None) -> Position:
    return Position(mark.line + 1, mark.column + 1) if mark else START


class _Builder:
    """Turns events into data; faults that reading can go on after are collected."""

    def __init__(self) -> None:
        self.root: object = None
        self.faults: list[Fault] = []

    def build(self, events: Iterator[yaml.Event]) -> None:
        """Build `root` from `events`."""
        import yaml

        stack: list[tuple[Node | None, dict[str, int], str | None]] = []
        # The open container (None: the document), the lines of its keys, and the key whose value comes next.
        node: Node | None = None
        lines: dict[str, int] = {}
        key: str | None = None
        documents = 0
        for event in events:
            value: object
            inner: Node | None = None
            if isinstance(event, yaml.ScalarEvent):
                if isinstance(node, dict) and key is None:
                    key = self._key(event, lines)
                    continue
                value = self._scalar(event)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._refuse_properties(event)
                if isinstance(node, dict) and key is None:
                    self._stop(event, "a key must be text, not a list or a mapping")
                if len(stack) >= MAX_DEPTH:
                    self._stop(event, f"nested deeper than {MAX_DEPTH} levels")
                stack.append((node, lines, key))
                value = inner = {} if isinstance(event, yaml.MappingStartEvent) else []
            elif isinstance(event, yaml.CollectionEndEvent):
                node, lines, _ = stack.pop()
                key = None
                continue
            elif isinstance(event, yaml.AliasEvent):
                alias = plain((event.anchor or "")[:60])
                self._stop(event, f"aliases are not allowed (*{alias}); write the value itself")
            else:
                documents += isinstance(event, yaml.DocumentStartEvent)
                if documents > 1:
                    self._stop(event, "a second document starts here; only one is allowed")
                continue
            if isinstance(node, list):
                node.append(value)
            elif node is None:
                self.root = value
            elif key is not None:
                node[key] = value
                key = None
            if inner is not None:
                node, lines, key = inner, {}, None

    def _scalar(self, event: yaml.ScalarEvent) -> object:
        if event.anchor is not None or event.tag is not None:
            self._refuse_properties(event)
        if event.implicit[0]:
            return self._plain(event)
        if "\0" in event.value or not event.value.isascii():
            self._check_characters(event)
        return event.value

    def _key(self, event: yaml.ScalarEvent, lines: dict[str, int]) -> str:
        if event.anchor is not None or event.tag is not None:
            self._refuse_properties(event)
        key: str = event.value
        if event.implicit[0]:
            if key == "<<":
                self._note(event, "merge keys (<<) are not allowed; write the fields themselves")
            elif not isinstance(self._plain(event), str):
                self._note(event, f"a key must be text, not {_short(key) or 'nothing'}; put it in quotes")
        elif "\0" in key or not key.isascii():
            self._check_characters(event)
        line = _position(event.start_mark).line
        if key in lines:
            self._note(event, f"duplicate key {quote(key)} (first at line {lines[key]})")
        else:
            lines[key] = line
        return key

    def _plain(self, event: yaml.ScalarEvent) -> object:
        text = event.value
        if text in _BOOLEANS:
            return _BOOLEANS[text]
        if text in _NULLS:
            return None
        if text[0] not in _NUMERIC_START:
            return text
        if _INTEGER.fullmatch(text):
            if len(text) > 25 or not -_INTEGER_LIMIT <= (integer := _integer(text)) < _INTEGER_LIMIT:
                self._note(event, f"the number {_short(text)} does not fit into 64 bits")
                return 0
            return integer
        if _FLOAT.fullmatch(text):
            number = float(text)
            if number - number != 0:
                self._note(event, f"the number {_short(text)} is too large")
            return number
        if _NOT_FINITE.fullmatch(text):
            self._note(event, f"{text} is not a number that can be used here; put text in quotes")
        return text

    def _refuse_properties(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        if event.anchor is not None:
            self._note(event, f"anchors are not allowed (&{plain(event.anchor[:60])})")
        if event.tag is not None:
            self._note(event, f"tags are not allowed ({plain(event.tag[:60])})")

    def _check_characters(self, event: yaml.ScalarEvent) -> None:
        if "\0" in event.value:
            self._note(event, "NUL character in a string")
        if _SURROGATE.search(event.value):
            self._note(event, "half of a surrogate pair in a string")

    def _note(self, event: yaml.Event, reason: str) -> None:
        self.faults.append(Fault(_position(event.start_mark), reason))
        if len(self.faults) >= MAX_FAULTS:
            raise _Stopped

    def _stop(self, event: yaml.Event, reason: str) -> NoReturn:
        self.faults.append(Fault(_position(event.start_mark), reason))
        raise _Stopped


def _integer(text: str) -> int:
    return int(text, 8 if text.startswith("0o") else 16 if text.startswith("0x") else 10)


def _short(digits: str) -> str:
    return digits if len(digits) <= 30 else digits[:30] + "…"


def _locate(text: str, wanted: set[Place]) -> Iterator[tuple[Place, Position]]:
    """Yield the positions of `wanted`, looking only into containers on the way to them."""
    import yaml

    ways = prefixes(wanted)
    # Per open container: the path of it, and the number of the next item (a list) or None (a mapping).
    stack: list[tuple[Path, int | None]] = []
    key: str | None = None
    ignored = 0
    for event in _events(text):
        if isinstance(event, yaml.CollectionEndEvent):
            if ignored:
                ignored -= 1
            else:
                stack.pop()
            continue
        is_collection = isinstance(event, yaml.CollectionStartEvent)
        if ignored:
            ignored += is_collection
            continue
        path: Path = ()
        if isinstance(event, yaml.ScalarEvent) and stack and stack[-1][1] is None and key is None:
            key = event.value
            if (place := Place((*stack[-1][0], key), key=True)) in wanted:
                yield place, _position(event.start_mark)
            continue
        if not isinstance(event, yaml.NodeEvent):
            continue
        if stack:
            parent, index = stack[-1]
            if index is not None:
                path = (*parent, index)
                stack[-1] = (parent, index + 1)
            elif key is not None:
                path, key = (*parent, key), None
        if (place := Place(path)) in wanted:
            yield place, _position(event.start_mark)
        if is_collection and path in ways:
            stack.append((path, 0 if isinstance(event, yaml.SequenceStartEvent) else None))
        else:
            ignored += is_collection
