"""Jobs of GitHub on this machine, and plans for them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.ci.runner import Machine


@pytest.fixture
def machine(tmp_path: Path) -> Callable[..., Machine]:
    """Make runners, each with a checkout of the same plan."""

    def make(name: str = "runner", /, *tasks: dict[str, Any], **plan: Any) -> Machine:
        made = Machine(tmp_path / name)
        made.workspace.joinpath("plan.json").write_text(json.dumps({"version": 1, "tasks": tasks or CHAIN, **plan}))
        return made

    return make


def task(task_id: str, command: str = "true", *needs: str, **more: Any) -> dict[str, Any]:
    """Return a task of a plan."""
    return {"id": task_id, "command": command, "depends_on": list(needs), **more}


#: The third task fails until there is a file named `mended`.
CHAIN = (
    task("one", "echo one"),
    task("two", "echo two", "one"),
    task("three", "echo first line; echo the reason >&2; test -e mended", "two", title="The third"),
    task("four", "echo four", "three"),
)
