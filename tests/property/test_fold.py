"""The fold under any sequence of events: the journal alone gives the state back, and nothing derived ever drifts."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from specular_tui.model import event as ev
from specular_tui.model.fold import apply, as_seen_dead
from specular_tui.model.run import RUN_TRANSITIONS, FoldError, RunState, RunStatus, TaskState, TaskStatus
from specular_tui.store import journal
from specular_tui.store.journal import JournalReader

TASKS = ("a", "b", "c", "d")
GATES = ("@tests",)
TASK = st.sampled_from(TASKS)
ANY = st.sampled_from((*TASKS, *GATES))
OUTCOMES = st.sampled_from(["completed", "failed", "interrupted"])
TEXT = st.text(max_size=8)


def plain(state: RunState) -> Any:
    """Return the whole of a state as plain data, for comparing."""
    return msgspec.json.decode(msgspec.json.encode(state))


def recount(tasks: dict[str, TaskState]) -> dict[str, int]:
    found: dict[str, int] = {}
    for task in tasks.values():
        found[task.status] = found.get(task.status, 0) + 1
    return found


class Build(RuleBasedStateMachine):
    """A run that any events happen to: those that may follow are kept, all others must be refused as such."""

    @initialize()
    def create(self) -> None:
        self.now = 1_000
        self.lines = b""
        self.state = RunState()
        self.record(
            ev.RunCreated(
                at=self.now,
                run_id="r",
                plan_file="plan.json",
                plan_folder="/p",
                plan_name="p",
                plan_hash="blake3:0",
                tasks=TASKS,
                gates=GATES,
            )
        )

    def record(self, event: ev.AnyEvent) -> bool:
        """Fold an event in as a recorder does; False where it cannot follow, and then nothing has changed."""
        before = plain(self.state)
        seq = self.state.seq + 1
        line, chain = journal.encode(seq, event, self.state.chain)
        copy = msgspec.json.decode(msgspec.json.encode(self.state), type=RunState)
        try:
            copy = apply(copy, event)
        except FoldError:
            assert plain(self.state) == before
            return False
        copy.seq, copy.chain = seq, chain
        self.state = copy
        self.lines += line
        return True

    def tick(self) -> int:
        self.now += 7
        return self.now

    @rule(task=ANY, attempt=st.integers(0, 2))
    def start(self, task: str, attempt: int) -> None:
        known = self.state.task(task)
        running = known.status is TaskStatus.IN_PROGRESS
        event = ev.TaskStarted(at=self.tick(), task=task, attempt=known.attempt + 1 + attempt, pid=4)
        assert self.record(event) is not running

    @rule(task=ANY, outcome=OUTCOMES, will_retry=st.booleans(), size=st.integers(0, 9), stray=st.integers(0, 20))
    def end(self, task: str, outcome: str, will_retry: bool, size: int, stray: int) -> None:
        known = self.state.task(task)
        attempt = known.attempt + (1 if stray == 0 else 0)
        event = ev.TaskEnded(
            at=self.tick(),
            task=task,
            attempt=attempt,
            outcome=outcome,
            duration_ms=3,
            will_retry=will_retry and outcome == "failed",
            log_size=size,
            log_hash=f"blake3:{size}" if size else "",
        )
        may = attempt == known.attempt and (known.status is TaskStatus.IN_PROGRESS or known.outcome == "interrupted")
        assert self.record(event) is may

    @rule(task=ANY, stray=st.integers(0, 9))
    def exit(self, task: str, stray: int) -> None:
        known = self.state.task(task)
        attempt = known.attempt + (1 if stray == 0 else 0)
        may = attempt == known.attempt and known.status is TaskStatus.IN_PROGRESS
        assert self.record(ev.TaskExited(at=self.tick(), task=task, attempt=attempt, duration_ms=3)) is may

    @rule(task=TASK, reason=TEXT)
    def skip(self, task: str, reason: str) -> None:
        self.record(ev.TaskSkipped(at=self.tick(), task=task, reason=reason))

    @rule(task=ANY, reason=TEXT)
    def reset(self, task: str, reason: str) -> None:
        self.record(ev.TaskReset(at=self.tick(), task=task, reason=reason))
        assert self.state.task(task).status is TaskStatus.PENDING

    @rule(task=ANY, attempt=st.integers(1, 3))
    def lose_log(self, task: str, attempt: int) -> None:
        known = self.state.task(task)
        there = attempt in {known.attempt, *(earlier.attempt for earlier in known.earlier)}
        assert self.record(ev.LogLost(at=self.tick(), task=task, attempt=attempt)) is there

    @rule()
    def freeze(self) -> None:
        may = self.state.status is RunStatus.PAUSED or RunStatus.PAUSED in RUN_TRANSITIONS[self.state.status]
        assert self.record(ev.Frozen(at=self.tick())) is may

    @rule()
    def thaw(self) -> None:
        self.record(ev.Thawed(at=self.tick()))

    @rule(on=st.booleans())
    def drain(self, on: bool) -> None:
        self.record(ev.Draining(at=self.tick(), on=on))

    @rule()
    def stop(self) -> None:
        self.record(ev.Stopping(at=self.tick(), reason="stopped"))

    @rule(values=st.dictionaries(st.sampled_from(["x", "y"]), st.integers() | TEXT, max_size=2))
    def know(self, values: dict[str, Any]) -> None:
        self.record(ev.ContextSet(at=self.tick(), values=values))

    @rule(
        status=st.sampled_from(list(RunStatus)),
        tasks=st.none() | st.lists(st.sampled_from((*TASKS, "e")), unique=True, min_size=1).map(tuple),
        reset=st.dictionaries(TASK, TEXT, max_size=2),
        skipped=st.dictionaries(TASK, TEXT, max_size=2),
    )
    def begin(
        self, status: RunStatus, tasks: tuple[str, ...] | None, reset: dict[str, str], skipped: dict[str, str]
    ) -> None:
        there = set(tasks if tasks is not None else self.state.tasks)
        event = ev.SessionStarted(
            at=self.tick(),
            pid=4,
            status=status,
            tasks=None if tasks is None or not set(TASKS) <= there else tasks,
            reset=reset,
            skipped=skipped,
        )
        before = self.state
        may = before.session is None and (status is before.status or status in RUN_TRANSITIONS[before.status])
        assert self.record(event) is may

    @rule(status=st.sampled_from(list(RunStatus)), interrupted=st.booleans())
    def finish(self, status: RunStatus, interrupted: bool) -> None:
        before = self.state.status
        may = status is before or status in RUN_TRANSITIONS[before]
        reason = "interrupted" if interrupted else ""
        assert self.record(ev.SessionEnded(at=self.tick(), status=status, reason=reason)) is may
        if may:
            assert self.state.session is None
            assert not self.state.running

    @rule()
    def abandon(self) -> None:
        before = self.state.status
        may = before is RunStatus.ABANDONED or RunStatus.ABANDONED in RUN_TRANSITIONS[before]
        assert self.record(ev.RunAbandoned(at=self.tick())) is may

    @rule()
    def imported(self) -> None:
        assert self.record(ev.Imported(at=self.tick()))
        assert self.state.imported

    @rule()
    def create_again(self) -> None:
        assert not self.record(
            ev.RunCreated(at=self.tick(), run_id="r", plan_file="", plan_folder="", plan_name="", plan_hash="")
        )

    @rule(task=st.sampled_from(["zzz", "@zzz", ""]))
    def strangers(self, task: str) -> None:
        assert not self.record(ev.TaskStarted(at=self.tick(), task=task, attempt=1))
        assert not self.record(ev.TaskReset(at=self.tick(), task=task, reason=""))

    @precondition(lambda self: self.state.seq > 3)
    @rule()
    def fold(self) -> None:
        pieces, seq, chain = journal.fold(self.state, self.state.updated_at)
        self.lines = b"".join(pieces)
        self.state.seq, self.state.chain = seq, chain

    @invariant()
    def the_journal_alone_rebuilds_the_state(self) -> None:
        reader = JournalReader()
        reader.feed(self.lines)
        assert plain(reader.state) == plain(self.state)

    @invariant()
    def counts_equal_a_recount(self) -> None:
        assert {k: v for k, v in self.state.counts.items() if v} == recount(self.state.tasks)
        assert self.state.total == sum(self.state.counts.values())

    @invariant()
    def running_tasks_are_those_in_progress(self) -> None:
        everyone = self.state.tasks | self.state.gates
        assert set(self.state.running) == {i for i, task in everyone.items() if task.status is TaskStatus.IN_PROGRESS}
        started = [everyone[i].started_at or 0 for i in self.state.running]
        assert started == sorted(started)

    @invariant()
    def attempts_are_numbered_upwards_and_none_is_lost(self) -> None:
        for task in (self.state.tasks | self.state.gates).values():
            numbers = [attempt.attempt for attempt in task.earlier]
            assert numbers == sorted(set(numbers))
            assert all(number < task.attempt for number in numbers)

    @invariant()
    def times_never_run_backwards(self) -> None:
        state = self.state
        assert state.elapsed_ms >= 0
        assert state.frozen_ms >= 0
        assert state.elapsed_until(self.now) >= state.elapsed_ms
        assert all(start <= end for start, end in state.freezes)

    @invariant()
    def a_dead_run_can_be_seen(self) -> None:
        copy = msgspec.json.decode(msgspec.json.encode(self.state), type=RunState)
        if RunStatus.PAUSED in RUN_TRANSITIONS[copy.status] or copy.status is RunStatus.PAUSED or copy.session is None:
            seen = as_seen_dead(copy)
            assert seen.session is None or not seen.running


TestBuild = Build.TestCase
TestBuild.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@pytest.mark.parametrize("before", list(RunStatus))
@pytest.mark.parametrize("after", list(RunStatus))
def test_every_step_between_states_is_one_of_the_table(before: RunStatus, after: RunStatus) -> None:
    state = RunState(run_id="r", status=before)
    allowed = after is before or after in RUN_TRANSITIONS[before]
    try:
        apply(state, ev.SessionEnded(at=1, status=after))
    except FoldError:
        assert not allowed
        assert state.status is before
    else:
        assert allowed
        assert state.status is after


def test_the_table_is_the_specifications_diagram_and_what_the_contract_adds() -> None:
    edges = {(a.value, b.value) for a, follow in RUN_TRANSITIONS.items() for b in follow}
    assert edges == {
        ("created", "in_progress"), ("in_progress", "completed"), ("in_progress", "failed"),
        ("failed", "retrying"), ("failed", "abandoned"), ("retrying", "completed"), ("retrying", "abandoned"),
        ("created", "paused"), ("in_progress", "paused"), ("retrying", "paused"), ("retrying", "failed"),
        ("paused", "in_progress"), ("paused", "retrying"), ("paused", "abandoned"), ("completed", "retrying"),
    }  # fmt: skip
