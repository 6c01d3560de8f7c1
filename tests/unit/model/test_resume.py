"""What a resume does with each task, rule by rule; and that it never reuses what it must not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specular_tui.engine.artifacts import cache_key
from specular_tui.engine.scheduler import End, Scheduler, Skip, Start
from specular_tui.errors import UsageError
from specular_tui.model import event as ev
from specular_tui.model.fold import apply
from specular_tui.model.graph import Graph
from specular_tui.model.plan import Plan, Task
from specular_tui.model.resume import Action, Facts, ResumeOptions, ResumePlan, compare_plans, plan_resume
from specular_tui.model.run import Attempt, RunState, RunStatus, TaskState, TaskStatus

REUSE, RUN, SKIP, BLOCKED = Action.REUSE, Action.RUN, Action.SKIP, Action.BLOCKED


def task(task_id: str, *needs: str, command: str = "make", **more: Any) -> Task:
    return Task(id=task_id, command=command, depends_on=needs, **more)


def plan(*tasks: Task, hash_: str = "old") -> Plan:
    return Plan(name="p", tasks=tasks, hash=hash_, file="plan.json", folder="/p")


#: a <- b <- c, and d by itself.
CHAIN = (task("a"), task("b", "a"), task("c", "b"), task("d"))


def known(status: str, old: Task | None = None, **more: Any) -> TaskState:
    """A task in `status`; `failed!` is a failure that the plan allows, `interrupted` a pending one that was running."""
    match status:
        case "completed":
            key = cache_key(old) if old is not None else ""
            return TaskState(status=TaskStatus.COMPLETED, attempt=1, outcome="completed", key=key, **more)
        case "failed":
            return TaskState(status=TaskStatus.FAILED, attempt=1, outcome="failed", reason="exit code 1")
        case "failed!":
            return TaskState(status=TaskStatus.FAILED, attempt=1, outcome="failed", allowed=True)
        case "interrupted":
            return TaskState(attempt=1, outcome="interrupted")
        case _:
            return TaskState(status=TaskStatus(status), **more)


def run(old: Plan, **statuses: str) -> RunState:
    """The state of a run of `old` in which the tasks are in these states, `pending` where none is given."""
    tasks = {t.id: known(statuses.get(t.id, "pending"), t) for t in old.tasks}
    counts: dict[str, int] = {}
    for state in tasks.values():
        counts[state.status] = counts.get(state.status, 0) + 1
    return RunState(run_id="run", status=RunStatus.PAUSED, tasks=tasks, counts=counts)


def decide(
    state: RunState,
    new: Plan,
    old: Plan | None = None,
    facts: Mapping[str, Any] | None = None,
    **options: Any,
) -> ResumePlan:
    keys = {t.id: cache_key(t) for t in new.tasks}
    return plan_resume(
        state, old or new, new, Graph(new.tasks), ResumeOptions(**options), Facts(keys=keys, **(facts or {}))
    )


def actions(resume: ResumePlan) -> dict[str, Action]:
    return {decision.task: decision.action for decision in resume.decisions}


def reason(resume: ResumePlan, task_id: str) -> str:
    return next(decision.reason for decision in resume.decisions if decision.task == task_id)


# Going on ------------------------------------------------------------------------------------------------------------


def test_completed_tasks_are_kept_and_the_rest_runs() -> None:
    old = plan(*CHAIN)
    resume = decide(run(old, a="completed", b="failed", d="interrupted"), old)
    assert actions(resume) == {"a": REUSE, "b": RUN, "c": RUN, "d": RUN}
    assert reason(resume, "b") == "failed before (exit code 1)"
    assert reason(resume, "d") == "was interrupted"
    assert reason(resume, "c") == "not done yet"
    assert resume.reset == {"b": "failed before (exit code 1)"}
    assert resume.skipped == {}
    assert resume.only is None


def test_an_allowed_failure_is_kept() -> None:
    old = plan(task("a", allow_failure=True), task("b", "a"))
    assert actions(decide(run(old, a="failed!", b="completed"), old)) == {"a": REUSE, "b": REUSE}
    assert actions(decide(run(old, a="failed!"), old, skip_failed=True)) == {"a": REUSE, "b": RUN}


def test_an_allowed_failure_runs_again_where_it_is_not_allowed_any_more() -> None:
    old = plan(task("a", allow_failure=True), task("b", "a"))
    new = plan(task("a"), task("b", "a"), hash_="new")
    assert actions(decide(run(old, a="failed!", b="completed"), new, old)) == {"a": RUN, "b": RUN}


def test_an_allowed_failure_runs_again_where_it_changed_or_what_it_needs_runs() -> None:
    old = plan(task("n"), task("a", "n", allow_failure=True))
    new = plan(task("n"), task("a", "n", allow_failure=True, command="better"), hash_="new")
    state = run(old, n="completed", a="failed!")
    assert actions(decide(state, new, old)) == {"n": REUSE, "a": RUN}
    assert actions(decide(state, new, old, skip_failed=True)) == {"n": REUSE, "a": RUN}
    assert actions(decide(state, old, facts={"broken": {"n": "gone"}})) == {"n": RUN, "a": RUN}


def test_what_was_skipped_stays_skipped() -> None:
    old = plan(*CHAIN)
    resume = decide(run(old, a="skipped", b="skipped", c="skipped", d="completed"), old)
    assert actions(resume) == {"a": SKIP, "b": SKIP, "c": SKIP, "d": REUSE}
    assert resume.skipped == {}  # it is that already


# Results that cannot be relied on ------------------------------------------------------------------------------------


@pytest.mark.parametrize("flaw", ["its output 'app' is gone", "its inputs changed", "its log did not reach the disk"])
def test_a_broken_result_is_made_again_with_all_that_needs_it(flaw: str) -> None:
    old = plan(*CHAIN)
    resume = decide(run(old, **dict.fromkeys("abcd", "completed")), old, facts={"broken": {"b": flaw}})
    assert actions(resume) == {"a": REUSE, "b": RUN, "c": RUN, "d": REUSE}
    assert reason(resume, "b") == flaw
    assert reason(resume, "c") == "needs b, which runs again"
    assert set(resume.reset) == {"b", "c"}


def test_what_the_policy_does_not_allow_any_more_runs_again() -> None:
    old = plan(*CHAIN)
    resume = decide(run(old, **dict.fromkeys("abcd", "completed")), old, facts={"disallowed": {"d": "it has no image"}})
    assert actions(resume) == {"a": REUSE, "b": REUSE, "c": REUSE, "d": RUN}
    assert "it has no image" in reason(resume, "d")


# A plan that changed -------------------------------------------------------------------------------------------------


def test_a_changed_plan_runs_what_changed_and_what_needs_it_and_nothing_else() -> None:
    old = plan(*CHAIN, task("gone"))
    new = plan(task("a"), task("b", "a", command="better"), task("c", "b"), task("d"), task("e", "d"), hash_="new")
    resume = decide(run(old, **dict.fromkeys(("a", "b", "c", "d", "gone"), "completed")), new, old)
    assert actions(resume) == {"a": REUSE, "b": RUN, "c": RUN, "d": REUSE, "e": RUN}
    assert reason(resume, "b") == "its command changed"
    assert reason(resume, "c") == "needs b, which runs again"
    assert reason(resume, "e") == "new in the plan"
    assert resume.changes.lines() == ["changed: b (its command)", "added:   e", "removed: gone"]


def test_a_change_that_no_result_depends_on_runs_nothing() -> None:
    old = plan(*CHAIN)
    new = plan(
        *(Task(id=t.id, command=t.command, depends_on=t.depends_on, title="T", retries=9) for t in CHAIN), hash_="n"
    )
    resume = decide(run(old, **dict.fromkeys("abcd", "completed")), new, old)
    assert set(actions(resume).values()) == {REUSE}
    assert not resume.changes


def test_a_change_that_was_taken_back_runs_nothing() -> None:
    first = plan(task("a"))
    state = run(first, a="completed")
    second = plan(task("a", command="other"), hash_="second")
    assert actions(decide(state, first, second)) == {"a": REUSE}


def test_a_result_of_another_definition_is_not_reused_even_if_the_old_plan_is_lost() -> None:
    old = plan(*CHAIN)
    new = plan(task("a", command="other"), *CHAIN[1:], hash_="new")
    state = run(old, **dict.fromkeys("abcd", "completed"))
    lost = plan_resume(
        state, None, new, Graph(new.tasks), ResumeOptions(), Facts(keys={t.id: cache_key(t) for t in new.tasks})
    )
    assert actions(lost) == {"a": RUN, "b": RUN, "c": RUN, "d": REUSE}
    assert reason(lost, "a") == "its definition changed"


def test_a_skipped_task_that_changed_runs_and_takes_along_those_that_were_skipped_with_it() -> None:
    old = plan(*CHAIN)
    new = plan(task("a", command="mended"), *CHAIN[1:], hash_="new")
    resume = decide(run(old, a="skipped", b="skipped", c="skipped", d="skipped"), new, old)
    assert actions(resume) == {"a": RUN, "b": RUN, "c": RUN, "d": SKIP}
    assert set(resume.reset) == {"a", "b", "c"}


def test_a_removed_dependency_and_a_new_one_count_as_changes() -> None:
    old = plan(task("a"), task("b", "a"))
    new = plan(task("b", "n"), task("n"), hash_="new")
    resume = decide(run(old, a="completed", b="completed"), new, old)
    assert actions(resume) == {"b": RUN, "n": RUN}
    assert compare_plans(old, new).changed == {"b": ("its dependencies",)}


# --retry-failed ------------------------------------------------------------------------------------------------------


def test_retry_failed_runs_failures_and_what_waited_for_them_and_nothing_else() -> None:
    old = plan(*CHAIN, task("e", "d"))
    resume = decide(run(old, a="completed", b="failed"), old, retry_failed=True)
    assert actions(resume) == {"a": REUSE, "b": RUN, "c": RUN, "d": BLOCKED, "e": BLOCKED}
    assert reason(resume, "d") == "left for later: only failed tasks are retried"
    assert resume.only == frozenset({"b", "c"})
    assert resume.reset == {"b": "failed before (exit code 1)"}


def attempts(*outcomes: str, status: TaskStatus = TaskStatus.PENDING) -> TaskState:
    *earlier, last = outcomes
    return TaskState(
        status=status,
        attempt=len(outcomes),
        outcome=last,
        earlier=tuple(
            Attempt(attempt=i, outcome=outcome, started_at=0, completed_at=0, duration_ms=0)
            for i, outcome in enumerate(earlier, 1)
        ),
    )


@pytest.mark.parametrize(
    ("outcomes", "retried"),
    [
        (("failed",), True),  # stopped while it waited for its next attempt
        (("failed", "interrupted"), True),
        (("failed", "interrupted", "interrupted"), True),
        (("interrupted",), False),
        (("failed", "completed", "interrupted"), False),
        (("completed", "failed", "interrupted"), True),
    ],
)
def test_a_retry_that_was_cut_short_is_still_due(outcomes: tuple[str, ...], retried: bool) -> None:
    """Or a second `--retry-failed` would find nothing to do, and say with exit code 0 that all is well."""
    old = plan(*CHAIN)
    state = run(old, a="completed")
    state.tasks["b"] = attempts(*outcomes)
    resume = decide(state, old, retry_failed=True)
    assert actions(resume) == {"a": REUSE, **dict.fromkeys("bc", RUN if retried else BLOCKED), "d": BLOCKED}


def test_a_failure_that_is_allowed_is_not_retried_where_it_was_to_run_again() -> None:
    old = plan(task("a", allow_failure=True))
    state = run(old)
    state.tasks["a"] = attempts("failed", "interrupted")
    assert actions(decide(state, old, retry_failed=True)) == {"a": BLOCKED}


def test_retry_failed_leaves_what_waits_for_something_else_too() -> None:
    old = plan(task("bad"), task("other"), task("both", "bad", "other"), task("end", "both"))
    resume = decide(run(old, bad="failed"), old, retry_failed=True)
    assert actions(resume) == {"bad": RUN, "other": BLOCKED, "both": BLOCKED, "end": BLOCKED}
    assert reason(resume, "both") == "needs other, which is left for later"


def test_retry_failed_with_nothing_failed_runs_nothing() -> None:
    old = plan(*CHAIN)
    resume = decide(run(old, a="completed"), old, retry_failed=True)
    assert resume.count(RUN) == 0
    assert resume.only == frozenset()


def test_retry_failed_does_not_reuse_what_is_broken() -> None:
    old = plan(*CHAIN)
    state = run(old, a="completed", b="completed", d="failed")
    resume = decide(state, old, retry_failed=True, facts={"broken": {"a": "gone"}})
    assert actions(resume) == {"a": BLOCKED, "b": BLOCKED, "c": BLOCKED, "d": RUN}
    assert set(resume.reset) == {"a", "b", "d"}


# --skip-failed -------------------------------------------------------------------------------------------------------


def test_skip_failed_leaves_out_failures_and_what_needs_them() -> None:
    old = plan(*CHAIN)
    resume = decide(run(old, a="failed"), old, skip_failed=True)
    assert actions(resume) == {"a": SKIP, "b": SKIP, "c": SKIP, "d": RUN}
    assert resume.skipped == {
        "a": "failed before (exit code 1)",
        "b": "needs a, which is skipped",
        "c": "needs b, which is skipped",
    }


def test_skip_failed_with_run_dependents_leaves_out_failures_alone() -> None:
    old = plan(*CHAIN)
    resume = decide(run(old, a="failed"), old, skip_failed=True, run_dependents=True)
    assert actions(resume) == {"a": SKIP, "b": RUN, "c": RUN, "d": RUN}


def test_skip_failed_leaves_out_a_failure_also_where_it_changed() -> None:
    old = plan(*CHAIN)
    new = plan(task("a", command="mended"), *CHAIN[1:], hash_="new")
    assert actions(decide(run(old, a="failed"), new, old, skip_failed=True))["a"] is SKIP


# --from-task ---------------------------------------------------------------------------------------------------------


def test_from_task_runs_it_and_what_needs_it_again_and_the_unfinished_rest() -> None:
    old = plan(*CHAIN, task("e"))
    state = run(old, a="completed", b="completed", c="completed", d="completed")
    resume = decide(state, old, from_task="b")
    assert actions(resume) == {"a": REUSE, "b": RUN, "c": RUN, "d": REUSE, "e": RUN}
    assert reason(resume, "c") == "from b on, everything runs again"
    assert set(resume.reset) == {"b", "c"}


def test_from_task_lists_what_did_not_complete_before_it() -> None:
    old = plan(*CHAIN)
    with pytest.raises(UsageError, match="cannot start from c: 2 tasks that it needs did not complete") as refused:
        decide(run(old, d="completed"), old, from_task="c")
    assert refused.value.details == ("a", "b")
    with pytest.raises(UsageError, match="cannot start from b: 1 task that it needs did not complete"):
        decide(run(old, a="failed"), old, from_task="b")


def test_from_task_shows_no_more_than_twenty() -> None:
    many = plan(*(task(f"t{i}") for i in range(30)), task("end", *(f"t{i}" for i in range(30))))
    with pytest.raises(UsageError) as refused:
        decide(run(many), many, from_task="end")
    assert len(refused.value.details) == 21
    assert refused.value.details[-1] == "… and 10 more"


def test_from_task_counts_skipped_and_allowed_failures_as_done() -> None:
    old = plan(task("s"), task("f", allow_failure=True), task("x", "s", "f"), task("y", "x"))
    assert actions(decide(run(old, s="skipped", f="failed!", x="skipped", y="skipped"), old, from_task="x")) == {
        "s": SKIP,
        "f": REUSE,
        "x": RUN,
        "y": RUN,
    }


def test_from_task_with_skip_failed_leaves_out_what_needs_the_failure() -> None:
    old = plan(task("x"), task("bad"), task("both", "x", "bad"), task("one", "x"))
    resume = decide(run(old, x="completed", bad="failed"), old, from_task="x", skip_failed=True)
    assert actions(resume) == {"x": RUN, "bad": SKIP, "both": SKIP, "one": RUN}


def test_from_task_names_the_nearest_where_there_is_none() -> None:
    old = plan(task("compile"), task("test"))
    with pytest.raises(UsageError, match="the plan has no task 'compil'; did you mean 'compile'"):
        decide(run(old), old, from_task="compil")


# Whatever happens ----------------------------------------------------------------------------------------------------

STATUSES = ("pending", "completed", "failed", "failed!", "skipped", "interrupted")


@st.composite
def situations(draw: st.DrawFn) -> tuple[Plan, Plan, RunState, dict[str, dict[str, str]], dict[str, Any]]:
    """A plan, what it became, what came of the first, what is wrong with that, and how to go on."""
    size = draw(st.integers(1, 9))

    def tasks(command: Mapping[int, str], present: list[int]) -> tuple[Task, ...]:
        return tuple(
            Task(
                id=f"t{i}",
                command=command[i],
                depends_on=tuple(f"t{j}" for j in sorted(edges[i]) if j in present),
                allow_failure=i in allowing,
            )
            for i in present
        )

    edges = {i: draw(st.sets(st.integers(0, i - 1), max_size=3)) if i else set() for i in range(size)}
    allowing = draw(st.sets(st.integers(0, size - 1), max_size=3))
    old_commands = dict.fromkeys(range(size), "make")
    new_commands = {i: draw(st.sampled_from(["make", "make", "make", "other"])) for i in range(size)}
    numbers = list(range(size))
    old_present = sorted(draw(st.sets(st.sampled_from(numbers), min_size=1)))
    changed = draw(st.booleans())
    new_present = sorted(draw(st.sets(st.sampled_from(numbers), min_size=1))) if changed else old_present
    old = plan(*tasks(old_commands, old_present))
    new = plan(*tasks(new_commands, new_present), hash_="new") if changed else old
    statuses = {f"t{i}": draw(st.sampled_from(STATUSES)) for i in old_present}
    for i in old_present:  # only what the plan allows may have failed so
        if statuses[f"t{i}"] == "failed!" and i not in allowing:
            statuses[f"t{i}"] = "failed"
    state = run(old, **statuses)
    broken = draw(st.sets(st.sampled_from(sorted(statuses)), max_size=2))
    facts = {"broken": {i: "gone" for i in broken if statuses[i] == "completed"}}
    options: dict[str, Any] = draw(
        st.sampled_from(
            [
                {},
                {"retry_failed": True},
                {"skip_failed": True},
                {"skip_failed": True, "run_dependents": True},
                {"from_task": draw(st.sampled_from([t.id for t in new.tasks]))},
            ]
        )
    )
    return old, new, state, facts, options


@given(situations())
@settings(max_examples=500, deadline=None)
def test_nothing_is_reused_that_is_broken_changed_or_downstream_of_what_runs(
    situation: tuple[Plan, Plan, RunState, dict[str, dict[str, str]], dict[str, Any]],
) -> None:
    old, new, state, facts, options = situation
    try:
        resume = decide(state, new, old, facts, **options)
    except UsageError:
        return
    found = actions(resume)
    graph = Graph(new.tasks)
    runs = {i for i, action in found.items() if action in (RUN, BLOCKED)}
    reused = {i for i, action in found.items() if action is REUSE}
    assert list(found) == [t.id for t in new.tasks]
    assert not reused & graph.descendants(runs)
    before = {t.id: t for t in old.tasks}
    for task_id in reused:
        status = state.tasks[task_id]
        assert status.status is TaskStatus.COMPLETED or (status.status is TaskStatus.FAILED and status.allowed)
        assert task_id not in facts["broken"]
        assert cache_key(before[task_id]) == cache_key(graph.tasks[task_id])
    blocked = {i for i, action in found.items() if action is BLOCKED}
    assert not blocked or options.get("retry_failed")
    assert not {i for i, action in found.items() if action is RUN} & graph.descendants(blocked)


@given(situations())
@settings(max_examples=500, deadline=None)
def test_carried_out_it_leaves_every_task_done_and_runs_just_what_it_said(
    situation: tuple[Plan, Plan, RunState, dict[str, dict[str, str]], dict[str, Any]],
) -> None:
    old, new, state, facts, options = situation
    try:
        resume = decide(state, new, old, facts, **options)
    except UsageError:
        return
    graph = Graph(new.tasks)
    session = ev.SessionStarted(
        at=1, pid=1, tasks=tuple(t.id for t in new.tasks), reset=resume.reset, skipped=resume.skipped
    )
    state = apply(state, session)
    scheduler = Scheduler(
        graph,
        state.tasks,
        jobs=2,
        remaining=dict.fromkeys(graph.tasks, 1.0),
        only=resume.only,
        run_dependents=bool(options.get("run_dependents")),
    )
    ran: list[str] = []
    running: list[str] = []
    queue = scheduler.begin()
    ended: RunStatus | None = None
    while ended is None:
        for instruction in queue:
            match instruction:
                case Start(task=task_id):
                    ran.append(task_id)
                    running.append(task_id)
                    assert all(
                        state.tasks[need].status in (TaskStatus.COMPLETED, TaskStatus.SKIPPED)
                        or state.tasks[need].allowed
                        for need in graph.needs[task_id]
                    )
                case Skip():
                    raise AssertionError("nothing failed")
                case End(status=status):
                    ended = status
        if ended is None:
            done = running.pop(0)
            attempt = state.tasks[done].attempt + 1
            state = apply(state, ev.TaskStarted(at=2, task=done, attempt=attempt))
            state = apply(state, ev.TaskEnded(at=3, task=done, attempt=attempt, outcome="completed", duration_ms=1))
            queue = scheduler.completed(done)
    assert sorted(ran) == sorted(i for i, action in actions(resume).items() if action is RUN)
    left = {i for i, t in state.tasks.items() if t.status is TaskStatus.PENDING}
    assert left == {i for i, action in actions(resume).items() if action is BLOCKED}
    assert ended is (RunStatus.PAUSED if left else RunStatus.COMPLETED)
    assert not state.failed_for_good()


def test_what_becomes_of_each_gate_is_said() -> None:
    keys = {"@new": "n", "@waits": "w", "@failed": "f", "@passed": "p", "@changed": "c2"}
    state = RunState(
        tasks={"a": TaskState(status=TaskStatus.COMPLETED)},
        gates={
            "@waits": TaskState(),
            "@failed": TaskState(status=TaskStatus.FAILED, reason="exit code 2"),
            "@passed": TaskState(status=TaskStatus.COMPLETED, key="p"),
            "@changed": TaskState(status=TaskStatus.COMPLETED, key="c1"),
            "@gone": TaskState(status=TaskStatus.COMPLETED, key="g"),
        },
    )
    plan = Plan(tasks=(Task(id="a", command="true"),), name="p", file="plan.json", folder="/p", hash="h")

    normal = ResumeOptions()

    def gates(done: RunState = state, options: ResumeOptions = normal) -> dict[str, tuple[Action, str]]:
        found = plan_resume(done, plan, plan, Graph(plan.tasks), options, Facts(gates=keys))
        assert "@gone" not in found.reset
        return {gate.task: (gate.action, gate.reason) for gate in found.gates}

    assert gates() == {
        "@new": (RUN, "new in the policy"),
        "@waits": (RUN, "not done yet"),
        "@failed": (RUN, "failed before (exit code 2)"),
        "@passed": (REUSE, "passed before"),
        "@changed": (RUN, "its command changed"),
    }
    assert gates(options=ResumeOptions(revalidate=True))["@passed"] == (RUN, "every gate runs again")
    unfinished = RunState(tasks={"a": TaskState()}, gates=state.gates)
    assert gates(unfinished)["@passed"] == (RUN, "tasks run again")
    assert {action for action, _ in gates(unfinished, ResumeOptions(retry_failed=True)).values()} == {BLOCKED, REUSE}


def alone(state: RunState, old: Plan, root: str, new: Plan | None = None, **facts: Any) -> ResumePlan:
    now = new or old
    options = ResumeOptions(from_task=root, alone=True)
    return plan_resume(state, old, now, Graph(now.tasks), options, Facts(**facts))


def test_a_task_runs_alone_and_all_others_stay_as_they_are() -> None:
    old = plan(*CHAIN, task("e", "d"))
    state = run(old, a="completed", b="completed", c="completed", d="failed")
    found = alone(state, old, "b")
    assert actions(found) == {"a": REUSE, "b": RUN, "c": REUSE, "d": BLOCKED, "e": BLOCKED}
    reasons = {decision.task: decision.reason for decision in found.decisions}
    assert reasons["b"] == "b alone runs again"
    assert reasons["c"] == "kept, though it needs b, which runs again"
    assert reasons["d"] == "left for later: only b runs (failed before (exit code 1))"
    assert found.only == frozenset({"b"})
    assert found.reset == {"b": "b alone runs again"}, "a failed task that does not run stays failed"
    assert found.skipped == {}


@pytest.mark.parametrize("was", ["pending", "failed", "skipped", "completed", "interrupted"])
def test_whatever_it_was_a_task_can_run_alone(was: str) -> None:
    old = plan(*CHAIN)
    state = run(old, a="completed", b=was)
    assert actions(alone(state, old, "b")) == {"a": REUSE, "b": RUN, "c": BLOCKED, "d": BLOCKED}


def test_no_task_runs_alone_on_results_that_are_gone() -> None:
    old = plan(*CHAIN)
    state = run(old, a="completed", b="completed", c="completed", d="completed")
    with pytest.raises(UsageError, match="c cannot run alone") as refused:
        alone(state, old, "c", broken={"a": "its output is gone"})
    assert refused.value.details == ("b: left for later: only c runs (needs a, which runs again)",)


def test_what_changed_is_left_for_later_and_keeps_its_state() -> None:
    old = plan(*CHAIN)
    new = plan(task("a"), task("b", "a"), task("c", "b", command="other"), task("d"), hash_="new")
    state = run(old, a="completed", b="failed", c="completed", d="completed")
    keys = {t.id: cache_key(t) for t in new.tasks}
    found = alone(state, old, "b", new, keys=keys)
    assert actions(found) == {"a": REUSE, "b": RUN, "c": BLOCKED, "d": REUSE}
    assert found.reset.keys() == {"b"}


def test_what_happens_first_is_shown_first_and_failures_before_the_rest() -> None:
    old = plan(*CHAIN, task("e"))
    state = run(old, a="completed", d="failed")
    found = plan_resume(state, old, old, Graph(old.tasks), ResumeOptions(), Facts())
    assert [decision.task for decision in found.grouped()] == ["d", "b", "c", "e", "a"]
