"""The writing side of a run: one process holds its lock, appends to its journal and publishes its snapshots.

What each step of the protocol guarantees stands in docs/checkpoint.md; the order of the steps is this file's work.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from specular_tui.errors import StorageError
from specular_tui.model.event import AnyEvent, LogLost, SessionEnded, TaskEnded
from specular_tui.model.fold import apply
from specular_tui.model.plan import Task
from specular_tui.model.run import RunState
from specular_tui.store import journal, layout, planchange, renewal, reserve
from specular_tui.store.commit import GroupCommit
from specular_tui.store.explaining import explain
from specular_tui.store.folder import Folder, write_all
from specular_tui.store.logs.live import LiveLog, LiveLogs
from specular_tui.store.publisher import Publisher
from specular_tui.store.recording import Recorder
from specular_tui.store.repairs import quarantine

#: A journal of more records than this is folded when a session ends.
FOLD_AFTER: Final = 2_000


__all__ = ["FOLD_AFTER", "Recorder", "RunRecorder"]


class RunRecorder:
    """The recorder of a run in the checkpoint directory. Not thread-safe but for what `prepare_snapshot` returns."""

    def __init__(
        self, folder: Folder, lock_fd: int, state: RunState, tasks: Mapping[str, Task], *, records: int
    ) -> None:
        """Go on with a journal of `records` that ends with `state`; use `create_run` or `open_run` instead.

        Raises:
            OSError: the disk refuses; `folder` and `lock_fd` are still the caller's.
        """
        self.state = state
        self.tasks = tasks
        #: Called on another thread, once, when bringing records to disk has failed.
        self.on_error: Callable[[OSError], None] = lambda error: None
        #: The disk was full: the reserve is spent, and the build must end.
        self.full = False
        self._folder = folder
        self._lock_fd = lock_fd
        self._records = records
        #: Tasks whose ends are not known to be on disk yet, by the record that says so.
        self._unsynced: deque[tuple[int, str]] = deque()
        #: Something may stand behind `_end` that belongs to no record.
        self._torn = False
        self._announced = state.synced
        with contextlib.ExitStack() as undo:
            self._outputs = undo.enter_context(folder.make(layout.OUTPUTS))
            names = set(self._outputs.names())
            #: Logs that `checkpoint compress` has packed.
            self._packed = {name for name in names if name.endswith(".log.gz")}
            #: Logs that were there before: the file of a silent attempt must not be one of them.
            self._old_logs = {name for name in names if name.endswith(".log")}
            self._logs = LiveLogs(self._outputs)
            self._publisher = Publisher(folder, self._outputs, tasks, lambda: self._commit.flush())
            self._journal_fd = folder.open(layout.JOURNAL, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
            undo.callback(os.close, self._journal_fd)
            self._end = os.fstat(self._journal_fd).st_size
            # Last: a thread that runs is hard to take back.
            self._commit = GroupCommit(self._journal_fd, self._outputs.fd, state.seq, self._failed)
            undo.pop_all()

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
        commit = self._commit
        synced = commit.synced
        if synced > self._announced:
            event = _with_synced(event, synced)
            self._announced = synced
        state = self.state
        seq = state.seq + 1
        line, chain = journal.encode(seq, event, state.chain)
        try:
            self._write(line)
        except BaseException:
            _close(files)
            raise
        if isinstance(event, SessionEnded):
            self._publisher.changed(state.running)
        try:
            state = self.state = apply(state, event)
        except BaseException:
            # An event that cannot follow is a mistake of this program, and not to be left for readers to stumble over.
            self._end -= len(line)
            self._cut()
            _close(files)
            raise
        state.seq, state.chain = seq, chain
        self._records += 1
        if isinstance(event, TaskEnded):
            self._publisher.changed((event.task,))
            unsynced = self._unsynced
            while unsynced and unsynced[0][0] <= synced:
                unsynced.popleft()
            unsynced.append((seq, event.task))
        elif isinstance(event, LogLost):
            self._publisher.changed((event.task,))
        commit.written(seq, *files)

    def _write(self, line: bytes) -> None:
        if self._commit.error is not None:
            raise explain(self._commit.error, "write checkpoint", self.path / layout.JOURNAL)
        if self._torn:
            self._cut_or_refuse()
        try:
            write_all(self._journal_fd, line)
        except OSError as error:
            self._cut()
            if error.errno not in (errno.ENOSPC, errno.EDQUOT) or not self._spend_reserve():
                raise explain(error, "write checkpoint", self.path / layout.JOURNAL) from error
            if self._torn:
                self._cut_or_refuse()
            try:
                write_all(self._journal_fd, line)
            except OSError as again:
                self._cut()
                raise explain(again, "write checkpoint", self.path / layout.JOURNAL) from again
        self._end += len(line)

    def _cut(self) -> None:
        # Where not even this is possible, part of a record stays at the end, as after a crash.
        with contextlib.suppress(StorageError):
            self._cut_or_refuse()

    def _cut_or_refuse(self) -> None:
        """Take away what stands behind the last record: another one behind that would be damage.

        Raises:
            StorageError: it is still there. A fold leaves it behind with the old file.
        """
        self._torn = True
        try:
            os.ftruncate(self._journal_fd, self._end)
        except OSError as error:
            raise explain(error, "write checkpoint", self.path / layout.JOURNAL) from error
        self._torn = False

    def _spend_reserve(self) -> bool:
        if self.full:
            return False
        self.full = True
        return reserve.give_up(self._folder)

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

    def prepare_log(self) -> None:
        """Have a file ready for the log of whatever starts next."""
        self._logs.prepare()

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
        if not (self._outputs.finds(earlier) or earlier + ".gz" in self._packed):
            found = latest + ".gz" in self._packed or self._outputs.finds(latest)
            if latest + ".gz" in self._packed:
                self._packed.discard(latest + ".gz")
                self._packed.add(earlier + ".gz")
                self._outputs.rename(latest + ".gz", earlier + ".gz")
            if self._outputs.finds(latest):
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

    def compare_records(self) -> None:
        """Make the next snapshots write the record of every task whose record is not as state and plan have it now."""
        self._publisher.compare_all(self.state)

    def prepare_snapshot(self, now: int, control: str | None = None) -> Callable[[], None]:
        """Render the state as it is now and return what publishes it, which may run on another thread.

        Raises (the returned call):
            StorageError: it could not be published; the journal is the truth and is not touched.
        """
        return self._publisher.prepare(self.state, now=now, journal_bytes=self._end, control=control)

    def publish_all(self, now: int) -> None:
        """Publish the state as it is now, the records of all tasks included; fold a long journal first.

        Raises:
            StorageError: it could not be published.
        """
        if self._records > FOLD_AFTER:
            self.fold(now)
        self._publisher.publish_all(self.state, now=now, journal_bytes=self._end)

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
            planchange.put_down(self._folder, plan, policy)
        except OSError as error:
            raise explain(error, "write checkpoint", self.path) from error
        before = self.state.tasks.keys() | self.state.gates.keys()
        self.append(event)
        self.flush()
        added = {i: task for i, task in (self.state.tasks | self.state.gates).items() if i not in before}
        try:
            planchange.finish(self._folder, self.state)
            if added:
                quarantine.move_stale_logs(self._folder, added, event.at)
        except OSError as error:
            raise explain(error, "write checkpoint", self.path) from error

    def fold(self, now: int) -> None:
        """Put one record in the place of all so far, in a new file."""
        if self._commit.error is None:
            # The logs that the records vouch for must not stay behind.
            self.flush()
        pieces, seq, chain = journal.fold(self.state, self.state.updated_at)
        self._commit.close()
        try:
            try:
                self._folder.publish(layout.JOURNAL, pieces)
            finally:
                self._restart_journal()
            commit = GroupCommit(self._journal_fd, self._outputs.fd, seq, self._failed)
        except OSError as error:
            # Which of the two files has the name is not known: nothing may follow in either.
            self._commit.error = self._commit.error or error
            raise explain(error, "write checkpoint", self.path / layout.JOURNAL) from error
        self.state.seq, self.state.chain = seq, chain
        self._records, self._torn = 1, False
        self._commit = commit

    def _restart_journal(self) -> None:
        fd = self._folder.open(layout.JOURNAL, os.O_WRONLY | os.O_APPEND)
        os.close(self._journal_fd)
        self._journal_fd = fd
        self._end = os.fstat(self._journal_fd).st_size

    def rescue(self, now: int) -> Sequence[AnyEvent]:
        """After a failed write or sync: put all that is known into a new journal file.

        Raises:
            StorageError: the disk refuses that file too.
        """
        self._spend_reserve()
        lost = self._renew_results() if self._commit.error is not None else []
        self.fold(now)
        for event in lost:
            self.append(event)
        return lost

    def _renew_results(self) -> Sequence[AnyEvent]:
        """Bring to disk, in new files, what records vouch for that no sync has covered; return what that lacks."""
        commit = self._commit
        tasks = dict.fromkeys(task for seq, task in self._unsynced if seq > commit.synced)
        return renewal.renew(self._outputs, self.state, tasks, commit.failed)

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


def _close(files: Sequence[int]) -> None:
    for fd in files:
        os.close(fd)


def _with_synced(event: AnyEvent, seq: int) -> AnyEvent:
    return replace(event, synced=seq)
