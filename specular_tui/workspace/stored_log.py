"""The bytes of a task's log as they are stored, packed or not."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from specular_tui.errors import CheckpointError, UsageError
from specular_tui.model.quote import quote
from specular_tui.store import checkpoint, layout
from specular_tui.store.folder import Folder
from specular_tui.workspace import runs

_SLICE: Final = 1 << 20
#: So many tasks are named of which something is left.
_LISTED: Final = 10


def stored_log(root: Path, run_id: str, task_id: str, attempt: int | None) -> Iterator[bytes]:
    """Yield what is stored of a task's log, packed or not.

    Raises:
        UsageError: the run has no such task or attempt. FileNotFoundError: there is no log.
        CheckpointError: it is packed, and damaged.
    """
    yield from _read(*runs.log_name(root, run_id, task_id, attempt), run_id)


def salvaged_log(root: Path, run_id: str, task_id: str, attempt: int | None) -> tuple[bool, Iterator[bytes]]:
    """Return a task's log of a run whose journal cannot be read: whether it is what the task wrote, and its bytes.

    What the task wrote is known from the record of the task, where that is there.

    Raises:
        UsageError: there is no log of this task and attempt. RunNotFoundError: the run is not there.
        CheckpointError: its outputs are gone.
    """
    from specular_tui.model.nearest import suggestion
    from specular_tui.store.repairs import salvage

    with checkpoint.open_run(root, run_id) as run:
        try:
            outputs = run.folder(layout.OUTPUTS)
        except OSError:
            raise CheckpointError(
                f"{run_id} is damaged, and has no logs: {run.path / layout.OUTPUTS} is gone",
                hint=f"see what is left: specular checkpoint validate {run_id}",
            ) from None
    found = salvage.salvage(outputs, task_id, attempt)
    if found is not None:
        return found.sound, _read(outputs, found.name, run_id)
    with outputs:
        there = salvage.task_ids(outputs)
    listed = ", ".join(there[:_LISTED]) + (f" and {len(there) - _LISTED} more" if len(there) > _LISTED else "")
    raise UsageError(
        f"{run_id} is damaged, and has no log of "
        + (f"attempt {attempt} of " if attempt is not None else "")
        + quote(task_id, 128)
        + suggestion(task_id, there),
        details=[f"something is left of: {listed}"] if there else [],
        hint=f"see what is left: specular checkpoint validate {run_id}",
    )


def _read(outputs: Folder, name: str, run_id: str) -> Iterator[bytes]:
    with outputs, checkpoint.open_plain(outputs, name) as file:
        try:
            while data := file.read(_SLICE):
                yield data
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise CheckpointError(
                f"checkpoint validation failed: {outputs.path / name}.gz is damaged: {error}",
                hint=f"see what is damaged: specular checkpoint validate {run_id}",
            ) from None
