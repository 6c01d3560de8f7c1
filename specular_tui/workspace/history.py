"""What the tasks of a plan took in its past runs."""

from __future__ import annotations

import os
from pathlib import Path

from specular_tui.errors import SpecularError
from specular_tui.model.forecast import Forecast, forecast
from specular_tui.model.graph import Graph
from specular_tui.model.run import RunState
from specular_tui.model.usual import Usual, usual
from specular_tui.store import checkpoint
from specular_tui.store.checkpoint import StoredRun

#: So many of the newest runs are looked at; fewer where their journals are longer than `_LONG` together.
_RUNS = 5
_LONG = 16 << 20


def past(root: Path, plan_path: str, *, but: str | None = None) -> dict[str, Usual]:
    """Return what each task of the plan `plan_path` took in its newest past runs.

    The run `but` is left out; runs that cannot be read are passed over. Tasks that never completed are not in it.
    """
    return usual(_past_states(root, plan_path, but))


def foresee(root: Path, run: StoredRun, graph: Graph, now: int) -> Forecast | None:
    """Return when a live run will have ended, counted from `now`; None where it is not live, or nobody knows.

    `graph` is that of the plan that it is built with.
    """
    state = run.state
    if not run.live or state.draining or state.stopping:
        return None
    path = os.path.join(state.plan_folder, os.path.basename(state.plan_file))
    return forecast(state, graph, now, past(root, path, but=run.run_id))


def _past_states(root: Path, plan_path: str, but: str | None) -> list[RunState]:
    states = []
    read = 0
    for run in checkpoint.summaries(root):
        if run.run_id == but or run.live or run.damage is not None or run.metadata.get("plan_path") != plan_path:
            continue
        try:
            stored = checkpoint.load(root, run.run_id)
        except SpecularError:
            continue
        states.append(stored.state)
        read += stored.journal_bytes
        if len(states) == _RUNS or read > _LONG:
            break
    return states
