"""The files in `outputs/` against the journal and progress.json: every record and every log, by its hash."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any, Final

import msgspec

from specular_tui.errors import CheckpointError
from specular_tui.model.run import Attempt, TaskState
from specular_tui.store import checkpoint, digest, layout, snapshot, strictjson
from specular_tui.store.checks.history import History
from specular_tui.store.effort import Effort
from specular_tui.store.folder import Folder
from specular_tui.store.logs import kept
from specular_tui.store.logs.kept import Fault, Log
from specular_tui.store.repairs.rebuild import LONGEST_RECORD

#: Small files are proved so many at a time, because handing one to a thread costs more than to hash it.
_BATCH: Final = 128
_LARGE: Final = 1 << 20


class Flaw(msgspec.Struct, frozen=True):
    """What is wrong with one file of a task."""

    #: Its path in the run's folder, without `.gz`.
    file: str
    fault: Fault
    #: The task or gate that it belongs to.
    task: str
    #: The attempt whose log it is; 0 for a record.
    attempt: int = 0
    #: A lawful crash can have left it so: only worth a note.
    harmless: bool = False


class Outputs:
    """The folder `outputs/` of a run, as it was listed once."""

    def __init__(
        self,
        folder: Folder | None,
        history: History,
        hashes: Mapping[str, str],
        since: int,
        only: Collection[str] | None = None,
    ) -> None:
        """`hashes` are those of progress.json, which was written at record `since`; `only`: look at these tasks.

        Without a `folder` nothing is there.
        """
        self._folder = folder
        self._history = history
        self._hashes = hashes
        self._since = since
        state = history.state
        self._tasks: dict[str, TaskState] = state.tasks | state.gates
        if only is not None:
            self._tasks = {task: known for task, known in self._tasks.items() if task in only}
        #: Tasks that ended in records that are not known to be on disk with their logs.
        self.unproven: frozenset[str] = frozenset()
        self._there = kept.listing(folder) if folder is not None else {}

    def strangers(self) -> list[str]:
        """Return the names that belong to no task of the run, and to no attempt of one."""
        known = {layout.record_name(task) for task in self._tasks} | {layout.log_name(task) for task in self._tasks}
        earlier = kept.earlier_logs(self._there, self._tasks)
        known |= {name for task, attempt, name in earlier if 0 < attempt <= self._tasks[task].attempt}
        return sorted(self._there.keys() - known)

    def flaws(self, effort: Effort) -> list[Flaw]:
        """Return what is wrong with records and logs.

        Raises:
            CancelledError: the effort is not wanted any more.
        """
        records = [task for task, known in self._tasks.items() if task in self._hashes or snapshot.has_record(known)]
        wanted = list(kept.expected(self._tasks))
        effort.total += sum(log.size for log in wanted)
        large = sorted((log for log in wanted if log.size >= _LARGE), key=lambda log: -log.size)
        small = [log for log in wanted if log.size < _LARGE]
        jobs: list[Callable[[], list[Flaw]]] = [partial(self._prove_logs, [log], effort) for log in large]
        jobs += [partial(self._prove_logs, small[i : i + _BATCH], effort) for i in range(0, len(small), _BATCH)]
        jobs += [partial(self._prove_records, records[i : i + _BATCH]) for i in range(0, len(records), _BATCH)]
        return [flaw for found in effort.spread(jobs) for flaw in found]

    def _prove_logs(self, wanted: list[Log], effort: Effort) -> list[Flaw]:
        return [
            Flaw(
                f"{layout.OUTPUTS}/{kept.file_of(self._there, log)}",
                fault,
                log.task,
                attempt=log.attempt,
                harmless=log.task in self.unproven,
            )
            for log in wanted
            if (fault := kept.prove(self._folder, self._there, log, effort)) is not None
        ]

    def _prove_records(self, tasks: list[str]) -> list[Flaw]:
        # A record that was written after progress.json, or that a power cut tore, is made anew from the journal.
        return [
            Flaw(
                f"{layout.OUTPUTS}/{layout.record_name(task)}",
                fault,
                task,
                harmless=self._history.touched(task, self._since) and (fault.absent or not fault.missing),
            )
            for task in tasks
            if (fault := self._prove_record(task)) is not None
        ]

    def _prove_record(self, task_id: str) -> Fault | None:
        name = layout.record_name(task_id)
        expected = self._hashes.get(task_id)
        if self._folder is None or name not in self._there:
            return Fault("is missing", missing=True, absent=True) if expected is not None else None
        try:
            data = checkpoint.read_plain(self._folder, name, LONGEST_RECORD)
        except OSError as error:
            return kept.fault(error)
        except CheckpointError as error:
            return Fault(error.message.rpartition(": ")[2])
        renewed = self._history.touched(task_id, self._since)
        found = digest.of_bytes(data)
        if expected is not None and found != expected and not renewed:
            return Fault(f"is not the one that progress.json knows: expected {expected}, found {found}")
        reason = self._contradiction(task_id, data, proven=found == expected)
        if reason is not None:
            return Fault(reason)
        if expected is None and not renewed:
            return Fault("is not known to progress.json")
        return None

    def _contradiction(self, task_id: str, data: bytes, *, proven: bool) -> str | None:
        """Return what a record says that the journal does not; `proven` bytes are those that were written."""
        try:
            found = msgspec.json.decode(data) if proven else strictjson.read(data)
        except strictjson.NotJson as error:
            return str(error)
        except (ValueError, RecursionError):
            return "is not valid JSON"
        if not isinstance(found, dict) or found.get("task") != task_id:
            return "is not the record of this task"
        task = self._tasks[task_id]
        number = found.get("attempt")
        attempts: dict[int, Attempt | TaskState] = {a.attempt: a for a in task.earlier}
        attempts[task.attempt] = task
        known = attempts.get(number) if isinstance(number, int) else None
        if known is None:
            return f"is of attempt {number!r:.20}, which the journal does not have"
        if not known.outcome:
            return f"is of attempt {number}, which has not ended"
        log = found.get("log")
        log = log if isinstance(log, dict) else {}
        pairs: list[tuple[str, Any, Any]] = [
            ("outcome", found.get("outcome"), known.outcome),
            ("exit_code", found.get("exit_code"), known.exit_code),
            ("signal", found.get("signal"), known.signal),
            ("duration_ms", found.get("duration_ms"), known.duration_ms),
            ("started_at", found.get("started_at"), snapshot.timestamp(known.started_at)),
            ("completed_at", found.get("completed_at"), snapshot.timestamp(known.completed_at)),
        ]
        if known.log_hash:
            pairs.append(("log.hash", log.get("hash"), known.log_hash))
            pairs.append(("log.size", log.get("size"), known.log_size))
        for name, there, expected in pairs:
            if there != expected or type(there) is not type(expected):
                return f"{name} is {there!r:.90}, and the journal says {expected!r:.90}"
        return None
