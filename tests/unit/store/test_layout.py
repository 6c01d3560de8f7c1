"""Names of files: reversible, and never a path."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from specular_tui.model.plan import TASK_ID
from specular_tui.store import layout

IDS = st.from_regex(TASK_ID, fullmatch=True)


@given(IDS)
def test_a_name_is_one_harmless_component(task: str) -> None:
    for name in (layout.record_name(task), layout.log_name(task), layout.log_name(task, 12)):
        assert "/" not in name
        assert not name.startswith((".", "-"))
        assert name.isascii()
        assert len(name) <= 200


@given(IDS)
def test_a_stem_can_be_turned_back(task: str) -> None:
    stem = layout.task_stem(task)
    assert layout.task_id(stem) in (task, None)
    assert (layout.task_id(stem) is None) == ("~" in stem)


@given(st.lists(IDS, unique=True, max_size=20))
def test_different_ids_differ_by_more_than_case(tasks: list[str]) -> None:
    assert len({layout.task_stem(task).casefold() for task in tasks}) == len(tasks)


def test_examples() -> None:
    assert layout.record_name("task-1") == "task-1.json"
    assert layout.task_stem("src/Compile.c") == "src%2F%43ompile%2Ec"
    assert layout.log_name("@tests") == "@tests.log"
    assert layout.log_name("lint", 3) == "lint.3.log"
    assert layout.task_stem("..").startswith("%2E")


def test_a_long_name_is_cut_and_stays_one_of_a_kind() -> None:
    first, second = "A" * 127 + "1", "A" * 127 + "2"
    assert len(layout.task_stem(first)) < 180
    assert layout.task_stem(first) != layout.task_stem(second)
    assert layout.task_id(layout.task_stem(first)) is None
