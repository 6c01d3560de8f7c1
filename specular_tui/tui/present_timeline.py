"""What the timeline says in words: of the run as a whole, and of the attempt under the cursor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from specular_tui.model import quantity
from specular_tui.model.critical import spent_ms, waited
from specular_tui.model.duration import humanise
from specular_tui.model.run import TaskState
from specular_tui.model.usual import Usual
from specular_tui.tui import glyphs, present, present_task
from specular_tui.tui.clock import Clock
from specular_tui.tui.present import Line
from specular_tui.tui.present_forecast import usually
from specular_tui.tui.views import RunView
from specular_tui.tui.widgets.task.cells import running_time
from specular_tui.tui.widgets.task.columns import fit_id
from specular_tui.tui.widgets.timeline.rows import Chart, Span

#: Cells from which a title says something.
_TITLE: Final = 12


def summary(view: RunView, chart: Chart, now: int, part: str, width: int) -> Line:
    """Return how the run went in one line of `width` cells; `part` says which part of it is on screen."""
    rows = quantity.plural(len(chart.rows), "slot" if chart.order == "slot" else "task")
    left: list[Line] = [[(f"by {chart.order}", "strong"), (f"  {rows}", "muted")]]
    if view.critical:
        tasks = [view.state.tasks[i] for i in view.critical if i in view.state.tasks]
        spent = sum(spent_ms(view.state, task, now) for task in tasks if task.attempt)
        line: Line = [(f"{glyphs.BAR_DONE}{glyphs.BAR_DONE} critical path ", "muted")]
        line += [(humanise(spent), "strong"), (f" in {quantity.plural(len(view.critical), 'task')}", "muted")]
        left.append(line)
    if chart.slow:
        left.append([(f"{glyphs.SLOW} {chart.slow:,}", "paused"), (" slower than usual", "muted")])
    right: list[Line] = [[(part, "muted")]] if part else []
    return present.spread([[*line, (" ", "plain")] for line in left], right, width)


def details(view: RunView, chart: Chart, span: Span | None, clock: Clock, now: int, room: int) -> list[Line]:
    """Return what there is to know of an attempt, most important first; the first line has `room` cells."""
    if span is None:
        return [[("nothing has started yet", "muted")]]
    state = view.state
    task = state.tasks.get(span.task) or state.gates.get(span.task)
    if task is None:
        return [[(span.task, "strong"), ("  is no longer in the plan", "muted")]]
    head = present_task.log_title(span.task, view, now, span.attempt if span.attempt != task.attempt else None)
    (name, role), *others = head
    head = [(fit_id(name, min(len(name), max(24, room // 2))).rstrip(), role), *others]
    planned = view.graph.tasks.get(span.task) if view.graph is not None else None
    if planned is not None and planned.title and planned.title != span.task:
        # The title gives way: it is beside the task in Build too.
        left = room - present.width(head)
        head = [head[0], *(present.cut([(f"  {planned.title}", "muted")], left) if left >= _TITLE else []), *head[1:]]
    times: Line = [(_times(span, clock), "plain")]
    latest = span.attempt == task.attempt
    if latest and (past := view.usual.get(span.task)) is not None:
        times += _compared(chart, span, past)
    lines = [head, times]
    waiting = _waiting(view, span, task)
    if waiting:
        lines.append(waiting)
    if chart.is_critical(span):
        lines.append(_path(view.critical, span.task, present.text(waiting)))
    return lines


def _times(span: Span, clock: Clock) -> str:
    start = clock.time(span.start)
    return f"since {start}" if span.running else f"{start}{glyphs.DASH}{clock.time(span.end)}"


def _compared(chart: Chart, span: Span, past: Usual) -> Line:
    line: Line = [(f"   {usually(past)}", "muted")]
    if chart.is_slow(span):
        line.append((f"   {glyphs.SLOW} slower than usual", "paused"))
    return line


def _waiting(view: RunView, span: Span, task: TaskState) -> Line:
    if task.attempt == span.attempt and (found := waited(view.state, view.graph, span.task)) is not None:
        parts: Line = []
        if found.need:
            parts += [("started after ", "muted"), (found.need, "plain")]
        if found.slot_ms >= 500:
            parts.append((f"{', then ' if parts else ''}waited {humanise(found.slot_ms)} for a free slot", "muted"))
        return parts
    return []


def _path(critical: Sequence[str], task_id: str, told: str) -> Line:
    """Return the critical path around a task; what it started after is not said again where `told` says it."""
    at = critical.index(task_id) if task_id in critical else 0
    line: Line = [(f"{glyphs.BAR_DONE}{glyphs.BAR_DONE} critical path, {at + 1} of {len(critical)}", "accent")]
    if at and told != f"started after {critical[at - 1]}":
        line += [("   after ", "muted"), (critical[at - 1], "plain")]
    if at + 1 < len(critical):
        line += [("   before ", "muted"), (critical[at + 1], "plain")]
    return line


def part(worked: tuple[float, float], total: float) -> str:
    """Return which part of the time worked is on screen: `1m–2m30s of 5m`; "" for all of it."""
    first, last = worked
    if first <= 0 and last >= total:
        return ""
    return f"{running_time(max(0.0, first))}{glyphs.DASH}{running_time(min(last, total))} of {running_time(total)}"
