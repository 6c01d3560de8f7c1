"""JSON from disk: nothing but JSON."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specular_tui.store import strictjson
from specular_tui.store.strictjson import NotJson

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner),
    max_leaves=20,
)  # fmt: skip


@given(VALUES)
def test_json_is_read_as_it_is(value: object) -> None:
    assert strictjson.read(json.dumps(value).encode()) == value


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"x": {"a": 1, "b": 0, "a": 1}}', "twice"),
        (b"[NaN]", "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b"[1e999]", "64 bits"),
        (b"[" + b"9" * 30 + b"]", "64 bits"),
        (b"[18446744073709551616]", "64 bits"),
        (b"[" + b"1" * 10_000 + b"]", "64 bits"),
        (b'["\\ud800"]', "surrogate"),
        (b'{"\\udfff": 1}', "surrogate"),
        (b"\xff\xfe", "UTF-8"),
        (b"", "not valid JSON"),
        (b"{}x", "not valid JSON"),
        (b'{"a": 1', "line 1"),
        (b"[" * 100_000, "nested too deeply"),
        (b"[" * 200 + b"]" * 200, "nested too deeply"),
        (b'{"a":' * 150 + b"1" + b"}" * 150, "nested too deeply"),
    ],
)
def test_anything_else_is_refused_with_a_reason(data: bytes, reason: str) -> None:
    with pytest.raises(NotJson, match=reason):
        strictjson.read(data)


def test_nesting_up_to_the_bound_is_fine() -> None:
    depth = strictjson.MAX_DEPTH
    assert strictjson.read(b"[" * depth + b"]" * depth)


@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with contextlib.suppress(NotJson):
        strictjson.read(data)
