from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specular_tui.model.graph import Graph
from specular_tui.model.plan import Task


@st.composite
def plans(draw: st.DrawFn) -> list[Task]:
    """Plans without cycles, listed in any order."""
    size = draw(st.integers(1, 12))
    tasks = [
        Task(
            id=f"t{i}",
            command="true",
            depends_on=tuple(f"t{j}" for j in sorted(draw(st.sets(st.integers(0, i - 1), max_size=4)) if i else set())),
            estimate=draw(st.integers(0, 9)),
        )
        for i in range(size)
    ]
    return draw(st.permutations(tasks))


def length(task: Task) -> float:
    return task.estimate or 0.0


@given(plans())
def test_the_order_has_every_task_once_behind_all_that_it_needs(tasks: list[Task]) -> None:
    graph = Graph(tasks)
    place = {task: i for i, task in enumerate(graph.order)}
    assert sorted(graph.order) == sorted(task.id for task in tasks)
    assert all(place[need] < place[task.id] for task in tasks for need in task.depends_on)


def test_ties_stay_in_the_order_of_the_plan() -> None:
    assert Graph([Task(id=i, command="true") for i in "cab"]).order == ("c", "a", "b")


@given(plans())
def test_the_critical_path_is_a_way_and_none_is_longer(tasks: list[Task]) -> None:
    graph = Graph(tasks)
    remaining = graph.remaining_path(length)
    path = graph.critical_path(length)
    assert not graph.needs[path[0]]
    assert not graph.dependents[path[-1]]
    assert all(one in graph.needs[other] for one, other in pairwise(path))
    assert sum(length(graph.tasks[task]) for task in path) == max(remaining.values())
    for task in tasks:
        assert all(remaining[need] >= remaining[task.id] + length(graph.tasks[need]) for need in task.depends_on)


@given(plans())
def test_levels_count_the_steps_before_a_task(tasks: list[Task]) -> None:
    graph = Graph(tasks)
    levels = graph.levels()
    for task in tasks:
        assert levels[task.id] == (1 + max(levels[need] for need in task.depends_on) if task.depends_on else 0)


@given(plans(), st.data())
def test_ancestors_and_descendants_are_each_others_mirror(tasks: list[Task], data: st.DataObject) -> None:
    graph = Graph(tasks)
    one = data.draw(st.sampled_from(tasks)).id
    assert one not in graph.descendants([one]) | graph.ancestors([one])
    assert graph.descendants([one]) == {task.id for task in tasks if one in graph.ancestors([task.id])}
    assert set(graph.dependents[one]) <= graph.descendants([one])


def test_roots_are_among_their_descendants_only_if_they_are() -> None:
    graph = Graph([Task(id="a", command="x"), Task(id="b", command="x", depends_on=("a",))])
    assert graph.descendants(["a", "b"]) == {"b"}
    assert graph.ancestors(["a", "b"]) == {"a"}
    assert graph.descendants([]) == set()


@pytest.mark.parametrize("size", [20_000])
def test_a_long_chain_needs_no_recursion(size: int) -> None:
    tasks = [Task(id=f"t{i}", command="x", depends_on=(f"t{i - 1}",) if i else ()) for i in range(size)]
    graph = Graph(tasks)
    assert graph.remaining_path(lambda task: 1.0)["t0"] == size
    assert len(graph.critical_path(lambda task: 1.0)) == size
    assert len(graph.descendants(["t0"])) == size - 1


def test_an_empty_plan_has_no_path() -> None:
    assert Graph([]).critical_path(length) == []
