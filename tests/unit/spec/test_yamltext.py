"""YAML: plain data only, and where everything stands; with libyaml and without it."""

from __future__ import annotations

import pytest
import yaml

from specular_tui.spec import yamltext
from specular_tui.spec.source import MAX_DEPTH, Place, Position, TextError


@pytest.fixture(params=["libyaml", "python"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "python":
        monkeypatch.delattr(yaml, "CSafeLoader", raising=False)
    elif not yaml.__with_libyaml__:
        pytest.skip("libyaml is not here")
    return str(request.param)


def faults(data: bytes | str) -> list[tuple[int, int, str]]:
    raw = data.encode() if isinstance(data, str) else data
    with pytest.raises(TextError) as caught:
        yamltext.read(raw)
    return [(*fault.position, fault.reason) for fault in caught.value.faults]


def read(text: str) -> object:
    return yamltext.read(text.encode()).value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("# nothing\n", None),
        ("---\n...\n", None),
        ("[true, True, TRUE, false, False, FALSE]", [True, True, True, False, False, False]),
        ("[yes, no, on, off, y, n, Yes, NO]", ["yes", "no", "on", "off", "y", "n", "Yes", "NO"]),
        ("[null, Null, NULL, ~]", [None] * 4),
        ("a:\nb: ''", {"a": None, "b": ""}),
        ("[1, -2, +3, 010, 0o17, 0x1F, 1_000]", [1, -2, 3, 10, 15, 31, "1_000"]),
        ("[1.5, -.5, 1e3, 1., 1:30]", [1.5, -0.5, 1000.0, 1.0, "1:30"]),
        ("[2024-01-15, 2024-01-15T10:30:45Z]", ["2024-01-15", "2024-01-15T10:30:45Z"]),
        ("['1', \"true\", '~']", ["1", "true", "~"]),
        ("on: {no: 1}", {"on": {"no": 1}}),
        ("'<<': 1", {"<<": 1}),
        ("a: |\n  x\n  y\nb: >\n  x\n  y\n", {"a": "x\ny\n", "b": "x y\n"}),
        ("%YAML 1.1\n---\na: 1\n", {"a": 1}),
        ("[9223372036854775807, -9223372036854775808]", [2**63 - 1, -(2**63)]),
        ("\ufeffa: é😀", {"a": "é😀"}),
        ("a: =", {"a": "="}),
        ('"\\e[0m"', "\x1b[0m"),
    ],
)
def test_reads_scalars_as_yaml_1_2_does(text: str, value: object) -> None:
    result = read(text)
    assert result == value
    assert repr(result) == repr(value)  # 1 is not True


@pytest.mark.parametrize(
    ("text", "line", "column", "reason"),
    [
        ("a: 1\nb: 2\na: 3", 3, 1, "duplicate key 'a' (first at line 1)"),
        ("a: 1\n'a': 3", 2, 1, "duplicate key 'a' (first at line 1)"),
        ("<<: {a: 1}", 1, 1, "merge keys (<<) are not allowed; write the fields themselves"),
        ("a: &x 1", 1, 4, "anchors are not allowed (&x)"),
        ("a: &x [1]", 1, 4, "anchors are not allowed (&x)"),
        ("&x a: 1", 1, 1, "anchors are not allowed (&x)"),
        ("a: !!python/object:os.system {}", 1, 4, "tags are not allowed (tag:yaml.org,2002:python/object:os.system)"),
        ("a: !x 1", 1, 4, "tags are not allowed (!x)"),
        ("1: a", 1, 1, "a key must be text, not 1; put it in quotes"),
        ("true: a", 1, 1, "a key must be text, not true; put it in quotes"),
        ("? \n: a", 1, 2, "a key must be text, not nothing; put it in quotes"),
        (f"{'1' * 18}.{'1' * 900}: a", 1, 1, f"a key must be text, not {'1' * 18}.{'1' * 11}…; put it in quotes"),
        ("~: a", 1, 1, "a key must be text, not ~; put it in quotes"),
        ("[a]: b", 1, 1, "a key must be text, not a list or a mapping"),
        ("{? {a: 1} : b}", 1, 4, "a key must be text, not a list or a mapping"),
        ("--- 1\n--- 2", 2, 1, "a second document starts here; only one is allowed"),
        ("a: .inf", 1, 4, ".inf is not a number that can be used here; put text in quotes"),
        ("a: .NaN", 1, 4, ".NaN is not a number that can be used here; put text in quotes"),
        ("a: 1e999", 1, 4, "the number 1e999 is too large"),
        ("a: 9223372036854775808", 1, 4, "the number 9223372036854775808 does not fit into 64 bits"),
        (f"a: {'9' * 10_000}", 1, 4, f"the number {'9' * 30}… does not fit into 64 bits"),
        ('a: "x\\0"', 1, 4, "NUL character in a string"),
        ('"\\0": 1', 1, 1, "NUL character in a string"),
        ("a: x\x00", 1, 5, "the character '\\x00' is not allowed in YAML"),
        ("a:\n  \x1b]0;x\x07", 2, 3, "the character '\\x1b' is not allowed in YAML"),
        ("a:\n\tb: 1", 2, 1, "a tab cannot indent YAML; use spaces"),
        ("a: b: c", 1, 5, "not valid YAML: mapping values are not allowed"),
        ("a: [1, 2", 1, 4, "not valid YAML: did not find expected ',' or ']' up to line 2 (while parsing a flow"),
        ("a: [1, 2\nb: 3", 1, 4, "not valid YAML: did not find expected ',' or ']' up to line 2 (while parsing a flow"),
        ("a: {b: 1,\n  c: 2\n  d: 3}", 3, 4, "not valid YAML: did not find expected ',' or '}' (while parsing a flow"),
        ("a: 'x\nb: 1\n", 1, 4, "not valid YAML: found unexpected end of stream up to line 3 (while scanning a quoted"),
        ("a: 'x", 1, 6, "not valid YAML: found unexpected end of stream (while scanning a quoted scalar"),
        ("a: 1\n b: 2", 2, 3, "not valid YAML: mapping values are not allowed"),
    ],
)
def test_refuses(text: str, line: int, column: int, reason: str, parser: str) -> None:
    found = faults(text)
    assert len(found) == 1
    if reason.startswith("not valid YAML"):
        # The words, and the end of the text, differ between the two parsers.
        assert found[0][2].startswith("not valid YAML: ")
        if parser == "libyaml":
            assert found[0][:2] == (line, column)
            assert found[0][2].startswith(reason)
    else:
        assert found == [(line, column, reason)]


def test_half_a_surrogate_pair_is_refused() -> None:
    assert len(faults('a: "\\ud800"')) == 1


def test_collects_all_faults_that_reading_can_go_on_after() -> None:
    assert faults("a: &x 1\nb: !y 2\na: .inf\n1: 2\n") == [
        (1, 4, "anchors are not allowed (&x)"),
        (2, 4, "tags are not allowed (!y)"),
        (3, 1, "duplicate key 'a' (first at line 1)"),
        (3, 4, ".inf is not a number that can be used here; put text in quotes"),
        (4, 1, "a key must be text, not 1; put it in quotes"),
    ]


def test_an_alias_bomb_is_refused_at_once() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    assert faults("\n".join(lines)) == [
        (1, 5, "anchors are not allowed (&a0)"),
        (2, 5, "anchors are not allowed (&a1)"),
        (2, 10, "aliases are not allowed (*a0); write the value itself"),
    ]


def test_the_deepest_that_is_allowed() -> None:
    value: list[object] = []
    for _ in range(MAX_DEPTH - 1):
        value = [value]
    assert read("[" * MAX_DEPTH + "]" * MAX_DEPTH) == value


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "? "])
def test_depth_is_bounded_without_recursion(opening: str) -> None:
    found = faults(opening * 100_000)
    assert found[-1][2] in (
        "nested deeper than 100 levels",
        "a key must be text, not a list or a mapping",  # the second ? is the key of the first
    )


def test_refuses_what_is_not_utf8() -> None:
    assert faults(b"a: 1\nb: \xff") == [(2, 4, "byte 0xff is not valid UTF-8")]


def test_positions_of_keys_and_values() -> None:
    text = "# é\né:\n  - 1\n  - b: x\n    c: {d: [1, 2]}\ne:\n"
    places = {
        Place(()): Position(2, 1),
        Place(("é",), key=True): Position(2, 1),
        Place(("é",)): Position(3, 3),
        Place(("é", 0)): Position(3, 5),
        Place(("é", 1)): Position(4, 5),
        Place(("é", 1, "b")): Position(4, 8),
        Place(("é", 1, "c"), key=True): Position(5, 5),
        Place(("é", 1, "c")): Position(5, 8),
        Place(("é", 1, "c", "d", 1)): Position(5, 16),
        Place(("e",), key=True): Position(6, 1),
    }
    assert yamltext.read(text.encode()).positions(places) == places


def test_places_that_are_not_there_are_left_out() -> None:
    document = yamltext.read(b"a: [1]")
    assert document.positions([Place(("b",)), Place(("a", 1)), Place(("a", "x")), Place(("a", 0), key=True)]) == {}


def test_the_root_of_an_empty_text_is_its_beginning() -> None:
    assert yamltext.read(b"").positions([Place(())]) == {Place(()): Position(1, 1)}
