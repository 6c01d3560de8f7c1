"""A task's log for another program: the file itself where it can only be read, else a copy."""

from __future__ import annotations

from pathlib import Path

from specular_tui.store.layout import log_name as file_name
from specular_tui.workspace import runs
from specular_tui.workspace.stored_log import stored_log


def lend_log(root: Path, run_id: str, task_id: str, attempt: int | None, folder: Path, *, copy: bool) -> Path:
    """Return a file with the plain bytes of a task's log; it lies in `folder` where it is a copy.

    Without `copy` it is the log itself, unless that is packed. A copy cannot be written to.

    Raises:
        UsageError: the run has no such task or attempt. FileNotFoundError: there is no log.
        CheckpointError: it is packed, and damaged.
    """
    outputs, name = runs.log_name(root, run_id, task_id, attempt)
    with outputs:
        if not copy and outputs.has(name):
            return outputs.path / name
    path = folder / file_name(task_id, attempt)
    with open(path, "xb") as file:
        for data in stored_log(root, run_id, task_id, attempt):
            file.write(data)
    path.chmod(0o400)
    return path
