"""Logs of a run whose journal cannot be read: found by their names, and proved by the records of their tasks."""

from __future__ import annotations

import gzip
import zlib
from typing import NamedTuple

import msgspec

from specular_tui.errors import CheckpointError
from specular_tui.store import checkpoint, digest, layout
from specular_tui.store.folder import Folder


class SalvagedLog(NamedTuple):
    """A log that is still there."""

    #: Its name in `outputs/`, without `.gz` where it is packed.
    name: str
    #: It is, byte for byte, what the task's record says that the task wrote.
    sound: bool


class _Log(msgspec.Struct):
    size: int = 0
    hash: str | None = None


class _Attempt(msgspec.Struct):
    attempt: int = 0
    log: _Log = msgspec.field(default_factory=_Log)


class _Record(_Attempt):
    attempts: list[_Attempt] = []


def salvage(outputs: Folder, task_id: str, attempt: int | None = None) -> SalvagedLog | None:
    """Return a task's log in the folder `outputs`, of its latest attempt where none is given; None where there is none.

    A log that nothing speaks of is not sound.
    """
    record = _record(outputs, task_id)
    latest = attempt is None or (record is not None and record.attempt == attempt)
    names = [layout.log_name(task_id, attempt if attempt is not None else record.attempt if record else 1)]
    if latest:
        names.append(layout.log_name(task_id))
    name = next((name for name in names if outputs.has(name) or outputs.has(name + ".gz")), None)
    if name is None:
        return None
    known: list[_Attempt] = [record, *record.attempts] if record is not None else []
    of = record.attempt if latest and record is not None else attempt
    log = next((each.log for each in known if each.attempt == of), None)
    return SalvagedLog(name, log is not None and _is(outputs, name, log))


def task_ids(outputs: Folder) -> list[str]:
    """Return the ids of the tasks that have a log or a record in the folder `outputs`, but for shortened ones."""
    stems = {name.removesuffix(".gz") for name in outputs.names()}
    found = {name.removesuffix(ending) for name in stems for ending in (".json", ".log") if name.endswith(ending)}
    # The point before an attempt's number is in no stem.
    ids = {layout.task_id(stem.partition(".")[0]) for stem in found}
    return sorted(task for task in ids if task)


def _record(outputs: Folder, task_id: str) -> _Record | None:
    try:
        data = checkpoint.read_plain(outputs, layout.record_name(task_id), 1 << 24)
        return msgspec.json.decode(data, type=_Record)
    except (OSError, CheckpointError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _is(outputs: Folder, name: str, log: _Log) -> bool:
    try:
        with checkpoint.open_plain(outputs, name) as file:
            return digest.of_stream(file, log.size + 1) == (log.size, log.hash)
    except (OSError, EOFError, zlib.error, gzip.BadGzipFile):
        return False
