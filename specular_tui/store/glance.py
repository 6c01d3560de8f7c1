"""What is wrong with a stored run as far as a glance shows: nothing is read but the end of its journal.

A list can afford it for every run. Only a check (`store.check`) proves that nothing is wrong.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from specular_tui.errors import SpecularError
from specular_tui.model.quote import plain
from specular_tui.store import checkpoint, layout, lock
from specular_tui.store.folder import Folder

_MISSING: Final = "is missing"
_FOLDED: Final = b'"event":"folded"'
#: Where a record ends: its chain value, a quotation mark, a brace and a line feed.
_LAST: Final = b'"chain":"%b"}\n'


def flaws(root: Path, run_id: str) -> list[str]:
    """Return what a glance at the run `run_id` shows to be wrong with it, a line each: file, and what is wrong.

    A live run has none: its files change while they are looked at.

    Raises:
        RunNotFoundError: it is not there.
    """
    with checkpoint.open_run(root, run_id) as folder:
        if lock.held(folder):
            return []
        mark = checkpoint.mark(folder)
        if not mark:
            return [f"{layout.METADATA}: {_fault(folder, layout.METADATA) or 'is not what was written'}"]
        return [*_files(folder, mark), *_journal(folder, mark)]


def is_repaired(root: Path, run_id: str) -> bool:
    """Tell whether the run `run_id` was repaired once: what was damaged is kept in its `quarantine/`."""
    try:
        with checkpoint.open_run(root, run_id) as folder:
            return stat.S_ISDIR(folder.stat(layout.QUARANTINE).st_mode)
    except (SpecularError, OSError):
        return False


def _files(folder: Folder, mark: dict[str, object]) -> Iterator[str]:
    for name, others in (
        (layout.STATE, (layout.STATE + ".gz",)),
        (layout.PROGRESS, (layout.PROGRESS + ".gz",)),
        (layout.PLAN, (layout.NEXT_PLAN,)),
        *([(layout.POLICY, (layout.NEXT_POLICY,))] if mark.get("policy_hash") is not None else []),
    ):
        reasons = [_fault(folder, there) for there in (name, *others)]
        if None not in reasons:
            yield f"{name}: {next((reason for reason in reasons if reason != _MISSING), _MISSING)}"
    try:
        if not stat.S_ISDIR(folder.stat(layout.OUTPUTS).st_mode):
            yield f"{layout.OUTPUTS}: is not a folder"
    except OSError as error:
        yield f"{layout.OUTPUTS}: {_why(error)}"


def _fault(folder: Folder, name: str) -> str | None:
    """Return why a file is none that could hold what it should; None where it may."""
    try:
        status = folder.stat(name)
        if not stat.S_ISREG(status.st_mode):
            return "is not a regular file"
        if not status.st_size:
            return "is empty"
        return None if os.access(name, os.R_OK, dir_fd=folder.fd) else "may not be read"
    except OSError as error:
        return _why(error)


def _why(error: OSError) -> str:
    return _MISSING if error.errno == errno.ENOENT else f"cannot be read: {plain((error.strerror or '').lower())}"


def _journal(folder: Folder, mark: dict[str, object]) -> Iterator[str]:
    """The journal ends with the record that metadata.json names, where it is as long as that says."""
    if (reason := _fault(folder, layout.JOURNAL)) is not None:
        yield f"{layout.JOURNAL}: {reason}"
        return
    length, chain = mark.get("journal_bytes"), mark.get("journal_chain")
    if not isinstance(length, int) or isinstance(length, bool) or not isinstance(chain, str):
        return
    wanted = _LAST % chain.encode()
    try:
        fd = folder.open(layout.JOURNAL)
    except OSError as error:
        yield f"{layout.JOURNAL}: {_why(error)}"
        return
    try:
        size = os.fstat(fd).st_size
        if size != length and _FOLDED in os.pread(fd, len(_FOLDED) + 32, 0):
            return  # it was folded since, and what metadata.json names is in its first record
        if size < length:
            yield f"{layout.JOURNAL}: has {size} bytes, and {layout.METADATA} has seen {length}"
        elif os.pread(fd, len(wanted), max(0, length - len(wanted))) != wanted:
            yield f"{layout.JOURNAL}: does not have the record that {layout.METADATA} names"
    finally:
        os.close(fd)
