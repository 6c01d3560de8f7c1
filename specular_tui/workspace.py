"""What a user can do, as plain functions: both faces call these and nothing below them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from specular_tui.store import checkpoint, follow
from specular_tui.store.checkpoint import RunSummary, StoredRun

__all__ = ["RunSummary", "StoredRun", "changes", "find_run", "list_runs", "load_run", "tail"]


def list_runs(root: Path) -> list[RunSummary]:
    """Return every run of the checkpoint directory, newest first."""
    return checkpoint.summaries(root)


def find_run(root: Path, name: str) -> str:
    """Return the id that a whole run id, or a prefix of just one, names."""
    return checkpoint.find(root, name)


def load_run(root: Path, run_id: str) -> StoredRun:
    """Read a run as of now."""
    return checkpoint.load(root, run_id)


def tail(root: Path, run_id: str) -> follow.JournalTail:
    """Return what reads a run's journal on as it grows; the caller closes it."""
    return follow.JournalTail(checkpoint.open_run(root, run_id))


def changes(paths: list[Path]) -> AsyncIterator[set[str]]:
    """Yield what changes directly in the folders `paths`, grouped over 50 ms."""
    return follow.changes(paths)
