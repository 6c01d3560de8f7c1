"""How long a build will still take: an estimate from what its tasks took before, and from what the plan expects."""

from __future__ import annotations

from collections.abc import Mapping

from specular_tui.model.run import RunState, TaskState, TaskStatus


def remaining_ms(state: RunState, now: int, estimates: Mapping[str, float] | None = None) -> int | None:
    """Return the milliseconds until the last task has ended, or None where nothing is known yet.

    `estimates` are the plan's, in seconds; they count as much as the tasks that have ended took of theirs. A task that
    has run before counts as it did then, one of which nothing is known as the median of those that have ended.
    """
    jobs = state.sessions[-1].jobs if state.sessions else 1
    ended = {i: t.duration_ms for i, t in state.tasks.items() if t.status is TaskStatus.COMPLETED and t.duration_ms}
    # The upper one of two in the middle will do; `statistics` takes longer to import than all the rest.
    usual = sorted(ended.values())[len(ended) // 2] if ended else None
    scale = _scale(ended, estimates or {})

    def expected(task_id: str, task: TaskState) -> float | None:
        past = [a.duration_ms for a in task.earlier if a.outcome == "completed"]
        if past:
            return past[-1]
        if estimates and task_id in estimates:
            return estimates[task_id] * 1000 * scale
        return usual

    total = longest = 0.0
    left = 0
    for task_id, task in state.tasks.items():
        if task.status not in (TaskStatus.PENDING, TaskStatus.IN_PROGRESS):
            continue
        whole = expected(task_id, task)
        if whole is None:
            return None
        left += 1
        if task.status is TaskStatus.IN_PROGRESS:
            whole = max(0.0, whole - (state.task_elapsed_until(task, now) or 0))
        total += whole
        longest = max(longest, whole)
    return round(max(longest, total / max(1, min(jobs, left)))) if left else 0


def _scale(ended: Mapping[str, int], estimates: Mapping[str, float]) -> float:
    known = [(took, estimates[i] * 1000) for i, took in ended.items() if estimates.get(i)]
    return sum(took for took, _ in known) / sum(guess for _, guess in known) if known else 1.0
