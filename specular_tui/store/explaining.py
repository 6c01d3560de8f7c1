"""What a refusal of the disk means to a user: what was not possible, where, why, and what to do."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

from specular_tui.errors import StorageError

#: The setting that names another checkpoint directory.
_SETTING: Final = "SPECULAR_CHECKPOINT_DIR"


def explain(error: OSError, doing: str, where: object, *, elsewhere: str = "") -> StorageError:
    """Return the error that tells a user why `doing` something at `where` was not possible.

    `elsewhere` is how to do it at another place, where that is not the checkpoint directory.
    """
    reason = (error.strerror or str(error)).lower()
    other = elsewhere or f"name another folder with {_SETTING}"
    later = ", then resume the build" if doing == "write checkpoint" else ""
    room = f", or {elsewhere}" if elsewhere else f" (specular checkpoint clean --older-than 7d){later}"
    hints = {
        errno.ENOSPC: f"free some space{room}",
        errno.EDQUOT: f"free some of your quota{room}",
        errno.EACCES: f"check the permissions, or {other}",
        errno.EPERM: f"check the permissions, or {other}",
        errno.EROFS: f"the file system is read-only; {other}",
        errno.ELOOP: "a symbolic link stands where a file of the checkpoint belongs; Specular does not follow it",
        errno.EIO: "the disk reports an error; check it before you go on",
        errno.EFBIG: f"raise the limit on the size of files (ulimit -f){later}",
        errno.EMFILE: "raise the limit on open files (ulimit -n)",
        errno.ENOENT: elsewhere or None,
        errno.ENOTDIR: elsewhere or None,
        errno.EISDIR: elsewhere or None,
    }
    hint = hints.get(error.errno or 0)
    if error.errno == errno.ENOTDIR and not elsewhere:
        where, reason, hint = _no_folder(Path(str(where)))
    return StorageError(f"failed to {doing}: {reason}: {where}", hint=hint)


def explain_beside(error: OSError, doing: str, folder: Path) -> StorageError:
    """Do the same for `folder`, which lies beside the runs: where it is none, no other directory helps."""
    if error.errno not in (errno.ENOTDIR, errno.ELOOP):
        return explain(error, doing, folder)
    what = "a symbolic link is not followed" if folder.is_symlink() else "not a folder"
    return StorageError(f"failed to {doing}: {what}: {folder}", hint="move it away, and try again")


def _no_folder(path: Path) -> tuple[Path, str, str]:
    """Return which part of a path is no folder, what it is, and what to do."""
    found = next((part for part in reversed((path, *path.parents)) if part.exists() and not part.is_dir()), path)
    if found.is_symlink():
        import shlex

        real = shlex.quote(os.path.realpath(found))
        return found, "a symbolic link is not followed", f"name the folder itself: export {_SETTING}={real}"
    return found, "not a folder", f"move it away, or name another folder with {_SETTING}"
