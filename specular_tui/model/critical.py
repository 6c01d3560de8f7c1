"""The critical path of a run as it went, and what each of its tasks waited for. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from specular_tui.model.graph import Graph
from specular_tui.model.plan import Task
from specular_tui.model.run import RunState, TaskState, TaskStatus


def spent_ms(state: RunState, task: TaskState, now: int) -> int:
    """Return what a task took until its result was there: its latest attempt, and those before that failed."""
    spent = state.task_elapsed_until(task, now) or 0
    for earlier in reversed(task.earlier):
        if earlier.outcome == "completed":
            # It had been done, and was done again: that is another story.
            break
        spent += earlier.duration_ms
    return spent


def critical_path(
    state: RunState, graph: Graph, now: int, expected: Mapping[str, float] | None = None
) -> tuple[str, ...]:
    """Return the tasks of the longest way through the run, first to last: nothing but them decided how short it was.

    Tasks that have ended count as long as they took. One that runs counts as long as it has taken so far, and one that
    is to come not at all, unless `expected` (milliseconds) says that they take longer. Empty where nothing took time.
    """
    expected = expected or {}

    def duration(task: Task) -> float:
        known = state.tasks.get(task.id)
        if known is None or known.status is TaskStatus.SKIPPED:
            return 0.0
        spent = spent_ms(state, known, now) if known.attempt else 0
        if known.status in (TaskStatus.PENDING, TaskStatus.IN_PROGRESS):
            return max(float(spent), expected.get(task.id, 0.0))
        return float(spent)

    path = graph.critical_path(duration)
    while path and not duration(graph.tasks[path[-1]]):
        path.pop()
    return tuple(path)


class Wait(Struct, frozen=True):
    """What an attempt waited for before it started."""

    #: The task that it needs and that ended last; "" where it needs none that ran.
    need: str
    #: Milliseconds from when it could have started, as far as the tasks that it needs go, to when it did: it waited
    #: for a free slot. Frozen time and the time between two sessions are not counted.
    slot_ms: int


def waited(state: RunState, graph: Graph | None, task_id: str) -> Wait | None:
    """Return what the first attempt of a task in its session waited for, or None where that is not known."""
    task = state.tasks.get(task_id)
    if task is None or task.started_at is None or graph is None:
        return None
    began = next(
        (session.started_at for session in reversed(state.sessions) if session.started_at <= task.started_at), 0
    )
    start = min(
        (earlier.started_at for earlier in task.earlier if earlier.started_at >= began), default=task.started_at
    )
    need, ended = "", began
    for known_id in graph.needs.get(task_id, ()):
        known = state.tasks.get(known_id)
        at = known.completed_at if known is not None else None
        if at is not None and began <= at <= start and at >= ended:
            need, ended = known_id, at
    frozen = sum(max(0, min(until, start) - max(since, ended)) for since, until in state.freezes)
    return Wait(need, max(0, start - ended - frozen))
