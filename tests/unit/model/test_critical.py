"""The critical path of a run, and what its tasks waited for."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from specular_tui.model.critical import Wait, critical_path, spent_ms, waited
from specular_tui.model.graph import Graph
from specular_tui.model.plan import Task
from specular_tui.model.run import Attempt, RunState, Session, TaskState, TaskStatus


def graph(**needs: str) -> Graph:
    return Graph([Task(id=i, command="x", depends_on=tuple(n.split())) for i, n in needs.items()])


def done(start: int, end: int, **more: object) -> TaskState:
    return TaskState(
        status=TaskStatus.COMPLETED,
        attempt=1,
        outcome="completed",
        started_at=start,
        completed_at=end,
        duration_ms=end - start,
        **more,  # type: ignore[arg-type]
    )


def past(number: int, start: int, end: int, outcome: str = "failed") -> Attempt:
    return Attempt(attempt=number, outcome=outcome, started_at=start, completed_at=end, duration_ms=end - start)


def run(*sessions: int, **tasks: TaskState) -> RunState:
    state = RunState(tasks=tasks, sessions=[Session(started_at=at, pid=1) for at in sessions or (0,)])
    state.running = {i: None for i, task in tasks.items() if task.status is TaskStatus.IN_PROGRESS}
    return state


def test_the_longest_way_by_what_the_tasks_took() -> None:
    state = run(a=done(0, 10), b=done(0, 3), c=done(10, 15), d=done(3, 20))
    assert critical_path(state, graph(a="", b="", c="a", d="b"), 99) == ("b", "d")


def test_attempts_that_failed_before_count_and_those_before_a_result_do_not() -> None:
    task = done(20, 30, earlier=[past(1, 0, 5, "completed"), past(2, 10, 14)])
    assert spent_ms(RunState(), task, 99) == 14


def test_a_running_task_counts_as_long_as_it_runs_and_one_to_come_as_expected() -> None:
    running = TaskState(status=TaskStatus.IN_PROGRESS, attempt=1, started_at=10)
    state = run(a=done(0, 10), b=running, c=TaskState())
    plan = graph(a="", b="a", c="a")
    assert critical_path(state, plan, 40) == ("a", "b")
    assert critical_path(state, plan, 40, {"c": 31}) == ("a", "c")
    assert critical_path(state, plan, 40, {"c": 31, "b": 50}) == ("a", "b")


def test_frozen_time_does_not_count() -> None:
    running = TaskState(status=TaskStatus.IN_PROGRESS, attempt=1, started_at=0)
    state = run(a=running, b=done(0, 20))
    state.frozen_since = 10
    assert critical_path(state, graph(a="", b=""), 100) == ("b",)


def test_what_is_skipped_or_unknown_takes_no_time() -> None:
    state = run(a=done(0, 5), b=TaskState(status=TaskStatus.SKIPPED, attempt=1, duration_ms=90))
    assert critical_path(state, graph(a="", b="a", new="b"), 9) == ("a",)
    assert critical_path(run(), graph(), 0) == ()
    assert critical_path(run(a=TaskState()), graph(a=""), 0) == ()


def test_what_it_waited_for() -> None:
    state = run(a=done(0, 10), b=done(0, 4), c=done(13, 20))
    plan = graph(a="", b="", c="a b")
    assert waited(state, plan, "c") == Wait("a", 3)
    assert waited(state, plan, "a") == Wait("", 0)
    assert waited(state, None, "c") is None
    assert waited(state, plan, "nobody") is None
    state.freezes = [(11, 12), (0, 5)]
    assert waited(state, plan, "c") == Wait("a", 2)


def test_what_was_done_in_an_earlier_session_was_not_waited_for() -> None:
    state = run(0, 100, a=done(0, 10), b=done(105, 110))
    assert waited(state, graph(a="", b="a"), "b") == Wait("", 5)


def test_a_retry_waited_for_what_its_first_attempt_waited_for() -> None:
    state = run(a=done(0, 10), b=done(40, 50, earlier=[past(1, 11, 39)]))
    assert waited(state, graph(a="", b="a"), "b") == Wait("a", 1)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 50)), min_size=1, max_size=12), st.data())
def test_a_path_is_one_way_and_no_way_is_longer(times: list[tuple[int, int]], data: st.DataObject) -> None:
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
    state = run(**{i: done(start, start + took) for i, (start, took) in zip(ids, times, strict=True)})
    path = critical_path(state, plan, 0)
    assert all(first in plan.needs[then] for first, then in pairwise(path))
    length = sum(state.tasks[i].duration_ms or 0 for i in path)
    ways: dict[str, int] = {}
    for i in plan.order:
        ways[i] = (state.tasks[i].duration_ms or 0) + max((ways[need] for need in plan.needs[i]), default=0)
    assert length == max(ways.values())
