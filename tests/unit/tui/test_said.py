"""Messages: which one is on show, what is counted, what stays, and how they are put into lines."""

from __future__ import annotations

from datetime import UTC

import pytest

from specular_tui.tui import present, present_said
from specular_tui.tui.clock import Clock
from specular_tui.tui.said import KEPT, Said

NOON = 1_705_320_000_000


def texts(said: Said, room: int = 80, most: int = 5) -> list[str]:
    return [present.text(line) for line in present_said.shown(said, room, most)]


def test_the_newest_takes_the_place_of_the_one_before() -> None:
    said = Said()
    said.add(("one",), "information", 0)
    said.add(("two",), "warning", 0)
    assert texts(said) == ["warning: two"]


def test_what_is_said_again_is_counted() -> None:
    said = Said()
    for _ in range(3):
        said.add(("nothing has failed",), "information", 0)
    assert texts(said) == ["nothing has failed  3 times"]
    assert len(said.all) == 1


def test_an_error_comes_back_until_it_is_closed() -> None:
    said = Said()
    said.add(("disk full", "make room"), "error", 0)
    passing = said.add(("copied a",), "information", 0)
    assert texts(said) == ["copied a"]
    said.expire(passing)
    assert texts(said) == ["error: disk full  Esc close", "  make room"]
    said.add(("no such run",), "error", 0)
    assert texts(said) == ["error: no such run  m 1 more  Esc close"]
    said.close()
    assert said.shown is None
    assert [message.text for message in said.all] == ["no such run", "copied a", "disk full\nmake room"]


def test_an_older_message_that_expires_takes_no_newer_one_away() -> None:
    said = Said()
    older = said.add(("one",), "information", 0)
    said.add(("two",), "information", 0)
    said.expire(older)
    assert texts(said) == ["two"]


def test_a_long_text_is_shown_for_longer() -> None:
    said = Said()
    assert said.add(("short",), "information", 0).lasting == 4
    assert said.add(("x" * 400,), "information", 0).lasting == 20
    assert said.add(("x",), "error", 0, 3).lasting == 3


@pytest.mark.parametrize("room", [30, 40, 78, 158])
@pytest.mark.parametrize("severity", ["information", "warning", "error"])
def test_no_line_is_too_long_and_there_are_no_more_than_wanted(room: int, severity: str) -> None:
    said = Said()
    said.add(("checkpoint not found: build-2024-01-15T10-30-45", *["details " * 9] * 5), severity, 0)
    lines = present_said.shown(said, room, 3)
    assert len(lines) <= 3
    assert all(present.width(line) <= room for line in lines)
    assert "m all of it" in present.text(lines[-1])


def test_the_list_has_them_in_full_and_no_more_than_are_kept() -> None:
    said = Said()
    for number in range(KEPT + 5):
        said.add((f"number {number}",), "information", NOON)
    said.add(("disk full", "make room"), "error", NOON)
    clock = Clock(lambda: NOON, UTC)
    lines = [present.text(line) for line in present_said.listed(said.all, clock, 60)]
    assert lines[:3] == ["12:00:00  error: disk full", "            make room", "12:00:00  number 204"]
    assert len(lines) == KEPT + 1
    assert present.text(present_said.listed([], clock, 60)[0]) == "Nothing has been said yet."
