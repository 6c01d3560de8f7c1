"""Two runs side by side: what differs, and what matters most."""

from __future__ import annotations

from specular_tui.model.compare import Difference, compare_runs
from specular_tui.model.event import OutputFile
from specular_tui.model.run import RunState, Session, TaskState, TaskStatus


def done(ms: int, *, hash_: str = "") -> TaskState:
    outputs = (OutputFile(path="out", size=1, hash=hash_),) if hash_ else ()
    return TaskState(status=TaskStatus.COMPLETED, attempt=1, duration_ms=ms, exit_code=0, outputs=outputs)


def failed(code: int) -> TaskState:
    return TaskState(status=TaskStatus.FAILED, attempt=1, duration_ms=100, exit_code=code)


def run(run_id: str, gates: dict[str, TaskState] | None = None, **tasks: TaskState) -> RunState:
    return RunState(run_id=run_id, tasks=tasks, gates=gates or {}, plan_hash=run_id[0])


def test_each_kind_of_difference() -> None:
    before = run("a1", same=done(1000), slow=done(1000), fast=done(9000), broke=done(10), gone=done(1), cmd=done(5))
    after = run("a2", same=done(1100), slow=done(2000), fast=done(1000), broke=failed(2), new=done(1), cmd=done(5))
    found = compare_runs(before, after, {"cmd": ("its command",)})
    kinds = {task.task: task.differences for task in found.tasks}
    assert kinds == {
        "same": (),
        "slow": (Difference.SLOWER,),
        "fast": (Difference.FASTER,),
        "broke": (Difference.RESULT,),
        "new": (Difference.NEW,),
        "cmd": (Difference.DEFINITION,),
        "gone": (Difference.GONE,),
    }
    assert [task.task for task in found.tasks][-1] == "gone", "what is gone comes last"
    assert [task.delta_ms for task in found.tasks[:4]] == [100, 1000, -8000, None]
    assert found.same_plan
    assert found.count(Difference.SLOWER) == 1
    heaviest = [task.task for task in sorted(found.tasks, key=lambda task: task.weight)]
    assert heaviest == ["broke", "new", "gone", "cmd", "slow", "fast", "same"]


def test_small_changes_of_time_are_none() -> None:
    found = compare_runs(run("a", x=done(100), y=done(100_000)), run("b", x=done(400), y=done(110_000)), {})
    assert [task.differences for task in found.tasks] == [(), ()]
    assert [task.delta_ms for task in found.tasks] == [300, 10_000]
    assert not found.same_plan


def test_another_exit_code_is_another_result() -> None:
    found = compare_runs(run("a", x=failed(1), y=failed(1)), run("b", x=failed(2), y=failed(1)), {})
    assert [task.differences for task in found.tasks] == [(Difference.RESULT,), ()]


def test_other_bytes_of_an_output() -> None:
    found = compare_runs(run("a", x=done(1, hash_="blake3:1")), run("b", x=done(1, hash_="blake3:2")), {})
    assert found.tasks[0].differences == (Difference.OUTPUTS,)


def test_gates_are_compared_too_and_nothing_is_fine() -> None:
    found = compare_runs(run("a", {"@lint": done(1)}), run("b", {"@lint": failed(1)}), {})
    assert [(task.task, task.differences) for task in found.tasks] == [("@lint", (Difference.RESULT,))]
    assert compare_runs(RunState(), RunState(), {}).tasks == ()


def test_how_many_tasks_ran_at_once_is_told() -> None:
    before, after = run("a1", x=done(100)), run("a2", x=done(100))
    assert (compare_runs(before, after, {}).jobs_before, compare_runs(before, after, {}).jobs_after) == (0, 0)
    before.sessions.append(Session(started_at=0, pid=1, jobs=2))
    after.sessions += [Session(started_at=0, pid=1, jobs=2), Session(started_at=9, pid=1, jobs=4)]
    found = compare_runs(before, after, {})
    assert (found.jobs_before, found.jobs_after) == (2, 4)
