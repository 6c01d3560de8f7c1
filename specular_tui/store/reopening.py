"""Taking up a run that is there: its lock, and the recovery of what its last session left."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Collection, Mapping
from pathlib import Path

from specular_tui.errors import RunHeldError
from specular_tui.model.event import LogLost, SessionEnded, TaskReset
from specular_tui.model.plan import Task
from specular_tui.model.run import ACTIVE, INTERRUPTED, RunState, RunStatus, TaskStatus
from specular_tui.store import checkpoint, declared, layout, lock, planchange, reserve
from specular_tui.store.effort import Effort
from specular_tui.store.explaining import explain
from specular_tui.store.folder import Folder
from specular_tui.store.logs import kept
from specular_tui.store.recorder import RunRecorder
from specular_tui.store.repairs import quarantine


class OpenedRun:
    """A run whose lock has just been taken: its recorder, and what was found."""

    def __init__(self, recorder: RunRecorder, found: checkpoint.StoredRun, crashed: bool) -> None:
        """`crashed`: the session before had no last word; its outputs must be proved before they are relied on."""
        self.recorder = recorder
        self.found = found
        self.crashed = crashed


def open_run(root: Path, run_id: str, *, tasks: Mapping[str, Task], now: int) -> OpenedRun:
    """Take the lock of a run and recover what its last session left.

    A journal that was not closed is written anew, without its torn end, which is kept in `quarantine/`; the session
    that had no last word is ended as interrupted.

    Raises:
        RunHeldError: another process works on it. CheckpointError: it is damaged. StorageError: it cannot be written.
    """
    with contextlib.ExitStack() as undo:
        run = undo.enter_context(checkpoint.open_run(root, run_id))
        try:
            lock_fd = lock.acquire(run)
            undo.callback(os.close, lock_fd)
            _prove_there(root, run_id, run)
            _close_to_others(root, run)
            recovered = _recover(run, lock_fd, run_id, tasks, now, undo)
        except lock.HeldError:
            raise RunHeldError(
                f"{run_id} is being built by another process",
                hint=f"watch it (specular dashboard {run_id}), or stop it first: specular stop {run_id}",
            ) from None
        except OSError as error:
            raise explain(error, "write checkpoint", root / run_id) from error
        undo.pop_all()
        return recovered


def _close_to_others(root: Path, run: Folder) -> None:
    """Leave the run to its owner alone again: what went through an archive of others has their permissions."""
    with Folder.at(root) as all_runs:
        for folder in (all_runs, run):
            folder.close_to_others()
    for name, status in run.entries().items():
        if stat.S_ISREG(status.st_mode) and status.st_mode & 0o077:
            fd = run.open(name)
            os.fchmod(fd, 0o600)
            os.close(fd)
    with contextlib.suppress(FileNotFoundError), run.folder(layout.OUTPUTS) as outputs:
        outputs.close_to_others()


def _prove_there(root: Path, run_id: str, run: Folder) -> None:
    """Make sure that the run was not removed between the opening of its folder and the taking of its lock."""
    with checkpoint.open_run(root, run_id) as again:
        if not os.path.samestat(os.fstat(again.fd), os.fstat(run.fd)):
            raise RunHeldError(f"{run_id} was replaced by another process just now", hint="try again")


def _recover(
    run: Folder, lock_fd: int, run_id: str, tasks: Mapping[str, Task], now: int, undo: contextlib.ExitStack
) -> OpenedRun:
    # The lock is this process's own now, so that the reader finds the run live and leaves its last session open.
    found = checkpoint.read(run, run_id)
    state = found.state
    crashed = state.status in ACTIVE or state.session is not None
    data = run.read(layout.JOURNAL)
    torn = data[found.journal_bytes :]
    if torn:
        quarantine.keep(run, f"{layout.JOURNAL}.torn", torn, now)
    if crashed or torn:
        run.publish(layout.JOURNAL, data[: found.journal_bytes])
        quarantine.move_stale_logs(run, state.tasks | state.gates, now)
    planchange.finish(run, state)
    run.clear_temporary()
    with run.make(layout.OUTPUTS) as outputs:
        outputs.clear_temporary()
    reserve.put_aside(run)
    lost = _save_logs(run, state, found.unproven)
    unsaved = _save_outputs(state, found.unproven)
    recorder = RunRecorder(run, lock_fd, state, tasks, records=data.count(b"\n", 0, found.journal_bytes))
    # The folder and the lock are the recorder's own from here on.
    undo.pop_all()
    undo.callback(recorder.release)
    if crashed:
        recorder.append(SessionEnded(at=state.updated_at, status=RunStatus.PAUSED, reason=INTERRUPTED))
    for task, attempt in lost:
        recorder.append(LogLost(at=state.updated_at, task=task, attempt=attempt))
        known = recorder.state.task(task)
        if attempt == known.attempt and known.status in (TaskStatus.COMPLETED, TaskStatus.FAILED):
            recorder.append(TaskReset(at=state.updated_at, task=task, reason="its log did not reach the disk"))
    for task in unsaved:
        if recorder.state.task(task).status is TaskStatus.COMPLETED:
            reason = "its outputs did not reach the disk"
            recorder.append(TaskReset(at=state.updated_at, task=task, reason=reason))
    recorder.compare_records()
    return OpenedRun(recorder, found, crashed)


def _save_logs(run: Folder, state: RunState, unproven: Collection[str]) -> list[tuple[str, int]]:
    """Bring the logs of `unproven` tasks to disk; return (task, attempt) of those that a power cut has taken."""
    known = state.tasks | state.gates if unproven else {}
    tasks = {task: known[task] for task in unproven if task in known}
    if not tasks:
        return []
    with run.make(layout.OUTPUTS) as outputs:
        there = kept.listing(outputs)
        lost = []
        whole = []
        for log in kept.expected(tasks):
            if kept.prove(outputs, there, log, Effort()) is not None:
                lost.append((log.task, log.attempt))
            else:
                whole += [name for name in [kept.file_of(there, log)] if there.get(name)]
        # Anew, because the session before may have ended with a sync that failed.
        for name in whole:
            outputs.renew(name)
        outputs.sync()
    return lost


def _save_outputs(state: RunState, unproven: Collection[str]) -> list[str]:
    """Bring the declared outputs of `unproven` tasks to disk; return the tasks whose outputs the disk refuses.

    The journal vouches for them from now on, and the session that was to sync them may have been killed before.
    """
    known = state.tasks | state.gates if unproven else {}
    return [i for i in unproven if i in known and not declared.bring_to_disk(state.plan_folder, known[i].outputs)]
