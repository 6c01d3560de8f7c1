"""What is still to come of a run: how long it takes, and what cannot run."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from specular_tui.errors import SpecularError
from specular_tui.model.blocked import blocked
from specular_tui.model.forecast import Forecast
from specular_tui.model.graph import Graph
from specular_tui.model.run import TaskStatus
from specular_tui.store.checkpoint import StoredRun
from specular_tui.workspace.history import foresee
from specular_tui.workspace.runs import plan_of


class Ahead(Struct, frozen=True):
    """What is still to come of a run at one moment."""

    #: When it will have ended; None where it is not live, or nobody knows.
    forecast: Forecast | None
    #: How many of its pending tasks cannot run because one that they need has failed; None where its plan is damaged.
    blocked: int | None


def look_ahead(root: Path, run: StoredRun, now: int) -> Ahead:
    """Return what is still to come of a run, counted from `now` (milliseconds since the epoch).

    The plan is read where something depends on it alone: where the run is live, or something has failed.
    """
    failed = run.state.count(TaskStatus.FAILED)
    if not failed and not run.live:
        return Ahead(None, 0)
    try:
        graph = Graph(plan_of(root, run.run_id, run.state).tasks)
    except SpecularError:
        return Ahead(None, None if failed else 0)
    return Ahead(foresee(root, run, graph, now), len(blocked(run.state, graph)))
