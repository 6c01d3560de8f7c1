"""Stored runs as a reader sees them: which there are, and what each one says. Nothing here writes or locks."""

from __future__ import annotations

import io
import os
import re
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from specular_tui.errors import (
    AmbiguousRunError,
    CheckpointError,
    RunNotFoundError,
    SpecularError,
    StorageError,
)
from specular_tui.model.plan import RUN_ID
from specular_tui.model.run import ENDING, RESUMABLE, RunState, RunStatus
from specular_tui.store import chain, layout, lock, seal
from specular_tui.store.explaining import explain
from specular_tui.store.folder import Folder

#: No file of a checkpoint that is read whole may be longer: a bomb is refused instead of filling the memory.
LONGEST: Final = 2 << 30


class Damage(msgspec.Struct, frozen=True):
    """What is wrong with one file of a run."""

    file: str
    reason: str


class StoredRun(msgspec.Struct, frozen=True):
    """One run as it was when it was read."""

    run_id: str
    path: str
    state: RunState
    #: A process works on it.
    live: bool
    #: The socket that a live run listens on.
    control: str | None = None
    #: What a reader should know: a torn record that was left out, for example.
    notices: tuple[str, ...] = ()
    #: Tasks that ended in records which are not known to be on disk with their logs (in a live run: not yet).
    unproven: tuple[str, ...] = ()
    #: Bytes of the journal up to its last whole record.
    journal_bytes: int = 0


class RunSummary(msgspec.Struct, frozen=True):
    """One line of `checkpoint list`: metadata as of now, and what the directory itself says."""

    run_id: str
    path: str
    live: bool
    #: The fields of metadata.json, brought up to date from the journal; what could be read of a damaged run.
    metadata: dict[str, Any]
    #: Set where the run cannot be read.
    damage: Damage | None = None

    @property
    def status(self) -> str:
        """The run's state, or `damaged`."""
        return "damaged" if self.damage else str(self.metadata.get("status", ""))

    @property
    def created_at(self) -> int:
        """Milliseconds since the epoch; 0 where unknown."""
        value = self.metadata.get("created_at_ms")
        return value if isinstance(value, int) else 0

    @property
    def updated_at(self) -> int:
        """Milliseconds since the epoch; 0 where unknown."""
        value = self.metadata.get("updated_at_ms")
        return value if isinstance(value, int) else 0

    @property
    def stopping(self) -> bool:
        """Whether a process works on it that has been told to end."""
        return self.live and self.metadata.get("stopping") is True

    @property
    def draining(self) -> bool:
        """Whether a process works on it that starts nothing new."""
        return self.live and self.metadata.get("draining") is True

    @property
    def in_doubt(self) -> bool:
        """Whether it cannot be told if a process works on it: its lock cannot be looked at, and `damage` says why."""
        return self.damage is not None and self.damage.file == layout.LOCK

    @property
    def resumable(self) -> bool:
        """Whether `--resume` can go on from it."""
        return self.damage is None and self.status in RESUMABLE


class SizedRun(NamedTuple):
    """A stored run and the bytes that it takes on the disk."""

    run: RunSummary
    size: int


def open_root(root: Path) -> Folder | None:
    """Open the checkpoint directory, or return None where there is none yet."""
    try:
        return Folder.at(root)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise explain(error, "read the checkpoint directory", root) from None


def run_ids(root: Path) -> list[str]:
    """Return the ids of all runs in the checkpoint directory `root`, sorted by name."""
    folder = open_root(root)
    if folder is None:
        return []
    with folder:
        return ids_in(folder)


def ids_in(root: Folder) -> list[str]:
    """Return the ids of all runs in the open checkpoint directory, sorted by name."""
    return sorted(name for name in root.folders() if RUN_ID.fullmatch(name))


def find(root: Path, name: str) -> str:
    """Return the id of the run that `name` names: a whole id, or a prefix of just one.

    Raises:
        RunNotFoundError: there is none. AmbiguousRunError: there are several.
    """
    ids = run_ids(root)
    if name in ids:
        return name
    matching = [run_id for run_id in ids if name and run_id.startswith(name)]
    if len(matching) == 1:
        return matching[0]
    if matching:
        shown = matching[-10:]
        raise AmbiguousRunError(
            f"'{name}' is the start of {len(matching)} run ids",
            details=shown + ([f"… and {len(matching) - 10} more"] if len(matching) > 10 else []),
            hint="give more of the run id",
        )
    raise not_found(name if name.isprintable() and name else repr(name))


def open_run(root: Path, run_id: str) -> Folder:
    """Open the folder of the run `run_id`.

    Raises:
        RunNotFoundError: it is not there (any more).
    """
    folder = open_root(root)
    if folder is None:
        raise not_found(run_id)
    with folder:
        return open_in(folder, run_id)


def open_in(root: Folder, run_id: str) -> Folder:
    """Open the folder of the run `run_id` in the open checkpoint directory. Raises as `open_run` does."""
    try:
        if RUN_ID.fullmatch(run_id):
            return root.folder(run_id)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise explain(error, "read the checkpoint", root.path / run_id) from None
    raise not_found(run_id)


def not_found(run_id: str) -> RunNotFoundError:
    """Return what tells that there is no such run."""
    return RunNotFoundError(
        f"checkpoint not found: {run_id[:120]}",
        hint="list the available checkpoints: specular checkpoint list",
    )


def read_plain(folder: Folder, name: str, limit: int = LONGEST) -> bytes:
    """Return the plain bytes of the file `name`, whether it is stored as it is or as `name`.gz.

    Raises:
        OSError: neither is there, or it cannot be read. CheckpointError: the packed one is damaged.
    """
    try:
        return folder.read(name, limit)
    except FileNotFoundError:
        packed = folder.open(name + ".gz")
    import gzip  # few runs are packed

    with os.fdopen(packed, "rb") as file, gzip.open(file, "rb") as plain:
        try:
            data = plain.read(limit + 1)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise CheckpointError(f"{folder.path / name}.gz is damaged: {error}") from None
    if len(data) > limit:
        raise CheckpointError(f"{folder.path / name}.gz is longer than {limit} bytes")
    return data


def read_progress(folder: Folder) -> bytes:
    """Return the bytes of progress.json, or nothing where it cannot be read."""
    try:
        return read_plain(folder, layout.PROGRESS)
    except (OSError, CheckpointError):
        return b""


def open_plain(folder: Folder, name: str) -> io.BufferedIOBase:
    """Open the file `name`, stored as it is or as `name`.gz, for reading its plain bytes.

    Reading a damaged packed file raises `EOFError`, `zlib.error` or `gzip.BadGzipFile`.
    """
    try:
        return os.fdopen(folder.open(name), "rb")
    except FileNotFoundError:
        from specular_tui.store.keeping.unpacked import Unpacked  # few runs are packed

        return Unpacked(folder.open(name + ".gz"))


def mark(folder: Folder) -> dict[str, Any]:
    """Return metadata.json as it stands, or nothing where it cannot be read."""
    try:
        found = msgspec.json.decode(folder.read(layout.METADATA, 1 << 20))
    except (OSError, msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def _number(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def read(folder: Folder, run_id: str) -> StoredRun:
    """Read the run in `folder` as of now.

    Raises:
        CheckpointError: its journal is damaged in what is known to have been on disk.
        StorageError: it cannot be read at all.
    """
    from specular_tui.model.event import TaskEnded
    from specular_tui.model.fold import as_seen_dead
    from specular_tui.store.journal import JournalDamage, JournalReader, promised

    # In this order: a run that is found dead now can have no record written after its journal is read.
    live = lock.held(folder)
    noted = mark(folder)
    _prove_format(folder, noted)
    data = _journal(folder, run_id)
    reader = JournalReader()
    known = _number(noted.get("journal_seq"))
    damage: JournalDamage | None = None
    try:
        events = reader.feed(data)
    except JournalDamage as found:
        damage = found
        events = reader.recovered
    state = reader.state
    if damage is not None and (damage.genuine or damage.seq <= max(known, state.synced, promised(data, reader.offset))):
        raise _damaged(folder, run_id, str(damage))
    if (reason := _why_not_of(state, run_id, known)) is not None:
        raise _damaged(folder, run_id, reason)
    notices: list[str] = []
    dropped = len(data) - reader.offset
    if dropped and not live:
        notices.append(f"{dropped} bytes of unfinished records at the end of the journal were left out")
    synced = max(known, state.synced)
    first = state.seq - len(events) + 1
    ended = [event.task for seq, event in enumerate(events, first) if isinstance(event, TaskEnded) and seq > synced]
    if not live:
        as_seen_dead(state)
    control = noted.get("control")
    return StoredRun(
        run_id=run_id,
        path=str(folder.path),
        state=state,
        live=live,
        control=control if live and isinstance(control, str) else None,
        notices=tuple(notices),
        unproven=tuple(dict.fromkeys(ended)),
        journal_bytes=reader.offset,
    )


def _prove_format(folder: Folder, noted: Mapping[str, Any]) -> None:
    """Refuse a run of another format than this version's."""
    found = noted.get("format", layout.FORMAT)
    if found != layout.FORMAT:
        raise CheckpointError(
            f"{folder.path} has format {found!r}, and this version of specular reads format {layout.FORMAT}",
            hint="use the version of specular that wrote it",
        )


def _journal(folder: Folder, run_id: str) -> bytes:
    try:
        return folder.read(layout.JOURNAL)
    except FileNotFoundError:
        raise CheckpointError(
            f"checkpoint validation failed: {folder.path / layout.JOURNAL} is missing",
            hint=f"see what is left: specular checkpoint validate {run_id}",
        ) from None
    except OSError as error:
        raise explain(error, "read the checkpoint", folder.path / layout.JOURNAL) from None


def _why_not_of(state: RunState, run_id: str, known: int) -> str | None:
    """Return why sound records that end with `state` are not the journal of this run; None where they are.

    `known` is the number of the last record that metadata.json has seen.
    """
    if state.seq < known:
        return f"it ends at record {state.seq}, and metadata.json has seen record {known}"
    if state.seq == 0:
        return "it holds no record"
    if state.run_id != run_id:
        return f"it is the journal of another run, '{state.run_id[:120]}'"
    return None


def _damaged(folder: Folder, run_id: str, reason: str) -> CheckpointError:
    return CheckpointError(
        f"checkpoint validation failed: {folder.path / layout.JOURNAL} is damaged: {reason}",
        hint=f"see what is damaged: specular checkpoint validate {run_id}",
    )


def load(root: Path, run_id: str) -> StoredRun:
    """Read the run `run_id` of the checkpoint directory `root` as of now."""
    with open_run(root, run_id) as folder:
        return read(folder, run_id)


def summarise(root: Path, run_id: str) -> RunSummary:
    """Return what a list says of a run: from metadata.json alone where that is the last word, else from the journal."""
    with open_run(root, run_id) as folder:
        try:
            live = lock.held(folder)
        except StorageError as error:
            damage = Damage(layout.LOCK, error.message)
            return RunSummary(run_id=run_id, path=str(folder.path), live=False, metadata=mark(folder), damage=damage)
        return summary(folder, run_id, live, mark(folder))


def is_last_word(folder: Folder, noted: dict[str, Any]) -> bool:
    """Tell whether metadata.json, of which `noted` is what it says, names the last record of the journal.

    That record and those before it are proved as far as `chain.ends_with` goes.
    """
    length, last = noted.get("journal_bytes"), noted.get("journal_chain")
    return type(length) is int and isinstance(last, str) and chain.ends_with(folder, length, last)


def summary(
    folder: Folder, run_id: str, live: bool, noted: dict[str, Any], last_word: bool | None = None
) -> RunSummary:
    """Return what a list says of the run in `folder`.

    The caller has asked whether it is `live`, and after that has read its `mark`, which is `noted`. What `is_last_word`
    says may be given as `last_word`, where it is known already.
    """
    path = str(folder.path)
    exact = noted.get("run_id") == run_id and noted.get("format") == layout.FORMAT and seal.is_sealed(noted)
    if not live and noted.get("status") == RunStatus.PAUSED and not noted.get("reason"):
        exact = False  # it may have been killed while it stood frozen, which the journal tells
    if exact and (is_last_word(folder, noted) if last_word is None else last_word):
        if not live and noted.get("status") in ("created", "in_progress", "retrying"):
            noted = {name: value for name, value in noted.items() if name not in ENDING}
            noted |= {"status": RunStatus.PAUSED.value, "interrupted": True}
        return RunSummary(run_id=run_id, path=path, live=live, metadata=noted)
    try:
        run = read(folder, run_id)
    except SpecularError as error:
        damage = Damage(layout.JOURNAL, error.message)
        return RunSummary(run_id=run_id, path=path, live=live, metadata=noted, damage=damage)
    from specular_tui.store import snapshot

    fresh = snapshot.metadata(run.state, now=run.state.updated_at, journal_bytes=run.journal_bytes, control=run.control)
    return RunSummary(run_id=run_id, path=path, live=run.live, metadata=fresh)


def summaries(root: Path) -> list[RunSummary]:
    """Return every run of the checkpoint directory `root`, newest first; one that vanishes meanwhile is left out."""
    found = []
    for run_id in run_ids(root):
        try:
            found.append(summarise(root, run_id))
        except (RunNotFoundError, StorageError):
            continue
    return newest_first(found)


def newest_first(runs: Iterable[RunSummary]) -> list[RunSummary]:
    """Sort by the time of creation, newest first; those of the same moment by the numbers in their names."""
    return sorted(runs, key=lambda run: (run.created_at, _natural(run.run_id)), reverse=True)


def _natural(name: str) -> list[tuple[int, str]]:
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
