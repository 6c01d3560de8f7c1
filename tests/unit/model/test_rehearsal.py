"""How long tasks take together."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from specular_tui.model.graph import Graph
from specular_tui.model.plan import Priority, Task
from specular_tui.model.rehearsal import together_ms


def graph(**needs: str) -> Graph:
    return Graph([Task(id=i, command="x", depends_on=tuple(n.split())) for i, n in needs.items()])


def test_one_after_the_other_and_side_by_side() -> None:
    plan = graph(a="", b="", c="a b")
    assert together_ms(plan, {"a": 10, "b": 4, "c": 5}, 1) == 19
    assert together_ms(plan, {"a": 10, "b": 4, "c": 5}, 2) == 15
    assert together_ms(plan, {"c": 5}, 2) == 5, "what is done is not waited for"
    assert together_ms(plan, {}, 2) == 0


def test_the_longest_way_begins_first() -> None:
    plan = graph(a="", b="", c="", d="c")
    # c before a and b: otherwise it would be 9.
    assert together_ms(plan, {"a": 3, "b": 3, "c": 1, "d": 5}, 2) == 6


def test_what_runs_has_begun_and_what_is_urgent_goes_first() -> None:
    urgent = Graph(
        [
            Task(id="a", command="x", priority=Priority.P0),
            Task(id="b", command="x"),
            Task(id="c", command="x", depends_on=("b",)),
        ]
    )
    assert together_ms(urgent, {"a": 5, "b": 5, "c": 5}, 1) == 15
    assert together_ms(graph(a="", b="", c=""), {"a": 9, "b": 1, "c": 1}, 2, running=["b", "c"]) == 10


@given(st.lists(st.integers(0, 50), min_size=1, max_size=14), st.integers(1, 5), st.data())
def test_it_lies_between_its_bounds(times: list[int], jobs: int, data: st.DataObject) -> None:
    ids = [f"t{n}" for n in range(len(times))]
    plan = Graph(
        [
            Task(
                id=i,
                command="x",
                depends_on=tuple(data.draw(st.lists(st.sampled_from(ids[:n]), unique=True, max_size=3)) if n else ()),
            )
            for n, i in enumerate(ids)
        ]
    )
    left = dict(zip(ids, map(float, times), strict=True))
    chain = max(plan.remaining_path(lambda task: left[task.id]).values())
    work = sum(times)
    found = together_ms(plan, left, jobs)
    assert max(chain, work / jobs) - 1e-6 <= found <= work / jobs + chain + 1e-6
    assert together_ms(plan, left, jobs, most=0) <= found + 1e-6
    assert together_ms(plan, left, 1) == work
