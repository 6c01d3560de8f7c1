"""Declared outputs on their way to the disk.

They belong to the tasks: they are synced where they are, and never replaced.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from specular_tui.model.event import OutputFile
from specular_tui.store.writeback import sync_foreign

#: More outputs of one task than this are not brought to disk one by one; the names of all are.
_SYNCED: Final = 64


def open_all(folder: str, outputs: Sequence[OutputFile]) -> tuple[int, ...]:
    """Open what has to be synced before a record may vouch for `outputs`, which start from `folder`."""
    if not outputs:
        return ()
    opened = []
    for path in dict.fromkeys(_paths(folder, outputs)):
        try:
            opened.append(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK))
        except OSError:
            continue  # whatever keeps it from being opened now is found when the result is to be reused
    return tuple(opened)


def _paths(folder: str, outputs: Sequence[OutputFile]) -> Iterator[str]:
    """Yield files and folders, then the folders that hold their names, innermost first."""
    paths = [os.path.join(folder, output.path) for output in outputs]
    for path in paths[:_SYNCED]:
        if os.path.isfile(path) or os.path.isdir(path):
            yield path
    top = os.path.normpath(folder)
    for path in paths:
        # The folder may be as new as the file: its own name has to be there too.
        above = os.path.dirname(os.path.normpath(path))
        yield above
        while above != top and above.startswith(top + os.sep):
            above = os.path.dirname(above)
            yield above


def bring_to_disk(folder: str, outputs: Sequence[OutputFile], failed: Collection[tuple[int, int]] = ()) -> bool:
    """Sync `outputs`; return whether the disk took them.

    `failed` has (device, inode) of files whose sync has failed before: another answer could not be believed.
    """
    whole = True
    for fd in open_all(folder, outputs):
        try:
            status = os.fstat(fd)
            if (status.st_dev, status.st_ino) in failed:
                whole = False
            else:
                sync_foreign(fd)
        except OSError:
            whole = False
        finally:
            os.close(fd)
    return whole
