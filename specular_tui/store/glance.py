"""A run as far as a glance shows it: what it takes on the disk, and what is wrong with it without reading it.

Nothing is read but metadata.json and the end of the journal. A list can afford it for every run, in one look at each.
Only a check (`store.checks.check`) proves that nothing is wrong.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from specular_tui.errors import RunNotFoundError, StorageError
from specular_tui.model.quote import plain
from specular_tui.store import chain, checkpoint, layout, lock, seal
from specular_tui.store.checkpoint import Damage, RunSummary
from specular_tui.store.folder import Folder

_MISSING: Final = "is missing"
_FOLDED: Final = b'"event":"folded"'
#: Where a record ends: its chain value, a quotation mark, a brace and a line feed.
_LAST: Final = b'"chain":"%b"}\n'

_Entries = Mapping[str, os.stat_result]


class Glance(NamedTuple):
    """What a glance at a run shows."""

    #: Bytes on the disk.
    size: int
    #: What is wrong, a line each: file, and what is wrong. A live run has none: it changes while it is looked at.
    flaws: tuple[str, ...] = ()
    #: It was repaired once: what was damaged is kept in its `quarantine/`.
    repaired: bool = False


class Look(NamedTuple):
    """A run of a list: what it says of itself, and what a glance shows."""

    run: RunSummary
    glance: Glance


def glance(root: Path, run_id: str) -> Glance:
    """Return what a glance at the run `run_id` shows.

    Raises:
        RunNotFoundError: it is not there. StorageError: it cannot be opened.
    """
    with checkpoint.open_run(root, run_id) as folder:
        live = lock.held(folder)
        noted = checkpoint.mark(folder)
        return _glance(folder, live, noted, last_word=not live and checkpoint.is_last_word(folder, noted))


def looks(root: Path) -> list[Look]:
    """Return every run of the checkpoint directory `root`, newest first; one that vanishes meanwhile is left out.

    One that cannot be opened is there, as damaged.
    """
    folder = checkpoint.open_root(root)
    if folder is None:
        return []
    with folder:
        # Before any run is read, as the locks themselves are asked for.
        locks = lock.kernel_list()
        found = {}
        for run_id in checkpoint.ids_in(folder):
            try:
                with checkpoint.open_in(folder, run_id) as run:
                    found[run_id] = _look(run, run_id, locks)
            except RunNotFoundError:
                continue
            except StorageError as error:
                summary = RunSummary(
                    run_id=run_id,
                    path=str(root / run_id),
                    live=False,
                    metadata={},
                    damage=Damage(run_id, error.message),
                )
                found[run_id] = Look(summary, Glance(0))
    return [found[run.run_id] for run in checkpoint.newest_first(look.run for look in found.values())]


def _look(folder: Folder, run_id: str, locks: bytes) -> Look:
    live = lock.held(folder, locks)
    noted = checkpoint.mark(folder)
    last_word = checkpoint.is_last_word(folder, noted)
    run = checkpoint.summary(folder, run_id, live, noted, last_word)
    return Look(run, _glance(folder, run.live, noted, last_word))


def _glance(folder: Folder, live: bool, noted: Mapping[str, Any], last_word: bool) -> Glance:
    entries = folder.entries()
    quarantine = entries.get(layout.QUARANTINE)
    flaws = [] if live else list(_flaws(folder, entries, noted, last_word))
    if flaws and lock.held(folder):
        flaws = []  # it has become live since, and its files change
    return Glance(folder.size(entries), tuple(flaws), quarantine is not None and stat.S_ISDIR(quarantine.st_mode))


def _flaws(folder: Folder, entries: _Entries, noted: Mapping[str, Any], last_word: bool) -> Iterator[str]:
    if not noted:
        yield f"{layout.METADATA}: {_fault(folder, entries, layout.METADATA) or 'is not what was written'}"
        return
    if seal.FIELD in noted and not seal.is_sealed(noted):
        yield f"{layout.METADATA}: is not what was written"
    for name, others in (
        (layout.STATE, (layout.STATE + ".gz",)),
        (layout.PROGRESS, (layout.PROGRESS + ".gz",)),
        (layout.PLAN, (layout.NEXT_PLAN,)),
        *([(layout.POLICY, (layout.NEXT_POLICY,))] if noted.get("policy_hash") is not None else []),
    ):
        if (reason := _fault(folder, entries, name)) is None:
            continue
        reasons = [reason, *(_fault(folder, entries, other) for other in others)]
        if None not in reasons:
            yield f"{name}: {next((reason for reason in reasons if reason != _MISSING), _MISSING)}"
    outputs = entries.get(layout.OUTPUTS)
    if outputs is None:
        yield f"{layout.OUTPUTS}: {_MISSING}"
    elif not stat.S_ISDIR(outputs.st_mode):
        yield f"{layout.OUTPUTS}: is not a folder"
    if not last_word:
        yield from _journal(folder, entries, noted)


def _fault(folder: Folder, entries: _Entries, name: str) -> str | None:
    """Return why a file is none that could hold what it should; None where it may."""
    status = entries.get(name)
    if status is None:
        return _MISSING
    if not stat.S_ISREG(status.st_mode):
        return "is not a regular file"
    if not status.st_size:
        return "is empty"
    try:
        readable = os.access(name, os.R_OK, dir_fd=folder.fd)
    except OSError as error:
        return _why(error)
    return None if readable else "may not be read"


def _why(error: OSError) -> str:
    return _MISSING if error.errno == errno.ENOENT else f"cannot be read: {plain((error.strerror or '').lower())}"


def _journal(folder: Folder, entries: _Entries, noted: Mapping[str, Any]) -> Iterator[str]:
    """The journal holds the record that metadata.json names, where it is as long as that says."""
    if (reason := _fault(folder, entries, layout.JOURNAL)) is not None:
        yield f"{layout.JOURNAL}: {reason}"
        return
    length, last = noted.get("journal_bytes"), noted.get("journal_chain")
    if type(length) is not int or not isinstance(last, str):
        return
    wanted = _LAST % last.encode()
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
        elif size == length:
            yield f"{layout.JOURNAL}: its last {min(size, chain.GLANCE)} bytes are not what was written"
    finally:
        os.close(fd)
