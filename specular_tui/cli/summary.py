"""The closing words of a build, and the answer to `--dry-run`."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Final, NamedTuple

from specular_tui.cli import output
from specular_tui.cli.text import readable
from specular_tui.model import duration, quantity
from specular_tui.model.blocked import blocked
from specular_tui.model.cause import find_cause
from specular_tui.model.plan import Plan
from specular_tui.model.resume import Action, ResumePlan
from specular_tui.model.run import RunState, RunStatus, TaskStatus
from specular_tui.workspace import lines_before_end, read_log_file
from specular_tui.workspace.face import BuildInfo, BuildResult

#: The summary shows so many failed tasks with their last lines, and so many lines of each.
SHOWN_FAILURES: Final = 20
SHOWN_LINES: Final = 10
_LONGEST_LINE: Final = 300

_ACTION_COLOURS: Final = {Action.REUSE: "green", Action.RUN: "cyan", Action.SKIP: "yellow", Action.BLOCKED: "yellow"}


class Why(NamedTuple):
    """The line of a log that most likely says why its task failed."""

    text: str
    #: Its number in the log, from 1; None where that would take too long to count.
    line: int | None


class Failure(NamedTuple):
    """A task or a gate that failed: what is told of it."""

    task: str
    reason: str
    #: The line that says why, where there is one.
    why: Why | None
    #: The last lines of its log, cleaned.
    lines: list[str]
    #: The path of its log, or "" where that goes with the build.
    log: str


def resume_command(result: BuildResult, folder: str | None = None) -> str | None:
    """Return the exact command that goes on with a run, or None where there is nothing to go on with.

    `folder` is where it is to be typed, if that is not where the shell stands.
    """
    if not result.resumable or result.status not in (RunStatus.PAUSED, RunStatus.FAILED):
        return None
    there = f"cd {shlex.quote(folder)} && " if folder is not None else ""
    return f"{there}{output.program()} build {shlex.join(['--resume', result.run_id, *result.resume_options])}"


def failures(result: BuildResult, info: BuildInfo) -> tuple[list[Failure], int]:
    """Return the failed tasks that are shown, and how many more there are."""
    failed = result.state.failed_for_good()
    shown = [
        Failure(
            task=task_id,
            reason=result.state.task(task_id).reason or "failed",
            why=why_failed(info, task_id),
            lines=log_end(info, task_id, SHOWN_LINES),
            log=str(info.recorder.log_path(task_id)) if info.path else "",
        )
        for task_id in failed[:SHOWN_FAILURES]
    ]
    return shown, len(failed) - len(shown)


def why_failed(info: BuildInfo, task_id: str) -> Why | None:
    """Return the line of a task's log that most likely says why it failed, free of escapes; None where none does."""
    path = info.recorder.log_path(task_id)
    found = find_cause(lambda window: readable(read_log_file(path, window)).split("\n"))
    if found is None or found[0].last:
        return None
    cause, window = found
    before = lines_before_end(path, window)
    return Why(cause.text[:_LONGEST_LINE], before + cause.at + 1 if before >= 0 else None)


def log_end(info: BuildInfo, task_id: str, count: int) -> list[str]:
    """Return the last lines of a task's log, free of escapes, progress lines as they look in the end."""
    lines = readable(read_log_file(info.recorder.log_path(task_id), 16 << 10)).split("\n")
    return [line[:_LONGEST_LINE] for line in lines if line.strip()][-count:]


def summary(result: BuildResult, info: BuildInfo, folder: str | None = None) -> list[str]:
    """Return the closing words of a build: failed tasks with their last lines, counts, time, logs, and the way on."""
    on = output.colour_on()
    lines: list[str] = []
    shown, more = failures(result, info)
    for failure in shown:
        lines.append(
            f"{output.style('FAILED', 'red', bold=True, on=on)} {failure.task}: {output.plain(failure.reason)}"
        )
        lines += _told(failure, on)
        if failure.log:
            lines.append(f"  log: {output.plain(failure.log)}")
    if more > 0:
        lines.append(f"… and {more} more failed tasks")
    return lines + way_on(result, info, folder)


def _told(failure: Failure, on: bool) -> list[str]:
    """Return the last lines of a task's log; the one that says why is bold among them, or stands before them."""
    why, lines = failure.why, []
    if why is not None and why.text not in (line.strip() for line in failure.lines):
        where = f"  (line {why.line:,})" if why.line is not None else ""
        lines.append(f"  {output.style('>', 'red', on=on)} {output.disarmed(why.text)}{where}")
    for line in failure.lines:
        bold = why is not None and line.strip() == why.text
        lines.append(f"  {output.style('|', dim=True, on=on)} {output.style(output.disarmed(line), bold=bold, on=on)}")
    return lines


def way_on(result: BuildResult, info: BuildInfo, folder: str | None = None) -> list[str]:
    """Return the counts, the time, where the logs are, and the command that goes on."""
    state = result.state
    on = output.colour_on()
    word = output.style(result.status.value, output.STATE_COLOURS.get(result.status.value), bold=True, on=on)
    why = f" by {result.reason}" if result.reason.startswith("SIG") else ""
    others = [
        f"{state.count(status)} {status.value}"
        for status in (TaskStatus.FAILED, TaskStatus.SKIPPED, TaskStatus.PENDING)
        if state.count(status)
    ]
    if (waiting := state.count(TaskStatus.PENDING)) and (held := len(blocked(state, info.graph))):
        others[-1] += " (blocked)" if held == waiting else f" ({held} blocked)"
    gates = sum(gate.status is TaskStatus.FAILED for gate in state.gates.values())
    others += [f"{quantity.plural(gates, 'gate')} failed"] if gates else []
    done = f"{state.count(TaskStatus.COMPLETED)} of {quantity.plural(state.total, 'task')}"
    counts = ", ".join([done if result.status is RunStatus.COMPLETED else f"{done} completed", *others])
    lines = [f"{word}{why}: {counts}, in {_times(state)}  ({result.run_id})"]
    if info.path is not None:
        lines.append(f"logs: {output.plain(str(Path(info.path, 'outputs')))}")
    if result.status is RunStatus.FAILED and state.count(TaskStatus.PENDING) and not info.keep_going:
        lines.append("after a failure nothing new starts; with --keep-going, what does not need it does")
    command = resume_command(result, folder)
    if command is not None:
        lines.append(f"resume with: {output.style(command, bold=True, on=on)}")
    if result.resumable and state.count(TaskStatus.SKIPPED):
        again = f"{output.program()} build --resume {result.run_id} --from-task TASK"
        lines.append(f"skipped tasks stay skipped; to run TASK, and what depends on it: {again}")
    return lines


def _times(state: RunState) -> str:
    """Return how long the last session took, and all of them where there were more."""
    last = state.sessions[-1] if state.sessions else None
    if last is None or last.ended_at is None:
        return duration.humanise(state.elapsed_ms)
    took = duration.humanise(max(0, last.ended_at - last.started_at))
    return took if len(state.sessions) == 1 else f"{took} ({duration.humanise(state.elapsed_ms)} in all)"


def plan_table(plan: Plan, resume: ResumePlan | None) -> list[str]:
    """Return the answer to `--dry-run` as a table."""
    if resume is None:
        rows = [(Action.RUN.value, task.id, "-", "not done yet") for task in plan.tasks]
        counts = f"{len(rows)} run"
    else:
        rows = [
            (
                d.action.value,
                d.task,
                duration.humanise(d.expected_ms) if d.expected_ms is not None else "-",
                d.reason,
            )
            for d in (*resume.grouped(), *resume.gates)
        ]
        counts = ", ".join(f"{resume.count(action)} {action.value}" for action in Action if resume.count(action))
    on = output.colour_on()
    head, *lines = output.table(rows, ("ACTION", "TASK", "LAST", "REASON"), right=(2,))
    shown = [output.style(head, bold=True, on=on)]
    for line, row in zip(lines, rows, strict=True):
        shown.append(output.style(row[0], _ACTION_COLOURS[Action(row[0])], on=on) + line[len(row[0]) :])
    if resume is not None and resume.changes:
        shown += ["", "the plan has changed:", *(f"  {output.plain(line)}" for line in resume.changes.lines()[:50])]
    if resume is not None:
        running = sum(gate.action is Action.RUN for gate in resume.gates)
        counts += f", then {quantity.plural(running, 'gate')}" if running else ""
        counts += _saving(resume)
        if resume.count(Action.SKIP):
            shown += ["", "skipped tasks stay skipped: --from-task TASK runs one, and what depends on it"]
        if resume.keep_going:
            shown += ["", "after a failure, what does not need it still runs; --no-keep-going: nothing new starts then"]
    return [*shown, "", f"{counts}; nothing was written"]


def _saving(resume: ResumePlan) -> str:
    saved = sum(d.expected_ms or 0 for d in resume.decisions if d.action is Action.REUSE)
    return f"; reuse saves {duration.humanise(saved)} of work" if saved else ""
