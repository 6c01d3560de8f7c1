"""The state of a run, and the only fold: `apply(state, event)`.

What the engine does, what a reader shows and what a crash leaves are all this fold over the same events.
The tables of what may follow what stand here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any, Final

from msgspec import Struct, field, json

from specular_tui.model import event as ev
from specular_tui.model.event import AnyEvent, OutputFile


class RunStatus(StrEnum):
    """The seven states of a run, and no other."""

    CREATED = "created"
    IN_PROGRESS = "in_progress"
    PAUSED = "paused"
    COMPLETED = "completed"
    FAILED = "failed"
    RETRYING = "retrying"
    ABANDONED = "abandoned"


class TaskStatus(StrEnum):
    """The five states of a task."""

    PENDING = "pending"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    FAILED = "failed"
    SKIPPED = "skipped"


#: What may follow what. `completed` -> `retrying` is `--from-task` alone.
RUN_TRANSITIONS: Final[dict[RunStatus, frozenset[RunStatus]]] = {
    RunStatus.CREATED: frozenset({RunStatus.IN_PROGRESS, RunStatus.PAUSED}),
    RunStatus.IN_PROGRESS: frozenset({RunStatus.PAUSED, RunStatus.COMPLETED, RunStatus.FAILED}),
    RunStatus.PAUSED: frozenset({RunStatus.IN_PROGRESS, RunStatus.RETRYING, RunStatus.ABANDONED}),
    RunStatus.FAILED: frozenset({RunStatus.RETRYING, RunStatus.ABANDONED}),
    RunStatus.RETRYING: frozenset({RunStatus.PAUSED, RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.ABANDONED}),
    RunStatus.COMPLETED: frozenset({RunStatus.RETRYING}),
    RunStatus.ABANDONED: frozenset(),
}

#: The states that `--resume` goes on from.
RESUMABLE: Final = frozenset(
    {RunStatus.CREATED, RunStatus.IN_PROGRESS, RunStatus.PAUSED, RunStatus.FAILED, RunStatus.RETRYING}
)

#: The states in which a process works on the run, if it is there at all.
ACTIVE: Final = frozenset({RunStatus.CREATED, RunStatus.IN_PROGRESS, RunStatus.RETRYING})

#: How a session ends that nobody could close: killed, crashed, power lost.
INTERRUPTED: Final = "interrupted"

#: Gates live beside tasks; a task id never starts with this.
GATE_PREFIX: Final = "@"


class FoldError(ValueError):
    """An event that cannot follow what came before it: the journal is damaged, or this program is wrong."""


class Attempt(Struct, kw_only=True, omit_defaults=True, gc=False):
    """One past try of a task."""

    attempt: int
    #: `completed`, `failed` or `interrupted`.
    outcome: str
    started_at: int
    completed_at: int
    duration_ms: int
    exit_code: int | None = None
    signal: str | None = None
    reason: str | None = None
    log_size: int = 0
    log_hash: str = ""


class TaskState(Struct, kw_only=True, omit_defaults=True, gc=False):
    """What is known of one task. The fields from `attempt` on are those of its latest attempt."""

    status: TaskStatus = TaskStatus.PENDING
    #: Why it is skipped, failed, or pending again.
    reason: str | None = None
    #: 0 before the first attempt.
    attempt: int = 0
    #: `completed`, `failed`, `interrupted`, or "" while it runs or before it has run.
    outcome: str = ""
    started_at: int | None = None
    completed_at: int | None = None
    duration_ms: int | None = None
    exit_code: int | None = None
    signal: str | None = None
    #: Why the latest attempt ended as it did; `reason` may have become another one since.
    attempt_reason: str | None = None
    #: A failure that the plan allows: it does not fail the build.
    allowed: bool = False
    #: Its process has ended with exit code 0, and nobody has said yet what came of it.
    exited: bool = False
    pid: int | None = None
    pid_start: int | None = None
    container: str | None = None
    log_size: int = 0
    log_hash: str = ""
    outputs: tuple[OutputFile, ...] = ()
    key: str = ""
    inputs_hash: str = ""
    cpu_ms: int | None = None
    max_rss_kb: int | None = None
    #: Frozen time of the run when the attempt started; to know how long it has really been running.
    frozen_before_ms: int = 0
    #: Attempts before the latest, oldest first.
    earlier: tuple[Attempt, ...] = ()

    def retire(self) -> None:
        """Move the latest attempt to `earlier`, before the next one starts."""
        if self.attempt and self.outcome and self.started_at is not None:
            self.earlier += (
                Attempt(
                    attempt=self.attempt,
                    outcome=self.outcome,
                    started_at=self.started_at,
                    completed_at=self.completed_at or self.started_at,
                    duration_ms=self.duration_ms or 0,
                    exit_code=self.exit_code,
                    signal=self.signal,
                    reason=self.attempt_reason,
                    log_size=self.log_size,
                    log_hash=self.log_hash,
                ),
            )


class Session(Struct, kw_only=True, omit_defaults=True):
    """One process's work on the run."""

    started_at: int
    pid: int
    host: str = ""
    boot_id: str = ""
    jobs: int = 1
    #: After a failure, what does not need it still runs.
    keep_going: bool = False
    ended_at: int | None = None
    #: How it ended: a status, and the reason (`SIGINT`, `interrupted`, …).
    status: str = ""
    reason: str = ""


class RunState(Struct, kw_only=True, omit_defaults=True):
    """The whole state of a run: what `apply` makes of its events.

    `tasks` is in the order of the plan; times are milliseconds since the epoch.
    """

    run_id: str = ""
    status: RunStatus = RunStatus.CREATED
    interrupted: bool = False
    imported: bool = False
    created_at: int = 0
    updated_at: int = 0
    plan_file: str = ""
    plan_folder: str = ""
    plan_name: str = ""
    plan_hash: str = ""
    policy_file: str | None = None
    policy_hash: str | None = None
    host: str = ""
    tasks: dict[str, TaskState] = field(default_factory=dict)
    gates: dict[str, TaskState] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)
    sessions: list[Session] = field(default_factory=list)
    draining: bool = False
    #: The only tasks that the present session may run; None where it may run all, and between sessions.
    only: tuple[str, ...] | None = None
    #: Since when the run stands frozen.
    frozen_since: int | None = None
    #: Each past freeze as (from, until).
    freezes: list[tuple[int, int]] = field(default_factory=list)
    #: Frozen time of all past freezes.
    frozen_ms: int = 0
    #: Working time of all past sessions, without frozen time.
    elapsed_ms: int = 0
    #: Frozen time before the present session.
    session_frozen_ms: int = 0
    #: How many tasks are in each state; derived, kept so that nobody has to count 100,000 tasks.
    counts: dict[str, int] = field(default_factory=dict)
    #: The running tasks, longest-running first; derived.
    running: dict[str, None] = field(default_factory=dict)
    #: Why the last session ended.
    reason: str = ""
    #: Records up to this one are known to be on disk with the logs that they vouch for.
    synced: int = 0
    #: Sequence number and chain value of the last record folded in.
    seq: int = 0
    chain: str = ""

    @property
    def total(self) -> int:
        """How many tasks the plan has."""
        return len(self.tasks)

    def count(self, status: TaskStatus) -> int:
        """Return how many tasks are in `status`."""
        return self.counts.get(status, 0)

    @property
    def session(self) -> Session | None:
        """The present session, or None between sessions."""
        return self.sessions[-1] if self.sessions and self.sessions[-1].ended_at is None else None

    @property
    def keeps_going(self) -> bool:
        """Whether the latest session goes on, or went on, after a failure with what does not need it."""
        return bool(self.sessions) and self.sessions[-1].keep_going

    @property
    def current_task(self) -> str | None:
        """The longest-running task, or None when none runs."""
        return next(iter(self.running), None)

    def task(self, task_id: str) -> TaskState:
        """Return the state of a task or a gate.

        Raises:
            FoldError: the run has no such task.
        """
        found = self.tasks.get(task_id) or self.gates.get(task_id)
        if found is None:
            raise FoldError(f"the run has no task '{task_id}'")
        return found

    def find(self, task_id: str) -> TaskState | None:
        """Return the state of a task or a gate, or None where the run has no such task."""
        return self.tasks.get(task_id) or self.gates.get(task_id)

    def in_status(self, status: TaskStatus) -> list[str]:
        """Return the ids of the tasks in `status`, in the order of the plan."""
        if not self.count(status):
            return []
        return [task_id for task_id, task in self.tasks.items() if task.status is status]

    def failed_for_good(self) -> list[str]:
        """Return the failed tasks and gates whose failure the plan does not allow."""
        failed = [i for i in self.in_status(TaskStatus.FAILED) if not self.tasks[i].allowed]
        return failed + [i for i, gate in self.gates.items() if gate.status is TaskStatus.FAILED]

    def frozen_until(self, now: int) -> int:
        """Return the frozen milliseconds of the run up to `now`, a freeze that still lasts included."""
        return self.frozen_ms + (max(0, now - self.frozen_since) if self.frozen_since is not None else 0)

    def elapsed_until(self, now: int) -> int:
        """Return the working milliseconds of the run up to `now`: all sessions, frozen time not counted."""
        session = self.session
        if session is None:
            return self.elapsed_ms
        return self.elapsed_ms + max(0, now - session.started_at - (self.frozen_until(now) - self.session_frozen_ms))

    def task_elapsed_until(self, task: TaskState, now: int) -> int | None:
        """Return a task's own milliseconds: of the latest attempt, frozen time not counted; None if never run."""
        if task.status is TaskStatus.IN_PROGRESS and task.started_at is not None:
            return max(0, now - task.started_at - (self.frozen_until(now) - task.frozen_before_ms))
        return task.duration_ms


def _move_run(state: RunState, to: RunStatus) -> None:
    if to is not state.status and to not in RUN_TRANSITIONS[state.status]:
        raise FoldError(f"a run cannot go from {state.status} to {to}")
    state.status = to


def _move_task(state: RunState, task_id: str, to: TaskStatus) -> TaskState:
    task = state.task(task_id)
    _move(state, task_id, task, to)
    return task


def _move(state: RunState, task_id: str, task: TaskState, to: TaskStatus) -> None:
    before = task.status
    if before is not to:
        task.status = to
        if not task_id.startswith(GATE_PREFIX):
            counts = state.counts
            counts[before] -= 1
            counts[to] = counts.get(to, 0) + 1
    if to is TaskStatus.IN_PROGRESS:
        state.running[task_id] = None
    else:
        state.running.pop(task_id, None)


def _set_tasks(state: RunState, ids: Iterable[str], gates: Iterable[str]) -> None:
    state.tasks = {task_id: state.tasks.get(task_id) or TaskState() for task_id in ids}
    state.gates = {gate_id: state.gates.get(gate_id) or TaskState() for gate_id in gates}
    counts: dict[str, int] = {}
    for task in state.tasks.values():
        counts[task.status] = counts.get(task.status, 0) + 1
    state.counts = counts
    state.running = {i: None for i in state.running if i in state.tasks or i in state.gates}


def _prove_derived(state: RunState) -> None:
    """Refuse a state that was read and whose derived fields are not those of its tasks."""
    counts: dict[str, int] = {}
    for task in state.tasks.values():
        counts[task.status] = counts.get(task.status, 0) + 1
    if counts != {status: count for status, count in state.counts.items() if count}:
        raise FoldError("a folded state whose counts are not those of its tasks")
    running = {
        task_id
        for tasks in (state.tasks, state.gates)
        for task_id, task in tasks.items()
        if task.status is TaskStatus.IN_PROGRESS
    }
    if running != state.running.keys():
        raise FoldError("a folded state whose running tasks are not those that run")


def _reset(state: RunState, task_id: str, reason: str) -> None:
    task = _move_task(state, task_id, TaskStatus.PENDING)
    task.reason = reason
    task.allowed = False


def _thaw(state: RunState, at: int) -> None:
    if state.frozen_since is not None:
        until = max(at, state.frozen_since)
        state.freezes.append((state.frozen_since, until))
        state.frozen_ms += until - state.frozen_since
        state.frozen_since = None


def _active_status(state: RunState) -> RunStatus:
    session = state.session
    return RunStatus(session.status) if session and session.status else RunStatus.IN_PROGRESS


def _task_started(state: RunState, event: ev.TaskStarted) -> None:
    task = state.task(event.task)
    if task.status is TaskStatus.IN_PROGRESS:
        raise FoldError(f"task '{event.task}' was started while it was running")
    task.retire()
    _move(state, event.task, task, TaskStatus.IN_PROGRESS)
    task.reason = task.attempt_reason = None
    task.duration_ms = task.completed_at = task.exit_code = task.signal = None
    task.outcome = ""
    task.exited = False
    task.attempt = event.attempt
    task.started_at = event.at
    task.pid, task.pid_start, task.container = event.pid, event.pid_start, event.container
    task.log_size, task.log_hash, task.outputs = 0, "", ()
    task.key = task.inputs_hash = ""
    task.cpu_ms = task.max_rss_kb = None
    task.allowed = False
    task.frozen_before_ms = state.frozen_ms


def _task_exited(state: RunState, event: ev.TaskExited) -> None:
    task = state.task(event.task)
    if task.status is not TaskStatus.IN_PROGRESS or task.attempt != event.attempt:
        raise FoldError(f"task '{event.task}' exited from attempt {event.attempt}, which was not running")
    task.exited = True
    task.completed_at, task.duration_ms = event.at, event.duration_ms
    task.key, task.inputs_hash = event.key, event.inputs_hash
    task.cpu_ms, task.max_rss_kb = event.cpu_ms, event.max_rss_kb


def _task_ended(state: RunState, event: ev.TaskEnded) -> None:
    task = state.task(event.task)
    if task.attempt != event.attempt:
        raise FoldError(f"task '{event.task}' ended attempt {event.attempt} in attempt {task.attempt}")
    match event.outcome:
        case "completed":
            status = TaskStatus.COMPLETED
        case "failed":
            status = TaskStatus.PENDING if event.will_retry else TaskStatus.FAILED
        case "interrupted":
            status = TaskStatus.PENDING
        case _:
            raise FoldError(f"task '{event.task}' ended as '{event.outcome}'")
    if task.status is not TaskStatus.IN_PROGRESS and task.outcome != INTERRUPTED:
        raise FoldError(f"task '{event.task}' ended without running")
    _move(state, event.task, task, status)
    task.outcome = event.outcome
    if not task.exited:
        task.completed_at = event.at
    task.exited = False
    task.duration_ms = event.duration_ms
    task.exit_code, task.signal = event.exit_code, event.signal
    task.reason = task.attempt_reason = event.reason
    task.allowed = event.allowed
    task.pid = task.pid_start = task.container = None
    task.log_size, task.log_hash, task.outputs = event.log_size, event.log_hash, event.outputs
    task.key, task.inputs_hash = event.key, event.inputs_hash
    task.cpu_ms, task.max_rss_kb = event.cpu_ms, event.max_rss_kb


def _lose_log(task: TaskState, attempt: int) -> None:
    attempts: list[TaskState | Attempt] = [task, *task.earlier]
    for known in attempts:
        if known.attempt == attempt:
            known.log_size, known.log_hash = 0, ""
            return
    raise FoldError(f"there is no attempt {attempt} whose log could be lost")


def _session_started(state: RunState, event: ev.SessionStarted) -> None:
    if state.session is not None:
        raise FoldError("a session started before the one before it ended")
    status = RunStatus(event.status)
    _move_run(state, status)
    state.sessions.append(
        Session(
            started_at=event.at,
            pid=event.pid,
            host=event.host,
            boot_id=event.boot_id,
            jobs=event.jobs,
            keep_going=event.keep_going,
            status=status,
        )
    )
    state.interrupted = False
    state.draining = False
    state.reason = ""
    state.host = event.host or state.host
    state.session_frozen_ms = state.frozen_ms
    state.only = event.only
    if event.plan_hash is not None:
        state.plan_hash = event.plan_hash
        state.plan_file = event.plan_file or state.plan_file
        state.plan_folder = event.plan_folder or state.plan_folder
        state.plan_name = event.plan_name or state.plan_name
        state.policy_file, state.policy_hash = event.policy_file, event.policy_hash
    if event.tasks is not None or event.gates is not None:
        _set_tasks(
            state,
            event.tasks if event.tasks is not None else tuple(state.tasks),
            event.gates if event.gates is not None else tuple(state.gates),
        )
    for task_id, reason in event.reset.items():
        _reset(state, task_id, reason)
    for task_id, reason in event.skipped.items():
        _move_task(state, task_id, TaskStatus.SKIPPED).reason = reason


def _session_ended(state: RunState, event: ev.SessionEnded) -> None:
    session = state.session
    for task_id in tuple(state.running):
        task = _move_task(state, task_id, TaskStatus.PENDING)
        task.outcome = INTERRUPTED
        task.reason = task.attempt_reason = "interrupted"
        if task.exited:
            continue
        task.completed_at = event.at
        task.duration_ms = (
            max(0, event.at - task.started_at - (state.frozen_until(event.at) - task.frozen_before_ms))
            if task.started_at is not None
            else None
        )
    state.elapsed_ms = max(event.elapsed_ms, state.elapsed_until(event.at))
    _thaw(state, event.at)
    _move_run(state, RunStatus(event.status))
    state.reason = event.reason
    state.interrupted = event.reason == INTERRUPTED
    state.draining = False
    state.only = None
    if session is not None:
        session.ended_at = event.at
        session.status = event.status
        session.reason = event.reason


def apply(state: RunState, event: AnyEvent) -> RunState:
    """Fold one event into `state` and return it; `state` itself is changed, and belongs to whoever folds.

    Cost does not grow with the number of tasks, but for the events that start or end a session.

    Raises:
        FoldError: the event cannot follow what came before it.
    """
    match event:
        case ev.TaskStarted():
            _task_started(state, event)
        case ev.TaskEnded():
            _task_ended(state, event)
        case ev.TaskExited():
            _task_exited(state, event)
        case ev.TaskSkipped(task=task_id, reason=reason):
            _move_task(state, task_id, TaskStatus.SKIPPED).reason = reason
        case ev.TaskReset(task=task_id, reason=reason):
            _reset(state, task_id, reason)
        case ev.Frozen():
            _move_run(state, RunStatus.PAUSED)
            if state.frozen_since is None:
                state.frozen_since = event.at
        case ev.Thawed():
            _thaw(state, event.at)
            _move_run(state, _active_status(state))
        case ev.Draining(on=on):
            state.draining = on
        case ev.ContextSet(values=values):
            state.context.update(values)
        case ev.SessionStarted():
            _session_started(state, event)
        case ev.SessionEnded():
            _session_ended(state, event)
        case ev.RunCreated():
            if state.run_id:
                raise FoldError("a run was created twice")
            state.run_id = event.run_id
            state.created_at = event.at
            state.plan_file, state.plan_folder = event.plan_file, event.plan_folder
            state.plan_name, state.plan_hash = event.plan_name, event.plan_hash
            state.policy_file, state.policy_hash = event.policy_file, event.policy_hash
            state.host, state.imported = event.host, event.imported
            _set_tasks(state, event.tasks, event.gates)
        case ev.RunAbandoned(reason=reason):
            _move_run(state, RunStatus.ABANDONED)
            state.reason = reason
            state.interrupted = False
        case ev.LogLost(task=task_id, attempt=attempt):
            _lose_log(state.task(task_id), attempt)
        case ev.Imported():
            state.imported = True
        case ev.Folded():
            state = json.decode(event.state, type=RunState)
            _prove_derived(state)
    if event.synced is not None:
        state.synced = max(state.synced, event.synced)
    state.updated_at = max(state.updated_at, event.at)
    return state


def as_seen_dead(state: RunState) -> RunState:
    """Return what a run is whose process is gone without a last word: paused, interrupted, nothing running.

    A run that had ended properly is returned as it is. `state` itself is changed.
    """
    if state.status in ACTIVE or state.session is not None:
        apply(state, ev.SessionEnded(at=state.updated_at, status=RunStatus.PAUSED, reason=INTERRUPTED))
    return state
