"""What the side pane of the list says of a run: pure functions from its state to text in segments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from specular_tui.model.drift import Drift, Since
from specular_tui.model.duration import humanise
from specular_tui.model.quantity import plural, size
from specular_tui.model.run import RunState, TaskState, TaskStatus
from specular_tui.tui import glyphs, present_task
from specular_tui.tui.clock import Clock
from specular_tui.tui.present import Line, Segment, counts, reason, row_badge, run_badge, way_on
from specular_tui.tui.present_task import outcome
from specular_tui.tui.views import RunRow
from specular_tui.tui.widgets.task.cells import running_time

#: So many lines of one kind are listed; the rest is counted.
_MOST: Final = 12
_FEW: Final = 5
#: Why a session ended that its badge says already.
_IMPLIED: Final = ("a task failed", "a gate failed")
_SINCE: Final = {
    Since.SAME: ("as it is now", "muted"),
    Since.CHANGED: ("has changed since", "paused"),
    Since.GONE: ("is not here any more", "paused"),
    Since.UNKNOWN: ("cannot be compared with what is here now", "paused"),
    Since.NONE: ("none, then and now", "muted"),
    Since.ADDED: ("none then; there is one now", "paused"),
}


def details(
    row: RunRow,
    state: RunState | None,
    problem: str,
    clock: Clock,
    checked: Line | None = None,
    drift: Drift | None = None,
) -> list[Line]:
    """Return what there is to know of a run; `state` is None until (or where) it has not been read.

    `checked` is what a check of it has found, if there was one; `drift` how it differs from what is in the folder now.
    """
    badge, role = row_badge(row)
    lines: list[Line] = [[(row.run_id, "strong")], [(badge, role)], []]
    if row.pinned:
        lines[0].append((f"  {glyphs.PINNED} pinned", "paused"))
    if row.live:
        lines[1].append(("  a process works on it", "muted"))
    elif row.interrupted:
        lines[1].append((f"  {reason('interrupted')}", "muted"))
    elif state is not None and state.reason and not row.damage:
        lines[1].append((f"  {reason(state.reason)}", "muted"))
    if checked:
        lines[2:2] = [_fact("checked", *checked)]
    if row.damage or problem:
        lines += [[(row.damage or problem, "failed")], []]
        lines += way_on("what is left", f"specular checkpoint validate {row.run_id}")
        return lines + way_on("remove it", f"specular checkpoint delete {row.run_id}")
    if state is None:
        return [*lines, [(f"reading {glyphs.ELLIPSIS}", "muted")]]
    if row.flaw and not row.live:
        lines += [[(row.flaw, "failed")], []]
        lines += way_on("all that is wrong", f"specular checkpoint validate {row.run_id}")
    lines += _facts(row, state, clock, drift)
    for part in (_drift(drift), _sessions(state, clock), _failures(state), _attempts(state), _longest(state)):
        lines += part
    lines += _outputs(state)
    return lines + _ways_on(row)


def _ways_on(row: RunRow) -> list[Line]:
    lines = way_on("all of this", f"specular checkpoint show {row.run_id}")
    if row.resumable:
        lines += way_on("go on with it", f"specular build --resume {row.run_id}")
        if row.failed:
            lines += way_on("only the failed", f"specular build --resume {row.run_id} --retry-failed")
    elif row.live:
        lines += way_on("stop it", f"specular stop {row.run_id}")
    return lines


def _fact(name: str, *segments: Segment) -> Line:
    return [(f"{name:<9}", "muted"), *segments]


def _digest(text: str | None) -> str:
    """Return the start of a digest, enough to tell two apart by eye."""
    kind, colon, value = (text or "").partition(":")
    return f"{kind}{colon}{value[:6]}{glyphs.ELLIPSIS}" if len(value) > 12 else text or ""


def _facts(row: RunRow, state: RunState, clock: Clock, drift: Drift | None) -> list[Line]:
    lines = [
        _fact("tasks", *counts(state)),
        _fact("builds", (state.plan_name, "plain")),
        _fact("plan", (state.plan_file or "none", "plain"), (f"  {_digest(state.plan_hash)}", "faint")),
    ]
    if drift is not None:
        lines.append(_fact("", _SINCE[drift.plan]))
    if state.policy_file:
        lines.append(_fact("policy", (state.policy_file, "plain"), (f"  {_digest(state.policy_hash)}", "faint")))
    if drift is not None and (state.policy_file or drift.policy is Since.ADDED):
        lines.append(_fact("" if state.policy_file else "policy", _SINCE[drift.policy]))
    lines.append(_fact("host", (state.host or "unknown", "plain")))
    if state.imported:
        lines.append(_fact("origin", ("imported from elsewhere", "paused")))
    lines.append(_fact("created", (clock.time(state.created_at), "plain")))
    now = clock.now() if row.live else state.updated_at
    said = running_time if row.live else humanise
    elapsed = state.elapsed_until(now)
    took: Line = [(said(elapsed), "plain")] if elapsed else [("no time yet", "muted")]
    if (frozen := state.frozen_until(now)) >= 1000:
        took.append((f"  and {said(frozen)} frozen", "muted"))
    lines.append(_fact("took", *took))
    if row.size is not None:
        lines.append(_fact("on disk", (size(row.size), "plain")))
    return [*lines, []]


def _drift(drift: Drift | None) -> list[Line]:
    if drift is None:
        return []
    found = [*drift.plan_changes.lines(), *(f"policy: {line}" for line in drift.policy_changes)]
    if drift.problem:
        found.append(drift.problem)
    if not found:
        return []
    return _listed("changed since", ([("  ", "plain"), (line, "plain")] for line in found), len(found), _MOST)


def _listed(title: str, lines: Iterable[Line], count: int, most: int) -> list[Line]:
    """Return a title, the first lines under it, and how many more there are."""
    shown = [line for line, _ in zip(lines, range(most), strict=False)]
    if count > len(shown):
        shown.append([(f"  and {count - len(shown):,} more", "muted")])
    return [[(title, "muted")], *shown, []]


def _sessions(state: RunState, clock: Clock) -> list[Line]:
    if not state.sessions:
        return []
    lines: list[Line] = [[(plural(len(state.sessions), "session"), "muted")]]
    for session in state.sessions[-6:]:
        line: Line = [("  ", "plain"), (clock.time(session.started_at), "plain")]
        if session.ended_at is None:
            line.append(("  still going", "running"))
        else:
            badge, role = run_badge(session.status, live=False)
            line.append((f"  {humanise(max(0, session.ended_at - session.started_at)):<6}", "muted"))
            line.append((f" {badge}", role))
        if session.reason and session.reason not in _IMPLIED:
            line.append((f"  {reason(session.reason)}", "muted"))
        lines.append(line)
    return [*lines, []]


def _failures(state: RunState) -> list[Line]:
    failed = state.failed_for_good()
    if not failed:
        return []
    return _listed(
        plural(len(failed), "task") + " failed", (_failure(i, state.task(i)) for i in failed), len(failed), _MOST
    )


def _failure(task_id: str, task: TaskState) -> Line:
    line: Line = [(f"  {glyphs.FAILED} ", "failed"), (task_id, "plain")]
    if how := outcome(task):
        line.append((f"  {how}", "muted"))
    return line


def _attempts(state: RunState) -> list[Line]:
    """Return the tasks that were tried more than once, each with how its attempts ended.

    Those that had completed and were run again, as a resume was told to, are only counted.
    """
    again = [(task_id, task) for task_id, task in state.tasks.items() if task.earlier]
    tried = [each for each in again if any(earlier.outcome != "completed" for earlier in each[1].earlier)]
    lines: list[Line] = []
    if tried:
        title = f"{plural(len(tried), 'task')} tried more than once"
        lines = _listed(title, (_tries(task_id, task) for task_id, task in tried), len(tried), _MOST)
    if redone := len(again) - len(tried):
        lines += [[(f"{plural(redone, 'task')} run again after completing", "muted")], []]
    return lines


def _tries(task_id: str, task: TaskState) -> Line:
    line: Line = [("  ", "plain"), (task_id, "plain"), (f"  {plural(task.attempt, 'attempt')}: ", "muted")]
    ends: list[tuple[str, int | None]] = [(each.outcome, each.duration_ms) for each in task.earlier[-2:]]
    ends.append((task.outcome or str(task.status), task.duration_ms))
    if len(task.earlier) > 2:
        line.append((f"{glyphs.ELLIPSIS} ", "muted"))
    for number, (end, took) in enumerate(ends):
        role = {"failed": "failed", "completed": "done"}.get(end, "muted")
        line += [(", " if number else "", "muted"), (end, role)]
        if took is not None:
            line.append((f" {humanise(took)}", "muted"))
    return line


def _longest(state: RunState) -> list[Line]:
    timed = [(task.duration_ms, task_id, task) for task_id, task in state.tasks.items() if task.duration_ms]
    if len(timed) < 2:
        return []
    timed.sort(key=lambda entry: entry[0] or 0, reverse=True)
    lines: list[Line] = [[(f"longest of {plural(state.total, 'task')}", "muted")]]
    for took, task_id, task in timed[:_FEW]:
        shape, role = present_task.task_shape(task.status)
        lines.append([(f"  {shape} ", role), (f"{humanise(took or 0):>6}  ", "muted"), (task_id, "plain")])
    return [*lines, []]


def _outputs(state: RunState) -> list[Line]:
    made = [
        (output.path, output.size, task_id)
        for task_id, task in state.tasks.items()
        if task.status is TaskStatus.COMPLETED
        for output in task.outputs
    ]
    if not made:
        return []
    total = sum(count for _, count, _ in made)
    lines = (
        [("  ", "plain"), (path, "plain"), (f"  {size(count)}", "muted"), (f"  of {task_id}", "faint")]
        for path, count, task_id in made
    )
    return _listed(f"{plural(len(made), 'output')}, {size(total)}", lines, len(made), _MOST)
