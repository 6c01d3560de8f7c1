"""Proving a stored run."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from specular_tui.store.checks.check import Report


def check_run(
    root: Path,
    run_id: str,
    progress: Callable[[int, int], None] | None = None,
    cancel: threading.Event | None = None,
) -> Report:
    """Prove the run `run_id`; `progress` is told the bytes done and the bytes in all. Only reads.

    Raises:
        RunNotFoundError: it is not there. CancelledError: `cancel` was set.
    """
    from specular_tui.store.checks.check import check

    return check(root, run_id, progress=progress, cancel=cancel)
