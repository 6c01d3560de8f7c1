"""The writing side of a run: one process holds its lock, appends to its journal and publishes its snapshots.

What each step of the protocol guarantees stands in docs/checkpoint.md; the order of the steps is this file's work.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, Protocol

from specular_tui.errors import RunHeldError, StorageError
from specular_tui.model.event import AnyEvent, LogLost, RunCreated, SessionEnded, TaskEnded, TaskReset
from specular_tui.model.plan import Task
from specular_tui.model.run import ACTIVE, GATE_PREFIX, INTERRUPTED, RunState, RunStatus, TaskState, TaskStatus, apply
from specular_tui.store import checkpoint, declared, digest, journal, layout, lock, logs, quarantine, snapshot
from specular_tui.store.commit import GroupCommit
from specular_tui.store.effort import Effort
from specular_tui.store.folder import Folder, explain, write_all
from specular_tui.store.livelog import LiveLog, LiveLogs

#: A file of this size is given up when the disk is full, so that the last words of a build still fit.
RESERVE_BYTES: Final = 256 << 10
#: So many records of tasks are rendered at once, so that those of a large run do not fill the memory.
_BATCH: Final = 2_000
#: A journal longer than this many records since it was folded is folded when a session starts or ends.
FOLD_AFTER: Final = 2_000


class Recorder(Protocol):
    """What the engine needs of whoever keeps a run: the state, and a place for events and logs."""

    state: RunState
    tasks: Mapping[str, Task]

    def append(self, event: AnyEvent, *files: int) -> None:
        """Record an event; `files` are open descriptors that must be on disk before the record counts. Owned."""

    def open_log(self, task_id: str) -> LiveLog:
        """Return a new log for the next attempt of a task; an earlier attempt's log is kept."""

    def name_log(self, log: LiveLog) -> None:
        """Let a running attempt's log be seen under its name."""

    def end_log(self, log: LiveLog, *, printed: bool) -> int | None:
        """Let go of the log of an attempt that has ended; if it has `printed`, return what `append` brings to disk."""

    def log_path(self, task_id: str) -> Path:
        """Return where the latest log of a task is."""

    def prepare_snapshot(self, now: int, control: str | None = None) -> Callable[[], None]:
        """Return what publishes the state as it is now; it may be called on another thread."""

    def publish_all(self, now: int) -> None:
        """Publish the state as it is now, and all that belongs to it."""

    def flush(self) -> None:
        """Return once all that was recorded is on disk."""

    def rescue(self, now: int) -> Sequence[AnyEvent]:
        """After a failed write: make what was recorded safe once more, if that is possible; return what was lost."""

    def close(self, now: int) -> None:
        """Publish the last state and let go of the run."""


class RunRecorder:
    """The recorder of a run in the checkpoint directory. Not thread-safe but for what `prepare_snapshot` returns."""

    def __init__(self, folder: Folder, lock_fd: int, state: RunState, tasks: Mapping[str, Task]) -> None:
        """Go on with a journal that ends with `state`; use `create_run` or `open_run` instead."""
        self.state = state
        self.tasks = tasks
        #: Called on another thread, once, when bringing records to disk has failed.
        self.on_error: Callable[[OSError], None] = lambda error: None
        #: The disk was full: the reserve is spent, and the build must end.
        self.full = False
        self._folder = folder
        self._lock_fd = lock_fd
        self._outputs = folder.make(layout.OUTPUTS)
        self._dirty: dict[str, None] = {}
        self._output_hashes: dict[str, bytes] = {}
        self._records = 0
        #: Tasks whose ends are not known to be on disk yet, by the record that says so.
        self._unsynced: deque[tuple[int, str]] = deque()
        self._snapshot_lock = threading.Lock()
        #: The record up to which `publish_all` has published everything.
        self._published = -1
        #: Files that `checkpoint compress` has packed: they go when their plain ones are published again.
        names = set(self._outputs.names())
        self._packed = {name for name in names if name.endswith(".gz")}
        #: Logs that were there before: the file of a silent attempt must not be one of them.
        self._old_logs = {name for name in names if name.endswith(".log")}
        #: Records of a session before, plain or packed. One that is as it was need not be written again.
        self._kept_records = {name.removesuffix(".gz") for name in names if name.endswith((".json", ".json.gz"))}
        self._logs = LiveLogs(self._outputs)
        self._journal_fd = folder.open(layout.JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._end = os.fstat(self._journal_fd).st_size
        self._announced = state.synced
        self._commit = GroupCommit(self._journal_fd, self._outputs.fd, state.seq, self._failed)

    @property
    def path(self) -> Path:
        """The folder of the run."""
        return self._folder.path

    def failure(self) -> StorageError:
        """Return what to tell of a failed sync."""
        error = self._commit.error or OSError(errno.EIO, os.strerror(errno.EIO))
        return explain(error, "write checkpoint", self.path / layout.JOURNAL)

    def _failed(self, error: OSError) -> None:
        self.on_error(error)

    def append(self, event: AnyEvent, *files: int) -> None:
        """Write `event` to the journal, then fold it in; it is on disk some 20 ms later.

        Raises:
            StorageError: it could not be written. The journal ends where it ended before; the state is unchanged.
        """
        synced = self._commit.synced
        if synced > self._announced:
            event = _with_synced(event, synced)
            self._announced = synced
        seq = self.state.seq + 1
        line, chain = journal.encode(seq, event, self.state.chain)
        try:
            self._write(line)
        except BaseException:
            for fd in files:
                os.close(fd)
            raise
        if isinstance(event, SessionEnded):
            self._dirty |= dict.fromkeys(self.state.running)
        try:
            self.state = apply(self.state, event)
        except BaseException:
            # An event that cannot follow is a mistake of this program, and not to be left for readers to stumble over.
            self._end -= len(line)
            os.ftruncate(self._journal_fd, self._end)
            for fd in files:
                os.close(fd)
            raise
        self.state.seq, self.state.chain = seq, chain
        self._records += 1
        if isinstance(event, TaskEnded):
            self._dirty[event.task] = None
            while self._unsynced and self._unsynced[0][0] <= synced:
                self._unsynced.popleft()
            self._unsynced.append((seq, event.task))
        elif isinstance(event, LogLost):
            self._dirty[event.task] = None
        self._commit.written(seq, *files)

    def _write(self, line: bytes) -> None:
        if self._commit.error is not None:
            raise explain(self._commit.error, "write checkpoint", self.path / layout.JOURNAL)
        try:
            write_all(self._journal_fd, line)
        except OSError as error:
            self._cut()
            if error.errno not in (errno.ENOSPC, errno.EDQUOT) or not self._spend_reserve():
                raise explain(error, "write checkpoint", self.path / layout.JOURNAL) from error
            try:
                write_all(self._journal_fd, line)
            except OSError as again:
                self._cut()
                raise explain(again, "write checkpoint", self.path / layout.JOURNAL) from again
        self._end += len(line)

    def _cut(self) -> None:
        # Where not even this is possible, part of a record stays at the end, as after a crash.
        with contextlib.suppress(OSError):
            os.ftruncate(self._journal_fd, self._end)

    def _spend_reserve(self) -> bool:
        if self.full:
            return False
        self.full = True
        try:
            self._folder.remove(layout.RESERVE)
        except OSError:
            return False
        return True

    def open_log(self, task_id: str) -> LiveLog:
        """Return a new, empty log for the next attempt of a task.

        The log of the attempt before it becomes `<task>.<attempt>.log`, unless a crash left that name already.

        Raises:
            StorageError: it cannot be made.
        """
        latest = layout.log_name(task_id)
        attempt = self.state.task(task_id).attempt
        try:
            if attempt:
                self._keep_log(latest, layout.log_name(task_id, attempt))
            return self._logs.open(latest, named=attempt > 0 or latest in self._old_logs)
        except OSError as error:
            raise explain(error, "write checkpoint", self._outputs.path / latest) from error

    def name_log(self, log: LiveLog) -> None:
        """Let a running attempt's log be seen under its name.

        Raises:
            StorageError: it cannot be renamed.
        """
        try:
            self._logs.name(log)
        except OSError as error:
            raise explain(error, "write checkpoint", self._outputs.path / log.name) from error

    def end_log(self, log: LiveLog, *, printed: bool) -> int | None:
        """Let go of the log of an attempt that has ended; if it has `printed`, return what `append` brings to disk.

        Raises:
            StorageError: it cannot be given its name.
        """
        try:
            return self._logs.end(log, printed=printed)
        except OSError as error:
            raise explain(error, "write checkpoint", self._outputs.path / log.name) from error

    def _keep_log(self, latest: str, earlier: str) -> None:
        if not (self._outputs.has(earlier) or earlier + ".gz" in self._packed):
            found = latest + ".gz" in self._packed or self._outputs.has(latest)
            if latest + ".gz" in self._packed:
                self._packed.discard(latest + ".gz")
                self._packed.add(earlier + ".gz")
                self._outputs.rename(latest + ".gz", earlier + ".gz")
            if self._outputs.has(latest):
                self._outputs.rename(latest, earlier)
            if found:
                # A power cut must not keep the new file of this name, and lose the other name of the old one.
                self._outputs.sync()

    def log_path(self, task_id: str) -> Path:
        """Return where the latest log of a task is."""
        return self._outputs.path / layout.log_name(task_id)

    def reopen_log(self, task_id: str) -> int:
        """Return a descriptor of the latest log of a task, to be read.

        Raises:
            OSError: it is not there.
        """
        return self._outputs.open(layout.log_name(task_id))

    def rewrite_all(self) -> None:
        """Make the next snapshots write the record of every task whose record is not as state and plan have it now."""
        if self._kept_records:
            self._output_hashes = snapshot.stored_hashes(checkpoint.read_progress(self._folder))
        for tasks in (self.state.tasks, self.state.gates):
            self._dirty |= {i: None for i, task in tasks.items() if snapshot.has_record(task)}

    def prepare_snapshot(self, now: int, control: str | None = None) -> Callable[[], None]:
        """Render the state as it is now and return what publishes it, which may run on another thread.

        Raises (the returned call):
            StorageError: it could not be published; the journal is the truth and is not touched.
        """
        records, taken = self._render_records()
        files = {
            layout.STATE: snapshot.encode(snapshot.states(self.state)),
            layout.PROGRESS: snapshot.progress_file(self.state, self._output_hash),
            layout.METADATA: snapshot.encode(
                snapshot.metadata(self.state, now=now, journal_bytes=self._end, control=control)
            ),
        }

        def publish() -> None:
            with self._snapshot_lock:
                try:
                    # metadata.json says how far the journal reaches: it must already reach there.
                    self._commit.flush()
                    self._publish_records(records)
                    for name, data in files.items():
                        self._folder.publish(name, data)
                    for name in (layout.STATE, layout.PROGRESS):
                        self._folder.remove(name + ".gz", missing_ok=True)
                except OSError as error:
                    self._dirty = taken | self._dirty
                    raise explain(error, "write checkpoint", self.path) from error

        return publish

    def publish_all(self, now: int) -> None:
        """Publish the state as it is now, the records of all tasks included; fold a long journal first.

        Raises:
            StorageError: it could not be published.
        """
        if self._records > FOLD_AFTER:
            self.fold(now)
        if self._published == self.state.seq and not self._dirty:
            return
        while len(self._dirty) > _BATCH:
            records, taken = self._render_records()
            try:
                self._commit.flush()
                self._publish_records(records)
            except OSError as error:
                self._dirty = taken | self._dirty
                raise explain(error, "write checkpoint", self.path) from error
        self.prepare_snapshot(now)()
        self._published = self.state.seq

    def _render_records(self) -> tuple[dict[str, bytes], dict[str, None]]:
        """Return records that are not as the state is, by file name, and the tasks that they are of; up to a number."""
        records: dict[str, bytes] = {}
        taken: dict[str, None] = {}
        for task_id in islice(self._dirty, _BATCH):
            taken[task_id] = None
            task = self._find(task_id)
            if task is not None and snapshot.has_record(task):
                data = snapshot.record(task_id, task, self.tasks.get(task_id))
                name, found = layout.record_name(task_id), digest.raw(data)
                if self._output_hashes.get(task_id) != found or name not in self._kept_records:
                    records[name] = data
                    self._output_hashes[task_id] = found
        self._dirty = {} if len(taken) == len(self._dirty) else {i: None for i in self._dirty if i not in taken}
        return records, taken

    def _output_hash(self, task_id: str) -> str | None:
        found = self._output_hashes.get(task_id)
        return None if found is None else digest.shown(found)

    def _publish_records(self, records: Mapping[str, bytes]) -> None:
        for name, data in records.items():
            self._outputs.publish(name, data, sync=False)
        if records:
            self._outputs.sync_all(list(records))
        for name in records:
            if name + ".gz" in self._packed:
                self._outputs.remove(name + ".gz", missing_ok=True)

    def _find(self, task_id: str) -> TaskState | None:
        return (self.state.gates if task_id.startswith(GATE_PREFIX) else self.state.tasks).get(task_id)

    def flush(self) -> None:
        """Return once every record so far is on disk.

        Raises:
            StorageError: the disk refused.
        """
        try:
            self._commit.flush()
        except OSError as error:
            raise explain(error, "write checkpoint", self.path / layout.JOURNAL) from error

    def publish_plan(self, plan: bytes, policy: bytes | None, event: AnyEvent) -> None:
        """Put a new plan and policy in force with the event that says so, so that a crash leaves the old or the new."""
        try:
            self._folder.publish(layout.NEXT_PLAN, plan)
            self._folder.publish(layout.NEXT_POLICY, policy if policy is not None else b"")
        except OSError as error:
            raise explain(error, "write checkpoint", self.path) from error
        before = self.state.tasks.keys() | self.state.gates.keys()
        self.append(event)
        self.flush()
        added = {i: task for i, task in (self.state.tasks | self.state.gates).items() if i not in before}
        try:
            finish_plan_change(self._folder, self.state)
            if added:
                _clear_stale_logs(self._folder, added, event.at)
        except OSError as error:
            raise explain(error, "write checkpoint", self.path) from error

    def fold(self, now: int) -> None:
        """Put one record in the place of all so far, in a new file."""
        if self._commit.error is None:
            # The logs that the records vouch for must not stay behind.
            self.flush()
        line, seq, chain = journal.fold(self.state, self.state.updated_at)
        self._commit.close()
        try:
            try:
                self._folder.publish(layout.JOURNAL, line)
            finally:
                self._restart_journal()
        except OSError as error:
            # Which of the two files has the name is not known: nothing may follow in either.
            self._commit.error = self._commit.error or error
            raise explain(error, "write checkpoint", self.path / layout.JOURNAL) from error
        self.state.seq, self.state.chain = seq, chain
        self._records = 0
        self._commit = GroupCommit(self._journal_fd, self._outputs.fd, seq, self._failed)

    def _restart_journal(self) -> None:
        fd = self._folder.open(layout.JOURNAL, os.O_WRONLY | os.O_APPEND)
        os.close(self._journal_fd)
        self._journal_fd = fd
        self._end = os.fstat(self._journal_fd).st_size

    def rescue(self, now: int) -> Sequence[AnyEvent]:
        """After a failed write or sync: put all that is known into a new journal file.

        Pages that a failed sync was to write may never reach the disk, whatever later syncs answer; a new file's do.
        """
        self._spend_reserve()
        lost = self._renew_results() if self._commit.error is not None else []
        self.fold(now)
        for event in lost:
            self.append(event)
        return lost

    def _renew_results(self) -> list[LogLost | TaskReset]:
        """Bring to disk, in new files, what records vouch for that no sync has covered; return what that lacks.

        A declared output belongs to its task and is not replaced: where its own sync failed, the task must run again.
        """
        found: list[LogLost | TaskReset] = []
        at = self.state.updated_at
        for task_id in dict.fromkeys(task for seq, task in self._unsynced if seq > self._commit.synced):
            task = self._find(task_id)
            if task is None:
                continue
            there = logs.listing(self._outputs)
            reason = None
            for log in logs.expected({task_id: task}):
                if not log.size:
                    continue
                try:
                    whole = logs.prove(self._outputs, there, log, Effort()) is None
                    self._outputs.renew(logs.file_of(there, log))
                except OSError:
                    whole = False
                if not whole:
                    found.append(LogLost(at=at, task=task_id, attempt=log.attempt))
                    reason = "its log did not reach the disk" if log.attempt == task.attempt else reason
            if not declared.bring_to_disk(self.state.plan_folder, task.outputs, self._commit.failed):
                reason = "its outputs did not reach the disk"
            if reason is not None and task.status in (TaskStatus.COMPLETED, TaskStatus.FAILED):
                found.append(TaskReset(at=at, task=task_id, reason=reason))
        return found

    def close(self, now: int) -> None:
        """Bring everything to disk, publish the last snapshot, and let go of the run, also where that fails."""
        try:
            if self._commit.error is None:
                self.publish_all(now)
            with contextlib.suppress(OSError):
                self._folder.remove(layout.RESERVE)
        finally:
            self.release()

    def release(self) -> None:
        """Let go of the run without writing anything."""
        self._commit.close()
        self._logs.close()
        for fd in (self._journal_fd, self._lock_fd):
            with contextlib.suppress(OSError):
                os.close(fd)
        self._outputs.close()
        self._folder.close()


def _with_synced(event: AnyEvent, seq: int) -> AnyEvent:
    # msgspec.structs.replace copies all fields anew; a frozen struct has no other way.
    from msgspec.structs import replace

    return replace(event, synced=seq)


def finish_plan_change(folder: Folder, state: RunState) -> None:
    """Give a plan and a policy that the journal has put in force their names, if a crash came between.

    Files that wait without being in force are left of a change that never came to be, and go.
    """
    if folder.has(layout.NEXT_POLICY):
        if state.policy_hash is None:
            folder.remove(layout.POLICY, missing_ok=True)
            folder.remove(layout.NEXT_POLICY)
        elif digest.of_bytes(folder.read(layout.NEXT_POLICY)) == state.policy_hash:
            folder.rename(layout.NEXT_POLICY, layout.POLICY)
        else:
            folder.remove(layout.NEXT_POLICY)
    if folder.has(layout.NEXT_PLAN):
        if digest.of_bytes(folder.read(layout.NEXT_PLAN)) == state.plan_hash:
            folder.rename(layout.NEXT_PLAN, layout.PLAN)
        else:
            folder.remove(layout.NEXT_PLAN)
    folder.sync()


def create_run(
    root: Path,
    event: RunCreated,
    *,
    plan: bytes,
    policy: bytes | None,
    tasks: Mapping[str, Task],
    named: bool = False,
) -> RunRecorder:
    """Make a new run in the checkpoint directory `root` and return its recorder, the lock already held.

    The folder appears under its name with everything in it. Where the id of `event` is taken it gets `-2`, `-3` …,
    unless it was `named` by the user.

    Raises:
        StorageError: the directory cannot be written, or a named run is there already.
    """
    temporary = f".new-{os.getpid()}-{time.monotonic_ns():x}"
    try:
        with Folder.create(root) as folder:
            run_id = _free_id(folder, event.run_id, named)
            run = folder.make(temporary)
            try:
                lock_fd = lock.acquire(run)
                run.make(layout.OUTPUTS).close()
                run.publish(layout.PLAN, plan)
                if policy is not None:
                    run.publish(layout.POLICY, policy)
                while True:
                    created = _renamed(event, run_id)
                    line, chain = journal.encode(1, created, "")
                    run.publish(layout.JOURNAL, line)
                    state = apply(RunState(), created)
                    state.seq, state.chain = 1, chain
                    _publish_first(run, state, len(line))
                    try:
                        os.rename(temporary, run_id, src_dir_fd=folder.fd, dst_dir_fd=folder.fd)
                        break
                    except OSError as error:
                        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR) or named:
                            raise
                        run_id = _free_id(folder, event.run_id, named)
                folder.sync()
            except BaseException:
                run.close()
                with contextlib.suppress(OSError):
                    folder.remove_tree(temporary)
                raise
            run.path = root / run_id
            _make_reserve(run)
            return RunRecorder(run, lock_fd, state, tasks)
    except OSError as error:
        raise explain(error, "write checkpoint", root) from error


def _publish_first(run: Folder, state: RunState, journal_bytes: int) -> None:
    run.publish(layout.STATE, snapshot.encode(snapshot.states(state)))
    run.publish(layout.PROGRESS, snapshot.encode(snapshot.progress(state, {})))
    run.publish(
        layout.METADATA,
        snapshot.encode(snapshot.metadata(state, now=state.created_at, journal_bytes=journal_bytes)),
    )


def _renamed(event: RunCreated, run_id: str) -> RunCreated:
    from msgspec.structs import replace

    return replace(event, run_id=run_id)


def _free_id(folder: Folder, wanted: str, named: bool) -> str:
    def taken(run_id: str) -> bool:
        try:
            folder.stat(run_id)
        except FileNotFoundError:
            return False
        return True

    if not taken(wanted):
        return wanted
    if named:
        raise StorageError(
            f"a run '{wanted}' is already there",
            hint=f"resume it (specular build --resume {wanted}), or choose another --run-id",
        )
    return next(f"{wanted}-{n}" for n in range(2, 1 << 30) if not taken(f"{wanted}-{n}"))


def _make_reserve(run: Folder) -> None:
    try:
        fd = run.open(layout.RESERVE, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        try:
            write_all(fd, b"\0" * RESERVE_BYTES)
        finally:
            os.close(fd)
    except OSError:
        # Without room for a reserve the build may still succeed; a full disk then ends it without last words.
        with contextlib.suppress(OSError):
            run.remove(layout.RESERVE, missing_ok=True)


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
    run = checkpoint.open_run(root, run_id)
    try:
        try:
            lock_fd = lock.acquire(run)
        except lock.HeldError:
            raise RunHeldError(
                f"{run_id} is being built by another process",
                hint=f"watch it (specular dashboard {run_id}), or stop it first: specular stop {run_id}",
            ) from None
        try:
            _prove_there(root, run_id, run)
            return _recover(run, lock_fd, run_id, tasks, now)
        except BaseException:
            os.close(lock_fd)
            raise
    except OSError as error:
        run.close()
        raise explain(error, "write checkpoint", root / run_id) from error
    except BaseException:
        run.close()
        raise


def _prove_there(root: Path, run_id: str, run: Folder) -> None:
    """Make sure that the run was not removed between the opening of its folder and the taking of its lock."""
    with checkpoint.open_run(root, run_id) as again:
        if not os.path.samestat(os.fstat(again.fd), os.fstat(run.fd)):
            raise RunHeldError(f"{run_id} was replaced by another process just now", hint="try again")


def _recover(run: Folder, lock_fd: int, run_id: str, tasks: Mapping[str, Task], now: int) -> OpenedRun:
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
        _clear_stale_logs(run, state.tasks | state.gates, now)
    finish_plan_change(run, state)
    run.clear_temporary()
    with run.make(layout.OUTPUTS) as outputs:
        outputs.clear_temporary()
    _make_reserve(run)
    lost = _save_logs(run, state, found.unproven)
    unsaved = _save_outputs(state, found.unproven)
    recorder = RunRecorder(run, lock_fd, state, tasks)
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
    recorder.rewrite_all()
    return OpenedRun(recorder, found, crashed)


def _clear_stale_logs(run: Folder, tasks: Mapping[str, TaskState], now: int) -> None:
    with run.make(layout.OUTPUTS) as outputs:
        stale = logs.stale(logs.listing(outputs), tasks)
    quarantine.move(run, [f"{layout.OUTPUTS}/{name}" for name in stale], now)


def _save_logs(run: Folder, state: RunState, unproven: Collection[str]) -> list[tuple[str, int]]:
    """Bring the logs of `unproven` tasks to disk; return (task, attempt) of those that a power cut has taken."""
    known = state.tasks | state.gates if unproven else {}
    tasks = {task: known[task] for task in unproven if task in known}
    if not tasks:
        return []
    with run.make(layout.OUTPUTS) as outputs:
        there = logs.listing(outputs)
        lost = []
        whole = []
        for log in logs.expected(tasks):
            if logs.prove(outputs, there, log, Effort()) is not None:
                lost.append((log.task, log.attempt))
            else:
                whole += [name for name in [logs.file_of(there, log)] if there.get(name)]
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
