"""Events in words and in JSON (docs/cli.md has the schema)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from specular_tui.model import duration
from specular_tui.model import event as ev
from specular_tui.model.run import RunState, TaskStatus

#: A word, the task (`-` for none), and what there is to say.
Fact = tuple[str, str, str]

_ENDED = {"completed": TaskStatus.COMPLETED, "failed": TaskStatus.FAILED}


def is_failure(event: ev.AnyEvent) -> bool:
    """Tell whether an event says that a task has failed, and is not tried again."""
    return isinstance(event, ev.TaskEnded) and event.outcome == "failed" and not event.will_retry


def stamp(at: int) -> str:
    """Return milliseconds since the epoch as `2024-01-15T10:30:47Z`."""
    return _second(at // 1000)


@lru_cache(maxsize=8)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def describe(event: ev.AnyEvent, state: RunState, titles: dict[str, str]) -> Fact | None:
    """Return (word, task, what) of an event that a person wants to see, or None."""

    def named(task: str, more: str = "") -> str:
        title = titles.get(task, "")
        return " ".join(part for part in (title if title != task else "", more) if part)

    match event:
        case ev.TaskStarted(task=task, attempt=attempt):
            return "START", task, named(task, f"(attempt {attempt})" if attempt > 1 else "")
        case ev.TaskEnded(task=task, outcome="completed"):
            return "DONE", task, named(task, f"({duration.humanise(event.duration_ms)})")
        case ev.TaskEnded(task=task, outcome="failed"):
            word = "RETRY" if event.will_retry else "FAIL"
            more = f"{event.reason} ({duration.humanise(event.duration_ms)})"
            return word, task, named(task, more + (", allowed to fail" if event.allowed else ""))
        case ev.TaskEnded(task=task):
            return "STOP", task, named(task, event.reason or "")
        case ev.TaskSkipped(task=task, reason=reason):
            return "SKIP", task, named(task, f"({reason})")
        case ev.TaskReset(task=task, reason=reason):
            return "RESET", task, named(task, f"({reason})")
        case ev.Frozen(by="sleep"):
            return "PAUSE", "-", "the machine slept"
        case ev.Frozen():
            return "PAUSE", "-", "running tasks stand still"
        case ev.Thawed():
            return "RESUME", "-", f"after {duration.humanise(event.frozen_ms)}"
        case ev.Draining(on=on):
            return "DRAIN", "-", "nothing new starts" if on else "over"
        case ev.Stopping(reason="stopped"):
            return "STOPPING", "-", "running tasks are ended, nothing new starts"
        case _:
            return None


def spelled_out(event: ev.AnyEvent) -> Iterator[ev.AnyEvent]:
    """Yield `event`, and after the start of a session an event for each task that it skips from now on."""
    yield event
    if isinstance(event, ev.SessionStarted):
        for task, reason in event.skipped.items():
            yield ev.TaskSkipped(at=event.at, task=task, reason=reason)


def precise(at: int) -> str:
    """Return milliseconds since the epoch as `2024-01-15T10:30:47.123Z`."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event_line(event: ev.AnyEvent, run_id: str, state: RunState) -> dict[str, Any]:
    """Return the JSON line of an event: what every line has, and the event's own fields."""
    word, fields = _fields(event, state)
    return {"event": word, "time": precise(event.at), "run_id": run_id, **fields}


def _fields(event: ev.AnyEvent, state: RunState) -> tuple[str, dict[str, Any]]:
    match event:
        case ev.TaskStarted():
            return "task_started", {"task": event.task, "attempt": event.attempt, "pid": event.pid}
        case ev.TaskExited():
            return "task_exited", {"task": event.task, "attempt": event.attempt, "duration_ms": event.duration_ms}
        case ev.TaskEnded():
            status = TaskStatus.PENDING if event.will_retry else _ENDED.get(event.outcome, TaskStatus.PENDING)
            return "task_ended", {
                "task": event.task,
                "attempt": event.attempt,
                "outcome": event.outcome,
                "status": status.value,
                "exit_code": event.exit_code,
                "signal": event.signal,
                "reason": event.reason,
                "duration_ms": event.duration_ms,
                "will_retry": event.will_retry,
                "allowed": event.allowed,
            }
        case ev.TaskSkipped():
            return "task_skipped", {"task": event.task, "reason": event.reason}
        case ev.TaskReset():
            return "task_reset", {"task": event.task, "reason": event.reason}
        case ev.Frozen():
            return "paused", {"by": event.by}
        case ev.Thawed():
            return "unpaused", {"frozen_ms": event.frozen_ms}
        case ev.Draining():
            return "draining", {"on": event.on}
        case ev.Stopping():
            return "stopping", {"reason": event.reason or None}
        case ev.SessionStarted():
            return "session_started", {
                "jobs": event.jobs,
                "keep_going": event.keep_going,
                "status": event.status,
                "reset": list(event.reset),
            }
        case ev.SessionEnded():
            return "session_ended", {"status": event.status, "reason": event.reason or None}
        case ev.RunCreated():
            return "run_created", {"plan": event.plan_name, "total_tasks": len(event.tasks)}
        case ev.RunAbandoned():
            return "run_abandoned", {"reason": event.reason}
        case ev.ContextSet():
            return "context_set", {"values": event.values}
        case ev.LogLost():
            return "log_lost", {"task": event.task, "attempt": event.attempt}
        case ev.Imported():
            return "imported", {}
        case ev.Folded():
            return "state", {"status": state.status.value, "counts": {s.value: state.count(s) for s in TaskStatus}}
