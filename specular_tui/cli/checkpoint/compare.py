"""`specular checkpoint compare`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from specular_tui.cli import output
from specular_tui.cli.options import checkpoint_root, format_option
from specular_tui.cli.values import RUN
from specular_tui.model import duration, quantity

if TYPE_CHECKING:
    from specular_tui.model.compare import RunComparison, TaskComparison
    from specular_tui.model.run import TaskState


@click.command("compare")
@click.argument("run", type=RUN, metavar="RUN")
@click.argument("other", type=RUN, metavar="OTHER")
@click.option("--all", "all_tasks", is_flag=True, help="Also the tasks that do not differ.")
@format_option("table", "json")
def compare_command(run: str, other: str, all_tasks: bool, form: str | None) -> None:
    """Say task by task how two runs differ: results, definitions, outputs, times.

    The older one is what was before. RUN and OTHER are run ids, or the start of just one.
    """
    from specular_tui.workspace import find_run
    from specular_tui.workspace.comparing import compare

    root = checkpoint_root()
    found = compare(root, find_run(root, run), find_run(root, other))
    tasks = [task for task in sorted(found.tasks, key=lambda task: task.weight) if all_tasks or task.differences]
    if form == "json":
        output.emit_json(_as_data(found, tasks))
        return
    elapsed = f"{duration.humanise(found.elapsed_before)} -> {duration.humanise(found.elapsed_after)}"
    jobs = f"  {found.jobs_before} -> {found.jobs_after} jobs" if found.jobs_before != found.jobs_after else ""
    plan = "" if found.same_plan else "  the plan has changed"
    output.emit(f"{found.before} -> {found.after}  {elapsed}{jobs}{plan}")
    if not tasks:
        output.emit("no task differs")
        return
    rows = [
        (task.task, _said(task.before), _said(task.after), _delta(task), ", ".join(task.changed or task.differences))
        for task in tasks
    ]
    head, *lines = output.table(rows, ("TASK", "BEFORE", "AFTER", "CHANGE", "DIFFERS IN"), right=(3,))
    output.emit(output.style(head, bold=True, on=output.colour_on()))
    for line in lines:
        output.emit(line)
    output.emit(f"{quantity.plural(len(tasks), 'task')} of {len(found.tasks)}")


def _said(task: TaskState | None) -> str:
    if task is None:
        return "-"
    took = f" {duration.humanise(task.duration_ms)}" if task.duration_ms is not None else ""
    return f"{task.status}{took}"


def _delta(task: TaskComparison) -> str:
    if task.delta_ms is None:
        return "-"
    return ("+" if task.delta_ms >= 0 else "-") + duration.humanise(abs(task.delta_ms))


def _as_data(found: RunComparison, tasks: list[TaskComparison]) -> dict[str, Any]:
    def side(task: TaskState | None) -> dict[str, Any] | None:
        if task is None:
            return None
        return {
            "status": task.status,
            "duration_ms": task.duration_ms,
            "exit_code": task.exit_code,
            "attempt": task.attempt,
        }

    return {
        "before": found.before,
        "after": found.after,
        "same_plan": found.same_plan,
        "elapsed_ms": {"before": found.elapsed_before, "after": found.elapsed_after},
        "jobs": {"before": found.jobs_before, "after": found.jobs_after},
        "tasks": [
            {
                "task": task.task,
                "before": side(task.before),
                "after": side(task.after),
                "differences": list(task.differences),
                "changed": list(task.changed),
                "delta_ms": task.delta_ms,
            }
            for task in tasks
        ],
    }
