"""How tasks are said: pure functions from the state of a task to text in segments."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from specular_tui.model.duration import humanise
from specular_tui.model.graph import Graph
from specular_tui.model.run import RunState, TaskState, TaskStatus
from specular_tui.tui import glyphs
from specular_tui.tui.present import Line, Segment
from specular_tui.tui.views import RunView
from specular_tui.tui.widgets.task.cells import KINDS, SHAPES, ended, running_time

#: Gates wait for no other state of a task.
_SETTLED: Final = (TaskStatus.COMPLETED, TaskStatus.SKIPPED)
_TASK_ROLES: Final = {"completed": "done"}


def task_shape(status: TaskStatus) -> Segment:
    """Return the shape of a task's state, as the table has it, and its role."""
    kind = KINDS[status]
    return SHAPES[kind], _TASK_ROLES.get(kind, kind)


def outcome(task: TaskState) -> str:
    """Return how the latest attempt of a task ended: `exit 2`, `SIGKILL`, `timed out after 3.0s`."""
    return ended(task.exit_code, task.signal, task.attempt_reason or task.reason)


def attempts(task: TaskState) -> list[int]:
    """Return the attempts of a task that there may be logs of, oldest first."""
    return [*(earlier.attempt for earlier in task.earlier), *([task.attempt] if task.attempt else [])]


def failure(view: RunView, task_id: str) -> Line:
    """Return the pinned line of a failed task: how it ended, and the line of its log that says why."""
    task = view.state.tasks.get(task_id) or view.state.gates.get(task_id)
    if task is None or task.status is not TaskStatus.FAILED:
        return []
    cause = view.causes.get(task_id)
    said = cause.text if cause is not None else ""
    line: Line = [(f"{glyphs.FAILED} ", "failed"), (task_id, "failed-strong"), (" failed", "failed")]
    if (how := outcome(task)) and how not in said:
        line.append((f" ({how})", "muted"))
    if cause is not None and cause.last:
        line.append((f", last line: {said}", "muted"))
    elif said:
        line += [(": ", "muted"), (said, "plain")]
    return line


def blocked_by(task_id: str, state: RunState, graph: Graph, blocked: Collection[str]) -> str | None:
    """Return the failed task that a blocked one waits for in the end."""
    at: str | None = task_id
    while at is not None:
        needs = graph.needs.get(at, ())
        failed = next((i for i in needs if i in state.tasks and state.tasks[i].status is TaskStatus.FAILED), None)
        if failed is not None:
            return failed
        at = next((need for need in needs if need in blocked), None)
    return None


def waits_for(task_id: str, state: RunState, graph: Graph | None, blocked: Collection[str] = ()) -> list[Line]:
    """Return what stands in place of a log that is not there yet; `blocked` are tasks that a failed one holds up."""
    task = state.tasks.get(task_id) or state.gates.get(task_id)
    if task is None:
        return [[("no such task", "muted")]]
    if task.status is TaskStatus.SKIPPED:
        return [[("skipped", "skipped"), (f": {task.reason}" if task.reason else "", "muted")]]
    if task.status is not TaskStatus.PENDING:
        return [[("it has printed nothing yet" if task.status is TaskStatus.IN_PROGRESS else "no output", "muted")]]
    if task_id in state.gates and any(each.status not in _SETTLED for each in state.tasks.values()):
        return [[("runs after the last task", "muted")]]
    needs = graph.needs.get(task_id, ()) if graph else ()
    open_needs = [need for need in needs if state.tasks[need].status is not TaskStatus.COMPLETED]
    if not open_needs:
        if state.frozen_since is not None:
            return [[("ready; starts when the build goes on", "muted")]]
        waiting = "ready; waits for a free job slot" if state.session else "ready; starts when the build is resumed"
        return [[(waiting, "muted")]]
    lines: list[Line] = []
    if graph and task_id in blocked and (failed := blocked_by(task_id, state, graph, blocked)) is not None:
        lines += [[(f"{glyphs.BLOCKED} blocked", "paused"), (f" until {failed} completes, or is skipped", "muted")], []]
    lines.append([("waits for", "muted")])
    for need in open_needs[:20]:
        shape, role = (glyphs.BLOCKED, "paused") if need in blocked else task_shape(state.tasks[need].status)
        lines.append([(f"  {shape} ", role), (need, "plain")])
    if len(open_needs) > 20:
        lines.append([(f"  and {len(open_needs) - 20:,} more", "muted")])
    return lines


def log_title(task_id: str, view: RunView, now: int, attempt: int | None = None) -> Line:
    """Return what stands above a log: the task, how it stands, and for how long; of its latest attempt for None."""
    state = view.state
    task = state.tasks.get(task_id) or state.gates.get(task_id)
    line: Line = [(task_id, "strong")]
    if task is None:
        return line
    tried = attempts(task)
    which = f"  attempt {attempt or task.attempt} of {tried[-1]}" if len(tried) > 1 else ""
    past = next((each for each in task.earlier if each.attempt == attempt), None)
    if past is not None:
        known = {"completed": (glyphs.DONE, "done"), "failed": (glyphs.FAILED, "failed")}
        shape, role = known.get(past.outcome, (glyphs.PENDING, "pending"))
        how = ended(past.exit_code, past.signal, past.reason)
        line.append((f"  {shape} {past.outcome}", role))
        if past.outcome == "failed" and how:
            line.append((f" ({how})", "muted"))
        return [*line, (which, "muted"), (f"  {humanise(past.duration_ms)}", "muted")]
    shape, role = task_shape(task.status)
    word = {TaskStatus.IN_PROGRESS: "running"}.get(task.status, str(task.status))
    if task.status is TaskStatus.IN_PROGRESS and state.frozen_since is not None:
        shape, role, word = SHAPES["frozen"], "paused", "frozen"
    elif task.status is TaskStatus.PENDING and task_id in view.blocked:
        shape, role, word = glyphs.BLOCKED, "paused", "blocked"
    line.append((f"  {shape} {word}", role))
    if task.status is TaskStatus.FAILED and (how := outcome(task)):
        line.append((f" ({how})", "muted"))
    if task.status is TaskStatus.SKIPPED and task.reason and task.attempt:
        line.append((f" ({task.reason})", "muted"))
    if which:
        line.append((which, "muted"))
    elapsed = state.task_elapsed_until(task, now)
    if elapsed is not None and task.status is TaskStatus.IN_PROGRESS:
        line.append((f"  {running_time(elapsed)}", "muted"))
    elif elapsed is not None and task.status is not TaskStatus.PENDING:
        line.append((f"  {humanise(elapsed)}", "muted"))
    return line
