"""A run in the Trace Event Format of Chrome, which Perfetto and other viewers of timelines read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from specular_tui.model.run import RunState, TaskState
from specular_tui.model.slots import Slots

#: The format counts in microseconds.
_US = 1000


class _Span(NamedTuple):
    """One attempt; times are milliseconds since the epoch."""

    start: int
    end: int
    task: str
    attempt: int
    outcome: str
    exit_code: int | None
    signal: str | None


def trace(state: RunState, now: int, critical: frozenset[str]) -> dict[str, Any]:
    """Return all attempts of a run, in rows of which each holds one at a time, and when the run stood frozen.

    Times count from the creation of the run; what still runs ends at `now`. `critical` are the tasks of the critical
    path.
    """
    spans = sorted(_spans(state, now))
    events: list[dict[str, Any]] = []
    rows = 0
    for row, span in _in_rows(spans):
        rows = max(rows, row)
        args = {"attempt": span.attempt, "outcome": span.outcome or "running", "critical": span.task in critical}
        if span.exit_code is not None:
            args["exit_code"] = span.exit_code
        if span.signal is not None:
            args["signal"] = span.signal
        events.append(_slice(span.task, "task", row, span.start - state.created_at, span.end - span.start, args))
    still = [*state.freezes, *([(state.frozen_since, now)] if state.frozen_since is not None else [])]
    events += [_slice("frozen", "run", 0, start - state.created_at, end - start, {}) for start, end in still]
    names = {row: f"slot {row}" for row in range(1, rows + 1)} | ({0: "run"} if still else {})
    named = [("process_name", 0, f"{state.plan_name} {state.run_id}".strip())]
    named += [("thread_name", row, name) for row, name in names.items()]
    head = [{"ph": "M", "name": kind, "pid": 1, "tid": row, "args": {"name": name}} for kind, row, name in named]
    return {"displayTimeUnit": "ms", "traceEvents": [*head, *events]}


def _slice(name: str, category: str, row: int, start: int, took: int, args: dict[str, Any]) -> dict[str, Any]:
    times = {"ts": start * _US, "dur": max(0, took) * _US}
    return {"ph": "X", "name": name, "cat": category, "pid": 1, "tid": row, **times, "args": args}


def _spans(state: RunState, now: int) -> Iterator[_Span]:
    for tasks in (state.tasks, state.gates):
        for task_id, task in tasks.items():
            for old in task.earlier:
                yield _Span(
                    old.started_at, old.completed_at, task_id, old.attempt, old.outcome, old.exit_code, old.signal
                )
            if task.attempt and task.started_at is not None:
                yield _Span(
                    task.started_at, _end(task, now), task_id, task.attempt, task.outcome, task.exit_code, task.signal
                )


def _end(task: TaskState, now: int) -> int:
    return task.completed_at if task.completed_at is not None else now


def _in_rows(spans: list[_Span]) -> Iterator[tuple[int, _Span]]:
    """Yield each attempt with its row, from 1: the first one in which nothing runs any more."""
    slots = Slots()
    for span in spans:
        slot = slots.take(span.start)
        slots.leave(slot, span.end)
        yield slot + 1, span
