"""The events of a run. A run is the sequence of these; everything else is derived from them.

Times (`at`) are milliseconds since the epoch; within one session they never go back, because the engine
counts them on from the session's first with a monotonic clock. Durations are milliseconds without frozen time.
"""

from __future__ import annotations

from typing import Any

from msgspec import Raw, Struct


class OutputFile(Struct, frozen=True, gc=False, array_like=True):
    """A file or folder that a task declares as output, as it was when the task completed."""

    path: str
    #: Bytes of a file, or of all files of a folder.
    size: int
    #: `blake3:…` of the bytes; of a folder: of its sorted listing of names and digests.
    hash: str


class Event(Struct, tag_field="event", frozen=True, kw_only=True, omit_defaults=True):
    """What every event has."""

    at: int
    #: Records up to this sequence number, and the logs that they vouch for, are known to be on disk.
    synced: int | None = None


class RunCreated(Event, tag="run_created", frozen=True):
    """The run exists; nothing has started."""

    run_id: str
    plan_file: str
    plan_folder: str
    plan_name: str
    plan_hash: str
    policy_file: str | None = None
    policy_hash: str | None = None
    host: str = ""
    tasks: tuple[str, ...] = ()
    gates: tuple[str, ...] = ()
    #: The run came through `checkpoint import`: its plan is not trusted by itself.
    imported: bool = False


class SessionStarted(Event, tag="session_started", frozen=True):
    """A process has taken the run's lock and works on it."""

    pid: int
    boot_id: str = ""
    host: str = ""
    jobs: int = 1
    #: After a failure, what does not need it still runs.
    keep_going: bool = False
    #: `in_progress`, or `retrying` where the run had failed.
    status: str = "in_progress"
    #: Present where the plan or the policy are not those of the session before.
    plan_file: str | None = None
    plan_folder: str | None = None
    plan_name: str | None = None
    plan_hash: str | None = None
    policy_file: str | None = None
    policy_hash: str | None = None
    tasks: tuple[str, ...] | None = None
    gates: tuple[str, ...] | None = None
    #: The only tasks that this session may run; None where it may run all.
    only: tuple[str, ...] | None = None
    #: Tasks that go back to pending, each with the reason.
    reset: dict[str, str] = {}
    #: Tasks that are skipped from now on, each with the reason.
    skipped: dict[str, str] = {}


class TaskStarted(Event, tag="task_started", frozen=True):
    """An attempt of a task (or a gate) has been started."""

    task: str
    attempt: int
    pid: int | None = None
    #: The process's start time in clock ticks since boot, to tell it from a later one of the same pid.
    pid_start: int | None = None
    #: The container's name, where the task runs in one.
    container: str | None = None


class TaskExited(Event, tag="task_exited", frozen=True):
    """The process of an attempt has ended with exit code 0, and its outputs and its log are being read.

    What reading takes is time in which the engine can be killed; whoever recovers reads them then.
    """

    task: str
    attempt: int
    duration_ms: int
    #: As in `TaskEnded`.
    key: str = ""
    inputs_hash: str = ""
    cpu_ms: int | None = None
    max_rss_kb: int | None = None


class TaskEnded(Event, tag="task_ended", frozen=True):
    """An attempt of a task (or a gate) has ended."""

    task: str
    attempt: int
    #: `completed`, `failed`, or `interrupted` where the run was stopped around it.
    outcome: str
    duration_ms: int
    #: The attempt failed and another one follows in this run: the task is pending again.
    will_retry: bool = False
    #: The attempt failed, and the plan allows that.
    allowed: bool = False
    exit_code: int | None = None
    signal: str | None = None
    reason: str | None = None
    log_size: int = 0
    log_hash: str = ""
    outputs: tuple[OutputFile, ...] = ()
    #: Digest of what makes the result reusable (`model.reuse`).
    key: str = ""
    #: Digest of the inputs' content when the attempt started, where the task declares inputs.
    inputs_hash: str = ""
    cpu_ms: int | None = None
    max_rss_kb: int | None = None


class TaskSkipped(Event, tag="task_skipped", frozen=True):
    """A task will not run, and why."""

    task: str
    reason: str


class TaskReset(Event, tag="task_reset", frozen=True):
    """A task is pending again, and why."""

    task: str
    reason: str


class Frozen(Event, tag="frozen", frozen=True):
    """Running tasks stand still and nothing new starts."""

    #: Who asked: `user`, `terminal` (Ctrl+Z) or `engine`; `sleep`: the machine itself stood still.
    by: str = "user"


class Thawed(Event, tag="thawed", frozen=True):
    """Frozen tasks go on."""

    frozen_ms: int = 0


class Draining(Event, tag="draining", frozen=True):
    """Nothing new starts; running tasks end by themselves. `on=False` takes it back."""

    on: bool = True


class Stopping(Event, tag="stopping", frozen=True):
    """The session has been told to end: running tasks are ended, nothing new starts."""

    #: The signal's name, or `stopped`.
    reason: str = ""


class ContextSet(Event, tag="context_set", frozen=True):
    """What executors know about the run, merged into `context` by key."""

    values: dict[str, Any]


class SessionEnded(Event, tag="session_ended", frozen=True):
    """The process's last word: paused, completed or failed."""

    status: str
    reason: str = ""
    elapsed_ms: int = 0


class RunAbandoned(Event, tag="run_abandoned", frozen=True):
    """Nobody will go on with this run."""

    reason: str = ""


class LogLost(Event, tag="log_lost", frozen=True):
    """The log of an attempt is damaged or gone, and is not to be looked for any more."""

    task: str
    attempt: int


class Imported(Event, tag="imported", frozen=True):
    """The run came through `checkpoint import`: its plan is not trusted by itself."""


class Folded(Event, tag="folded", frozen=True):
    """The whole state so far, in place of the records before it."""

    #: An encoded `model.run.RunState`; decoded by whoever folds, so that this module needs not know it.
    state: Raw


AnyEvent = (
    RunCreated
    | SessionStarted
    | TaskStarted
    | TaskExited
    | TaskEnded
    | TaskSkipped
    | TaskReset
    | Frozen
    | Thawed
    | Draining
    | Stopping
    | ContextSet
    | SessionEnded
    | RunAbandoned
    | LogLost
    | Imported
    | Folded
)
