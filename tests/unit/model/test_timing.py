"""What took the time of a run."""

from __future__ import annotations

import pytest

from specular_tui.model.graph import Graph
from specular_tui.model.plan import Task
from specular_tui.model.run import Attempt, RunState, Session, TaskState, TaskStatus
from specular_tui.model.timing import Timing, timing
from specular_tui.model.usual import Usual


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


#: a - c, b - d; a and b at once.
GRAPH = Graph([Task(id=i, command="x", depends_on=tuple(n)) for i, n in {"a": "", "b": "", "c": "a", "d": "b"}.items()])


def run(jobs: tuple[int, ...] = (2,), **tasks: TaskState) -> RunState:
    sessions = [Session(started_at=at * 10_000, pid=1, jobs=n, ended_at=at * 10_000) for at, n in enumerate(jobs)]
    sessions[-1].ended_at = None
    gates = {i.replace("_", "@"): tasks.pop(i) for i in list(tasks) if i.startswith("_")}
    return RunState(tasks={i: tasks.get(i, TaskState()) for i in GRAPH.tasks}, gates=gates, sessions=sessions)


def took(found: Timing) -> list[tuple[str, int]]:
    return [(timed.task, timed.took_ms) for timed in found.slowest]


def test_the_path_the_slowest_and_how_many_ran_at_once() -> None:
    state = run(
        a=done(0, 1_000), b=done(0, 3_000), c=done(1_000, 1_500), d=done(3_000, 7_000), _tests=done(7_000, 8_000)
    )
    found = timing(state, GRAPH, 8_000, {}, 3, live=False)
    assert found.path is not None
    assert [(timed.task, timed.took_ms) for timed in found.path] == [("b", 3_000), ("d", 4_000)]
    assert took(found) == [("d", 4_000), ("b", 3_000), ("a", 1_000)], "of equals the task before the gate"
    assert [timed.critical for timed in found.slowest] == [True, True, False]
    assert (found.path_ms, found.elapsed_ms, found.work_ms, found.jobs) == (7_000, 8_000, 9_500, 2)
    assert found.at_once == pytest.approx(9_500 / 8_000)
    assert found.path[1].wait is not None
    assert (found.path[1].wait.need, found.path[1].wait.slot_ms) == ("b", 0)


def test_what_failed_before_counts_and_what_was_done_before_is_work() -> None:
    def past(number: int, start: int, end: int, outcome: str) -> Attempt:
        return Attempt(attempt=number, outcome=outcome, started_at=start, completed_at=end, duration_ms=end - start)

    tried = done(3_000, 4_000, earlier=(past(1, 0, 500, "completed"), past(2, 1_000, 3_000, "failed")))
    tried.attempt = 3
    found = timing(run(a=tried), GRAPH, 4_000, {}, 9, live=False)
    assert took(found) == [("a", 3_000)]
    assert (found.work_ms, found.slowest[0].attempts) == (3_500, 3)


def test_what_was_slower_than_usual() -> None:
    usual = {"a": Usual(1_000, 900, 1_200, 3), "b": Usual(1_000, 900, 9_000, 3)}
    found = timing(run(a=done(0, 5_000), b=done(0, 5_001)), GRAPH, 6_000, usual, 9, live=False)
    assert [(timed.task, timed.slow) for timed in found.slowest] == [("b", False), ("a", True)]


def test_of_a_live_run_what_is_to_come_counts_as_it_is_expected() -> None:
    state = run(a=done(0, 1_000), b=TaskState(status=TaskStatus.IN_PROGRESS, attempt=1, started_at=0))
    usual = {"b": Usual(5_000, 5_000, 5_000, 1), "c": Usual(9_000, 9_000, 9_000, 1)}
    found = timing(state, GRAPH, 2_000, usual, 9, live=True)
    assert found.path is not None
    assert [(timed.task, timed.took_ms, timed.expected_ms) for timed in found.path] == [
        ("a", 1_000, None),
        ("c", 0, 9_000),
    ]
    assert took(found) == [("b", 2_000), ("a", 1_000)], "only what has run"
    stored = timing(state, GRAPH, 2_000, usual, 9, live=False)
    assert [timed.task for timed in stored.path or ()] == ["b"]
    assert all(timed.expected_ms is None for timed in stored.slowest)


def test_nothing_has_run_and_nobody_knows_the_plan() -> None:
    found = timing(RunState(), Graph([]), 0, {}, 9, live=False)
    assert (found.path, found.slowest, found.at_once, found.jobs) == ((), (), 0.0, None)
    assert timing(run(a=done(0, 5)), None, 5, {}, 0, live=False).path is None


def test_jobs_that_differed_are_none() -> None:
    assert timing(run(jobs=(2, 3)), GRAPH, 20_000, {}, 9, live=False).jobs is None
