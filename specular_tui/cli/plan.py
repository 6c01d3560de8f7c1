"""`specular plan`: looking at a plan before it is built."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from specular_tui.cli import output
from specular_tui.cli.lazy import LazyGroup
from specular_tui.cli.options import checkpoint_root, current_folder, format_option
from specular_tui.cli.values import FILE, RUN, WholeNumber
from specular_tui.errors import ExitCode, SpecularError
from specular_tui.model import duration, quantity

if TYPE_CHECKING:
    from specular_tui.model.plan import Plan, Task
    from specular_tui.workspace.outline import Outline

#: Of a long path so many tasks are shown at each end.
_SHOWN_ENDS: Final = 6

COMMANDS: Final = {
    "validate": (__name__, "Check a plan."),
    "show": (__name__, "Show its order, its levels and its critical path."),
    "schema": (__name__, "Print the JSON Schema of plans."),
}

_file = click.argument("file", required=False, type=FILE, metavar="[FILE]")


@click.group("plan", cls=LazyGroup, entries=COMMANDS)
def plan_command() -> None:
    """Check a plan, show its order, print its schema. FILE is plan.json where it is not given."""


@click.command("validate")
@_file
@click.option("--policy", metavar="FILE", help="Check it against this policy too.")
@format_option("table", "json")
def validate_command(file: str | None, policy: str | None, form: str | None) -> int:
    """Check a plan: its form, its ids, what its tasks need. Nothing is run.

    The exit code is 0 where it is valid, 2 where it is not, and 3 where the policy forbids it.

    \b
    Examples:
      specular plan validate
      specular plan validate other.yaml --policy .specular/policy.yaml
    """
    from specular_tui.workspace.plans import read_plan, read_policy, refuse_violations

    folder = current_folder()
    try:
        plan, _ = read_plan(file, folder)
        if policy is not None:
            rules, _, warnings = read_policy(policy, folder)
            for warning in warnings:
                output.tell(f"Warning: {warning}")
            refuse_violations(plan.tasks, rules)
    except SpecularError as error:
        if form != "json" or error.exit_code == ExitCode.FAILED:
            raise
        output.emit_json({"valid": False, "error": error.message, "details": list(error.details), "hint": error.hint})
        return error.exit_code
    if form == "json":
        output.emit_json(
            {"valid": True, "file": plan.file, "name": plan.name, "tasks": len(plan.tasks), "hash": plan.hash}
        )
    else:
        output.emit(f"{output.plain(plan.file)} is valid: {quantity.plural(len(plan.tasks), 'task')}")
    return 0


@click.command("schema")
def schema_command() -> None:
    """Print the JSON Schema of plans, for editors and other programs."""
    from specular_tui.workspace.plans import plan_schema

    output.emit_json(plan_schema())


@click.command("show")
@_file
@click.option("--run", type=RUN, metavar="RUN", help="The plan that a stored run was built with.")
@click.option(
    "--jobs",
    "-j",
    type=WholeNumber(1, 10_000),
    metavar="N",
    help="At most so many tasks at once (default: as a build).",
)
@format_option("table", "json")
def show_command(file: str | None, run: str | None, jobs: int | None, form: str | None) -> None:
    """Show in which order the tasks of a plan start, what each one waits for, and the longest way through it.

    Times are the plan's own estimates; a task without one counts as a second.
    """
    from specular_tui.workspace import find_run, plan_of
    from specular_tui.workspace.outline import outline
    from specular_tui.workspace.plans import read_plan

    folder = current_folder()
    if run is None:
        plan, _ = read_plan(file, folder)
    elif file is None:
        root = checkpoint_root()
        plan = plan_of(root, find_run(root, run))
    else:
        raise click.UsageError("give a file, or a run: not both")
    found = outline(plan, jobs or _usual_jobs(folder))
    if form == "json":
        output.emit_json(_document(plan, found))
    else:
        _print_table(plan, found)


def _usual_jobs(folder: Path) -> int:
    from specular_tui.spec.settings import resolve
    from specular_tui.workspace.plans import read_policy

    return resolve(read_policy(None, folder)[0], environ=os.environ, cwd=folder).jobs


def _document(plan: Plan, found: Outline) -> dict[str, Any]:
    levels: list[list[str]] = [[] for _ in range(max(found.levels.values()) + 1)]
    for task_id in found.order:
        levels[found.levels[task_id]].append(task_id)
    return {
        "name": plan.name,
        "file": plan.file,
        "hash": plan.hash,
        "jobs": found.jobs,
        "order": list(found.order),
        "levels": levels,
        "critical_path": list(found.critical_path),
        "critical_seconds": found.critical_seconds,
        "work_seconds": found.work_seconds,
        "expected_seconds": found.expected_seconds,
        "tasks": {task.id: _definition(task) for task in plan.tasks},
    }


def _definition(task: Task) -> dict[str, Any]:
    from specular_tui.model.secret import mask_env

    return {
        "title": task.label,
        "command": task.command if isinstance(task.command, str) else list(task.command),
        "depends_on": list(task.depends_on),
        "image": task.image,
        "workdir": task.workdir,
        "env": mask_env(task.env),
        "priority": task.priority.value,
        "estimate": task.estimate,
    }


def _print_table(plan: Plan, found: Outline) -> None:
    tasks = {task.id: task for task in plan.tasks}
    critical = set(found.critical_path)
    on = output.colour_on()
    rows = []
    for place, task_id in enumerate(found.order, 1):
        task = tasks[task_id]
        command = task.command if isinstance(task.command, str) else " ".join(task.command)
        rows.append(
            (
                str(place),
                str(found.levels[task_id]),
                "*" if task_id in critical else "",
                task_id,
                task.priority.value,
                duration.humanise(task.estimate * 1000) if task.estimate is not None else "-",
                _few(task.depends_on),
                command if len(command) <= 60 else command[:59] + "…",
            )
        )
    heads = ("#", "LEVEL", "", "TASK", "PRIO", "EST", "NEEDS", "COMMAND")
    lines = output.table(rows, heads, right=(0, 1, 5))
    output.emit(output.style(lines[0], bold=True, on=on))
    for line, row in zip(lines[1:], rows, strict=True):
        output.emit(output.style(line, bold=bool(row[2]), on=on))
    output.emit()
    output.emit(
        f"{output.plain(plan.name)}: {quantity.plural(len(rows), 'task')} in "
        f"{quantity.plural(max(found.levels.values()) + 1, 'level')}, {plan.hash}"
    )
    path = " > ".join(_ends(found.critical_path))
    long = quantity.plural(len(found.critical_path), "task")
    output.emit(f"critical path (*): {_seconds(found.critical_seconds)}, {long}: {path}")
    if found.unknown == len(rows):
        output.emit("no task has an estimate: each counts as a second")
        return
    output.emit(
        f"expected: {_seconds(found.expected_seconds)} with {found.jobs} at once, "
        f"{_seconds(found.work_seconds)} one by one"
        + (f"; {found.unknown} without an estimate count as a second each" if found.unknown else "")
    )


def _seconds(value: float) -> str:
    return duration.humanise(value * 1000)


def _ends(ids: Sequence[str]) -> Sequence[str]:
    """Return a path that can be read: of a long one its two ends."""
    if len(ids) <= 2 * _SHOWN_ENDS + 1:
        return ids
    return [*ids[:_SHOWN_ENDS], f"… ({len(ids) - 2 * _SHOWN_ENDS:,} more) …", *ids[-_SHOWN_ENDS:]]


def _few(ids: tuple[str, ...]) -> str:
    return ", ".join(ids[:3]) + (f" +{len(ids) - 3}" if len(ids) > 3 else "") if ids else "-"
