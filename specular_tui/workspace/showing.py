"""What is shown of a run: one document of everything that its files say, as of now."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec

from specular_tui.errors import CheckpointError
from specular_tui.model.run import TaskState
from specular_tui.store import checkpoint, layout, snapshot
from specular_tui.store.checkpoint import StoredRun
from specular_tui.store.folder import Folder

_LONGEST = 1 << 30


def show_run(root: Path, run_id: str) -> dict[str, Any]:
    """Return the fields of metadata.json, and `state` and `progress` as state.json and progress.json have them.

    They are those of now, whatever the files of a live run said last. Nothing secret is among them: commands and their
    environment are not.

    Raises:
        RunNotFoundError: it is not there. CheckpointError: it is damaged.
    """
    with checkpoint.open_run(root, run_id) as folder:
        run = checkpoint.read(folder, run_id)
        hashes = _output_hashes(folder, run)
    return metadata_now(run) | {
        "state": snapshot.states(run.state),
        "progress": snapshot.progress(run.state, hashes),
    }


def metadata_now(run: StoredRun) -> dict[str, Any]:
    """Return the fields of metadata.json as of now."""
    now = max(run.state.updated_at, time.time_ns() // 1_000_000) if run.live else run.state.updated_at
    return snapshot.metadata(run.state, now=now, journal_bytes=run.journal_bytes, control=run.control)


def _output_hashes(folder: Folder, run: StoredRun) -> dict[str, str]:
    """Return the digests of the tasks' records that progress.json has, of those that have not changed since."""
    try:
        found = msgspec.json.decode(checkpoint.read_plain(folder, layout.PROGRESS, _LONGEST))
    except (OSError, CheckpointError, ValueError, RecursionError):
        return {}
    hashes: dict[str, str] = {}
    for key, known in (("tasks", run.state.tasks), ("gates", run.state.gates)):
        entries = found.get(key) if isinstance(found, dict) else None
        if not isinstance(entries, dict):
            continue
        for task_id, entry in entries.items():
            task = known.get(task_id)
            digest = entry.get("output_hash") if isinstance(entry, dict) else None
            if task is not None and isinstance(digest, str) and _is_of(entry, task):
                hashes[task_id] = digest
    return hashes


def _is_of(entry: dict[str, Any], task: TaskState) -> bool:
    return (
        entry.get("status") == task.status.value
        and entry.get("attempt") == task.attempt
        and entry.get("completed_at") == snapshot.timestamp(task.completed_at)
    )
