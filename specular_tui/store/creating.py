"""Making the folder of a new run: it appears under its name with everything in it, the lock already held."""

from __future__ import annotations

import contextlib
import errno
import os
import time
from collections.abc import Mapping
from pathlib import Path

from msgspec.structs import replace

from specular_tui.errors import StorageError
from specular_tui.model.event import RunCreated
from specular_tui.model.fold import apply
from specular_tui.model.plan import Task
from specular_tui.model.run import RunState
from specular_tui.store import journal, layout, lock, reserve, snapshot
from specular_tui.store.explaining import explain
from specular_tui.store.folder import Folder
from specular_tui.store.recorder import RunRecorder


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
        with Folder.create(root) as folder, contextlib.ExitStack() as undo:
            run_id = _free_id(folder, event.run_id, named)
            run = undo.enter_context(folder.make(temporary))
            try:
                lock_fd = lock.acquire(run)
                undo.callback(os.close, lock_fd)
                run.make(layout.OUTPUTS).close()
                files = {layout.PLAN: plan} if policy is None else {layout.PLAN: plan, layout.POLICY: policy}
                while True:
                    created = replace(event, run_id=run_id)
                    line, chain = journal.encode(1, created, "")
                    state = apply(RunState(), created)
                    state.seq, state.chain = 1, chain
                    files |= {layout.JOURNAL: line, **_first_snapshot(state, len(line))}
                    for name, data in files.items():
                        run.publish(name, data, sync=False)
                    # All of them, and their names at once: nobody sees the folder before it has its own.
                    run.sync_all(list(files))
                    try:
                        os.rename(temporary, run_id, src_dir_fd=folder.fd, dst_dir_fd=folder.fd)
                        break
                    except OSError as error:
                        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR) or named:
                            raise
                        run_id = _free_id(folder, event.run_id, named)
                folder.sync()
            except BaseException:
                with contextlib.suppress(OSError):
                    folder.remove_tree(temporary)
                raise
            run.path = root / run_id
            reserve.put_aside(run)
            recorder = RunRecorder(run, lock_fd, state, tasks, records=1)
            undo.pop_all()
            return recorder
    except OSError as error:
        raise explain(error, "write checkpoint", root) from error


def _first_snapshot(state: RunState, journal_bytes: int) -> dict[str, bytes]:
    metadata = snapshot.metadata(state, now=state.created_at, journal_bytes=journal_bytes)
    return {
        layout.STATE: snapshot.encode(snapshot.states(state)),
        layout.PROGRESS: snapshot.encode(snapshot.progress(state, {})),
        layout.METADATA: snapshot.encode(metadata),
    }


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
