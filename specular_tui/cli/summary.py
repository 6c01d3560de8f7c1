"""The closing words of a build, and the answer to `--dry-run`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final

from specular_tui.cli import output
from specular_tui.cli.text import readable
from specular_tui.model import duration
from specular_tui.model.plan import Plan
from specular_tui.model.resume import Action, ResumePlan
from specular_tui.model.run import RunStatus, TaskState, TaskStatus
from specular_tui.store import layout
from specular_tui.store.folder import Folder
from specular_tui.workspace import end_of
from specular_tui.workspace.face import BuildInfo, BuildResult

#: The summary shows so many failed tasks with their last lines, and so many lines of each.
SHOWN_FAILURES: Final = 20
SHOWN_LINES: Final = 10


def resume_command(result: BuildResult, folder: str | None = None) -> str | None:
    """Return the exact command that goes on with a run, or None where there is nothing to go on with.

    `folder` is where it is to be typed, if that is not where the shell stands.
    """
    if not result.resumable or result.status not in (RunStatus.PAUSED, RunStatus.FAILED):
        return None
    there = f"cd {shlex.quote(folder)} && " if folder is not None else ""
    return f"{there}{output.program()} build --resume {result.run_id}"


def summary(result: BuildResult, info: BuildInfo, folder: str | None = None) -> list[str]:
    """Return the closing words of a build: failed tasks with their last lines, counts, time, and the way on."""
    state = result.state
    on = output.colour_on()
    lines: list[str] = []
    failed = state.failed_for_good()
    for task_id in failed[:SHOWN_FAILURES]:
        lines += _failure(task_id, state.task(task_id), info, on)
    if len(failed) > SHOWN_FAILURES:
        lines.append(f"… and {len(failed) - SHOWN_FAILURES} more failed tasks")
    counts = [
        f"{state.count(status)} {status.value.replace('_', ' ')}"
        for status in (TaskStatus.COMPLETED, TaskStatus.FAILED, TaskStatus.SKIPPED, TaskStatus.PENDING)
        if state.count(status)
    ]
    colour = {RunStatus.COMPLETED: "green", RunStatus.FAILED: "red"}.get(result.status, "yellow")
    word = output.style(result.status.value, colour, bold=True, on=on)
    why = f" by {result.reason}" if result.reason.startswith("SIG") else ""
    lines.append(
        f"{word}{why}: {', '.join(counts)} of {state.total} tasks in {duration.humanise(state.elapsed_ms)}  "
        f"({result.run_id})"
    )
    if info.path is not None and failed:
        lines.append(f"logs: {output.plain(str(Path(info.path, layout.OUTPUTS)))}")
    command = resume_command(result, folder)
    if command is not None:
        lines.append(f"resume with: {command}")
    return lines


def _failure(task_id: str, task: TaskState, info: BuildInfo, on: bool) -> list[str]:
    head = f"{output.style('FAILED', 'red', bold=True, on=on)} {task_id}: {output.plain(task.reason or 'failed')}"
    path = info.recorder.log_path(task_id)
    try:
        with Folder.at(path.parent) as folder:
            data = end_of(folder, path.name, 16 << 10)
    except OSError:
        data = b""
    shown = last_lines(data, SHOWN_LINES)
    return [head, *(f"  | {line}" for line in shown), *([f"  log: {output.plain(str(path))}"] if info.path else [])]


def last_lines(data: bytes, count: int) -> list[str]:
    """Return the last lines of a log's end, free of escapes, carriage-return progress as it looks in the end."""
    lines = [line for line in readable(data).split("\n") if line.strip()]
    return [line[:300] for line in lines[-count:]]


def plan_table(plan: Plan, resume: ResumePlan | None) -> list[str]:
    """Return the answer to `--dry-run` as a table."""
    if resume is None:
        rows = [("run", task.id, "-", "not done yet") for task in plan.tasks]
        counts = f"{len(rows)} run"
    else:
        rows = [
            (
                d.action.value,
                d.task,
                duration.humanise(d.expected_ms) if d.expected_ms is not None else "-",
                d.reason,
            )
            for d in resume.decisions
        ]
        counts = ", ".join(f"{resume.count(action)} {action.value}" for action in Action if resume.count(action))
    lines = output.table(rows, ("ACTION", "TASK", "LAST", "REASON"), right=(2,))
    if resume is not None and resume.changes:
        lines += ["", "the plan has changed:", *(f"  {output.plain(line)}" for line in resume.changes.lines()[:50])]
    return [*lines, "", f"{counts}; nothing was written"]
