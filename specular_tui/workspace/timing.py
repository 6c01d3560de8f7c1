"""What took the time of a stored or a live run."""

from __future__ import annotations

import os
import time
from pathlib import Path

from specular_tui.errors import SpecularError
from specular_tui.model.graph import Graph
from specular_tui.model.timing import Timing, timing
from specular_tui.store.checkpoint import StoredRun
from specular_tui.workspace import history
from specular_tui.workspace.runs import plan_of

__all__ = ["Timing", "time_run"]


def time_run(root: Path, run: StoredRun, count: int) -> Timing:
    """Return what took the time of a run up to now, or to its end, with its `count` slowest tasks.

    Where the copy of its plan is damaged, its critical path is not known.
    """
    state = run.state
    now = max(state.updated_at, time.time_ns() // 1_000_000) if run.live else state.updated_at
    try:
        graph = Graph(plan_of(root, run.run_id, state).tasks)
    except SpecularError:
        graph = None
    path = os.path.join(state.plan_folder, os.path.basename(state.plan_file))
    return timing(state, graph, now, history.past(root, path, but=run.run_id), count, live=run.live)
