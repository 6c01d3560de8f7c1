"""What the resume plan says in words."""

from __future__ import annotations

from specular_tui.model.resume import Action
from specular_tui.tui import glyphs, present
from specular_tui.tui.clock import Clock
from specular_tui.tui.present import Line
from specular_tui.tui.present_forecast import hours, lasting
from specular_tui.tui.wish import Answer

_ROLES = ((Action.REUSE, "done"), (Action.RUN, "running"), (Action.SKIP, "skipped"), (Action.BLOCKED, "pending"))
_COUNTED = ((Action.RUN, "running"), (Action.BLOCKED, "paused"), (Action.SKIP, "skipped"), (Action.REUSE, "done"))
#: Lines of what changed, and of what is wrong.
_MOST = 8


def heading(run_id: str, answer: Answer | None, clock: Clock, width: int) -> list[Line]:
    """Return the two lines at the top: the run, how long it will take, and how many tasks do what."""
    left: list[Line] = [[(f" {glyphs.RETRYING} RESUME ", "badge-running")]]
    if answer is not None and answer.plan_name:
        left.append([(answer.plan_name, "strong")])
    left.append([(run_id, "muted")])
    top = present.spread(left, _ending(answer, clock), width)
    if answer is None or not answer.decisions:
        return [top, [(f"finding out what it would do {glyphs.ELLIPSIS}" if answer is None else "", "muted")]]
    numbers: Line = []
    for action, role in _COUNTED:
        if count := answer.count(action):
            numbers += [("  " if numbers else "", "plain"), (f"{count:,}", role), (f" {action.value}", "muted")]
    room = max(0, width - present.width(numbers) - 3)
    bar = present.bar([(role, answer.count(action)) for action, role in _ROLES], room)
    return [top, [*bar, ("   ", "plain"), *numbers]]


def _ending(answer: Answer | None, clock: Clock) -> list[Line]:
    if answer is None or not answer.decisions:
        return []
    if not answer.count(Action.RUN):
        return [[("nothing to run", "muted")]]
    parts: list[Line] = [[(lasting(answer.lasting), "strong" if answer.lasting else "muted")]]
    if answer.lasting is not None:
        now = clock.now()
        until = hours(now + answer.lasting.low_ms, now + answer.lasting.high_ms, clock)
        parts.append([(f"until {until}", "muted")])
    parts.append([(present.plural(answer.jobs, "job"), "muted")])
    return parts


def notices(answer: Answer | None) -> list[Line]:
    """Return what has to be known before it is started: why it would not start, or what has changed since."""
    if answer is None:
        return []
    lines: list[Line] = []
    if answer.problem:
        first, *others = answer.problem
        lines.append([(f"{glyphs.FAILED} {first}", "failed-strong")])
        lines += [[(f"  {line}", "muted")] for line in others[:_MOST]]
        return lines
    if answer.question:
        lines.append([("! it was imported: its commands are shown, and asked about, before it starts", "paused")])
    lines += [[(f"! {line}", "paused")] for line in answer.said[:_MOST]]
    if answer.changes:
        changed = answer.changes.lines()
        lines.append([("! the plan has changed since", "paused")])
        lines += [[(f"  {line}", "plain")] for line in changed[:_MOST]]
        if len(changed) > _MOST:
            lines.append([(f"  and {len(changed) - _MOST:,} more", "muted")])
    return lines
