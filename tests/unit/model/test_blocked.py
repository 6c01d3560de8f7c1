from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from specular_tui.model.blocked import Blocked
from specular_tui.model.graph import Graph
from specular_tui.model.plan import Task
from specular_tui.model.run import RunState, TaskState, TaskStatus

#: a - b - d, a - c, e alone.
NEEDS = {"a": (), "b": ("a",), "c": ("a",), "d": ("b",), "e": ()}


def graph(needs: dict[str, tuple[str, ...]]) -> Graph:
    return Graph([Task(id=i, title="", command="true", depends_on=n) for i, n in needs.items()])


def state(**statuses: TaskStatus) -> RunState:
    return RunState(tasks={i: TaskState(status=statuses.get(i, TaskStatus.PENDING)) for i in NEEDS})


def test_all_that_is_downstream_of_a_failure_and_pending() -> None:
    blocked = Blocked()
    blocked.update_for(state(a=TaskStatus.FAILED, c=TaskStatus.COMPLETED), graph(NEEDS), {"a"})
    assert blocked == {"b", "d"}


def test_nothing_without_a_plan_and_nothing_for_gates() -> None:
    blocked = Blocked()
    blocked.update_for(state(a=TaskStatus.FAILED), None, {"a"})
    assert blocked == set()
    blocked.update_for(state(a=TaskStatus.FAILED), graph(NEEDS), {"a", "@lint"})
    assert blocked == {"b", "c", "d"}


def test_what_runs_again_blocks_no_longer() -> None:
    blocked = Blocked()
    blocked.update_for(state(a=TaskStatus.FAILED), graph(NEEDS), {"a"}, {"a"})
    blocked.update_for(state(a=TaskStatus.IN_PROGRESS), graph(NEEDS), set(), {"a"})
    assert blocked == set()


STATUSES = st.sampled_from([TaskStatus.PENDING, TaskStatus.FAILED, TaskStatus.COMPLETED, TaskStatus.SKIPPED])


@given(
    st.lists(st.sets(st.integers(0, 6), max_size=3), min_size=7, max_size=7),
    st.lists(st.tuples(st.integers(0, 6), STATUSES), max_size=20),
)
def test_step_by_step_is_as_at_once(edges: list[set[int]], moves: list[tuple[int, TaskStatus]]) -> None:
    plan = graph({f"t{i}": tuple(f"t{n}" for n in sorted(needs) if n < i) for i, needs in enumerate(edges)})
    run = RunState(tasks={i: TaskState() for i in plan.tasks})
    kept = Blocked()
    for number, status in moves:
        run.tasks[f"t{number}"].status = status
        failed = {i for i, task in run.tasks.items() if task.status is TaskStatus.FAILED}
        kept.update_for(run, plan, failed, {f"t{number}"})
        below = plan.descendants(failed)
        assert kept == {i for i in below if run.tasks[i].status is TaskStatus.PENDING}
