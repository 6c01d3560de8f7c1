"""What a policy does not allow of a plan. Pure; nothing has started when this is asked."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from specular_tui.model.plan import Task
from specular_tui.model.policy import Policy


def violation(task: Task, policy: Policy) -> str | None:
    """Return the rule that `task` breaks, or None."""
    execution = policy.execution
    if task.image is None:
        if not execution.allow_local:
            return "it has no image, and execution.allow_local is false"
        return None
    allowed = execution.docker.image_allowlist
    if allowed is not None and not any(fnmatchcase(task.image, pattern) for pattern in allowed):
        return f"its image '{task.image}' is not in execution.docker.image_allowlist"
    return None


def violations(tasks: Iterable[Task], policy: Policy) -> dict[str, str]:
    """Return every task that breaks a rule of `policy`, with the rule."""
    return {task.id: rule for task in tasks if (rule := violation(task, policy)) is not None}
