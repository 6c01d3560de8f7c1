"""How `build` tells what happens: as lines, or in JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click

from specular_tui.cli import output
from specular_tui.cli.events import describe, event_line, is_failure, precise, spelled_out, stamp
from specular_tui.cli.options import can_ask
from specular_tui.cli.summary import failures, plan_table, resume_command, summary
from specular_tui.model import event as ev
from specular_tui.model import quantity
from specular_tui.model.blocked import blocked
from specular_tui.model.plan import Plan
from specular_tui.model.resume import Action, Decision, ResumePlan
from specular_tui.model.run import RunState, TaskStatus
from specular_tui.workspace.face import BuildInfo, BuildResult

#: The events that `build --format json` prints; what begins and ends the build has lines of its own.
_TOLD: Final = (
    ev.TaskStarted,
    ev.TaskEnded,
    ev.TaskSkipped,
    ev.TaskReset,
    ev.Frozen,
    ev.Thawed,
    ev.Draining,
    ev.Stopping,
)


class Reporter:
    """Tells of a build in plain lines; the ground for the other ways of telling."""

    #: Failures and the summary only.
    quiet = False

    def __init__(self, *, quiet: bool = False) -> None:
        """Print to stdout."""
        self.quiet = quiet
        self.titles: dict[str, str] = {}
        #: The folder of the build as it is to be typed, where that is not the folder in which the shell stands.
        self.typed_folder: str | None = None
        #: Where a JUnit report is to be written in the end.
        self.junit: Path | None = None
        #: Nothing will be run (`--dry-run`): what would be asked first is only told.
        self.asks = True
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
        """Ask on a terminal; None elsewhere. Where nothing is run, tell the question, and go on."""
        if not self.asks:
            self.warning(f"to be answered first, or given as --trust-plan: {question}", details)
            return True
        if not can_ask():
            return None
        for line in details:
            output.tell(f"  {line}")
        return click.confirm(output.plain(question), default=False, err=True)

    def planned(self, plan: Plan, resume: ResumePlan | None, run_id: str | None) -> None:
        """Show what a build would do."""
        for line in plan_table(plan, resume):
            output.emit(line)

    def starting(self, info: BuildInfo) -> None:
        """Say which run it is."""
        self.titles = {task.id: task.title for task in info.plan.tasks if task.title}
        if self.quiet:
            return
        self.line(self.opening(info))

    def opening(self, info: BuildInfo) -> str:
        """Return the first line: the run, and what is to be done."""
        at = stamp(info.recorder.state.updated_at)
        if info.resume is not None:
            counts = [f"{info.resume.count(action)} {action.value}" for action in Action if info.resume.count(action)]
            going = "; keeps going after a failure" if info.keep_going else ""
            return f"{at} RESUME {info.run_id} {', '.join(counts)}{going}"
        tasks = quantity.plural(len(info.plan.tasks), "task")
        return f"{at} BUILD {info.run_id} {output.plain(info.plan.name)}: {tasks}, {info.jobs} at once"

    def event(self, event: ev.AnyEvent, state: RunState) -> None:
        """Print an event's line, or one for each task that it decides on."""
        if self.quiet and not is_failure(event):
            return
        for each in spelled_out(event):
            fact = describe(each, state, self.titles)
            if fact is not None:
                word, task, what = fact
                self.line(f"{stamp(each.at)} {word} {task} {output.plain(what)}".rstrip())

    def stopping(self, state: RunState, reason: str, *, forced: bool) -> None:
        """Say that the build is being stopped."""
        running = len(state.running)
        tasks = f"{running} running {'task' if running == 1 else 'tasks'}"
        output.tell(f"{reason}: killing {tasks}" if forced else f"{reason}: ending {tasks}; once more kills them")

    def finished(self, result: BuildResult, info: BuildInfo) -> None:
        """Print the closing summary."""
        for line in summary(result, info, self.typed_folder):
            self.line(line)
        self.write_reports(result, info)

    def write_reports(self, result: BuildResult, info: BuildInfo) -> None:
        """Write what else is to be written of the result."""
        if self.junit is None:
            return
        from specular_tui.cli import junit

        try:
            junit.write(self.junit, result, info)
        except OSError as error:
            self.warning(f"the report cannot be written: {(error.strerror or str(error)).lower()}: {self.junit}")

    def line(self, text: str) -> None:
        """Print a line; a reader who has gone does not stop the build."""
        if self._gone:
            return
        try:
            output.emit(text)
            output.flush()
        except BrokenPipeError:
            self._gone = True
            output.silence_stdout()
        except output.UnwrittenError as error:
            self._gone = True
            output.silence_stdout()
            self.warning(f"{error.message}; the build goes on untold")


def _decided(decision: Decision) -> dict[str, Any]:
    return {
        "task": decision.task,
        "action": decision.action.value,
        "reason": decision.reason,
        "expected_ms": decision.expected_ms,
    }


class JsonReporter(Reporter):
    """Tells of a build in JSON, one object a line (docs/cli.md has the schema)."""

    def planned(self, plan: Plan, resume: ResumePlan | None, run_id: str | None) -> None:
        """Print what a build would do as one object."""
        tasks = (
            [{"task": t.id, "action": "run", "reason": "not done yet", "expected_ms": None} for t in plan.tasks]
            if resume is None
            else [_decided(decision) for decision in resume.decisions]
        )
        event = "resume_plan" if resume else "build_plan"
        gates = [_decided(gate) for gate in resume.gates] if resume is not None else []
        facts = {"event": event, "run_id": run_id, "tasks": tasks, "gates": gates}
        output.emit(output.as_json(facts | ({"keep_going": resume.keep_going} if resume is not None else {})))

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
            keep_going=info.keep_going,
            resumed=info.resume is not None,
            path=info.path,
        )

    def event(self, event: ev.AnyEvent, state: RunState) -> None:
        """Print an event as one object, or one for each task that it decides on."""
        if self.quiet and not is_failure(event):
            return
        for each in spelled_out(event):
            if isinstance(each, _TOLD):
                self.line(output.as_json(event_line(each, self._run_id, state)))

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
            blocked=len(blocked(state, info.graph)),
            failed=state.failed_for_good(),
            failures=[
                {
                    "task": failure.task,
                    "reason": failure.reason,
                    "line": failure.why.line if failure.why is not None else None,
                    "text": failure.why.text if failure.why is not None else None,
                }
                for failure in failures(result, info)[0]
            ],
            elapsed_ms=state.elapsed_ms,
            path=info.path,
            resume=resume_command(result),
        )
        self.write_reports(result, info)

    def _put(self, event: str, at: int, **fields: Any) -> None:
        self.line(output.as_json({"event": event, "time": precise(at), "run_id": self._run_id, **fields}))
