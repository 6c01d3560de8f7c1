"""What the palette finds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from specular_tui.tui import present
from specular_tui.tui.palette import Entry, Search


def entry(kind: str, text: str, more: str = "") -> Entry:
    return Entry(kind, ("x", "key"), text, more, lambda: None)


ALL = [
    entry("actions", "Stop build", "its checkpoint is saved"),
    entry("actions", "New build", "start one"),
    entry("actions", "Build", "the open run"),
    entry("runs", "build-1", "completed"),
    entry("tasks", "compile/core", "Compile core"),
    entry("tasks", "test/core", "Tests"),
]


def found(query: str) -> list[str]:
    search = Search(query)
    for each in ALL:
        search.look(each)
    return [hit.text for hit in search.hits()]


def test_what_a_name_begins_with_comes_first_and_kinds_stay_together() -> None:
    assert found("build") == ["Build", "New build", "Stop build", "build-1"]
    assert found("comp") == ["compile/core", "build-1"]
    assert found("CORE test") == ["test/core"]
    assert found("saved") == ["Stop build"]
    assert found("nowhere") == []


def test_before_anything_is_typed_there_are_actions_and_runs() -> None:
    assert found("") == ["Stop build", "New build", "Build", "build-1"]


def test_of_many_the_best_stay() -> None:
    search = Search("t")
    for number in range(10_000):
        search.look(entry("tasks", f"a{number} t"))
    search.look(entry("tasks", "t"))
    hits = search.hits()
    assert hits[0].text == "t"
    assert len(hits) == 20


@given(st.text(max_size=20), st.text(max_size=20))
def test_marking_changes_no_letter(query: str, text: str) -> None:
    assert present.text(Search(query).marked(text, "plain")) == text


def test_what_is_left_out_is_counted() -> None:
    search = Search("t")
    for number in range(100):
        search.look(entry("tasks", f"t{number}"))
        search.look(entry("themes", f"Theme {number}"))
    assert (len(search.hits()), search.left_out()) == (60, 140)
    assert Search("").left_out() == 0
