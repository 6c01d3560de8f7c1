"""How it is said when something will end, and how long it usually takes: as ranges, no finer than anybody can know."""

from __future__ import annotations

from typing import TYPE_CHECKING

from specular_tui.model.duration import between, rough
from specular_tui.model.forecast import Forecast
from specular_tui.model.usual import Usual
from specular_tui.tui.clock import Clock

if TYPE_CHECKING:
    from specular_tui.tui.present import Line
    from specular_tui.tui.views import RunView


def hours(start: int, end: int, clock: Clock) -> str:
    """Return two moments as clock times, `14:32` or `14:31–14:34`, with the day where that is not today."""
    today = clock.at(clock.now()).date()

    def said(ms: int) -> str:
        moment = clock.at(ms)
        return f"{moment:%H:%M}" if moment.date() == today else f"{moment:%a %H:%M}"

    return said(start) if said(start) == said(end) else f"{said(start)}–{said(end)}"


def time_left(view: RunView, clock: Clock) -> Line:
    """Return `~3–5m left, until 14:31–14:33`; nothing where nobody knows, and no hour where the run stands still."""
    if view.forecast is None or not _has_end(view):
        return []
    found, since = view.forecast
    now, frozen_since = clock.now(), view.state.frozen_since
    left = found + -max(0, (now if frozen_since is None else frozen_since) - since)
    if frozen_since is not None:
        return [(f"{between(left.low_ms, left.high_ms)} left", "muted")]
    if not left.high_ms:
        return [("longer than expected", "muted")]
    return [
        (f"{between(left.low_ms, left.high_ms)} left", "plain"),
        (f", until {hours(now + left.low_ms, now + left.high_ms, clock)}", "muted"),
    ]


def unknown(view: RunView) -> Line:
    """Return that nobody knows how long it takes, where that is so."""
    if view.forecast is not None or not view.foreseen or not _has_end(view):
        return []
    return [("nobody knows yet how long", "muted")]


def _has_end(view: RunView) -> bool:
    return view.live and not view.state.draining and not view.state.stopping


def usually(past: Usual) -> str:
    """Return `usually ~50s (~45–58s in 4 runs)`."""
    if past.runs == 1:
        return f"{rough(past.median)} the one time before"
    usual, span = rough(past.median), between(past.low, past.high)
    return f"usually {usual} in {past.runs} runs" if span == usual else f"usually {usual} ({span} in {past.runs} runs)"


def lasting(found: Forecast | None) -> str:
    """Return how long something will take in all; `nobody knows how long` where that is so."""
    if found is None:
        return "nobody knows how long"
    return between(found.low_ms, found.high_ms)
