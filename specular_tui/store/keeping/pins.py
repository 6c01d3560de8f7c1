"""Pins: the runs that retention and clean-up never take.

A pin is an empty file `.pinned/<run-id>` beside the runs. So pinning writes nothing into a run and needs no lock: a
live run can be pinned, and a damaged one, and what a checkpoint says of itself stays as it was written.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

from specular_tui.model.plan import RUN_ID
from specular_tui.store import checkpoint
from specular_tui.store.explaining import explain_beside
from specular_tui.store.folder import Folder

PINNED: Final = ".pinned"


def pinned(root: Path) -> frozenset[str]:
    """Return the ids that are pinned in the checkpoint directory; a run of that id need not be there.

    Raises:
        StorageError: the pins cannot be read. Nothing may be removed then, as any run may be pinned.
    """
    folder = checkpoint.open_root(root)
    if folder is None:
        return frozenset()
    with folder:
        try:
            with folder.folder(PINNED) as pins:
                return frozenset(name for name in pins.names() if RUN_ID.fullmatch(name))
        except FileNotFoundError:
            return frozenset()
        except OSError as error:
            raise explain_beside(error, "read the pins", root / PINNED) from error


def pin(root: Path, run_id: str) -> None:
    """Pin the run `run_id`; one that is pinned stays so.

    Raises:
        RunNotFoundError: it is not there. StorageError: the disk refuses.
    """
    with checkpoint.open_run(root, run_id):
        pass
    try:
        with Folder.at(root) as folder, folder.make(PINNED) as pins:
            os.close(pins.open(run_id, os.O_WRONLY | os.O_CREAT))
            pins.sync()
            folder.sync()
    except OSError as error:
        raise explain_beside(error, "pin the checkpoint", root / PINNED) from error


def unpin(root: Path, run_id: str) -> bool:
    """Take the pin of `run_id` away and tell whether there was one.

    Raises:
        StorageError: the disk refuses.
    """
    folder = checkpoint.open_root(root)
    if folder is None or run_id not in pinned(root):
        return False
    with folder:
        try:
            drop(folder, run_id)
        except OSError as error:
            raise explain_beside(error, "unpin the checkpoint", root / PINNED) from error
    return True


def drop(folder: Folder, run_id: str) -> None:
    """Take the pin of `run_id` away in the open checkpoint directory, if there is one. Raises `OSError`."""
    with contextlib.suppress(FileNotFoundError), folder.folder(PINNED) as pins:
        pins.remove(run_id, missing_ok=True)
        pins.sync()
