"""The only fold: `apply(state, event)`.

What the engine does, what a reader shows and what a crash leaves are all this fold over the same events.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import json

from specular_tui.model import event as ev
from specular_tui.model.event import AnyEvent
from specular_tui.model.run import (
    ACTIVE,
    GATE_PREFIX,
    INTERRUPTED,
    RUN_TRANSITIONS,
    Attempt,
    FoldError,
    RunState,
    RunStatus,
    Session,
    TaskState,
    TaskStatus,
)


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
    state.draining = state.stopping = False
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
    state.draining = state.stopping = False
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
        case ev.Stopping():
            state.stopping = True
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
