"""The logs of a run: which there must be, and whether their bytes are those that the tasks wrote."""

from __future__ import annotations

import errno
import gzip
import os
import re
import stat
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from specular_tui.model.run import TaskState, TaskStatus
from specular_tui.store import digest, layout
from specular_tui.store.effort import Effort
from specular_tui.store.folder import Folder

_EARLIER: Final = re.compile(r"(.+)\.(\d{1,9})\.log")


class Log(msgspec.Struct, frozen=True):
    """A log that must be there."""

    task: str
    attempt: int
    name: str
    size: int
    hash: str
    #: The name that it gets when another attempt starts; a crash may come before that is recorded.
    other: str | None = None


class Fault(msgspec.Struct, frozen=True):
    """What is wrong with a file, as the end of `it …`."""

    reason: str
    #: It is not there, or something else is there in its place; otherwise its content is wrong.
    missing: bool = False
    #: There is nothing at all of this name.
    absent: bool = False


_NO_FILE = frozenset({errno.ENOENT, errno.ELOOP, errno.EINVAL, errno.ENXIO, errno.EISDIR, errno.ENOTDIR})


def fault(error: OSError) -> Fault:
    """Return what is wrong with a file that cannot be opened or read."""
    match error.errno:
        case errno.ENOENT:
            reason = "is missing"
        case errno.ELOOP:
            reason = "is a symbolic link"
        case errno.EFBIG:
            reason = "is too large to be one of Specular's"
        case _ if error.errno in _NO_FILE:
            reason = "is not a regular file"
        case _:
            reason = f"cannot be read: {(error.strerror or str(error)).lower()}"
    return Fault(reason, missing=error.errno in _NO_FILE, absent=error.errno == errno.ENOENT)


def no_file(folder: Folder, name: str) -> str | None:
    """Return what is there instead of a regular file `name`, as the end of `it …`; None for one, or for nothing."""
    try:
        mode = folder.stat(name).st_mode
    except OSError as error:
        return None if error.errno == errno.ENOENT else fault(error).reason
    if stat.S_ISREG(mode):
        return None
    return "is a symbolic link" if stat.S_ISLNK(mode) else "is not a regular file"


def listing(folder: Folder) -> dict[str, bool]:
    """Return the names in `folder` without `.gz`, and whether each is there as it is."""
    found: dict[str, bool] = {}
    for name in folder.names():
        plain = name.removesuffix(".gz")
        found[plain] = found.get(plain, False) or plain == name
    return found


def expected(tasks: Mapping[str, TaskState]) -> Iterator[Log]:
    """Yield the logs whose digests are known; not those of attempts that run, or that nobody saw end."""
    for task_id, task in tasks.items():
        for earlier in task.earlier:
            if earlier.log_hash:
                name = layout.log_name(task_id, earlier.attempt)
                yield Log(task_id, earlier.attempt, name, earlier.log_size, earlier.log_hash)
        if task.log_hash and task.status is not TaskStatus.IN_PROGRESS:
            other = layout.log_name(task_id, task.attempt) if task.status is TaskStatus.PENDING else None
            yield Log(task_id, task.attempt, layout.log_name(task_id), task.log_size, task.log_hash, other)


def earlier_logs(there: Iterable[str], tasks: Mapping[str, TaskState]) -> Iterator[tuple[str, int, str]]:
    """Yield (task, attempt, name) of each file in a listing that is named as a log that another attempt followed."""
    stems = {layout.task_stem(task): task for task in tasks}
    for name in there:
        if (match := _EARLIER.fullmatch(name)) is not None and match[1] in stems:
            yield stems[match[1]], int(match[2]), name


def stale(there: Iterable[str], tasks: Mapping[str, TaskState]) -> list[str]:
    """Return the names of logs that stand where the logs of later attempts will have to be.

    No record is left of their attempts: a power cut took it, or the task was out of the plan for a while.
    """
    return [name for task, attempt, name in earlier_logs(there, tasks) if attempt > tasks[task].attempt]


def prove(folder: Folder | None, there: Mapping[str, bool], log: Log, effort: Effort) -> Fault | None:
    """Return what is wrong with a log in `folder`, whose `listing` is `there`; None where its bytes are right.

    Raises:
        CancelledError: the effort is not wanted any more.
    """
    return _prove(folder, there, log, file_of(there, log), effort)


def file_of(there: Mapping[str, bool], log: Log) -> str:
    """Return the name that a log has in the folder of the listing `there`.

    Where its other name is there, the first one is that of an attempt that no record is left of.
    """
    return log.other if log.other is not None and log.other in there else log.name


def _prove(folder: Folder | None, there: Mapping[str, bool], log: Log, name: str, effort: Effort) -> Fault | None:
    if folder is None or name not in there:
        # A task that printed nothing need not have one.
        return Fault("is missing", missing=True, absent=True) if log.size else None
    try:
        size, found = _hash(folder, name, there[name], log.size, effort)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        return Fault(f"is not readable as gzip: {error}")
    except OSError as error:
        return fault(error)
    if size > log.size:
        return Fault(f"is longer than the {log.size} bytes that the task had written")
    if size < log.size:
        return Fault(f"has {size} bytes, and the task had written {log.size}")
    if found != log.hash:
        return Fault(f"expected {log.hash}, found {found}")
    return None


def _hash(folder: Folder, name: str, is_plain: bool, size: int, effort: Effort) -> tuple[int, str]:
    """Return (size, digest) of a log; one of another size than `size` is not read to its end."""
    if is_plain:
        fd = folder.open(name)
        try:
            found = os.fstat(fd).st_size
            return digest.of_file(fd, effort.add) if found == size else (found, "")
        finally:
            os.close(fd)
    with os.fdopen(folder.open(name + ".gz"), "rb") as packed, gzip.GzipFile(fileobj=packed, mode="rb") as plain:
        return digest.of_stream(plain, size + 1, effort.add)
