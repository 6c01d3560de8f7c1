"""What the lines at the top say of a run: pure functions from its state to text in segments."""

from __future__ import annotations

from specular_tui.model import quantity
from specular_tui.model.duration import humanise
from specular_tui.tui import present
from specular_tui.tui.clock import Clock
from specular_tui.tui.present import Line
from specular_tui.tui.present_forecast import time_left, unknown
from specular_tui.tui.views import RunView
from specular_tui.tui.widgets.task.cells import running_time


def lines(view: RunView, clock: Clock, room: int) -> list[Line]:
    """Return the two lines of a run: what it is and for how long it goes on; a bar and counts."""
    state = view.state
    left = [
        present.badge(view, clock),
        [(state.plan_name or state.plan_file or "plan", "strong")],
        [(view.run_id, "muted")],
    ]
    right = facts(view, clock)
    if sum(present.width(part) + 2 for part in (*left, *right[:2])) - 2 > room:
        # When it ends matters more than what it is called; Checkpoints has the id.
        left.pop()
    top = present.spread(left, right, room)
    numbers = present.counts(state, len(view.blocked))
    space = room - present.width(numbers) - 3
    if space < 12:
        return [top, present.state_bar(state, room)] if room < 40 else [top, present.cut(numbers, room)]
    return [top, [*present.state_bar(state, space), ("   ", "plain"), *numbers]]


def facts(view: RunView, clock: Clock) -> list[Line]:
    """Return what stands at the right, most important first: time, end, frozen time, pace, jobs, whose build it is."""
    state, now = view.state, clock.now()
    said = running_time if view.live else humanise
    if not view.live:
        now = state.updated_at
    elapsed = state.elapsed_until(now)
    parts: list[Line] = [[(said(elapsed), "strong")]]
    if line := time_left(view, clock):
        parts.append(line)
    if (frozen := state.frozen_until(now)) >= 1000:
        parts.append([(f"frozen {said(frozen)}", "paused" if state.frozen_since is not None else "muted")])
    if not view.live:
        # The hour, and not how long ago it was: nothing wakes an idle application to count on.
        word = {"paused": "stopped", "completed": "ended", "failed": "ended"}.get(state.status, "as of")
        return [*parts, [(f"{word} {clock.time(state.updated_at)}", "muted")]]
    if view.moving:
        view.pace.note(elapsed, present.settled(state))
        if (pace := view.pace.per_minute()) is not None:
            parts.append([(throughput(pace), "muted")])
    if state.session is not None:
        parts.append([(quantity.plural(state.session.jobs, "job"), "muted")])
    parts.append([("live" if view.owned else "attached", "running")])
    return [*parts, line] if (line := unknown(view)) else parts


def throughput(per_minute: float) -> str:
    """Return a pace in the unit that gives a number people can picture: `40 tasks/s`, `12 tasks/min`."""
    if per_minute >= 120:
        per_second = per_minute / 60
        return f"{per_second:,.0f} tasks/s" if per_second >= 10 else f"{per_second:.1f} tasks/s"
    return f"{per_minute:.0f} tasks/min" if per_minute >= 10 else f"{per_minute:.1f} tasks/min"
