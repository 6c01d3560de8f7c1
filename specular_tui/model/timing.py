"""What took the time of a run: its critical path, its slowest tasks, and how many ran at once. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from heapq import nlargest

from msgspec import Struct

from specular_tui.model.critical import Wait, critical_path, spent_ms, waited
from specular_tui.model.forecast import expected_ms
from specular_tui.model.graph import Graph
from specular_tui.model.run import RunState, TaskState, TaskStatus
from specular_tui.model.usual import Usual, is_slow


class Timed(Struct, frozen=True, kw_only=True):
    """A task or a gate, and the time that it took. Times are milliseconds."""

    task: str
    status: TaskStatus
    #: Until its result was there, or so far: the latest attempt, and those before that failed.
    took_ms: int
    #: What a task that has not ended will probably take in all; None where it has ended, or nobody knows.
    expected_ms: int | None
    #: How often it was tried.
    attempts: int
    #: What it took in past runs; None where it never completed.
    usual: Usual | None
    #: Its latest attempt took longer than any in a past run, and much longer than usual.
    slow: bool
    #: What it waited for before it started; None where that is not known.
    wait: Wait | None
    #: It is on the critical path.
    critical: bool


class Timing(Struct, frozen=True, kw_only=True):
    """What took the time of a run. Times are milliseconds."""

    #: The moment up to which it counts.
    now: int
    #: The time that was worked: all sessions, frozen time not counted.
    elapsed_ms: int
    #: What all attempts took together.
    work_ms: int
    #: So many tasks at once were allowed; None where that differed between sessions, or none has begun.
    jobs: int | None
    #: The tasks of the critical path, first to last; None where the plan is not known.
    path: tuple[Timed, ...] | None
    #: Those that took longest, longest first; gates are among them.
    slowest: tuple[Timed, ...]

    @property
    def at_once(self) -> float:
        """How many tasks ran at once, on average; 0 where nothing has."""
        return self.work_ms / self.elapsed_ms if self.elapsed_ms else 0.0

    @property
    def path_ms(self) -> int:
        """What the tasks of the critical path took together."""
        return sum(timed.took_ms for timed in self.path or ())


def timing(
    state: RunState, graph: Graph | None, now: int, usual: Mapping[str, Usual], count: int, *, live: bool
) -> Timing:
    """Return what took the time of a run up to `now` (milliseconds since the epoch), with the `count` slowest tasks.

    `graph` is None where the plan is not known. The critical path of a `live` run is that of the whole plan: tasks that
    are to come count as long as they probably take.
    """
    expected = expected_ms(graph, usual) if graph is not None and live else {}
    path = critical_path(state, graph, now, expected) if graph is not None else None
    on_path = frozenset(path or ())

    def timed(task_id: str, task: TaskState) -> Timed:
        past = usual.get(task_id)
        latest = state.task_elapsed_until(task, now) or 0
        unfinished = task.status in (TaskStatus.PENDING, TaskStatus.IN_PROGRESS)
        return Timed(
            task=task_id,
            status=task.status,
            took_ms=spent_ms(state, task, now),
            expected_ms=round(expected[task_id]) if unfinished and task_id in expected else None,
            attempts=task.attempt,
            usual=past,
            slow=past is not None and is_slow(latest, past),
            wait=waited(state, graph, task_id),
            critical=task_id in on_path,
        )

    ran = [(i, task) for tasks in (state.tasks, state.gates) for i, task in tasks.items() if task.attempt]
    longest = nlargest(count, ran, key=lambda found: spent_ms(state, found[1], now))
    jobs = {session.jobs for session in state.sessions}
    return Timing(
        now=now,
        elapsed_ms=state.elapsed_until(now),
        work_ms=sum(_all_ms(state, task, now) for _, task in ran),
        jobs=jobs.pop() if len(jobs) == 1 else None,
        path=tuple(timed(i, state.tasks[i]) for i in path if i in state.tasks) if path is not None else None,
        slowest=tuple(timed(i, task) for i, task in longest),
    )


def _all_ms(state: RunState, task: TaskState, now: int) -> int:
    """Return what all attempts of a task took."""
    return (state.task_elapsed_until(task, now) or 0) + sum(earlier.duration_ms for earlier in task.earlier)
