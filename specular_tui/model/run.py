"""The state of a run and of its tasks, as values, and the table of what may follow what.

`model.fold` makes them of events.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, Final

from msgspec import Struct, field

from specular_tui.model.event import OutputFile


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

#: What a session may be that starts nothing new: fields of `RunState`, and of metadata.json where they are true.
ENDING: Final = ("draining", "stopping")

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

    def awaits_retry(self, allowed: bool) -> bool:
        """Tell whether it has failed, or its retry was cut short: that is still due, and says nothing of the failure.

        `allowed`: the plan allows failures of this task now.
        """
        if self.status is not TaskStatus.PENDING or allowed:
            return self.status is TaskStatus.FAILED and not self.allowed
        outcomes = (self.outcome, *(attempt.outcome for attempt in reversed(self.earlier)))
        return next((outcome for outcome in outcomes if outcome not in ("", INTERRUPTED)), "") == "failed"

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
    #: The present session has been told to end, and has not ended yet.
    stopping: bool = False
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
        """Return the failed tasks and gates whose failure the plan, or the policy, does not allow."""
        failed = [i for i in self.in_status(TaskStatus.FAILED) if not self.tasks[i].allowed]
        return failed + [i for i, gate in self.gates.items() if gate.status is TaskStatus.FAILED and not gate.allowed]

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
