"""What a user can do, as plain functions: both faces call these and nothing below them.

Light to import: what only a build needs is loaded when one is started.
"""

from __future__ import annotations

from specular_tui.store.checkpoint import RunSummary, StoredRun
from specular_tui.workspace.runs import (
    changes,
    end_of,
    find_live_run,
    find_run,
    glance,
    is_live,
    lines_before_end,
    list_runs,
    live_run_ids,
    load_run,
    log_name,
    open_log,
    plan_of,
    read_log_end,
    read_log_file,
    run_ids,
    run_size,
    summarise_run,
    tail,
)

__all__ = [
    "RunSummary",
    "StoredRun",
    "changes",
    "end_of",
    "find_live_run",
    "find_run",
    "glance",
    "is_live",
    "lines_before_end",
    "list_runs",
    "live_run_ids",
    "load_run",
    "log_name",
    "open_log",
    "plan_of",
    "read_log_end",
    "read_log_file",
    "run_ids",
    "run_size",
    "summarise_run",
    "tail",
]
