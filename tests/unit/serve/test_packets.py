"""What a page may say, and what becomes of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specular_tui.serve.packets import from_page, packet, size_of


def test_what_is_typed_goes_to_the_application() -> None:
    assert from_page('["stdin", "jé\\u001b[A"]') == (packet(b"D", "jé\x1b[A".encode()), "")


def test_a_size_stays_within_reason() -> None:
    typed, answer = from_page('["resize", {"width": 1e9, "height": -3}]')

    assert answer == ""
    assert json.loads(typed[5:]) == {"type": "resize", "width": 1000, "height": 1}
    assert size_of("100", "30") == (100, 30)
    assert size_of(None, "many") == (80, 24)
    assert size_of(float("inf"), float("nan")) == (80, 24)


def test_a_ping_is_answered() -> None:
    assert from_page('["ping", 17.5]') == (b"", '["pong", 17.5]')


@pytest.mark.parametrize("kind", ["focus", "blur"])
def test_the_focus_is_passed_on(kind: str) -> None:
    assert json.loads(from_page(json.dumps([kind]))[0][5:]) == {"type": kind}


@pytest.mark.parametrize(
    "text", ["", "{", "null", "[]", '["quit"]', '["stdin"]', '["stdin", 3]', '["resize", []]', "[" * 100_000]
)
def test_anything_else_is_dropped(text: str) -> None:
    assert from_page(text) == (b"", "")


@given(st.text() | st.recursive(st.none() | st.text() | st.floats(), st.lists).map(json.dumps))
def test_nothing_that_a_page_says_is_an_error(text: str) -> None:
    typed, _ = from_page(text)

    assert typed == b"" or typed == typed[:1] + len(typed[5:]).to_bytes(4, "big") + typed[5:]
