"""How `build` tells what happens: lines or JSON as it goes, and the closing summary."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from specular_tui.cli import output
from specular_tui.model import duration
from specular_tui.model import event as ev
from specular_tui.model.plan import Plan
from specular_tui.model.resume import Action, ResumePlan
from specular_tui.model.run import RunState, RunStatus, TaskState, TaskStatus
from specular_tui.store import layout
from specular_tui.store.folder import Folder
from specular_tui.workspace import end_of
from specular_tui.workspace.face import BuildInfo, BuildResult

#: The summary shows so many failed tasks with their last lines, and so many lines of each.
SHOWN_FAILURES: Final = 20
SHOWN_LINES: Final = 10

Fact = tuple[str, str, str]


def stamp(at: int) -> str:
    """Return milliseconds since the epoch as `2024-01-15T10:30:47Z`."""
    return datetime.fromtimestamp(at / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def describe(event: ev.AnyEvent, state: RunState, titles: dict[str, str]) -> Fact | None:
    """Return (word, task, what) of an event that a person wants to see, or None."""

    def named(task: str, more: str = "") -> str:
        title = titles.get(task, "")
        return " ".join(part for part in (title if title != task else "", more) if part)

    match event:
        case ev.TaskStarted(task=task, attempt=attempt):
            return "START", task, named(task, f"(attempt {attempt})" if attempt > 1 else "")
        case ev.TaskEnded(task=task, outcome="completed"):
            return "DONE", task, named(task, f"({duration.humanise(event.duration_ms)})")
        case ev.TaskEnded(task=task, outcome="failed"):
            word = "RETRY" if event.will_retry else "FAIL"
            more = f"{event.reason} ({duration.humanise(event.duration_ms)})"
            return word, task, named(task, more + (", allowed to fail" if event.allowed else ""))
        case ev.TaskEnded(task=task):
            return "STOP", task, named(task, event.reason or "")
        case ev.TaskSkipped(task=task, reason=reason):
            return "SKIP", task, named(task, f"({reason})")
        case ev.TaskReset(task=task, reason=reason):
            return "RESET", task, named(task, f"({reason})")
        case ev.Frozen():
            return "PAUSE", "-", "running tasks stand still"
        case ev.Thawed():
            return "RESUME", "-", f"after {duration.humanise(event.frozen_ms)}"
        case ev.Draining(on=on):
            return "DRAIN", "-", "nothing new starts" if on else "over"
        case _:
            return None


class Reporter:
    """Tells of a build in plain lines; the ground for the other ways of telling."""

    #: Failures and the summary only.
    quiet = False

    def __init__(self, *, quiet: bool = False) -> None:
        """Print to stdout."""
        self.quiet = quiet
        self.titles: dict[str, str] = {}
        self._gone = False

    # What a build tells its face --------------------------------------------------------------------------------

    def notice(self, text: str) -> None:
        """Something worth knowing."""
        if not self.quiet:
            output.tell(text)

    def warning(self, text: str, details: Sequence[str] = ()) -> None:
        """Something that may not be what was meant."""
        output.tell(f"Warning: {text}")
        for line in details[:20]:
            output.tell(f"  {line}")
        if len(details) > 20:
            output.tell(f"  … and {len(details) - 20} more")

    def confirm(self, question: str, details: Sequence[str]) -> bool | None:
        """Ask on a terminal; None elsewhere."""
        if not (sys.stdin.isatty() and sys.stderr.isatty()):
            return None
        for line in details:
            output.tell(f"  {line}")
        return click.confirm(output.plain(question), default=False, err=True)

    def planned(self, plan: Plan, resume: ResumePlan | None, run_id: str | None) -> None:
        """Show what a build would do."""
        for line in plan_table(plan, resume):
            self.line(line)

    def starting(self, info: BuildInfo) -> None:
        """Say which run it is."""
        self.titles = {task.id: task.title for task in info.plan.tasks}
        for session in info.recorder.state.gates:
            self.titles.setdefault(session, "")
        if self.quiet:
            return
        if info.resume is not None:
            counts = [f"{info.resume.count(action)} {action.value}" for action in Action if info.resume.count(action)]
            self.line(f"{stamp(info.recorder.state.updated_at)} RESUME {info.run_id} {', '.join(counts)}")
        else:
            self.line(
                f"{stamp(info.recorder.state.updated_at)} BUILD {info.run_id} {output.plain(info.plan.name)}: "
                f"{len(info.plan.tasks)} tasks, {info.jobs} at once"
            )

    def event(self, event: ev.AnyEvent, state: RunState) -> None:
        """Print an event's line."""
        fact = describe(event, state, self.titles)
        if fact is None or (self.quiet and fact[0] != "FAIL"):
            return
        word, task, what = fact
        self.line(f"{stamp(event.at)} {word} {task} {output.plain(what)}".rstrip())

    def stopping(self, state: RunState, reason: str, *, forced: bool) -> None:
        """Say that the build is being stopped."""
        running = len(state.running)
        tasks = f"{running} running {'task' if running == 1 else 'tasks'}"
        output.tell(f"{reason}: killing {tasks}" if forced else f"{reason}: ending {tasks}; once more kills them")

    def finished(self, result: BuildResult, info: BuildInfo) -> None:
        """Print the closing summary."""
        for line in summary(result, info):
            self.line(line)

    def line(self, text: str) -> None:
        """Print a line; a reader who has gone does not stop the build."""
        if self._gone:
            return
        try:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
        except OSError:
            self._gone = True
            output.silence_stdout()
        except UnicodeEncodeError:
            sys.stdout.write(text.encode("ascii", "replace").decode() + "\n")


class JsonReporter(Reporter):
    """Tells of a build in JSON, one object a line (docs/cli.md has the schema)."""

    def planned(self, plan: Plan, resume: ResumePlan | None, run_id: str | None) -> None:
        """Print what a build would do as one object."""
        tasks = (
            [{"task": t.id, "action": "run", "reason": "not done yet", "expected_ms": None} for t in plan.tasks]
            if resume is None
            else [
                {"task": d.task, "action": d.action.value, "reason": d.reason, "expected_ms": d.expected_ms}
                for d in resume.decisions
            ]
        )
        self.line(json.dumps({"event": "resume_plan" if resume else "build_plan", "run_id": run_id, "tasks": tasks}))

    def starting(self, info: BuildInfo) -> None:
        """Print which run it is."""
        state = info.recorder.state
        self._run_id = info.run_id
        self._put(
            "build_started",
            state.updated_at,
            plan=info.plan.name,
            total_tasks=state.total,
            jobs=info.jobs,
            resumed=info.resume is not None,
            path=info.path,
        )

    def event(self, event: ev.AnyEvent, state: RunState) -> None:
        """Print an event as one object."""
        if isinstance(event, ev.RunCreated | ev.SessionStarted | ev.SessionEnded | ev.ContextSet | ev.Folded):
            return
        failed = isinstance(event, ev.TaskEnded) and event.outcome == "failed" and not event.will_retry
        if self.quiet and not failed:
            return
        self._put(**event_fields(event, state))

    def finished(self, result: BuildResult, info: BuildInfo) -> None:
        """Print the closing summary as one object."""
        state = result.state
        self._put(
            "build_ended",
            state.updated_at,
            status=result.status.value,
            reason=result.reason or None,
            exit_code=int(result.exit_code),
            counts={status.value: state.count(status) for status in TaskStatus},
            failed=state.failed_for_good(),
            elapsed_ms=state.elapsed_ms,
            resume=resume_command(result),
        )

    def _put(self, event: str, at: int, **fields: Any) -> None:
        self.line(json.dumps({"event": event, "time": precise(at), "run_id": self._run_id, **fields}))


def precise(at: int) -> str:
    """Return milliseconds since the epoch as `2024-01-15T10:30:47.123Z`."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event_fields(event: ev.AnyEvent, state: RunState) -> dict[str, Any]:
    """Return what the JSON line of an event says: `event`, `at`, and its own fields."""
    fields: dict[str, Any] = {"event": "", "at": event.at}
    match event:
        case ev.TaskStarted():
            fields |= {"event": "task_started", "task": event.task, "attempt": event.attempt, "pid": event.pid}
        case ev.TaskEnded():
            fields |= {
                "event": "task_ended",
                "task": event.task,
                "attempt": event.attempt,
                "outcome": event.outcome,
                "status": state.task(event.task).status.value,
                "exit_code": event.exit_code,
                "signal": event.signal,
                "reason": event.reason,
                "duration_ms": event.duration_ms,
                "will_retry": event.will_retry,
            }
        case ev.TaskSkipped() | ev.TaskReset():
            word = "task_skipped" if isinstance(event, ev.TaskSkipped) else "task_reset"
            fields |= {"event": word, "task": event.task, "reason": event.reason}
        case ev.Frozen():
            fields |= {"event": "paused"}
        case ev.Thawed():
            fields |= {"event": "unpaused", "frozen_ms": event.frozen_ms}
        case ev.Draining():
            fields |= {"event": "draining", "on": event.on}
        case ev.SessionStarted():
            fields |= {"event": "session_started", "jobs": event.jobs, "status": event.status}
        case ev.SessionEnded():
            fields |= {"event": "session_ended", "status": event.status, "reason": event.reason or None}
        case ev.RunCreated():
            fields |= {"event": "run_created", "plan": event.plan_name, "total_tasks": len(event.tasks)}
        case ev.RunAbandoned():
            fields |= {"event": "run_abandoned", "reason": event.reason}
        case ev.ContextSet():
            fields |= {"event": "context_set", "values": event.values}
        case ev.Folded():
            fields |= {"event": "state", "status": state.status.value, "counts": dict(state.counts)}
    return fields


# The closing summary --------------------------------------------------------------------------------------------


def resume_command(result: BuildResult) -> str | None:
    """Return the exact command that goes on with a run, or None where there is nothing to go on with."""
    if not result.resumable or result.status not in (RunStatus.PAUSED, RunStatus.FAILED):
        return None
    return f"specular build --resume {result.run_id}"


def summary(result: BuildResult, info: BuildInfo) -> list[str]:
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
    command = resume_command(result)
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
    from specular_tui.cli.text import readable

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


def is_github() -> bool:
    """Tell whether this runs in a GitHub Actions job."""
    return os.environ.get("GITHUB_ACTIONS") == "true"
