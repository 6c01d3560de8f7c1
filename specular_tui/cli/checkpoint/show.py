"""`specular checkpoint show`."""

from __future__ import annotations

from typing import Any

import click

from specular_tui.cli import output, words
from specular_tui.cli.options import checkpoint_root, chosen_run, format_option, last_option, piped, run_argument
from specular_tui.model import duration, quantity
from specular_tui.model.run import ENDING, TaskStatus


@click.command("show")
@run_argument
@last_option
@format_option("json", "table")
def show_command(run: str | None, last: bool, form: str | None) -> None:
    """Show all that a checkpoint says of its run. Without RUN: the newest. RUN is a run id, or the start of just one.

    JSON, which is what a pipe gets, has the fields of metadata.json and then `state` and `progress`, as the files of
    that name hold them.
    """
    from specular_tui.workspace import find_run
    from specular_tui.workspace.showing import show_run

    root = checkpoint_root()
    run_id = find_run(root, chosen_run(run, last))
    found = show_run(root, run_id)
    if form == "json" or (form is None and piped()):
        output.emit_json(found)
        return
    for line in _head(found, str(root / run_id)):
        output.emit(line)
    output.emit()
    _print_tasks(found)


def _head(found: dict[str, Any], path: str) -> list[str]:
    on = output.colour_on()
    status = found["status"]
    ending = {name: found.get(name) is True for name in ENDING}
    said = words.state(status, interrupted=found["interrupted"], live=any(ending.values()), **ending)
    word = output.style(said, output.STATE_COLOURS.get(status), bold=True, on=on)
    counts = [f"{found['completed_tasks']} of {quantity.plural(found['total_tasks'], 'task')} completed"]
    counts += [f"{found[f'{key}_tasks']} {key}" for key in ("failed", "skipped") if found[f"{key}_tasks"]]
    times = duration.humanise(found["elapsed_ms"])
    if found["frozen_ms"]:
        times += f", and {duration.humanise(found['frozen_ms'])} frozen"
    origin = f" ({found['plan_path']})" if found["plan_path"] not in ("", found["plan_file"]) else ""
    facts = [
        ("tasks", ", ".join(counts)),
        ("worked for", times),
        ("created", f"{found['created_at']}, {words.age(found['created_at_ms'])}, on {found['host']}"),
        ("updated", f"{found['updated_at']}, {words.age(found['updated_at_ms'])}"),
        ("plan", f"{found['plan_file']}{origin}"),
        ("plan hash", found["plan_hash"]),
        ("policy", found["policy_file"] or "none"),
        ("folder", path),
    ]
    if found["imported"]:
        facts.append(("imported", "yes: its plan is not trusted by itself"))
    if found["reason"]:
        facts.append(("ended by", found["reason"]))
    width = max(len(name) for name, _ in facts)
    head = f"{output.style(found['run_id'], bold=True, on=on)}  {output.plain(found['plan_name'])}  {word}"
    return [
        head,
        *(f"  {output.style(name.ljust(width), dim=True, on=on)}  {output.plain(text)}" for name, text in facts),
    ]


def _print_tasks(found: dict[str, Any]) -> None:
    running = set(found["state"]["running"])
    on = output.colour_on()
    rows, colours = [], []
    for task_id, task in [*found["progress"]["tasks"].items(), *found["progress"]["gates"].items()]:
        status = "in_progress" if task_id in running else task["status"]
        took = duration.humanise(task["duration_ms"]) if task["duration_ms"] is not None else "-"
        code = task.get("signal") or ("-" if task["exit_code"] is None else str(task["exit_code"]))
        rows.append((status, task_id, took, str(task.get("attempt", "-")), code, task.get("reason", "")))
        colours.append(output.STATE_COLOURS.get(status) if status != TaskStatus.PENDING else None)
    lines = output.table(rows, ("STATE", "TASK", "TOOK", "ATTEMPT", "EXIT", "REASON"), right=(2, 3, 4))
    output.emit(output.style(lines[0], bold=True, on=on))
    for line, row, colour in zip(lines[1:], rows, colours, strict=True):
        output.emit(output.style(row[0], colour, on=on) + line[len(row[0]) :])
