from __future__ import annotations

from specular_tui.model.forecast import remaining_ms
from specular_tui.model.run import Attempt, RunState, Session, TaskState, TaskStatus


def run(jobs: int = 1, **tasks: TaskState) -> RunState:
    return RunState(tasks=tasks, sessions=[Session(started_at=0, pid=1, jobs=jobs)])


def done(ms: int) -> TaskState:
    return TaskState(status=TaskStatus.COMPLETED, duration_ms=ms)


def test_nothing_is_known_before_a_task_has_ended() -> None:
    assert remaining_ms(run(a=TaskState(), b=TaskState()), 0) is None


def test_nothing_is_left_of_a_run_that_is_done() -> None:
    assert remaining_ms(run(a=done(5)), 0) == 0


def test_an_unknown_task_takes_what_the_others_took() -> None:
    assert remaining_ms(run(a=done(1000), b=TaskState(), c=TaskState()), 0) == 2000
    assert remaining_ms(run(2, a=done(1000), b=TaskState(), c=TaskState()), 0) == 1000


def test_a_running_task_has_less_left() -> None:
    running = TaskState(status=TaskStatus.IN_PROGRESS, started_at=1000)
    assert remaining_ms(run(a=done(1000), b=running), 1400) == 600
    assert remaining_ms(run(a=done(1000), b=running), 5000) == 0


def test_estimates_count_as_much_as_those_that_are_over_took() -> None:
    state = run(a=done(2000), b=TaskState(), c=TaskState())
    assert remaining_ms(state, 0, {"a": 1.0, "b": 10.0, "c": 0.5}) == 21_000


def test_the_longest_task_is_the_least() -> None:
    state = run(8, a=done(1000), b=TaskState(), c=TaskState())
    assert remaining_ms(state, 0, {"a": 1, "b": 10, "c": 1}) == 10_000


def test_what_a_task_took_before_counts_first() -> None:
    again = TaskState(
        earlier=[Attempt(attempt=1, outcome="completed", started_at=0, completed_at=7000, duration_ms=7000)]
    )
    assert remaining_ms(run(a=done(1000), b=again), 0, {"b": 1}) == 7000
