"""Writing anew what is derived from a journal: the records of tasks, state.json, progress.json and metadata.json."""

from __future__ import annotations

import msgspec

from specular_tui.errors import CheckpointError
from specular_tui.model.run import RunState
from specular_tui.store import checkpoint, digest, layout, snapshot
from specular_tui.store.folder import Folder

#: No record of a task may be longer.
LONGEST_RECORD = 256 << 20


class _Of(msgspec.Struct):
    task: str | None = None
    attempt: int = 0


def derived(outputs: Folder, state: RunState, journal_bytes: int) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return the three files, and the records that are missing, of a run with the logs and records in `outputs`.

    `state` is what its journal, `journal_bytes` long, says. A record that is not there, or is not of the task's latest
    attempt, lacks what only the plan knows (title, command), until a resume adds it.
    """
    hashes: dict[str, str] = {}
    records: dict[str, bytes] = {}
    for task_id, task in (state.tasks | state.gates).items():
        if snapshot.has_record(task):
            name = layout.record_name(task_id)
            data = read_record(outputs, name)
            if data is None or of_attempt(data) != (task_id, task.attempt):
                data = records[name] = snapshot.record(task_id, task, None)
            hashes[task_id] = digest.of_bytes(data)
    files = {
        layout.STATE: snapshot.states(state),
        layout.PROGRESS: snapshot.progress(state, hashes),
        layout.METADATA: snapshot.metadata(state, now=state.updated_at, journal_bytes=journal_bytes),
    }
    return {name: snapshot.encode(found) for name, found in files.items()}, records


def rebuild(run: Folder, state: RunState, journal_bytes: int) -> None:
    """Publish the `derived` files of the run in the folder `run`, whose lock the caller holds.

    Raises:
        OSError: the disk refuses.
    """
    with run.make(layout.OUTPUTS) as outputs:
        files, records = derived(outputs, state, journal_bytes)
        for name, data in records.items():
            outputs.publish(name, data)
            outputs.remove(name + ".gz", missing_ok=True)
    for name, data in files.items():
        run.publish(name, data)
        run.remove(name + ".gz", missing_ok=True)


def read_record(outputs: Folder, name: str) -> bytes | None:
    """Return the plain bytes of a record, or None where it is missing or cannot be read."""
    try:
        return checkpoint.read_plain(outputs, name, LONGEST_RECORD)
    except (OSError, CheckpointError):
        return None


def of_attempt(data: bytes) -> tuple[str | None, int]:
    """Return of which task and attempt a record says that it is; (None, 0) where it says nothing."""
    try:
        found = msgspec.json.decode(data, type=_Of)
    except (ValueError, RecursionError):
        return None, 0
    return found.task, found.attempt
