from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from specular_tui.model.forecast import Forecast, forecast
from specular_tui.model.graph import Graph
from specular_tui.model.plan import Task
from specular_tui.model.run import RunState, Session, TaskState, TaskStatus
from specular_tui.model.usual import Usual


def run(jobs: int = 1, **tasks: TaskState) -> RunState:
    return RunState(tasks=tasks, sessions=[Session(started_at=0, pid=1, jobs=jobs)])


def done(ms: int) -> TaskState:
    return TaskState(status=TaskStatus.COMPLETED, duration_ms=ms)


def graph(**needs: str) -> Graph:
    return Graph([Task(id=i, command="x", depends_on=tuple(n.split())) for i, n in needs.items()])


def counted(state: RunState) -> RunState:
    for task in state.tasks.values():
        state.counts[task.status] = state.counts.get(task.status, 0) + 1
    state.running = {i: None for i, task in state.tasks.items() if task.status is TaskStatus.IN_PROGRESS}
    return state


def test_past_runs_give_a_range() -> None:
    state = counted(run(2, a=TaskState(), b=TaskState()))
    usual = {"a": Usual(100, 80, 130, 4), "b": Usual(50, 40, 60, 4)}
    assert forecast(state, graph(a="", b="a"), 0, usual) == Forecast(120, 150, 190)
    assert forecast(state, graph(a="", b=""), 0, usual) == Forecast(80, 100, 130), "side by side"
    assert forecast(state, graph(a="", b=""), 0, usual, ["b"]) == Forecast(40, 50, 60), "what is named is to run"
    assert forecast(state, graph(a="", b=""), 0, usual, jobs=1) == Forecast(120, 150, 190)


def test_nobody_knows_of_a_task_that_nothing_is_known_of() -> None:
    assert forecast(counted(run(a=TaskState())), graph(a=""), 0, {}) is None
    few = counted(run(a=done(1000), b=done(900), c=TaskState()))
    assert forecast(few, graph(a="", b="", c=""), 0, {}) is None, "two tasks say nothing of a third"
    enough = counted(run(a=done(1000), b=done(900), c=done(1100), d=TaskState()))
    found = forecast(enough, graph(a="", b="", c="", d=""), 0, {})
    assert found is not None
    assert found.low_ms < found.likely_ms == 1000 < found.high_ms


def test_before_anything_has_ended_past_runs_say_of_new_tasks_too() -> None:
    usual = {i: Usual(100, 100, 100, 2) for i in "acd"} | {"gone": Usual(9000, 9000, 9000, 2)}
    found = forecast(RunState(), graph(a="", b="", c="", d=""), 0, usual, ["a", "b"], 1)
    assert found is not None
    assert found.low_ms < found.likely_ms == 200 < found.high_ms
    assert forecast(RunState(), graph(b=""), 0, usual, ["b"], 1) is None, (
        "a task that is no longer in the plan says nothing"
    )


def test_what_runs_has_only_its_rest_to_go_and_what_is_overdue_a_little() -> None:
    usual = {"a": Usual(100, 100, 100, 2)}
    running = TaskState(status=TaskStatus.IN_PROGRESS, attempt=1, started_at=0)
    state = counted(run(a=running))
    assert forecast(state, graph(a=""), 60, usual) == Forecast(40, 40, 40)
    assert forecast(state, graph(a=""), 200, usual) == Forecast(0, 0, 40)
    state.frozen_since = 60
    assert forecast(state, graph(a=""), 5000, usual) == Forecast(40, 40, 40), "frozen time is none"


def test_a_task_that_takes_longer_than_those_that_it_is_likened_to_may_be_half_done() -> None:
    running = TaskState(status=TaskStatus.IN_PROGRESS, attempt=1, started_at=0)
    state = counted(run(a=done(1000), b=running, c=done(1000), d=done(3000)))
    needs = graph(a="", b="", c="", d="")
    assert forecast(state, needs, 400, {}) == Forecast(0, 600, 1600)
    assert forecast(state, needs, 2000, {}) == Forecast(600, 2000, 4000)
    assert forecast(state, needs, 5000, {}) == Forecast(1500, 5000, 20_000), "longer than any: it may be far off"
    assert forecast(state, needs, 6001, {}) is None, "three say nothing of one that is so much longer"


def test_the_first_build_of_a_plan_with_long_tasks_promises_no_early_end() -> None:
    first, second = (TaskState(status=TaskStatus.IN_PROGRESS, attempt=1, started_at=0) for _ in range(2))
    state = counted(run(4, a=done(500), b=first, c=second))
    needs = graph(a="", b="", c="")
    assert forecast(state, needs, 4000, {}) is None
    many = counted(run(4, **{f"t{n}": done(500 + n) for n in range(30)}, b=first, c=second))
    needs = graph(**dict.fromkeys(many.tasks, ""))
    for now in (4000, 9000, 20_000):
        found = forecast(many, needs, now, {})
        assert found is not None
        assert now + found.high_ms > 4 * now, "the longer it takes, the longer it may take"
        assert found.low_ms > 0


def test_a_tenth_of_a_large_plan_says_how_its_tasks_are() -> None:
    def found(ended: int) -> Forecast | None:
        tasks = {f"t{n}": done(500) if n < ended else TaskState() for n in range(100)}
        return forecast(counted(run(4, **tasks)), graph(**dict.fromkeys(tasks, "")), 0, {})

    assert found(9) is None
    assert found(10) is not None


def test_what_needs_a_failed_task_waits_for_somebody() -> None:
    usual = {i: Usual(100, 100, 100, 2) for i in "abc"}
    state = counted(run(1, a=TaskState(status=TaskStatus.FAILED, attempt=1), b=TaskState(), c=TaskState()))
    state.sessions[-1].keep_going = True
    assert forecast(state, graph(a="", b="a", c=""), 0, usual) == Forecast(100, 100, 100)


def test_a_slower_run_widens_the_range() -> None:
    usual = {i: Usual(100, 90, 110, 4) for i in "ab"}
    found = forecast(counted(run(a=done(200), b=TaskState())), graph(a="", b=""), 0, usual)
    assert found == Forecast(90, 150, 165), "half way between what is usual and twice of it"


def test_gates_come_after_all_tasks() -> None:
    state = counted(run(2, a=TaskState()))
    state.gates = {"@lint": TaskState(), "@new": TaskState()}
    usual = {"a": Usual(100, 100, 100, 2), "@lint": Usual(40, 20, 60, 2)}
    assert forecast(state, graph(a=""), 0, usual) == Forecast(110, 120, 130)


def test_time_that_has_gone_by_is_no_longer_to_come() -> None:
    assert Forecast(10, 20, 30) + -15 == Forecast(0, 5, 15)


_TIMES = st.integers(0, 5000)


@given(st.lists(st.tuples(_TIMES, _TIMES, _TIMES, st.integers(1, 5)), min_size=1, max_size=8), st.integers(1, 4))
def test_the_likely_lies_between_the_ends(times: list[tuple[int, int, int, int]], jobs: int) -> None:
    ids = [f"t{n}" for n in range(len(times))]
    usual = {}
    for task_id, (first, second, third, runs) in zip(ids, times, strict=True):
        low, median, high = sorted((first, second, third))
        usual[task_id] = Usual(median, low, high, runs)
    found = forecast(counted(run(jobs, **{i: TaskState() for i in ids})), graph(**dict.fromkeys(ids, "")), 0, usual)
    assert found is not None
    assert 0 <= found.low_ms <= found.likely_ms <= found.high_ms


def test_nothing_more_starts_after_a_failure_unless_the_session_keeps_going() -> None:
    usual = {i: Usual(100, 100, 100, 2) for i in "abcd"}
    tasks = {
        "a": TaskState(status=TaskStatus.FAILED, attempt=1),
        "b": TaskState(status=TaskStatus.IN_PROGRESS, attempt=1, started_at=0),
        "c": TaskState(),
    }
    state = counted(run(1, **tasks))
    assert forecast(state, graph(a="", b="", c=""), 60, usual) == Forecast(40, 40, 40)
    state.sessions[-1].keep_going = True
    assert forecast(state, graph(a="", b="", c=""), 60, usual) == Forecast(140, 140, 140)


def test_what_a_session_is_not_to_run_is_not_waited_for() -> None:
    usual = {i: Usual(100, 100, 100, 2) for i in "abc"}
    state = counted(run(1, a=TaskState(), b=TaskState(), c=TaskState()))
    state.only = ("b",)
    assert forecast(state, graph(a="", b="", c=""), 0, usual) == Forecast(100, 100, 100)


def test_the_first_short_tasks_do_not_turn_what_is_known_of_all_others_over() -> None:
    names = [f"t{number}" for number in range(100)]
    tasks = [Task(id=name, command="x", estimate=0.4) for name in names]
    state = counted(run(1, **{name: TaskState() for name in names[2:]}, t0=done(2000), t1=done(2000)))
    found = forecast(state, Graph(tasks), 0, {})
    assert found is not None
    planned = 98 * 400
    assert planned < found.likely_ms < 2 * planned, "five times as long as planned, so far"
    late = counted(run(1, **{name: done(2000) for name in names[2:]}, t0=TaskState(), t1=TaskState()))
    found = forecast(late, Graph(tasks), 0, {})
    assert found is not None
    assert 4 * 800 < found.likely_ms < 5 * 800, "that is how it goes here"
