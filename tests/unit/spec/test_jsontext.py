"""JSON: what is read, what is refused and where, and where everything stands."""

from __future__ import annotations

import json

import pytest

from specular_tui.spec import jsontext
from specular_tui.spec.jsonfault import find_faults
from specular_tui.spec.source import MAX_DEPTH, MAX_FAULTS, Place, Position, TextError

OBJECT_AT_1 = "the file ends inside the object that starts at line 1"


def faults(data: bytes | str) -> list[tuple[int, int, str]]:
    raw = data.encode() if isinstance(data, str) else data
    with pytest.raises(TextError) as caught:
        jsontext.read(raw)
    return [(*fault.position, fault.reason) for fault in caught.value.faults]


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        ' \n\t{"a" : [1, -2.5e3, "x\\ny", true, false, null, {"b": []}] } \r\n',
        '"\\ud83d\\ude00"',
        '"😀 ¥ \\u00e9"',
        '["\\\\u0000", "\\\\ud800"]',
        "9223372036854775807",
        "-9223372036854775808",
        "1e308",
        "[" * MAX_DEPTH + "]" * MAX_DEPTH,
    ],
)
def test_reads_what_json_has(text: str) -> None:
    assert jsontext.read(text.encode()).value == json.loads(text)
    assert find_faults(text) == []


def test_a_byte_order_mark_is_no_part_of_the_text() -> None:
    document = jsontext.read(b'\xef\xbb\xbf{"a": 1}')
    assert document.value == {"a": 1}
    assert document.positions([Place(("a",))]) == {Place(("a",)): Position(1, 7)}


@pytest.mark.parametrize(
    ("text", "line", "column", "reason"),
    [
        ("", 1, 1, "the file is empty"),
        (" \n ", 2, 2, "the file is empty"),
        ('{"a": 1', 1, 8, OBJECT_AT_1),
        ('{"a"', 1, 5, OBJECT_AT_1),
        ('{"a":', 1, 6, OBJECT_AT_1),
        ("{", 1, 2, OBJECT_AT_1),
        ("\n\n[1,\n2\n", 5, 1, "the file ends inside the list that starts at line 3"),
        ("[1, 2,]", 1, 6, "trailing comma before ']'"),
        ('{"a": 1,\n}', 1, 8, "trailing comma before '}'"),
        ("[,1]", 1, 2, "there is nothing before this comma"),
        ("[1,,2]", 1, 4, "expected a value, found ','"),
        ('{"a": 1 "b": 2}', 1, 9, "expected ',' or '}' here, found '\"'"),
        ("[1 2]", 1, 4, "expected ',' or ']' here, found '2'"),
        ('{"a" 1}', 1, 6, "expected ':' after 'a', found '1'"),
        ("{a: 1}", 1, 2, "expected a field name in double quotes, found 'a'"),
        ("{'a': 1}", 1, 2, "strings need double quotes"),
        ("['a']", 1, 2, "strings need double quotes"),
        ("[1}", 1, 3, "expected ',' or ']' here, found '}'"),
        ("{} {}", 1, 4, "there is more text after the end of the JSON value"),
        ("// plan\n{}", 1, 1, "JSON has no comments; a YAML file may have them"),
        ('{"a": 1, # x\n"b": 2}', 1, 10, "JSON has no comments; a YAML file may have them"),
        ("{} /* x */", 1, 4, "JSON has no comments; a YAML file may have them"),
        ("[True]", 1, 2, "True is not a JSON value; write true"),
        ("[None]", 1, 2, "None is not a JSON value; write null"),
        ("[yes]", 1, 2, "expected a value, found 'yes'"),
        ("[01]", 1, 2, "numbers have no leading zeros"),
        ("[1.]", 1, 2, "'1.' is not a number"),
        ("[+1]", 1, 2, "expected a value, found '+1'"),
        ("[-]", 1, 2, "expected a value, found '-'"),
        ("[0x1F]", 1, 2, "'0x1F' is not a number"),
        ('["a\nb"]', 1, 2, "the string that starts here has no closing quote on its line"),
        ('["a', 1, 2, "the string that starts here has no closing quote on its line"),
        ('["a\tb"]', 1, 4, "control characters in a string must be written as escapes such as \\n or \\t"),
        ('["\\q"]', 1, 3, "this is not an escape that JSON has; write a backslash itself as \\\\"),
        ('["\\u12"]', 1, 4, "\\u must be followed by four hexadecimal digits"),
        ('["a\x00"]', 1, 4, "NUL character in a string"),
        ("\x1b]0;x\x07", 1, 1, "expected a value, found '\\x1b'"),
    ],
)
def test_stops_at_what_is_not_json(text: str, line: int, column: int, reason: str) -> None:
    assert faults(text) == [(line, column, reason)]


@pytest.mark.parametrize(
    ("text", "line", "column", "reason"),
    [
        ('{"a": 1,\n "a": 2}', 2, 2, "duplicate key 'a' (first at line 1)"),
        ('{"a\\u001b": 1, "a\\u001b": 2}', 1, 16, "duplicate key 'a\\x1b' (first at line 1)"),
        ("[NaN]", 1, 2, "NaN is not a JSON value"),
        ("[1, -Infinity]", 1, 5, "-Infinity is not a JSON value"),
        ("[9223372036854775808]", 1, 2, "the number 9223372036854775808 does not fit into 64 bits"),
        ("[-9223372036854775809]", 1, 2, "the number -9223372036854775809 does not fit into 64 bits"),
        (f"[{'9' * 10_000}]", 1, 2, f"the number {'9' * 30}… does not fit into 64 bits"),
        ("[1e999]", 1, 2, "the number 1e999 is too large"),
        ('["x\\u0000"]', 1, 2, "NUL character in a string"),
        ('{"\\u0000": 1}', 1, 2, "NUL character in a string"),
        ('["\\ud83d"]', 1, 2, "half of a surrogate pair in a string"),
        ('["\\\\\\uDE00"]', 1, 2, "half of a surrogate pair in a string"),
    ],
)
def test_refuses_what_other_readers_let_through(text: str, line: int, column: int, reason: str) -> None:
    assert faults(text) == [(line, column, reason)]


def test_collects_all_faults_that_reading_can_go_on_after() -> None:
    text = '{"a": NaN,\n "a": 1e400,\n "b": ["\\u0000"],\n "c": }'
    assert faults(text) == [
        (1, 7, "NaN is not a JSON value"),
        (2, 2, "duplicate key 'a' (first at line 1)"),
        (2, 7, "the number 1e400 is too large"),
        (3, 8, "NUL character in a string"),
        (4, 7, "expected a value, found '}'"),
    ]


def test_faults_are_bounded() -> None:
    assert len(faults(f"[{','.join(['NaN'] * 10_000)}]")) == MAX_FAULTS


@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("closed", [True, False])
def test_depth_is_bounded_without_recursion(opening: str, closed: bool) -> None:
    depth = 100_000
    text = opening * depth
    if closed:
        text += "1" + ("]" if opening == "[" else "}") * depth
    assert faults(text) == [(1, len(opening) * MAX_DEPTH + 1, "nested deeper than 100 levels")]


def test_one_level_more_than_allowed_is_refused() -> None:
    depth = MAX_DEPTH + 1
    assert faults("[" * depth + "]" * depth) == [(1, depth, "nested deeper than 100 levels")]


@pytest.mark.parametrize(
    ("data", "line", "column", "reason"),
    [
        (b'{"a":\n "\xc3\xa9\xff"}', 2, 4, "byte 0xff is not valid UTF-8"),
        (b'\xef\xbb\xbf"\xc3', 1, 2, "byte 0xc3 is not valid UTF-8"),
        (b'"\xed\xa0\x80"', 1, 2, "byte 0xed is not valid UTF-8"),
        (b"\xff\xfe{\x00}\x00", 1, 1, "the file is UTF-16; save it as UTF-8"),
    ],
)
def test_refuses_what_is_not_utf8(data: bytes, line: int, column: int, reason: str) -> None:
    assert faults(data) == [(line, column, reason)]


def test_positions_of_keys_and_values() -> None:
    text = '{\n  "é": [1, {"b": "x",\r\n "c":\n  null}],\n\n  "d": {}}'
    places = {
        Place(()): Position(1, 1),
        Place(("é",)): Position(2, 8),
        Place(("é",), key=True): Position(2, 3),
        Place(("é", 0)): Position(2, 9),
        Place(("é", 1)): Position(2, 12),
        Place(("é", 1, "b"), key=True): Position(2, 13),
        Place(("é", 1, "b")): Position(2, 18),
        Place(("é", 1, "c")): Position(4, 3),
        Place(("d",)): Position(6, 8),
    }
    document = jsontext.read(text.encode())
    assert document.positions(places) == places


def test_places_that_are_not_there_are_left_out() -> None:
    document = jsontext.read(b'{"a": [1]}')
    assert document.positions([Place(("b",)), Place(("a", 1)), Place(("a", "x")), Place(("a", 0), key=True)]) == {}
