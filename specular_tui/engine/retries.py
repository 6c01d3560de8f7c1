"""The retries that a plan allows its tasks: how many are left in this session."""

from __future__ import annotations

from specular_tui.model.plan import Task


class Retries:
    """Counts the retries of tasks that have used one up."""

    def __init__(self) -> None:
        """Leave every task all of its retries."""
        self._left: dict[str, int] = {}

    def take(self, task: Task) -> bool:
        """Use up one retry of the task; return whether there was one."""
        left = self._left.get(task.id, task.retries)
        if left <= 0:
            return False
        self._left[task.id] = left - 1
        return True

    def renew(self, task_id: str) -> None:
        """Give a task all of its retries back."""
        self._left.pop(task_id, None)
