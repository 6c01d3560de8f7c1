"""Two runs side by side, task by task: what is new, what is gone, what ended otherwise, what got slower. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from msgspec import Struct

from specular_tui.model.run import RunState, TaskState, TaskStatus

#: A task counts as slower or faster from so many milliseconds, and from this share of the time before, on.
_NOTABLE_MS: Final = 500
_NOTABLE: Final = 0.2


class Difference(StrEnum):
    """In which respect a task differs between two runs; in the order of how much that matters."""

    #: It ended otherwise: it failed and did not before, or the other way round.
    RESULT = "result"
    NEW = "new"
    GONE = "gone"
    #: Its definition has changed: command, environment, image, …
    DEFINITION = "definition"
    #: Its declared outputs have other bytes.
    OUTPUTS = "outputs"
    SLOWER = "slower"
    FASTER = "faster"


_ORDER: Final = {difference: place for place, difference in enumerate(Difference)}


class TaskComparison(Struct, frozen=True, kw_only=True):
    """A task, or a gate, in two runs."""

    task: str
    #: None where that run does not have it.
    before: TaskState | None
    after: TaskState | None
    differences: tuple[Difference, ...] = ()
    #: What of its definition has changed, in words.
    changed: tuple[str, ...] = ()
    #: Milliseconds that it took longer (less, where negative); None where it has not completed in both.
    delta_ms: int | None = None

    @property
    def weight(self) -> tuple[int, int, int]:
        """A key that sorts what differs most to the front: what fails now, what failed before, what did not run."""
        first = _ORDER[self.differences[0]] if self.differences else len(_ORDER)
        failed = [task is not None and task.status is TaskStatus.FAILED for task in (self.after, self.before)]
        return first, failed.index(True) if any(failed) else 2, -abs(self.delta_ms or 0)


class RunComparison(Struct, frozen=True, kw_only=True):
    """Two runs, the older one first. Times are milliseconds."""

    before: str
    after: str
    #: Every task of either run: those of `after` in the order of its plan, then those that are gone; then gates.
    tasks: tuple[TaskComparison, ...]
    elapsed_before: int
    elapsed_after: int
    #: How many tasks ran at once in the latest session of each; 0 where there has been none.
    jobs_before: int
    jobs_after: int
    #: The plans are the same, byte for byte.
    same_plan: bool

    def count(self, difference: Difference) -> int:
        """Return how many tasks differ in this respect."""
        return sum(difference in task.differences for task in self.tasks)


def compare_runs(before: RunState, after: RunState, changed: Mapping[str, tuple[str, ...]]) -> RunComparison:
    """Return how `after` differs from `before`; `changed` says of which tasks the definition has, and in what."""
    pairs: list[TaskComparison] = []
    for old, new in ((before.tasks, after.tasks), (before.gates, after.gates)):
        ids = [*new, *(task_id for task_id in old if task_id not in new)]
        pairs += [_compare(task_id, old.get(task_id), new.get(task_id), changed.get(task_id, ())) for task_id in ids]
    return RunComparison(
        before=before.run_id,
        after=after.run_id,
        tasks=tuple(pairs),
        elapsed_before=before.elapsed_until(before.updated_at),
        elapsed_after=after.elapsed_until(after.updated_at),
        jobs_before=before.sessions[-1].jobs if before.sessions else 0,
        jobs_after=after.sessions[-1].jobs if after.sessions else 0,
        same_plan=before.plan_hash == after.plan_hash,
    )


def _compare(
    task_id: str, before: TaskState | None, after: TaskState | None, changed: tuple[str, ...]
) -> TaskComparison:
    if before is None or after is None:
        kind = Difference.NEW if before is None else Difference.GONE
        return TaskComparison(task=task_id, before=before, after=after, differences=(kind,))
    found = []
    delta = None
    if _result(before) != _result(after):
        found.append(Difference.RESULT)
    if changed:
        found.append(Difference.DEFINITION)
    if before.status is after.status is TaskStatus.COMPLETED:
        if [(o.path, o.hash) for o in before.outputs] != [(o.path, o.hash) for o in after.outputs]:
            found.append(Difference.OUTPUTS)
        if before.duration_ms is not None and after.duration_ms is not None:
            delta = after.duration_ms - before.duration_ms
            if abs(delta) >= max(_NOTABLE_MS, _NOTABLE * before.duration_ms):
                found.append(Difference.SLOWER if delta > 0 else Difference.FASTER)
    return TaskComparison(
        task=task_id, before=before, after=after, differences=tuple(found), changed=changed, delta_ms=delta
    )


def _result(task: TaskState) -> tuple[object, ...]:
    if task.status is TaskStatus.FAILED:
        return task.status, task.exit_code, task.signal
    return (task.status,)
