"""Remapped keys: wishes that can be fulfilled are, and the others are told with their place."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specular_tui.model.config import Wish
from specular_tui.tui import keys
from specular_tui.tui.keymap import key_name, resolve


def wishes(**wanted: str) -> dict[str, Wish]:
    return {
        name.replace("__", "."): Wish(tuple(value.split()), f"c:{line}")
        for line, (name, value) in enumerate(wanted.items(), 1)
    }


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("p", "p"),
        ("P", "P"),
        ("shift+p", "P"),
        ("?", "question_mark"),
        ("/", "slash"),
        ("slash", "slash"),
        ("question_mark", "question_mark"),
        ("+", "plus"),
        ("-", "minus"),
        ("ctrl++", "ctrl+plus"),
        ("^d", "ctrl+d"),
        ("^D", "ctrl+d"),
        ("Ctrl-D", "ctrl+d"),
        ("Shift+Ctrl+Left", "ctrl+shift+left"),
        ("F5", "f5"),
        ("Esc", "escape"),
        ("Return", "enter"),
        ("PgDn", "pagedown"),
        ("space", "space"),
        (" ", "space"),
        ("é", "é"),
        ("ctrl", None),
        ("ctrl+ctrl+a", None),
        ("hyper+foo", None),
        ("foo", None),
        ("f99", None),
        ("\x1b", None),
        ("a+b", None),
    ],
)
def test_how_keys_are_written(written: str, name: str | None) -> None:
    assert key_name(written) == name


@given(st.text(min_size=1, max_size=12))
def test_any_text_is_a_key_or_none(written: str) -> None:
    name = key_name(written)
    assert name is None or ("," not in name and name)


def test_every_key_of_the_table_can_be_written() -> None:
    for row in keys.TABLE:
        for name in row.keys.split(","):
            assert key_name(name) == name, row


def test_the_table_itself_has_no_fight() -> None:
    for row in keys.TABLE:
        for other in keys.TABLE:
            if row is not other and keys.together(row.id, other.id):
                assert not set(row.keys.split(",")) & set(other.keys.split(",")), (row.id, other.id)
    # What is closed before all else fights with nobody: it acts only while an error stands.
    assert {row.where for row in keys.TABLE} - {"said"} <= {place for company in keys.TOGETHER for place in company}


def test_a_wish_is_fulfilled() -> None:
    assert resolve(wishes(run__pause="F5 ^t")) == ({"run.pause": "f5,ctrl+t"}, [])


def test_keys_change_places() -> None:
    assert resolve(wishes(run__pause="r", run__resume="p")) == ({"run.pause": "r", "run.resume": "p"}, [])


def test_a_row_can_have_no_key() -> None:
    assert resolve({"build.stop_build": Wish((), "c:1")}) == ({"build.stop_build": keys.NONE}, [])


def test_unknown_actions_are_told_with_the_nearest() -> None:
    _, complaints = resolve(wishes(run__pausse="a", pause="b", zzzz="c"))
    assert complaints == [
        "c:1: unknown action 'run.pausse'; did you mean 'run.pause'?",
        "c:2: unknown action 'pause'; did you mean 'run.pause'?",
        "c:3: unknown action 'zzzz'",
    ]


def test_bad_keys_are_told_and_the_row_keeps_its_own() -> None:
    keymap, complaints = resolve(wishes(run__pause="ctrl+entre"))
    assert keymap == {}
    assert complaints == ["c:1: run.pause: 'ctrl+entre' is no key; did you mean 'ctrl+enter'?"]


def test_of_two_wishes_for_a_key_the_first_holds() -> None:
    keymap, complaints = resolve(wishes(run__pause="F5", run__drain="F5"))
    assert keymap == {"run.pause": "f5"}
    assert complaints == ["c:2: run.drain: 'F5' is the key of run.pause already"]


def test_a_key_that_is_taken_from_a_row_is_told() -> None:
    keymap, complaints = resolve(wishes(run__pause="t"))
    assert keymap == {"run.pause": "t", "build.retry_task": keys.NONE}
    assert complaints == ["c:1: run.pause takes t, so build.retry_task has no key now"]
    keymap, complaints = resolve(wishes(run__pause="down"))
    assert keymap["list.cursor_down"] == "j"
    assert complaints == [], "it has another one left"


def test_keys_of_places_that_never_meet_do_not_fight() -> None:
    assert resolve(wishes(checkpoints__delete="t"))[1] == []
