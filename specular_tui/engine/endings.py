"""The records of how attempts ended."""

from __future__ import annotations

from specular_tui.engine import artifacts
from specular_tui.engine.executor import Exit, StartError
from specular_tui.engine.running import Running
from specular_tui.engine.verdict import Verdict
from specular_tui.model import event as ev
from specular_tui.model.plan import Task


def exited(running: Running, end: Exit, *, at: int, ran_ms: int) -> ev.TaskExited:
    """Return the record of a process that succeeded, whose log and outputs have not been read yet."""
    return ev.TaskExited(
        at=at,
        task=running.task.id,
        attempt=running.attempt,
        duration_ms=ran_ms,
        key=artifacts.cache_key(running.task),
        inputs_hash=running.inputs_hash,
        cpu_ms=end.cpu_ms,
        max_rss_kb=end.max_rss_kb,
    )


def ended(running: Running, end: Exit, verdict: Verdict, *, at: int, ran_ms: int, retry: bool) -> ev.TaskEnded:
    """Return the record of an attempt's end; `retry` says that another one follows."""
    task = running.task
    completed = verdict.outcome == "completed"
    return ev.TaskEnded(
        at=at,
        task=task.id,
        attempt=running.attempt,
        outcome=verdict.outcome,
        duration_ms=ran_ms,
        will_retry=retry,
        allowed=task.allow_failure and verdict.outcome == "failed" and not retry,
        exit_code=end.exit_code if not running.ended_by else None,
        signal=end.signal,
        reason=verdict.reason,
        log_size=verdict.log_size,
        log_hash=verdict.log_hash,
        outputs=verdict.outputs,
        key=artifacts.cache_key(task) if completed else "",
        inputs_hash=running.inputs_hash if completed else "",
        cpu_ms=end.cpu_ms,
        max_rss_kb=end.max_rss_kb,
    )


def not_started(
    task: Task, attempt: int, error: StartError, *, at: int, log_size: int, log_hash: str, retry: bool
) -> ev.TaskEnded:
    """Return the record of an attempt that could not be started; `retry` says that another one follows."""
    return ev.TaskEnded(
        at=at,
        task=task.id,
        attempt=attempt,
        outcome="failed",
        duration_ms=0,
        exit_code=error.exit_code,
        reason=str(error),
        will_retry=retry,
        allowed=task.allow_failure and not retry,
        log_size=log_size,
        log_hash=log_hash,
    )
