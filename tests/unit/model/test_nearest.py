"""The nearest known name."""

from __future__ import annotations

import pytest

from specular_tui.model.nearest import Names, nearest, suggestion

FIELDS = ("id", "command", "title", "depends_on", "timeout", "retries", "retry_delay")


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("comand", "command"),
        ("Command", "command"),
        ("depends-on", "depends_on"),
        ("dependsOn", "depends_on"),
        ("retry-dealy", "retry_delay"),
        ("timeoutt", "timeout"),
        ("zzz", None),
        ("", None),
        ("command" * 40, None),
    ],
)
def test_nearest_field(name: str, meant: str | None) -> None:
    assert nearest(name, FIELDS) == meant


def test_of_equally_near_names_the_first_wins() -> None:
    assert nearest("task-x", ["task-1", "task-2"]) == "task-1"


def test_others_are_named_that_are_about_as_near() -> None:
    tasks = [f"task-{n}" for n in range(1, 61)]
    assert Names(tasks).several("tsk-36", 3) == ["task-36"]
    assert Names(tasks).several("task", 3) == ["task-1", "task-2", "task-3"]
    assert Names(tasks).several("TASK_9", 3) == ["task-9"]
    assert Names(tasks).several("zz", 3) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("task", "; did you mean 'task-1', 'task-2' or 'task-3'?"),
        ("task-4", "; did you mean 'task-1', 'task-2' or 'task-3'?"),
        ("tsk-3", "; did you mean 'task-3'?"),
        ("task-3", ""),
        ("zz", ""),
    ],
)
def test_what_a_message_says(name: str, said: str) -> None:
    assert suggestion(name, ["task-1", "task-2", "task-3", "other"]) == said


def test_names_too_long_to_compare_are_passed_over() -> None:
    assert nearest("abc", ["abc" * 1000]) is None


@pytest.mark.parametrize(
    ("name", "meant"), [("task-7x7777", "task-77777"), ("tsk-77777", "task-77777"), ("task-7777", "task-7777")]
)
def test_many_names(name: str, meant: str) -> None:
    names = Names(f"task-{n}" for n in range(100_000))
    assert names.nearest(name) == meant
