"""Removing runs: at once, or into `.trash/`, from where they can be taken back for some days.

A run is removed by the holder of its lock, so that it cannot be live. It first gets a hidden name, in one step, and is
then deleted; what a crash leaves half deleted, the next removal finishes.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from specular_tui.errors import RunHeldError, RunNotFoundError, StorageError
from specular_tui.model.duration import DAY_MS
from specular_tui.model.plan import RUN_ID
from specular_tui.store import checkpoint, lock
from specular_tui.store.checkpoint import SizedRun
from specular_tui.store.effort import Effort
from specular_tui.store.explaining import explain, explain_beside
from specular_tui.store.folder import Folder
from specular_tui.store.keeping import pins
from specular_tui.store.room import room_on_disk

TRASH: Final = ".trash"
#: Runs stay in the trash for so many milliseconds.
TRASH_MS: Final = 7 * DAY_MS
#: What is being deleted is called so, and so are a new run and an import until they are complete.
_DELETED: Final = ".deleted-"
_UNFINISHED: Final = (".new-", ".import-")
#: Something unfinished of this age (seconds) that nobody holds was left by a crash.
_STALE: Final = 600
#: What is no lock file, or cannot become one on a full disk, nobody can hold.
_UNLOCKABLE: Final = lock.NO_LOCK | {errno.ENOSPC, errno.EDQUOT}
_TRASHED: Final = re.compile(rf"({RUN_ID.pattern})~(\d{{1,16}})")


class TrashedRun(Struct, frozen=True):
    """A run in the trash."""

    run_id: str
    #: Milliseconds since the epoch at which it was put there.
    at: int
    #: Bytes on the disk.
    size: int

    @property
    def name(self) -> str:
        """Its name in the trash."""
        return f"{self.run_id}~{self.at}"


def sized(root: Path) -> list[SizedRun]:
    """Return every run of the checkpoint directory with the bytes that it takes on the disk, newest first."""
    found = []
    for run in checkpoint.summaries(root):
        with contextlib.suppress(RunNotFoundError, OSError), checkpoint.open_run(root, run.run_id) as folder:
            found.append(SizedRun(run, folder.size()))
    return found


def remove(root: Path, run_id: str, effort: Effort | None = None) -> int:
    """Delete the run `run_id` and return the bytes that this frees.

    Raises:
        RunNotFoundError: it is not there. RunHeldError: it is live. StorageError: it cannot be deleted.
        CancelledError: `effort` is not wanted any more; the run is gone, its bytes will be with the next removal.
    """
    with _root(root, run_id, "delete the checkpoint") as folder, _held(folder, root, run_id) as run:
        size = run.size()
        hidden = f"{_DELETED}{run_id}-{time.time_ns():x}"
        folder.rename(run_id, hidden)
        folder.sync()
        pins.drop(folder, run_id)
        _delete(folder, hidden, effort or Effort())
        _sweep(folder)
    return size


def trash(root: Path, run_id: str, now: int, *, sync: bool = True) -> TrashedRun:
    """Put the run `run_id` into the trash. Raises as `remove` does.

    Of many that go together only the last need `sync`: what a crash undoes is where it was.
    """
    doing = "put the checkpoint into the trash"
    with _root(root, run_id, doing) as folder, _held(folder, root, run_id) as run, folder.make(TRASH) as bin_:
        put = TrashedRun(run_id, now, run.size())
        os.rename(run_id, put.name, src_dir_fd=folder.fd, dst_dir_fd=bin_.fd)
        if sync:
            bin_.sync()
            folder.sync()
    return put


def trashed(root: Path, known: Mapping[str, TrashedRun] | None = None) -> list[TrashedRun]:
    """Return what is in the trash, the latest first; what is `known`, by its name there, is not measured again.

    Raises:
        StorageError: the trash cannot be read.
    """
    known = known or {}
    folder = checkpoint.open_root(root)
    if folder is None:
        return []
    with folder:
        try:
            bin_ = folder.folder(TRASH)
        except FileNotFoundError:
            return []
        except OSError as error:
            raise explain_beside(error, "read the trash", root / TRASH) from error
        with bin_:
            found = []
            for name in bin_.folders():
                if name in known:
                    found.append(known[name])
                elif (match := _TRASHED.fullmatch(name)) is not None:
                    with contextlib.suppress(OSError), bin_.folder(name) as run:
                        found.append(TrashedRun(match[1], int(match[2]), run.size()))
    return sorted(found, key=lambda put: put.at, reverse=True)


def restore(root: Path, run_id: str, at: int | None = None, *, sync: bool = True) -> str:
    """Take the run `run_id` back from the trash: the one that was put there last, or at the moment `at`.

    `sync` is as for `trash`.

    Raises:
        RunNotFoundError: it is not there. StorageError: there is a run of this name again, or the disk refuses.
    """
    missing = RunNotFoundError(f"not in the trash: {run_id[:120]}", hint="see what is: specular checkpoint trash")
    if not RUN_ID.fullmatch(run_id):
        raise missing
    if at is None:
        at = next((put.at for put in trashed(root) if put.run_id == run_id), None)
    if at is None:
        raise missing
    with _root(root, run_id, "take the checkpoint back from the trash") as folder, folder.make(TRASH) as bin_:
        with contextlib.suppress(FileNotFoundError):
            folder.stat(run_id)
            raise StorageError(
                f"{run_id} cannot be taken back: a run of this name is there again",
                hint=f"delete that one first: specular checkpoint delete {run_id}",
            )
        try:
            os.rename(TrashedRun(run_id, at, 0).name, run_id, src_dir_fd=bin_.fd, dst_dir_fd=folder.fd)
        except FileNotFoundError:
            raise missing from None
        if sync:
            folder.sync()
            bin_.sync()
    return run_id


def empty_trash(root: Path, now: int, *, older_than_ms: int = TRASH_MS, room: int | None = None) -> int:
    """Delete what has been in the trash for longer than `older_than_ms`; return the bytes that this frees.

    With `room`, what is left may take so many bytes: what was put there first goes first.
    """
    going = []
    left = 0
    for put in trashed(root):
        left += put.size
        # A clock that was set back must not make the trash eternal.
        old = now - put.at >= older_than_ms or put.at - now > TRASH_MS
        if old or (room is not None and left > room):
            going.append(put)
    return purge(root, going)


def purge(root: Path, puts: Iterable[TrashedRun], effort: Effort | None = None) -> int:
    """Delete these runs from the trash and return the bytes that this frees; one that is not there is passed over.

    Raises:
        StorageError: one cannot be deleted. CancelledError: `effort` is not wanted any more.
    """
    freed = 0
    with contextlib.suppress(RunNotFoundError), _root(root, "", "empty the trash") as folder:
        for put, hidden in _hide(folder, root, puts):
            _delete(folder, hidden, effort or Effort())
            freed += put.size
        _sweep(folder)
    return freed


def discard(root: Path, puts: Iterable[TrashedRun]) -> list[TrashedRun]:
    """Take these runs from the trash for good, and return them; what they take on the disk is freed by `sweep`.

    One that is not there is passed over. Raises StorageError.
    """
    with contextlib.suppress(RunNotFoundError), _root(root, "", "empty the trash") as folder:
        return [put for put, _ in _hide(folder, root, puts)]
    return []


def sweep(root: Path, effort: Effort | None = None) -> None:
    """Free what runs take that have been removed: what `discard` and crashes have left.

    Raises:
        CancelledError: `effort` is not wanted any more; the rest is left for the next time.
    """
    with contextlib.suppress(RunNotFoundError), _root(root, "", "free what removed checkpoints take") as folder:
        _sweep(folder, effort)


def _hide(folder: Folder, root: Path, puts: Iterable[TrashedRun]) -> Iterator[tuple[TrashedRun, str]]:
    """Give each run of the trash a hidden name, and yield it: nobody takes back, or sees, one that is half deleted."""
    here = set(checkpoint.run_ids(root))
    kept = pins.pinned(root)
    for put in puts:
        hidden = f"{_DELETED}{put.run_id}-{time.time_ns():x}"
        try:
            with folder.folder(TRASH) as bin_:
                os.rename(put.name, hidden, src_dir_fd=bin_.fd, dst_dir_fd=folder.fd)
        except FileNotFoundError:
            continue
        if put.run_id in kept and put.run_id not in here:
            pins.drop(folder, put.run_id)
        yield put, hidden


@contextmanager
def _root(root: Path, run_id: str, doing: str) -> Iterator[Folder]:
    """Open the checkpoint directory to do something with a run; where the disk refuses, tell what was being done."""
    folder = checkpoint.open_root(root)
    if folder is None:
        raise checkpoint.not_found(run_id)
    with folder:
        try:
            yield folder
        except OSError as error:
            raise explain(error, doing, root / run_id) from error


@contextmanager
def _held(folder: Folder, root: Path, run_id: str) -> Iterator[Folder]:
    """Hold the lock of a run that is about to go."""
    with checkpoint.open_run(root, run_id) as run:
        refused = RunHeldError(
            f"{run_id} is being built: a live run is not removed", hint=f"stop it first: specular stop {run_id}"
        )
        with lock.holding(run, refused, spared=_UNLOCKABLE):
            try:
                if not os.path.samestat(folder.stat(run_id), os.fstat(run.fd)):
                    raise checkpoint.not_found(run_id)  # it was replaced meanwhile
                yield run
            except FileNotFoundError:
                raise checkpoint.not_found(run_id) from None


def _delete(folder: Folder, name: str, effort: Effort) -> None:
    """Delete the folder `name` in `folder`; links in it are removed, never followed; what is gone already is gone."""
    try:
        inner = folder.folder(name)
    except FileNotFoundError:
        return
    with inner:
        with os.scandir(inner.fd) as entries:
            found = [(entry.name, entry.is_dir(follow_symlinks=False), _room(entry)) for entry in entries]
        for child, is_folder, size in found:
            if is_folder:
                _delete(inner, child, effort)
            else:
                inner.remove(child, missing_ok=True)
            effort.add(size)
        effort.tell()
    with contextlib.suppress(FileNotFoundError):
        os.rmdir(name, dir_fd=folder.fd)


def _room(entry: os.DirEntry[str]) -> int:
    try:
        return room_on_disk(entry.stat(follow_symlinks=False))
    except OSError:
        return 0


def _sweep(folder: Folder, effort: Effort | None = None) -> None:
    """Delete what a crash has left half deleted, half made or half imported; what cannot go now waits for next time."""
    with os.scandir(folder.fd) as entries:
        names = [
            e.name for e in entries if e.name.startswith((_DELETED, *_UNFINISHED)) and e.is_dir(follow_symlinks=False)
        ]
    for name in names:
        with contextlib.suppress(OSError, StorageError):
            if name.startswith(_UNFINISHED) and time.time() - folder.stat(name).st_mtime < _STALE:
                continue
            with folder.folder(name) as left:
                if lock.held(left):
                    continue
            _delete(folder, name, effort or Effort())
