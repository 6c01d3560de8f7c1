"""Which stored runs stay: removing them by name, by rule, or all."""

from __future__ import annotations

import os
import time
from pathlib import Path

from specular_tui.errors import RunHeldError, RunNotFoundError, UsageError
from specular_tui.model.run import RunStatus
from specular_tui.store import checkpoint, lock
from specular_tui.store.checkpoint import RunSummary
from specular_tui.store.folder import Folder, explain

_FINISHED = (RunStatus.COMPLETED, RunStatus.ABANDONED)


def is_unfinished(run: RunSummary) -> bool:
    """Tell whether removing a run loses work that could go on. What cannot be read cannot."""
    return run.damage is None and run.status not in _FINISHED


def delete_run(root: Path, run_id: str, *, force: bool = False) -> int:
    """Remove a run and return the bytes that it took.

    Raises:
        RunNotFoundError: it is not there. RunHeldError: it is being built. UsageError: it is unfinished, and `force`
            was not given. StorageError: it cannot be removed.
    """
    found = checkpoint.summarise(root, run_id)
    if not force and is_unfinished(found):
        raise UsageError(
            f"{run_id} is {found.status}: it could still be resumed",
            hint=f"to remove it all the same: specular checkpoint delete {run_id} --force",
        )
    parent = checkpoint.open_root(root)
    if parent is None:
        raise RunNotFoundError(f"checkpoint not found: {run_id}")
    with parent, checkpoint.open_run(root, run_id) as run:
        held = _take(run, run_id)
        try:
            freed = run.size()
            # Out of sight in one step, so that no reader meets half a run.
            hidden = f".removing-{os.getpid()}-{time.monotonic_ns():x}"
            parent.rename(run_id, hidden)
            parent.remove_tree(hidden)
        except OSError as error:
            raise explain(error, "remove the checkpoint", root / run_id) from None
        finally:
            if held >= 0:
                os.close(held)
    return freed


def _take(run: Folder, run_id: str) -> int:
    """Take the lock of a run, so that nobody begins to build what is being removed."""
    try:
        return lock.acquire(run)
    except lock.HeldError:
        raise RunHeldError(
            f"{run_id} is being built: a live run is never removed", hint=f"stop it first: specular stop {run_id}"
        ) from None
    except OSError:
        return -1  # what is there in place of a lock file cannot be locked by a build either
