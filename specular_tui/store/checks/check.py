"""Proving a checkpoint: everything that can be proved of a run's files, in the five lines of the specification.

The journal is the truth; its own chain, and the mark in metadata.json that says how far it is known to reach, prove it.
Everything else is compared with it. What a killed process or a power cut may lawfully leave is no damage: snapshots
older than the journal, a torn last record, results that nobody had been promised. Nothing is written, nothing locked.
"""

from __future__ import annotations

import errno
import threading
import time
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import msgspec

from specular_tui.errors import CheckpointError
from specular_tui.model.plan import TASK_ID
from specular_tui.model.quote import plain
from specular_tui.model.run import GATE_PREFIX, RunState, TaskStatus
from specular_tui.store import checkpoint, layout, lock
from specular_tui.store.checks import history
from specular_tui.store.checks import plan as check_plan
from specular_tui.store.checks import snapshots as check_snapshots
from specular_tui.store.checks.history import History
from specular_tui.store.checks.outputs import Flaw, Outputs
from specular_tui.store.checks.report import HASHES, METADATA, NAMES, PRESENT, PROGRESS, STATE, Check, Report
from specular_tui.store.effort import Effort, Progress
from specular_tui.store.folder import Folder
from specular_tui.store.logs import kept

__all__ = ["Check", "Report", "check", "check_folder"]

_KNOWN: Final = frozenset(
    {
        layout.METADATA,
        layout.STATE,
        layout.PROGRESS,
        layout.JOURNAL,
        layout.LOCK,
        layout.OUTPUTS,
        layout.QUARANTINE,
        layout.PLAN,
        layout.NEXT_PLAN,
        layout.POLICY,
        layout.NEXT_POLICY,
        layout.RESERVE,
    }
)
_LONGEST_SNAPSHOT: Final = 1 << 30
#: Seconds until a live run has said what it was just doing when a file of its seemed wrong.
_SETTLED: Final = 0.3


def check(
    root: Path, run_id: str, *, progress: Progress | None = None, cancel: threading.Event | None = None
) -> Report:
    """Prove the run `run_id` of the checkpoint directory `root`.

    `progress` is told bytes hashed and bytes in all, on this thread; setting `cancel` ends the check.

    Raises:
        RunNotFoundError: it is not there. StorageError: the directory cannot be read at all.
        CancelledError: `cancel` was set.
    """
    with checkpoint.open_run(root, run_id) as folder:
        return check_folder(folder, run_id, Effort(progress, cancel))


def check_folder(folder: Folder, run_id: str, effort: Effort | None = None, *, live: bool | None = None) -> Report:
    """Prove the run in `folder`, which says of itself that it is `run_id`. Raises as `check` does.

    `live`: whether a process works on it, where the lock does not say that because the caller has it.
    """
    report = _Run(folder, run_id, effort or Effort(), live).report()
    if report.live and not report.ok:
        # It may have begun a session just then, with another plan.
        time.sleep(_SETTLED)
        report = _Run(folder, run_id, effort or Effort(), live).report()
    return report


class _Run:
    """One check of one run."""

    def __init__(self, folder: Folder, run_id: str, effort: Effort, live: bool | None) -> None:
        self._folder = folder
        self._run_id = run_id
        self._effort = effort
        # Before the journal is read: a run that is found dead has no record written later.
        self._live = lock.held(folder) if live is None else live
        self._details: dict[str, list[str]] = {name: [] for name in NAMES}
        self._notes: list[str] = []
        self._strangers: list[str] = []
        self._damaged_tasks: dict[str, None] = {}
        self._damaged_files: dict[str, None] = {}
        self._lost_logs: dict[tuple[str, int], None] = {}
        self._looked: dict[tuple[str, int], list[str]] = {}
        self._history = History()
        self._journal_damaged = False
        self._journal_bytes = 0

    def report(self) -> Report:
        self._prove_names()
        self._prove_snapshots()
        self._prove_plan()
        self._prove_outputs()
        checks = tuple(Check(name, not found, tuple(found)) for name, found in self._details.items())
        return Report(
            run_id=self._run_id,
            ok=all(check.ok for check in checks),
            checks=checks,
            damaged_tasks=tuple(self._damaged_tasks),
            damaged_files=tuple(self._damaged_files),
            lost_logs=tuple(self._lost_logs),
            notes=tuple(self._notes),
            strangers=tuple(self._strangers),
            live=self._live,
            journal_valid=self._history.length,
            journal_bytes=self._journal_bytes,
            journal_damaged=self._journal_damaged,
        )

    def _fail(self, line: str, file: str, reason: str, *, damaged: bool = True) -> None:
        self._details[line].append(f"{plain(file)}: {reason}")
        if damaged:
            self._damaged_files[file] = None

    def _prove_names(self) -> None:
        """Whatever bears the name of one of our files is a regular file."""
        try:
            names = sorted(self._folder.names())
        except OSError as error:
            self._fail(METADATA, ".", kept.fault(error).reason, damaged=False)
            return
        for name in names:
            known = name.removesuffix(".gz") in _KNOWN
            if not known:
                self._strangers.append(name)
                self._notes.append(f"{plain(name)[:200]} is no file of Specular's")
            elif name in (layout.LOCK, layout.RESERVE) and (reason := kept.no_file(self._folder, name)):
                self._fail(METADATA, name, reason)

    # The journal and the three files ------------------------------------------------------------------------------

    def _prove_snapshots(self) -> None:
        # Against the order in which they are written, so that in a live run each is at least as new as the one before.
        found = {
            layout.METADATA: self._load(METADATA, layout.METADATA, packed=False),
            layout.PROGRESS: self._load(PROGRESS, layout.PROGRESS),
            layout.STATE: self._load(STATE, layout.STATE),
        }
        seqs = {name: check_snapshots.seq_of(data) for name, data in found.items() if data is not None}
        lines = {layout.METADATA: METADATA, layout.STATE: STATE, layout.PROGRESS: PROGRESS}
        problems: dict[str, list[str]] = {}

        def look(seq: int) -> history.Look:
            def at(state: RunState, offset: int | None) -> None:
                for name, there in seqs.items():
                    if there == seq:
                        problems[name] = self._compare(name, found[name] or b"", state, offset)

            return at

        self._read_journal([seq for seq in seqs.values() if seq is not None], look, seqs.get(layout.METADATA) or 0)
        for name, data in found.items():
            if data is not None and name not in problems:
                # The journal cannot say what it should hold.
                problems[name] = self._compare(name, data, None, None)
                problems[name] = problems[name] or self._unknown(seqs[name] or 0)
        for name, reasons in problems.items():
            for reason in reasons:
                if isinstance(reason, check_snapshots.Rewritten):
                    self._notes.append(f"{name}: {reason}")
                else:
                    self._fail(lines[name], name, reason)
        self._prove_order(seqs)
        self._since = seqs.get(layout.PROGRESS) or 0
        self._hashes = check_snapshots.output_hashes(found[layout.PROGRESS] or b"")

    def _unknown(self, seq: int) -> list[str]:
        """Return what is wrong with a record that the journal says nothing of, but for one that a fold has taken in."""
        end = self._history.state.seq
        if seq < 1:
            return [f"is of record {seq}, and there never was one"]
        if seq > end and not self._journal_damaged:
            return [f"has seen record {seq} of the journal, which ends at record {end}"]
        return []

    def _compare(self, name: str, data: bytes, state: RunState | None, offset: int | None) -> list[str]:
        match name:
            case layout.METADATA:
                problems = check_snapshots.metadata(data, state, offset)
                if state is None and not problems and (found := msgspec.json.decode(data)["run_id"]) != self._run_id:
                    problems = [f"is of another run, '{plain(str(found))[:100]}'"]
                return problems
            case layout.STATE:
                return check_snapshots.states(data, state)
            case _:
                return check_snapshots.progress(data, state)

    def _prove_order(self, seqs: dict[str, int | None]) -> None:
        """state.json is written first, metadata.json last."""
        order = [(STATE, layout.STATE), (PROGRESS, layout.PROGRESS), (METADATA, layout.METADATA)]
        for (line, name), (_, later) in pairwise(order):
            mine, its = seqs.get(name), seqs.get(later)
            if mine is not None and its is not None and mine < its:
                self._fail(line, name, f"is of record {mine}, older than {later}, which is of record {its}")

    def _load(self, line: str, name: str, *, packed: bool = True) -> bytes | None:
        read = checkpoint.read_plain if packed else Folder.read
        try:
            return read(self._folder, name, _LONGEST_SNAPSHOT)
        except OSError as error:
            self._fail(line, name, kept.fault(error).reason, damaged=not isinstance(error, FileNotFoundError))
        except CheckpointError as error:
            self._fail(line, name, error.message.rpartition(": ")[2])
        return None

    def _read_journal(self, wanted: list[int], look: Any, known: int) -> None:
        name = layout.JOURNAL
        try:
            data = self._folder.read(name, checkpoint.LONGEST)
        except OSError as error:
            self._journal_damaged = True
            self._fail(PROGRESS, name, kept.fault(error).reason, damaged=not isinstance(error, FileNotFoundError))
            return
        self._journal_bytes = len(data)
        self._history = found = history.read(data, wanted, look)
        end, damage = found.state.seq, found.damage
        reason = None
        if damage is not None and (self._live or damage.genuine or damage.seq <= max(known, found.synced)):
            reason = plain(str(damage))
        elif end == 0:
            reason = "holds no record"
        elif end < known:
            reason = f"ends at record {end}, and metadata.json has seen record {known}"
        elif found.state.run_id != self._run_id:
            reason = f"is the journal of another run, '{plain(found.state.run_id)[:100]}'"
        if reason is not None:
            self._journal_damaged = True
            self._fail(PROGRESS, name, reason)
        elif found.rest and not self._live:
            self._notes.append(f"{name}: {found.rest} bytes of unfinished records at its end count for nothing")
        for task in found.state.tasks | found.state.gates:
            if not TASK_ID.fullmatch(task.removeprefix(GATE_PREFIX)):
                self._fail(PROGRESS, name, f"has a task of the impossible name '{plain(task[:100])}'")
                break

    def _prove_plan(self) -> None:
        state = self._history.state
        # What plan should be there after damage, the lost records may have said.
        if state.seq and not self._journal_damaged:
            for line, file, reason in check_plan.flaws(self._folder, state):
                self._fail(line, file, reason)

    # Outputs ------------------------------------------------------------------------------------------------------

    def _prove_outputs(self) -> None:
        found, name = self._history, layout.OUTPUTS
        if not found.state.seq:
            return
        with ExitStack() as stack:
            try:
                folder = stack.enter_context(self._folder.folder(name))
            except OSError as error:
                self._fail(
                    PRESENT, name, "is not a folder" if error.errno == errno.ENOTDIR else kept.fault(error).reason
                )
                folder = None
            outputs = Outputs(folder, found, self._hashes, self._since)
            if not self._live:
                known = max(found.synced, self._known())
                outputs.unproven = frozenset(task for task, seq in found.ended.items() if seq > known)
            flaws = outputs.flaws(self._effort)
            if self._live and flaws:
                flaws = self._still_there(folder, flaws)
            for stranger in outputs.strangers():
                self._strangers.append(f"{name}/{stranger}")
                self._notes.append(f"{name}/{plain(stranger)[:200]} belongs to no task that the journal knows")
        for flaw in flaws:
            self._judge(flaw)

    def _known(self) -> int:
        try:
            return check_snapshots.seq_of(self._folder.read(layout.METADATA, 1 << 20)) or 0
        except OSError:
            return 0

    def _still_there(self, folder: Folder | None, flaws: list[Flaw]) -> list[Flaw]:
        """Look again at what seemed wrong with a live run: what its engine has touched since is no damage."""
        time.sleep(_SETTLED)
        before = self._history.state.seq
        try:
            again = history.read(self._folder.read(layout.JOURNAL), (), lambda seq: lambda state, offset: None)
        except OSError:
            return flaws
        suspects = {flaw.task for flaw in flaws if not again.touched(flaw.task, before)}
        running = again.state.running.keys()
        outputs = Outputs(folder, again, self._hashes, self._since, only=suspects - running)
        return outputs.flaws(Effort())

    def _judge(self, flaw: Flaw) -> None:
        if flaw.harmless:
            self._notes.append(f"{flaw.file}: {flaw.fault.reason}; it did not reach the disk, and will be made again")
            return
        self._fail(
            PRESENT if flaw.fault.missing else HASHES, flaw.file, flaw.fault.reason, damaged=not flaw.fault.absent
        )
        if flaw.attempt:
            self._lost_logs[(flaw.task, flaw.attempt)] = None
        state = self._history.state
        task = (state.gates if flaw.task.startswith(GATE_PREFIX) else state.tasks).get(flaw.task)
        if task is not None and _relied_on(task.status) and flaw.attempt in (0, task.attempt):
            self._damaged_tasks[flaw.task] = None


def _relied_on(status: TaskStatus) -> bool:
    return status in (TaskStatus.COMPLETED, TaskStatus.FAILED)
