"""Going on with a damaged run: what is damaged is kept in `quarantine/`, and what depended on it runs again.

Only a holder of the run's lock repairs. The order of the steps is such that a crash between them leaves a run that is
still damaged, and that the next repair mends: first bad files are moved away, then the journal says in one step which
logs are lost and which tasks are pending again, and last come the files that are derived from it.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from specular_tui.errors import CheckpointError, RunHeldError
from specular_tui.model.event import AnyEvent, LogLost, TaskReset
from specular_tui.model.fold import apply, as_seen_dead
from specular_tui.model.run import RunState, TaskStatus
from specular_tui.store import checkpoint, digest, journal, layout, lock
from specular_tui.store.checks.report import Report
from specular_tui.store.explaining import explain
from specular_tui.store.folder import Folder
from specular_tui.store.logs import kept
from specular_tui.store.repairs import quarantine
from specular_tui.store.repairs.rebuild import of_attempt, read_record, rebuild

#: Is given the state of a run whose copy of the plan or the policy is damaged, and finds what may be the right bytes.
Copies = Callable[[RunState], Iterable[bytes]]

_NAMED: Final = re.compile(rb'"task":"([^"\\]{1,200})"')
_SNAPSHOTS: Final = (layout.STATE, layout.PROGRESS, layout.METADATA)


class Mending(msgspec.Struct, frozen=True):
    """What a repair would do."""

    #: The run as of the last record that is proved, before any task is set back.
    run: checkpoint.StoredRun
    #: Tasks whose results would be made again.
    again: tuple[str, ...]
    #: Files whose bytes would be kept in `quarantine/`, as paths in the run's folder without `.gz`.
    moved: tuple[str, ...]
    #: Bytes at the end of the journal that would count for nothing.
    lost_bytes: int


def foresee(root: Path, run_id: str, report: Report) -> Mending:
    """Return what `repair` would do. Nothing is written and nothing locked. Raises as `repair` does."""
    with checkpoint.open_run(root, run_id) as folder:
        try:
            if report.live or lock.held(folder):
                raise _live(run_id)
            data, state = _valid_part(folder, report)
            again = _again(folder, report, data, state)
            stale: list[str] = []
            with contextlib.suppress(OSError), folder.folder(layout.OUTPUTS) as outputs:
                stale = kept.stale(kept.listing(outputs), state.tasks | state.gates)
            derived = (layout.JOURNAL, *_SNAPSHOTS) if report.journal_damaged else ()
            there = [name for name in derived if folder.has(name) or folder.has(name + ".gz")]
            moved = dict.fromkeys([*there, *report.damaged_files, *(f"{layout.OUTPUTS}/{name}" for name in stale)])
        except OSError as error:
            raise explain(error, "read the checkpoint", folder.path) from error
        return Mending(
            run=checkpoint.StoredRun(
                run_id=run_id,
                path=str(folder.path),
                state=as_seen_dead(state),
                live=False,
                journal_bytes=report.journal_valid,
            ),
            again=tuple(task for task in again if _has_ended(state, task)),
            moved=tuple(moved),
            lost_bytes=len(data) - report.journal_valid,
        )


class _Attempted(msgspec.Struct):
    attempt: int = 0


class _Attempts(msgspec.Struct):
    tasks: dict[str, _Attempted] = {}
    gates: dict[str, _Attempted] = {}


def repair(root: Path, run_id: str, report: Report, now: int, *, copies: Copies | None = None) -> list[str]:
    """Mend the run `run_id` as far as `report`, just made, says that it is damaged; return the tasks to run again.

    Those tasks are pending in the journal when this returns. `now` (milliseconds) goes into the names in `quarantine/`.

    Raises:
        RunHeldError: the run is live. RunNotFoundError: it is not there.
        CheckpointError: it has changed since it was checked, or nothing of its journal is left to go on from.
        StorageError: the disk refuses.
    """
    with checkpoint.open_run(root, run_id) as folder:
        try:
            with lock.holding(folder, _live(run_id)):
                return repair_held(folder, report, now, copies=copies)
        except OSError as error:
            raise explain(error, "repair the checkpoint", folder.path) from error


def repair_held(folder: Folder, report: Report, now: int, *, copies: Copies | None = None) -> list[str]:
    """Do the same for a run in `folder`, whose lock the caller holds. Raises as `repair` does, and `OSError`."""
    if report.ok:
        return []
    data, state = _valid_part(folder, report)
    again = _again(folder, report, data, state)
    if report.journal_damaged:
        quarantine.keep(folder, layout.JOURNAL, data, now)
    quarantine.move(folder, [n for n in report.damaged_files if n not in (layout.JOURNAL, *_SNAPSHOTS)], now)
    with folder.make(layout.OUTPUTS) as outputs:
        stale = kept.stale(kept.listing(outputs), state.tasks | state.gates)
    quarantine.move(folder, [f"{layout.OUTPUTS}/{name}" for name in stale], now)
    _restore(folder, state, copies)
    lines, reset = _amend(state, report, again)
    if not report.journal_damaged and len(data) > report.journal_valid:
        quarantine.keep(folder, f"{layout.JOURNAL}.torn", data[report.journal_valid :], now)
    if lines or report.journal_damaged or len(data) > report.journal_valid:
        folder.publish(layout.JOURNAL, data[: report.journal_valid] + lines)
    for name in _SNAPSHOTS if report.journal_damaged else [n for n in _SNAPSHOTS if n in report.damaged_files]:
        quarantine.keep_file(folder, name, now)
        quarantine.keep_file(folder, name + ".gz", now)
    rebuild(folder, state, report.journal_valid + len(lines))
    return reset


def _live(run_id: str) -> RunHeldError:
    return RunHeldError(f"{run_id} is being built by another process", hint=f"stop it first: specular stop {run_id}")


def _again(folder: Folder, report: Report, data: bytes, state: RunState) -> dict[str, None]:
    """Return the tasks whose results are damaged, or may have been spoken of by what the journal has lost."""
    again = dict.fromkeys(report.damaged_tasks)
    if report.journal_damaged:
        again |= dict.fromkeys(_lost(folder, data[report.journal_valid :], state))
    return again


def _has_ended(state: RunState, task_id: str) -> bool:
    task = state.find(task_id)
    return task is not None and task.status in (TaskStatus.COMPLETED, TaskStatus.FAILED)


def _valid_part(folder: Folder, report: Report) -> tuple[bytes, RunState]:
    """Return the journal's bytes, and the state at the end of those that are proved."""
    try:
        data = folder.read(layout.JOURNAL, checkpoint.LONGEST)
    except OSError:
        data = b""
    if len(data) != report.journal_bytes:
        raise CheckpointError(f"{report.run_id} has changed since it was validated", hint="try again")
    reader = journal.JournalReader()
    with contextlib.suppress(journal.JournalDamage):
        reader.feed(data[: report.journal_valid])
    if reader.offset != report.journal_valid or reader.state.run_id != report.run_id:
        raise CheckpointError(
            f"{report.run_id} cannot be repaired: nothing of {folder.path / layout.JOURNAL} is left to go on from",
            hint=f"take it from an archive, if you have one (specular checkpoint delete {report.run_id}, then "
            "specular checkpoint import FILE), or start a fresh build",
        )
    return data, reader.state


def _restore(folder: Folder, state: RunState, copies: Copies | None) -> None:
    """Put the plan and the policy back, where somebody still has their very bytes."""
    wanted = {
        name: expected
        for name, expected in ((layout.PLAN, state.plan_hash), (layout.POLICY, state.policy_hash))
        if expected is not None and not folder.has(name)
    }
    if not wanted or copies is None:
        return
    for data in copies(state):
        found = digest.of_bytes(data)
        for name, expected in wanted.items():
            if found == expected:
                folder.publish(name, data)


def _lost(folder: Folder, rest: bytes, state: RunState) -> Iterator[str]:
    """Yield the tasks of which the lost end of the journal may have said something.

    Nothing of what is read here is proved, and nothing is believed but that a task is better run again.
    """
    known = state.tasks | state.gates

    def later(task: str | None, attempt: int) -> bool:
        return task is not None and task in known and attempt > known[task].attempt

    for match in _NAMED.finditer(rest):
        task = match[1].decode("utf-8", "replace")
        if task in known:
            yield task
    with contextlib.suppress(OSError, ValueError, RecursionError, CheckpointError):
        progress = msgspec.json.decode(checkpoint.read_plain(folder, layout.PROGRESS, 1 << 30), type=_Attempts)
        for task, entry in (progress.tasks | progress.gates).items():
            if later(task, entry.attempt):
                yield task
    with contextlib.suppress(OSError), folder.folder(layout.OUTPUTS) as outputs:
        there = kept.listing(outputs)
        for task, attempt, _ in kept.earlier_logs(there, known):
            if later(task, attempt):
                yield task
        for task in known:
            if layout.record_name(task) in there:
                data = read_record(outputs, layout.record_name(task))
                if data is not None and later(task, of_attempt(data)[1]):
                    yield task


def _amend(state: RunState, report: Report, again: Iterable[str]) -> tuple[bytes, list[str]]:
    """Return the records to append to the journal, and the tasks that they make pending."""
    lines, reset = bytearray(), []

    def add(event: AnyEvent) -> None:
        seq = state.seq + 1
        line, chain = journal.encode(seq, event, state.chain)
        apply(state, event)
        state.seq, state.chain = seq, chain
        lines.extend(line)

    tasks = state.tasks | state.gates
    for task, attempt in report.lost_logs:
        if task in tasks and attempt in (tasks[task].attempt, *(earlier.attempt for earlier in tasks[task].earlier)):
            add(LogLost(at=state.updated_at, task=task, attempt=attempt))
    for task in again:
        if _has_ended(state, task):
            add(TaskReset(at=state.updated_at, task=task, reason="its result is damaged"))
            reset.append(task)
    return bytes(lines), reset
