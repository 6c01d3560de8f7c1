"""The bytes of a task's log as they are stored, packed or not."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from specular_tui.errors import CheckpointError
from specular_tui.store import checkpoint
from specular_tui.workspace import runs

_SLICE: Final = 1 << 20


def stored_log(root: Path, run_id: str, task_id: str, attempt: int | None) -> Iterator[bytes]:
    """Yield what is stored of a task's log, packed or not.

    Raises:
        UsageError: the run has no such task or attempt. FileNotFoundError: there is no log.
        CheckpointError: it is packed, and damaged.
    """
    outputs, name = runs.log_name(root, run_id, task_id, attempt)
    with outputs, checkpoint.open_plain(outputs, name) as file:
        try:
            while data := file.read(_SLICE):
                yield data
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise CheckpointError(
                f"checkpoint validation failed: {outputs.path / name}.gz is damaged: {error}",
                hint=f"see what is damaged: specular checkpoint validate {run_id}",
            ) from None
