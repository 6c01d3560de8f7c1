from __future__ import annotations

from typing import Any

import pytest

from specular_tui.model.plan import Priority, Task
from specular_tui.model.reuse import FIELDS, cache_record, changed_fields

TASK = Task(id="a", command="make", env={"A": "1"}, depends_on=("x", "y"), inputs=("*.c",), outputs=("app",))


def other(**changes: Any) -> Task:
    fields = {name: getattr(TASK, name) for name in TASK.__struct_fields__}
    return Task(**{**fields, **changes})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, []),
        ({"command": ("make",)}, ["its command"]),
        ({"env": {"A": "2"}}, ["its environment"]),
        ({"workdir": "sub"}, ["its working directory"]),
        ({"image": "golang:1"}, ["its image"]),
        ({"depends_on": ("x",)}, ["its dependencies"]),
        ({"depends_on": ("y", "x")}, []),
        ({"inputs": ("*.h",)}, ["its list of inputs"]),
        ({"outputs": ()}, ["its list of outputs"]),
        ({"title": "T", "priority": Priority.P0, "estimate": 3.0, "retries": 2, "timeout_ms": 5}, []),
        ({"allow_failure": True, "retry_delay_ms": 9, "feature_id": "f"}, []),
        ({"command": "x", "workdir": "y"}, ["its command", "its working directory"]),
    ],
)
def test_what_changed_is_said_in_words(changes: dict[str, Any], words: list[str]) -> None:
    assert changed_fields(TASK, other(**changes)) == words


def test_the_record_has_just_the_fields_that_have_words() -> None:
    assert set(cache_record(TASK)) == set(FIELDS)
