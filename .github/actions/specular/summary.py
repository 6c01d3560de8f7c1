"""Tells a job of GitHub Actions what came of a build: the outputs of the step, and its summary.

    summary.py CODE REPORT STARTED SPECULAR RUN

CODE is the exit code of the build, REPORT the JUnit report that it has written if it came to an end, STARTED a file as
old as its start, SPECULAR the command, and RUN the run that was to be resumed, if any.
"""

from __future__ import annotations

import html
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

_FAILURES: Final = 20
_LINES: Final = 10
_LONGEST: Final = 300
_RUN_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_STATES: Final = ("created", "in_progress", "paused", "completed", "failed", "retrying", "abandoned")
#: What an exit code without a run means.
_REASONS: Final = {
    1: "Something failed outside of the build.",
    2: "The command line, the plan, the policy or a setting is invalid. Nothing was run.",
    3: "The plan does what the policy forbids. Nothing was run.",
    4: "The checkpoint is damaged, or the plan has changed since. Nothing was run.",
    5: "Another process holds the run.",
}


@dataclass
class Failure:
    """A task or a gate that failed."""

    task: str
    reason: str
    lines: list[str]


@dataclass
class Outcome:
    """What came of a build, as far as that is known."""

    run_id: str = ""
    state: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    #: It has a checkpoint to go on with.
    stored: bool = False


def main(code: int, report: Path, started: float, specular: str, run: str) -> None:
    """Write the outputs and the summary."""
    outcome = read_report(report, code) if report.is_file() and report.stat().st_mtime >= started else Outcome()
    add_checkpoint(outcome, checkpoint(specular, outcome.run_id or run or "--last"), code, started, resumed=bool(run))
    counts = json.dumps(outcome.counts) if outcome.counts else ""
    append("GITHUB_OUTPUT", f"run-id={outcome.run_id}\nstate={outcome.state}\ncounts={counts}\n")
    append("GITHUB_STEP_SUMMARY", summary(outcome, code))


def read_report(report: Path, code: int) -> Outcome:
    """Return what the JUnit report says."""
    suite = ET.parse(report).getroot().find("testsuite")
    if suite is None or not _RUN_ID.fullmatch(suite.get("id", "")):
        return Outcome()
    outcome = Outcome(run_id=suite.get("id", ""))
    counts = dict.fromkeys(("total", "completed", "failed", "skipped", "pending"), 0)
    for case in suite.iter("testcase"):
        failure, skipped = case.find("failure"), case.find("skipped")
        if failure is not None:
            lines = (failure.text or "").split("\n")
            outcome.failures.append(Failure(case.get("name", ""), failure.get("message", ""), lines))
        if case.get("classname") == "task":
            counts["total"] += 1
            if failure is not None:
                counts["failed"] += 1
            elif skipped is None:
                counts["completed"] += 1
            else:
                counts["pending" if skipped.get("message") == "it has not run" else "skipped"] += 1
    outcome.counts = counts
    if code == 0:
        outcome.state = "paused" if counts["pending"] else "completed"
    else:
        outcome.state = "failed" if code == 1 else "paused"
    return outcome


def checkpoint(specular: str, run: str) -> dict[str, Any]:
    """Return what is stored of a run; nothing where there is none that can be read."""
    command = [specular, "checkpoint", "show", "--format=json"]
    command += [run] if run == "--last" else ["--", run]
    shown = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    try:
        found = json.loads(shown.stdout)
    except ValueError:
        return {}
    return found if isinstance(found, dict) and _RUN_ID.fullmatch(str(found.get("run_id"))) else {}


def add_checkpoint(outcome: Outcome, stored: dict[str, Any], code: int, started: float, *, resumed: bool) -> None:
    """Let a stored run say what it knows better, if it is the run of this build."""
    touched = stored.get("updated_at_ms", 0) >= int(started * 1000)
    if not stored or not (stored["run_id"] == outcome.run_id or touched or (resumed and code == 0)):
        return
    if outcome.run_id not in ("", stored["run_id"]):
        return
    state = stored["state"]
    counts = {name: len(state[name]) for name in ("completed", "failed", "skipped")}
    running = len(state["running"])
    rest = stored["total_tasks"] - sum(counts.values()) - running
    outcome.run_id = stored["run_id"]
    outcome.state = stored["status"] if stored["status"] in _STATES else outcome.state
    outcome.counts = {"total": stored["total_tasks"], **counts, "pending": rest}
    if running:
        outcome.counts["in_progress"] = running
    outcome.stored = True


def summary(outcome: Outcome, code: int) -> str:
    """Return the summary, in Markdown."""
    if not outcome.run_id:
        said = _REASONS.get(code, "It left no run behind.")
        return f"## Specular: exit code {code}\n\n{said} The log of the step says more.\n\n" if code else ""
    counts = outcome.counts
    others = [f"{counts[name]} {name}" for name in ("failed", "skipped", "pending") if counts.get(name)]
    done = ", ".join([f"{counts.get('completed', 0)} of {counts.get('total', 0)} tasks completed", *others])
    parts = [f"## Specular: {outcome.state}", f"`{outcome.run_id}`: {done}"]
    if outcome.failures:
        parts.append(table(outcome.failures))
    if outcome.state != "completed":
        parts.append(way_on(outcome))
    return "\n\n".join(parts) + "\n\n"


def table(failures: list[Failure]) -> str:
    """Return the failed tasks as a table.

    In HTML and without an empty line, so that nothing of what a task has printed is read as Markdown.
    """
    rows = ["<table>", "<tr><th>Failed</th><th>Why</th><th>Last lines</th></tr>"]
    for failure in failures[:_FAILURES]:
        lines = [line for line in map(text, failure.lines) if line.strip()][-_LINES:]
        shown = "<pre>" + "\n".join(lines) + "</pre>" if lines else ""
        cells = (f"<code>{text(failure.task)}</code>", text(failure.reason), shown)
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    more = len(failures) - _FAILURES
    if more > 0:
        rows.append(f"<tr><td colspan=3>… and {more} more</td></tr>")
    return "\n".join([*rows, "</table>"])


def way_on(outcome: Outcome) -> str:
    """Say how the run is resumed."""
    if not outcome.stored:
        return "There is no checkpoint of it to go on with."
    return (
        "To go on with it, bring its checkpoint directory back. Then, in a workflow:\n\n"
        f"```yaml\nwith:\n  resume: true\n  run-id: {outcome.run_id}\n```\n\n"
        f"or in a shell:\n\n```sh\nspecular build --resume {outcome.run_id}\n```"
    )


def text(foreign: str) -> str:
    """Return text of others as one line of HTML, cut where it is too long."""
    return html.escape("".join(char if char.isprintable() else " " for char in foreign[:_LONGEST]))


def append(variable: str, what: str) -> None:
    """Append to a file that the job names, if it does."""
    path = os.environ.get(variable)
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(what)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]).stat().st_mtime, sys.argv[4], sys.argv[5])
