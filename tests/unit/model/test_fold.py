"""The fold: what follows from events, what may follow what, and that everything derived stays true."""

from __future__ import annotations

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specular_tui.model import event as ev
from specular_tui.model.fold import apply, as_seen_dead
from specular_tui.model.run import ACTIVE, RESUMABLE, RUN_TRANSITIONS, FoldError, RunState, RunStatus, TaskStatus

S = RunStatus


def fold(*events: ev.AnyEvent) -> RunState:
    state = RunState()
    for event in events:
        state = apply(state, event)
    return state


def created(*tasks: str, gates: tuple[str, ...] = ()) -> ev.RunCreated:
    return ev.RunCreated(
        at=1_000,
        run_id="run",
        plan_file="plan.json",
        plan_folder="/p",
        plan_name="p",
        plan_hash="h",
        host="here",
        tasks=tasks or ("a", "b", "c"),
        gates=gates,
    )


def session(at: int = 1_000, **more: Any) -> ev.SessionStarted:
    return ev.SessionStarted(at=at, pid=7, **more)


def start(task: str, at: int, attempt: int = 1) -> ev.TaskStarted:
    return ev.TaskStarted(at=at, task=task, attempt=attempt, pid=50, pid_start=60)


def end(task: str, at: int, outcome: str = "completed", attempt: int = 1, **more: Any) -> ev.TaskEnded:
    return ev.TaskEnded(at=at, task=task, attempt=attempt, outcome=outcome, duration_ms=5, **more)


def closing(status: str, at: int = 9_000, reason: str = "") -> ev.SessionEnded:
    return ev.SessionEnded(at=at, status=status, reason=reason)


#: Every state, with events that lead there.
WAYS: dict[RunStatus, tuple[ev.AnyEvent, ...]] = {
    S.CREATED: (created(),),
    S.IN_PROGRESS: (created(), session()),
    S.PAUSED: (created(), session(), closing("paused")),
    S.COMPLETED: (created(), session(), closing("completed")),
    S.FAILED: (created(), session(), closing("failed")),
    S.RETRYING: (created(), session(), closing("failed"), session(status="retrying")),
    S.ABANDONED: (created(), session(), closing("failed"), ev.RunAbandoned(at=9_000)),
}
#: The specification's diagram and what the contract adds to it.
ALLOWED = {
    (S.CREATED, S.IN_PROGRESS),
    (S.IN_PROGRESS, S.COMPLETED),
    (S.IN_PROGRESS, S.FAILED),
    (S.FAILED, S.RETRYING),
    (S.RETRYING, S.COMPLETED),
    (S.RETRYING, S.ABANDONED),
    (S.FAILED, S.ABANDONED),
    (S.CREATED, S.PAUSED),
    (S.IN_PROGRESS, S.PAUSED),
    (S.RETRYING, S.PAUSED),
    (S.PAUSED, S.IN_PROGRESS),
    (S.PAUSED, S.RETRYING),
    (S.PAUSED, S.ABANDONED),
    (S.RETRYING, S.FAILED),
    (S.COMPLETED, S.RETRYING),
}


def test_the_table_is_what_was_promised() -> None:
    assert {(one, other) for one, others in RUN_TRANSITIONS.items() for other in others} == ALLOWED
    assert set(RUN_TRANSITIONS) == set(RunStatus) == set(WAYS)
    assert set(RunStatus) - RESUMABLE == {S.COMPLETED, S.ABANDONED}
    assert ACTIVE <= RESUMABLE


@pytest.mark.parametrize(("before", "after"), [*itertools.product(RunStatus, RunStatus)])
def test_no_event_takes_a_way_that_the_table_does_not_have(before: RunStatus, after: RunStatus) -> None:
    state = fold(*WAYS[before])
    assert state.status is before
    event: ev.AnyEvent
    match after:
        case S.ABANDONED:
            event = ev.RunAbandoned(at=9_500)
        case S.IN_PROGRESS | S.RETRYING if state.session is None:
            event = session(9_500, status=after)
        case S.CREATED:
            return
        case _:
            event = closing(after, 9_500)
    if (before, after) in ALLOWED or before is after:
        assert apply(state, event).status is after
    else:
        with pytest.raises(FoldError, match=f"a run cannot go from {before} to {after}"):
            apply(state, event)


def test_a_task_goes_through_its_attempts() -> None:
    state = fold(
        created(),
        session(),
        start("a", 1_010),
        end("a", 1_020, "failed", exit_code=1, reason="exit code 1", will_retry=True, log_size=3, log_hash="x"),
    )
    known = state.task("a")
    assert (known.status, known.outcome, known.exit_code) == (TaskStatus.PENDING, "failed", 1)
    assert (known.pid, known.pid_start) == (None, None)
    state = apply(state, start("a", 1_030, 2))
    assert state.current_task == "a"
    assert (known.status, known.outcome, known.exit_code, known.log_size) == (TaskStatus.IN_PROGRESS, "", None, 0)
    state = apply(state, end("a", 1_040, attempt=2, exit_code=0, key="k"))
    assert state.count(TaskStatus.COMPLETED) == 1
    assert [(old.attempt, old.outcome, old.reason, old.log_hash) for old in known.earlier] == [
        (1, "failed", "exit code 1", "x")
    ]
    assert state.current_task is None


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([created()], "created twice"),
        ([session()], "a session started before the one before it ended"),
        ([start("nobody", 1_010)], "no task 'nobody'"),
        ([start("a", 1_010), start("a", 1_011, 2)], "started while it was running"),
        ([end("a", 1_010)], "ended attempt 1 in attempt 0"),
        ([start("a", 1_010), end("a", 1_011), end("a", 1_012)], "ended without running"),
        ([start("a", 1_010), end("a", 1_011, attempt=2)], "ended attempt 2 in attempt 1"),
        ([start("a", 1_010), end("a", 1_011, "odd")], "ended as 'odd'"),
        ([ev.TaskSkipped(at=1, task="nobody", reason="")], "no task"),
        ([ev.LogLost(at=1, task="a", attempt=4)], "no attempt 4"),
    ],
)
def test_what_cannot_follow_is_refused(events: list[ev.AnyEvent], words: str) -> None:
    with pytest.raises(FoldError, match=words):
        fold(created(), session(), *events)


def test_the_longest_running_task_is_the_current_one() -> None:
    state = fold(created(), session(), start("c", 1_010), start("a", 1_020), start("b", 1_030))
    assert state.current_task == "c"
    state = apply(state, end("c", 1_040))
    assert (state.current_task, list(state.running)) == ("a", ["a", "b"])


def test_frozen_time_belongs_to_no_duration() -> None:
    state = fold(created(), session(1_000), start("a", 1_100), ev.Frozen(at=1_200))
    assert state.status is S.PAUSED
    assert state.elapsed_until(5_000) == 200
    assert state.task_elapsed_until(state.task("a"), 5_000) == 100
    state = apply(state, ev.Frozen(at=1_300))
    state = apply(state, ev.Thawed(at=2_200, frozen_ms=1_000))
    assert state.status is S.IN_PROGRESS
    assert state.freezes == [(1_200, 2_200)]
    assert state.elapsed_until(2_300) == 300
    state = apply(state, start("b", 2_300))
    assert state.task_elapsed_until(state.task("a"), 2_400) == 300
    assert state.task_elapsed_until(state.task("b"), 2_400) == 100
    state = apply(state, closing("paused", 2_500))
    assert state.elapsed_ms == 500
    state = apply(state, session(10_000))
    assert state.elapsed_until(10_100) == 600


def test_thawing_goes_back_to_what_the_session_was() -> None:
    state = fold(*WAYS[S.RETRYING], ev.Frozen(at=9_500))
    assert state.status is S.PAUSED
    assert apply(state, ev.Thawed(at=9_600)).status is S.RETRYING


def test_a_session_that_has_been_told_to_end_is_stopping_until_it_has() -> None:
    events: list[ev.AnyEvent] = [created(), session(), start("a", 1_010), ev.Stopping(at=1_020, reason="stopped")]
    state = fold(*events)
    assert (state.stopping, state.status) == (True, "in_progress")
    assert not as_seen_dead(fold(*events)).stopping
    events += [closing("paused", 2_000)]
    assert not fold(*events).stopping


def test_a_session_that_ends_leaves_nothing_running_frozen_or_draining() -> None:
    state = fold(
        created(), session(), ev.Draining(at=1_005), start("a", 1_010), ev.Frozen(at=1_020), closing("paused", 2_000)
    )
    known = state.task("a")
    assert (known.status, known.outcome, known.duration_ms) == (TaskStatus.PENDING, "interrupted", 10)
    assert (state.running, state.frozen_since, state.draining, state.session) == ({}, None, False, None)
    assert known.pid == 50  # whoever recovers looks whether it is still there


def test_a_changed_plan_keeps_what_is_known_of_tasks_that_stay() -> None:
    state = fold(created(), session(), start("a", 1_010), end("a", 1_020), start("b", 1_030), closing("paused"))
    state = apply(
        state,
        session(
            9_500,
            plan_hash="h2",
            plan_folder="/q",
            tasks=("d", "a"),
            gates=("@lint",),
            reset={"a": "its command changed"},
        ),
    )
    assert list(state.tasks) == ["d", "a"]
    assert (state.plan_hash, state.plan_folder, state.plan_file) == ("h2", "/q", "plan.json")
    assert (state.count(TaskStatus.PENDING), state.total) == (2, 2)
    assert (state.task("a").status, state.task("a").reason, state.task("a").attempt) == (
        TaskStatus.PENDING,
        "its command changed",
        1,
    )
    assert state.task("@lint").status is TaskStatus.PENDING


def test_gates_are_no_tasks() -> None:
    state = fold(created(gates=("@lint",)), session(), start("@lint", 1_010), end("@lint", 1_020, "failed"))
    assert state.count(TaskStatus.FAILED) == 0
    assert state.failed_for_good() == ["@lint"]


def test_an_allowed_failure_is_no_failure_for_good() -> None:
    state = fold(created(), session(), start("a", 1_010), end("a", 1_020, "failed", allowed=True))
    assert state.count(TaskStatus.FAILED) == 1
    assert state.failed_for_good() == []
    state = apply(state, ev.TaskReset(at=1_030, task="a", reason="again"))
    assert not state.task("a").allowed


@pytest.mark.parametrize("status", RunStatus)
def test_a_run_whose_process_is_gone_reads_as_paused_and_interrupted(status: RunStatus) -> None:
    state = fold(*WAYS[status])
    updated = state.updated_at
    seen = as_seen_dead(state)
    if status in ACTIVE:
        assert (seen.status, seen.interrupted, seen.session, seen.updated_at) == (S.PAUSED, True, None, updated)
    else:
        assert (seen.status, seen.interrupted) == (status, False)


def test_a_frozen_run_whose_process_is_gone_is_interrupted_too() -> None:
    seen = as_seen_dead(fold(created(), session(), start("a", 1_010), ev.Frozen(at=1_500)))
    assert (seen.status, seen.interrupted, seen.frozen_since) == (S.PAUSED, True, None)
    assert seen.task("a").outcome == "interrupted"


def test_time_never_runs_backwards_in_a_state() -> None:
    state = fold(created(), session(5_000), start("a", 4_000))
    assert state.updated_at == 5_000
    assert state.elapsed_until(4_000) == 0


# Whatever happens ----------------------------------------------------------------------------------------------------


@st.composite
def histories(draw: st.DrawFn) -> list[ev.AnyEvent]:
    """Events of a run as an engine may record them."""
    ids = ("a", "b", "c", "d", "@gate")
    events: list[ev.AnyEvent] = [created(*ids[:-1], gates=("@gate",)), session()]
    state = fold(*events)
    now = 1_000
    for _ in range(draw(st.integers(0, 40))):
        now += draw(st.integers(0, 500))
        known = {**state.tasks, **state.gates}
        running = [i for i in ids if known[i].status is TaskStatus.IN_PROGRESS]
        idle = [i for i in ids if known[i].status is not TaskStatus.IN_PROGRESS]
        choices = ["freeze", "context", "drain"]
        choices += ["end"] * 3 if running else []
        choices += ["start"] * 3 + ["skip", "reset"] if idle else []
        event: ev.AnyEvent
        if state.session is None:
            event = session(now, status="retrying" if state.status in (S.FAILED, S.COMPLETED) else "in_progress")
        elif draw(st.integers(0, 9)) == 0:
            frozen = state.frozen_since is not None
            event = closing("paused" if frozen else draw(st.sampled_from(["paused", "failed", "completed"])), now)
        else:
            match draw(st.sampled_from(choices)):
                case "freeze" if state.frozen_since is None:
                    event = ev.Frozen(at=now)
                case "freeze":
                    event = ev.Thawed(at=now)
                case "start":
                    task = draw(st.sampled_from(idle))
                    event = start(task, now, known[task].attempt + 1)
                case "end":
                    task = draw(st.sampled_from(running))
                    outcome = draw(st.sampled_from(["completed", "failed", "interrupted"]))
                    event = end(task, now, outcome, known[task].attempt, will_retry=draw(st.booleans()))
                case "skip":
                    event = ev.TaskSkipped(at=now, task=draw(st.sampled_from(idle)), reason="r")
                case "reset":
                    event = ev.TaskReset(at=now, task=draw(st.sampled_from(idle)), reason="r")
                case "drain":
                    event = ev.Draining(at=now, on=draw(st.booleans()))
                case _:
                    event = ev.ContextSet(at=now, values={"k": draw(st.integers(0, 3))})
        events.append(event)
        state = apply(state, event)
    return events


@given(histories())
@settings(max_examples=150, deadline=None)
def test_counts_and_running_tasks_are_those_of_the_tasks_at_every_moment(events: list[ev.AnyEvent]) -> None:
    state = RunState()
    for event in events:
        state = apply(state, event)
        for status in TaskStatus:
            assert state.count(status) == sum(task.status is status for task in state.tasks.values())
        everything = {**state.tasks, **state.gates}
        assert set(state.running) == {i for i, t in everything.items() if t.status is TaskStatus.IN_PROGRESS}
        starts = [everything[i].started_at or 0 for i in state.running]
        assert starts == sorted(starts)
        assert all([a.attempt for a in t.earlier] == list(range(1, t.attempt)) for t in everything.values())


@given(histories(), st.data())
@settings(max_examples=150, deadline=None)
def test_folding_in_the_middle_changes_nothing(events: list[ev.AnyEvent], data: st.DataObject) -> None:
    whole = fold(*events)
    at = data.draw(st.integers(2, len(events)))
    half = fold(*events[:at])
    folded = apply(RunState(), ev.Folded(at=half.updated_at, state=msgspec.Raw(msgspec.json.encode(half))))
    for event in events[at:]:
        folded = apply(folded, event)
    assert folded == whole


@given(histories())
@settings(max_examples=150, deadline=None)
def test_times_add_up(events: list[ev.AnyEvent]) -> None:
    state = fold(*events)
    now = state.updated_at + 10
    began = [past.started_at for past in state.sessions]
    ended = [past.ended_at if past.ended_at is not None else now for past in state.sessions]
    alive = sum(end - begin for begin, end in zip(began, ended, strict=True))
    assert 0 <= state.elapsed_until(now) <= alive
    assert state.elapsed_until(now) + state.frozen_until(now) == alive


@given(histories())
@settings(max_examples=100, deadline=None)
def test_a_run_can_always_be_seen_dead_and_gone_on_with(events: list[ev.AnyEvent]) -> None:
    state = as_seen_dead(fold(*events))
    assert state.session is None
    assert not state.running
    status = "retrying" if state.status in (S.FAILED, S.COMPLETED) else "in_progress"
    assert apply(state, session(state.updated_at, status=status)).status == status
