"""A file that is given up when the disk is full, so that the last words of a build still fit."""

from __future__ import annotations

import contextlib
import os
from typing import Final

from specular_tui.store import layout
from specular_tui.store.folder import Folder, write_all

RESERVE_BYTES: Final = 256 << 10


def put_aside(run: Folder) -> None:
    """Make the reserve of a run whose lock is held."""
    try:
        fd = run.open(layout.RESERVE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            write_all(fd, b"\0" * RESERVE_BYTES)
        finally:
            os.close(fd)
    except OSError:
        # Without room for a reserve the build may still succeed; a full disk then ends it without last words.
        with contextlib.suppress(OSError):
            run.remove(layout.RESERVE, missing_ok=True)


def give_up(run: Folder) -> bool:
    """Make room; False where there was no reserve any more."""
    try:
        run.remove(layout.RESERVE)
    except OSError:
        return False
    return True
