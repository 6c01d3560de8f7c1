"""What a user can do, as plain functions: both faces call these and nothing below them.

Light to import: what only a build needs is loaded when one is started.
"""

from __future__ import annotations

from specular_tui.store.checkpoint import RunSummary, StoredRun
from specular_tui.store.glance import Glance, Look
from specular_tui.workspace.runs import (
    changes,
    end_of,
    find_live_run,
    find_run,
    glance_at_run,
    is_live,
    lines_before_end,
    list_runs,
    live_run_ids,
    load_run,
    log_name,
    look_at_runs,
    open_log,
    plan_of,
    read_log_end,
    read_log_file,
    run_ids,
    summarise_run,
    tail,
)

__all__ = [
    "Glance",
    "Look",
    "RunSummary",
    "StoredRun",
    "changes",
    "end_of",
    "find_live_run",
    "find_run",
    "glance_at_run",
    "is_live",
    "lines_before_end",
    "list_runs",
    "live_run_ids",
    "load_run",
    "log_name",
    "look_at_runs",
    "open_log",
    "plan_of",
    "read_log_end",
    "read_log_file",
    "run_ids",
    "summarise_run",
    "tail",
]
