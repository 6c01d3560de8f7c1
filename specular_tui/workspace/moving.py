"""Taking runs from one checkpoint directory to another, as archives."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

from specular_tui.spec.settings import Settings
from specular_tui.workspace.keeping import Removal, apply_retention

#: Is told the bytes done and the bytes in all.
Progress = Callable[[int, int], None]


def export_run(
    root: Path,
    run_id: str,
    out: Path,
    *,
    redact: bool = False,
    force: bool = False,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> int:
    """Write a run to the archive `out` and return its size; `redact` masks what looks secret in its plan.

    Raises:
        RunNotFoundError: it is not there. RunHeldError: it is live. CheckpointError: it is damaged.
        SpecularError: `out` is there already, and `force` was not given. StorageError: the disk refuses.
        CancelledError: `cancel` was set; nothing is left of the archive.
    """
    from specular_tui.store import archive

    return archive.export_run(root, run_id, out, redact=redact, force=force, progress=progress, cancel=cancel)


def stream_run(root: Path, run_id: str, fd: int, *, redact: bool = False, progress: Progress | None = None) -> int:
    """Write a run to the open file or pipe `fd` as an archive and return its size. Raises as `export_run`.

    Raises:
        BrokenPipeError: whoever read it has gone.
    """
    from specular_tui.store import archive

    return archive.stream_run(root, run_id, fd, redact=redact, progress=progress)


def import_run(
    source: Path | IO[bytes],
    settings: Settings,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> tuple[str, list[Removal]]:
    """Add the run of an archive and return its id, and the old runs that had to go for it. Nothing of it is run.

    `source` is the archive, or an open stream of it.

    Raises:
        CheckpointError: it is no archive of a valid run. StorageError: its name is taken here, or the disk refuses.
        CancelledError: `cancel` was set; nothing is left of it.
    """
    from specular_tui.store import archive

    run_id = archive.import_run(settings.checkpoint_dir, source, progress=progress, cancel=cancel)
    return run_id, apply_retention(settings.checkpoint_dir, settings, run_id)
