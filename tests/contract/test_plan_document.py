"""docs/plan.md names every field of a plan, with the default that holds, and its example is a plan."""

from __future__ import annotations

import re
from pathlib import Path

from specular_tui.model import duration
from specular_tui.model.plan import Task
from specular_tui.spec.plan_file import load_plan
from specular_tui.spec.plan_types import WORDING

TEXT = (Path(__file__).parents[2] / "docs" / "plan.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (`[^|]+`) \| ([^|]*?) ?\| [^|]+ \|$", TEXT, re.M)
DEFAULTS = {field.strip("`"): default for fields, default in ROWS for field in fields.split(", ")}


def test_every_field_is_there() -> None:
    assert DEFAULTS.keys() == {*WORDING.fields[""], *WORDING.fields["tasks.*"]}
    (row,) = re.findall(r"^\| `defaults` .*$", TEXT, re.M)
    assert set(re.findall(r"`(\w+)`", row)) - {"defaults"} == set(WORDING.fields["defaults"])


def test_every_default_is_the_one_that_holds() -> None:
    task = Task(id="a", command="true")
    known = {
        "title": ("the id", task.label == task.id),
        "workdir": (f"`{task.workdir}`", True),
        "retries": (f"`{task.retries}`", True),
        "retry_delay": ("`0s`", duration.parse("0s") == task.retry_delay_ms),
        "priority": (f"`{task.priority.value}`", True),
        "allow_failure": (f"`{str(task.allow_failure).lower()}`", True),
        "timeout": ("none", task.timeout_ms is None),
    }
    for field, shown in DEFAULTS.items():
        if field in WORDING.fields["tasks.*"] and shown != "needed":
            words, holds = known[field] if field in known else ("none", not getattr(task, field))
            assert (shown, holds) == (words, True), field


def test_the_example_is_a_plan(tmp_path: Path) -> None:
    (example,) = re.findall(r"```json\n(.*?)```", TEXT, re.S)
    path = tmp_path / "plan.json"
    path.write_text(example)
    plan, _ = load_plan(path)
    assert [task.id for task in plan.tasks] == ["deps", "lint", "test", "image"]
    assert {task.timeout_ms for task in plan.tasks} == {1_800_000, 600_000}
