"""What makes a task's result reusable: one record, visible, and hashed by `engine.artifacts.cache_key`."""

from __future__ import annotations

from typing import Any, Final

from specular_tui.model.plan import Task

#: The fields of a task that its result depends on, with the words that tell a user which of them changed.
FIELDS: Final[dict[str, str]] = {
    "command": "its command",
    "env": "its environment",
    "workdir": "its working directory",
    "image": "its image",
    "depends_on": "its dependencies",
    "inputs": "its list of inputs",
    "outputs": "its list of outputs",
}


def cache_record(task: Task) -> dict[str, Any]:
    """Return the fields that a result of `task` depends on. Title, priority and estimate are not among them."""
    return {
        "command": task.command,
        "env": dict(sorted(task.env.items())),
        "workdir": task.workdir,
        "image": task.image,
        "depends_on": sorted(task.depends_on),
        "inputs": task.inputs,
        "outputs": task.outputs,
    }


def changed_fields(old: Task, new: Task) -> list[str]:
    """Return the words for each field of the record that differs between two definitions of a task."""
    before, after = cache_record(old), cache_record(new)
    return [words for name, words in FIELDS.items() if before[name] != after[name]]
