"""Whatever the bytes: a loader answers with a value or with its own error, and positions lie in the text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specular_tui.errors import PlanError, SettingsError, SpecularError
from specular_tui.model.graph import Graph
from specular_tui.model.plan import TASK_ID, Plan
from specular_tui.spec import jsontext, plan_types, yamltext
from specular_tui.spec.jsonfault import find_faults
from specular_tui.spec.plan_check import cycles
from specular_tui.spec.plan_file import parse_plan
from specular_tui.spec.plan_quick import is_right
from specular_tui.spec.plan_tasks import tasks_of
from specular_tui.spec.policy_file import parse_policy
from specular_tui.spec.source import Document, Place, TextError

FOLDER = Path("/srv/webapp")
POSITION = re.compile(r"file:(\d+):(\d+): .")

# Pieces that plans, policies and the mistakes in them are made of.
PIECES = st.sampled_from(
    [
        b"{", b"}", b"[", b"]", b":", b",", b'"', b"\n", b" ", b"  ", b"\t", b"- ", b": ", b"#", b"&a", b"*a",
        b"!!str ",
                b"<<: ", b"---\n", b"? ", b"|\n", b"'", b"null", b"true", b"no", b"1", b"-1", b"1e999", b"NaN", b".inf",
        b"99999999999999999999", b'"tasks"', b'"id"', b'"a"', b'"command"', b'"depends_on"', b'"\\u0000"', b'"\\ud800"',
        b"\xef\xbb\xbf", b"\xff", b"\x00", b"\xc2\x85", b"\xe2\x80\xa8", b"\r", b"\r\n", b"\xf0\x9f\x98\x80",
        b"\x1b[2J",
        b"tasks:\n", b"id: a\n", b"command: x\n", b"execution:\n", b"checkpoints: ", b"jobs: ",
        b"linters: {a: {cmd: x}}\n",
        b'{"tasks": [{"id": "a", "command": "x"', b"}]}", b"[[[[[[[[[[[[[[[[", b'{"a":{"a":{"a":',
    ]
)  # fmt: skip
TEXTS = st.one_of(st.binary(max_size=200), st.lists(PIECES, max_size=30).map(b"".join))

CHARACTERS = st.characters(codec="utf-8", exclude_characters="\0")
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(CHARACTERS, max_size=8),
)
KEYS = st.text(CHARACTERS, max_size=5)
DATA = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)

IDS = st.sampled_from(["a", "b", "c", "d", "a b", "", "e" * 200, "\x1b[2J"])
FIELDS = {
    "id": IDS,
    "command": st.one_of(st.just("make"), st.lists(st.sampled_from(["make", "", "-j"]), max_size=3)),
    "comand": st.just("make"),
    "title": KEYS,
    "depends_on": st.lists(IDS, max_size=3),
    "env": st.dictionaries(st.sampled_from(["A", "A=", "", "TOKEN"]), st.sampled_from(["", "x"]) | SCALARS),
    "timeout": st.sampled_from(["5m", "0s", "x", "99999999d", "1h30m"]),
    "retries": st.integers(-1, 1001),
    "estimate": st.floats(-1, 1e300) | st.integers(),
    "priority": st.sampled_from(["P0", "P2", "p1"]),
}
TASK = st.one_of(
    st.fixed_dictionaries(
        {"id": FIELDS["id"], "command": FIELDS["command"]},
        optional={name: values for name, values in FIELDS.items() if name not in ("id", "command")},
    ),
    st.dictionaries(st.sampled_from(sorted(FIELDS)), DATA),
    DATA,
)
PLANS = st.fixed_dictionaries(
    {"tasks": st.lists(TASK, max_size=6)},
    optional={"version": st.integers(0, 2), "name": KEYS, "defaults": DATA, "verson": DATA},
)

RELAXED = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def assert_well_said(error: SpecularError, text: bytes) -> None:
    lines = [error.message, *error.details]
    assert len(lines) <= 44
    newlines = len(re.findall(rb"\r\n|\r|\n|\xc2\x85|\xe2\x80[\xa8\xa9]", text))
    for line in lines:
        assert line.isprintable()
        assert len(line) < 2_000
        match = POSITION.match(line)
        if match:
            assert 1 <= int(match[1]) <= newlines + 2
            assert 1 <= int(match[2]) <= len(text) + 2
        else:
            assert line.startswith(("file is empty", "… and "))


def assert_sound(plan: Plan) -> None:
    assert plan.tasks
    ids = [task.id for task in plan.tasks]
    assert len(set(ids)) == len(ids)
    assert all(TASK_ID.fullmatch(task_id) for task_id in ids)
    assert len(Graph(plan.tasks).order) == len(ids)


@pytest.mark.parametrize("yaml", [False, True])
@given(data=TEXTS)
@RELAXED
def test_any_bytes_are_a_plan_or_a_plan_error(yaml: bool, data: bytes) -> None:
    try:
        plan = parse_plan(data, file="file", folder=FOLDER, yaml=yaml)
    except PlanError as error:
        assert_well_said(error, data)
    else:
        assert_sound(plan)


@given(data=TEXTS)
@RELAXED
def test_any_bytes_are_a_policy_or_a_settings_error(data: bytes) -> None:
    try:
        parse_policy(data, file="file")
    except SettingsError as error:
        assert_well_said(error, data)


@given(data=PLANS, indent=st.sampled_from([None, 1]))
@RELAXED
def test_any_data_is_a_plan_or_a_plan_error(data: object, indent: int | None) -> None:
    text = json.dumps(data, indent=indent).encode()
    try:
        plan = parse_plan(text, file="file", folder=FOLDER)
    except PlanError as error:
        assert_well_said(error, text)
    else:
        assert_sound(plan)


@given(data=DATA)
@RELAXED
def test_any_data_is_a_policy_or_a_settings_error(data: object) -> None:
    blocks = ("execution", "checkpoints", "tests", "linters", "formatters", "routing")
    for name in blocks:
        text = json.dumps({name: data}).encode()
        try:
            parse_policy(text, file="file")
        except SettingsError as error:
            assert_well_said(error, text)


@given(data=TEXTS)
@RELAXED
def test_the_quick_json_reader_and_the_slow_one_agree(data: bytes) -> None:
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError:
        return
    faults = find_faults(text)
    try:
        value = jsontext.read(data).value
    except TextError as error:
        refused = list(error.faults)
    else:
        refused = []
        assert value == json.loads(text)
    assert refused == faults


@given(data=DATA, indent=st.sampled_from([None, 0, 2]), ascii_only=st.booleans())
@RELAXED
def test_every_place_of_a_json_text_is_found(data: object, indent: int | None, ascii_only: bool) -> None:
    text = json.dumps(data, indent=indent, ensure_ascii=ascii_only)
    assert_every_place_is_found(jsontext.read(text.encode()), data, text)


@given(data=DATA)
@RELAXED
def test_every_place_of_a_yaml_text_is_found(data: object) -> None:
    import yaml

    text = yaml.safe_dump(data, allow_unicode=True)
    try:
        document = yamltext.read(text.encode())
    except TextError:
        return  # PyYAML writes keys that are not text, anchors, and more
    assert_every_place_is_found(document, document.value, None)


def assert_every_place_is_found(document: Document, data: object, text: str | None) -> None:
    assert document.value == data
    places = dict(every_place((), data))
    positions = document.positions(places)
    assert set(positions) == set(places)
    if text is None:
        return
    lines = text.split("\n")
    decoder = json.JSONDecoder()
    for place, value in places.items():
        line, column = positions[place]
        rest = "\n".join([lines[line - 1][column - 1 :], *lines[line:]])
        assert decoder.raw_decode(rest)[0] == value


def every_place(path: tuple[Any, ...], value: object) -> list[tuple[Place, object]]:
    places: list[tuple[Place, object]] = [(Place(path), value)]
    if isinstance(value, dict):
        for key, inner in value.items():
            places.append((Place((*path, key), key=True), key))
            places += every_place((*path, key), inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            places += every_place((*path, index), inner)
    return places


@given(st.lists(st.sets(st.integers(0, 11), max_size=3), max_size=12))
@RELAXED
def test_cycles_are_cycles_and_none_is_missed(needs: list[set[int]]) -> None:
    needs = [{need for need in targets if need < len(needs)} for targets in needs]
    found = list(cycles(needs))
    members = [number for cycle in found for number in cycle]
    assert len(members) == len(set(members))
    for cycle in found:
        for number, need in zip(cycle, [*cycle[1:], cycle[0]], strict=True):
            assert need in needs[number]
    # Without the members of the cycles that were found, an order exists.
    left = set(range(len(needs))) - set(members)
    while free := {number for number in left if not needs[number] & left}:
        left -= free
    assert not left


RIGHT_TASK = st.fixed_dictionaries(
    {"id": st.sampled_from(["a", "b/c", "D.e"]), "command": st.sampled_from(["make", " x ", ["make", ""], ["a b"]])},
    optional={
        "title": KEYS,
        "depends_on": st.none() | st.just([]),
        "env": st.dictionaries(st.sampled_from(["A", "TOKEN", "A B", "=", ""]), st.sampled_from(["", "x", "\n"])),
        "image": st.none() | st.sampled_from(["node:22", "-x", "a b", "é", "a\n", "a\x1c"]),
        "workdir": st.sampled_from([".", "", "a/b"]),
        "timeout": st.none() | st.sampled_from(["5m", "0s", "1h 30m", " 2s ", "x", ""]),
        "retry_delay": st.sampled_from(["0s", "1.5s", "1d", "99999999d"]),
        "retries": st.integers(-1, 1001) | st.booleans() | st.just(1.0),
        "inputs": st.lists(st.sampled_from(["src/**", ""]), max_size=2),
        "outputs": st.lists(st.sampled_from(["out", ""]), max_size=2),
        "priority": st.sampled_from(["P0", "P3", ""]),
        "estimate": st.none() | st.integers(-1, 2**63 - 1) | st.floats(-1, 1e300) | st.booleans(),
        "allow_failure": st.booleans() | st.integers(0, 1),
        "skill": st.none() | KEYS,
        "expected_hash": st.none() | KEYS,
    },
)
DEFAULTS = st.fixed_dictionaries(
    {},
    optional={
        "env": st.dictionaries(KEYS, KEYS, max_size=2),
        "timeout": st.none() | st.sampled_from(["1m", "0s"]),
        "retries": st.integers(0, 3),
        "title": KEYS,
    },
)


@given(
    st.fixed_dictionaries(
        {"tasks": st.lists(RIGHT_TASK, max_size=2)},
        optional={"version": st.sampled_from([1, 2, True, 1.0]), "name": st.text(max_size=2), "defaults": DEFAULTS},
    )
    | PLANS
)
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
def test_what_is_quickly_found_right_is_right(data: Any) -> None:
    checked, errors = plan_types.validate(data)
    if is_right(data):
        assert errors == []
        assert checked is not None
        assert tasks_of(data) == tasks_of(checked)


@pytest.mark.parametrize("name", ["webapp.json", "original.json"])
def test_the_plans_that_people_write_are_quickly_found_right(name: str) -> None:
    data = json.loads((Path(__file__).parents[1] / "data" / "plans" / name).read_text())
    assert is_right(data) == (plan_types.validate(data)[0] is not None)
