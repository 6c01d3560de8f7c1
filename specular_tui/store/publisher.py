"""Publishing the JSON files of a run whose lock is held: the records of tasks, and the three files that people read.

All of them are functions of the state. Which records are not as the state is now is what this module knows; that the
journal is on disk first is the work of `store.recorder`.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from specular_tui.errors import StorageError
from specular_tui.model.plan import Task
from specular_tui.model.run import RunState
from specular_tui.store import checkpoint, digest, layout, snapshot
from specular_tui.store.explaining import explain
from specular_tui.store.folder import Folder
from specular_tui.store.sweep import Sweeper

#: So many records of tasks are rendered at once, so that those of a large run do not fill the memory.
BATCH: Final = 2_000


class _Records(NamedTuple):
    """Records that are to be written, by task, and the tasks that were looked at for them."""

    files: dict[str, tuple[str, bytes]]
    tasks: dict[str, None]


class Publisher:
    """The JSON files of one run. Not thread-safe but for what `prepare` returns."""

    def __init__(self, folder: Folder, outputs: Folder, tasks: Mapping[str, Task], flush: Callable[[], None]) -> None:
        """Write into `folder` and, records, into `outputs`; `flush` returns once the journal is on disk.

        `tasks` are those of the plan in force: what a record says of a task beside its state.
        """
        self._folder = folder
        self._outputs = outputs
        self._tasks = tasks
        self._flush = flush
        self._lock = threading.Lock()
        self._dirty: dict[str, None] = {}
        #: Raw digests of the records as they are in `outputs`.
        self._hashes: dict[str, bytes] = {}
        names = set(outputs.names())
        #: Records that `checkpoint compress` has packed: they go when their plain ones are published again.
        self._packed = {name for name in names if name.endswith(".json.gz")}
        #: Records of a session before, plain or packed. One that is as it was need not be written again.
        self._kept = {name.removesuffix(".gz") for name in names if name.endswith((".json", ".json.gz"))}
        #: Tasks whose records have been written since the last sync.
        self._unsynced: list[str] = []
        #: The record of the journal up to which everything has been published.
        self._published = -1

    def changed(self, tasks: Iterable[str]) -> None:
        """Say that the records of `tasks` may not be as the state is."""
        for task in tasks:
            self._dirty[task] = None

    def compare_all(self, state: RunState) -> None:
        """Have the next snapshots write the record of every task whose record is not as state and plan have it now."""
        if self._kept:
            self._hashes = snapshot.stored_hashes(checkpoint.read_progress(self._folder))
        for tasks in (state.tasks, state.gates):
            self.changed(i for i, task in tasks.items() if snapshot.has_record(task))

    def prepare(self, state: RunState, *, now: int, journal_bytes: int, control: str | None) -> Callable[[], None]:
        """Render `state` as it is now and return what publishes it, which may run on another thread.

        Raises (the returned call):
            StorageError: it could not be published; the journal is the truth and is not touched.
        """
        records = self._render(state)
        files = self._files(state, now=now, journal_bytes=journal_bytes, control=control)
        # The state goes on: what is rendered of it later would be of another record.
        files[layout.PROGRESS] = list(files[layout.PROGRESS])
        return lambda: self._publish(records, files)

    def _files(
        self, state: RunState, *, now: int, journal_bytes: int, control: str | None = None
    ) -> dict[str, Iterable[bytes]]:
        """Return the three files in pieces; those of progress.json are made as they are taken."""
        metadata = snapshot.metadata(state, now=now, journal_bytes=journal_bytes, control=control)
        return {
            layout.STATE: [snapshot.encode(snapshot.states(state))],
            layout.PROGRESS: snapshot.progress_file(state, self._hash),
            layout.METADATA: [snapshot.encode(metadata)],
        }

    def publish_all(self, state: RunState, *, now: int, journal_bytes: int) -> None:
        """Publish `state` as it is now, with the record of every task, where that has not been done.

        Raises:
            StorageError: it could not be published.
        """
        if self._published == state.seq and not self._dirty:
            return
        if len(self._dirty) > BATCH:
            self._write_ahead(state)
        records = self._render(state)
        self._publish(records, self._files(state, now=now, journal_bytes=journal_bytes))
        self._published = state.seq

    def _write_ahead(self, state: RunState) -> None:
        """Write all but the last records of many: the disk takes them while the others are rendered."""
        try:
            with Sweeper(self._outputs) as sweeper:
                while len(self._dirty) > BATCH:
                    records = self._render(state)
                    with self._lock, self._kept_on_error(records):
                        self._write(records)
                    sweeper.sweep(len(self._unsynced))
        except StorageError:
            with self._lock:
                self._write_again()
            raise

    def _render(self, state: RunState) -> _Records:
        """Render records that are not as `state` is, up to a number; the others stay for the next time."""
        taken: dict[str, None] = {}
        while self._dirty and len(taken) < BATCH:
            taken[self._dirty.popitem()[0]] = None
        files: dict[str, tuple[str, bytes]] = {}
        for task_id in taken:
            task = state.find(task_id)
            if task is not None and snapshot.has_record(task):
                data = snapshot.record(task_id, task, self._tasks.get(task_id))
                name, found = layout.record_name(task_id), digest.raw(data)
                if self._hashes.get(task_id) != found or name not in self._kept:
                    files[task_id] = name, data
                    self._hashes[task_id] = found
        return _Records(files, taken)

    def _hash(self, task_id: str) -> str | None:
        found = self._hashes.get(task_id)
        return None if found is None else digest.shown(found)

    def _publish(self, records: _Records, files: Mapping[str, Iterable[bytes]]) -> None:
        with self._lock, self._kept_on_error(records):
            self._write(records)
            self._sync()
            self._folder.publish_all(files)
            for name in (layout.STATE, layout.PROGRESS):
                self._folder.remove(name + ".gz", missing_ok=True)

    def _write(self, records: _Records) -> None:
        """Put records into `outputs`, where they are not synced yet."""
        # metadata.json says how far the journal reaches: it must already reach there.
        self._flush()
        kept, add, publish = self._kept, self._outputs.add, self._outputs.publish
        for task, (name, data) in records.files.items():
            if name in kept:
                publish(name, data, sync=False)
            else:
                add(name, data)
            self._unsynced.append(task)

    def _sync(self) -> None:
        """Bring the records that have been written to disk; packed ones of the same names go then."""
        unsynced = self._unsynced
        if not unsynced:
            return
        self._outputs.sync_files([layout.record_name(task) for task in unsynced])
        self._outputs.sync()
        if self._packed:
            for task in unsynced:
                packed = layout.record_name(task) + ".gz"
                if packed in self._packed:
                    self._outputs.remove(packed, missing_ok=True)
        self._unsynced = []

    def _write_again(self) -> None:
        """After an error: let what may not be on disk be written anew, as no later sync of those files may tell."""
        again, self._unsynced = self._unsynced, []
        for task in again:
            self._hashes.pop(task, None)
        self.changed(again)

    @contextlib.contextmanager
    def _kept_on_error(self, records: _Records) -> Iterator[None]:
        """Let records that could not be published be published the next time."""
        try:
            yield
        except OSError as error:
            self._write_again()
            self.changed(records.tasks)
            # Which of them have been written is not known: none counts as being there as it was rendered.
            for task in records.tasks:
                self._hashes.pop(task, None)
            raise explain(error, "write checkpoint", self._folder.path) from error
