"""The result of a build as a JUnit report, which most CI systems read."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from specular_tui.cli.summary import log_end, why_failed
from specular_tui.errors import UsageError
from specular_tui.model.run import RunState, TaskState, TaskStatus
from specular_tui.workspace.face import BuildInfo, BuildResult

#: What XML 1.0 cannot hold.
_IMPOSSIBLE: Final = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def prove(path: Path) -> None:
    """See before a build that its report can be written to `path`, as far as that can be seen.

    Raises:
        UsageError: it cannot.
    """
    above = next(part for part in path.parents if os.path.exists(part))
    if os.path.isdir(path):
        problem = "is a folder"
    elif not os.path.isdir(above):
        problem = f"cannot be written: {above} is no folder"
    elif not os.access(path if os.path.exists(path) else above, os.W_OK):
        problem = "cannot be written: permission denied"
    else:
        return
    raise UsageError(f"the report {path} {problem}", hint="name another file: --junit FILE")


def write(path: Path, result: BuildResult, info: BuildInfo) -> None:
    """Write the report of a build to `path`, a file in one step, and anything else (`/dev/stdout`) as it is.

    Raises:
        OSError: it cannot be written.
    """
    text = render(result, info)
    if os.path.exists(path) and not os.path.isfile(path):
        path.write_text(text, encoding="utf-8")
        return
    path = path.resolve()  # a link stays, and what it leads to is written
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(path)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def render(result: BuildResult, info: BuildInfo) -> str:
    """Return the report: a test case for each task and each gate."""
    state = result.state
    cases = [_case(i, "task", task, state, info) for i, task in state.tasks.items()]
    cases += [_case(i, "gate", gate, state, info) for i, gate in state.gates.items()]
    failed = len(state.failed_for_good())
    skipped = len(cases) - failed - sum(_is_done(t) for t in (*state.tasks.values(), *state.gates.values()))
    head = (
        f'tests="{len(cases)}" failures="{failed}" errors="0" skipped="{skipped}" time="{state.elapsed_ms / 1000:.3f}"'
    )
    name = _attribute(info.plan.name)
    suite = f"  <testsuite name={name} id={_attribute(info.run_id)} {head}>"
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites name={name} {head}>", suite]
    return "\n".join([*lines, *cases, "  </testsuite>", "</testsuites>", ""])


def _is_done(task: TaskState) -> bool:
    return task.status is TaskStatus.COMPLETED or (task.status is TaskStatus.FAILED and task.allowed)


def _case(task_id: str, kind: str, task: TaskState, state: RunState, info: BuildInfo) -> str:
    head = f'    <testcase classname="{kind}" name={_attribute(task_id)} time="{(task.duration_ms or 0) / 1000:.3f}"'
    if task.status is TaskStatus.FAILED and not task.allowed:
        why = why_failed(info, task_id)
        reason = _attribute((task.reason or "failed") + (f": {why.text}" if why is not None else ""))
        log = _text("\n".join(log_end(info, task_id, 50)))
        return f"{head}>\n      <failure message={reason}>{log}</failure>\n    </testcase>"
    if _is_done(task):
        return f"{head}/>"
    reason = _attribute(task.reason or "it has not run")
    return f"{head}>\n      <skipped message={reason}/>\n    </testcase>"


def _attribute(text: str) -> str:
    return quoteattr(_IMPOSSIBLE.sub("\ufffd", text))


def _text(text: str) -> str:
    return escape(_IMPOSSIBLE.sub("\ufffd", text))
