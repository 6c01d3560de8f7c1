"""Giving runs up: by hand, for a fresh build, or because they have expired."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from specular_tui.engine.clock import Clock
from specular_tui.errors import SpecularError, StorageError
from specular_tui.model import event as ev
from specular_tui.model.plan import Task
from specular_tui.model.run import RunStatus
from specular_tui.spec.settings import Settings
from specular_tui.store import checkpoint
from specular_tui.store.keeping import expiry, pins
from specular_tui.store.keeping.expiry import Expired
from specular_tui.store.reopening import open_run
from specular_tui.workspace import plans

__all__ = ["Expired", "abandon", "abandon_expired", "expired_runs"]


def abandon(root: Path, run_id: str, reason: str) -> None:
    """Give a run up: nobody will go on with it.

    Raises:
        RunHeldError: it is being built. SpecularError: it is completed or abandoned already.
    """
    status = checkpoint.summarise(root, run_id).status
    if status in (RunStatus.COMPLETED, RunStatus.ABANDONED):
        raise SpecularError(f"{run_id} is {status}: there is nothing to abandon")
    clock = Clock()
    recorder = open_run(root, run_id, tasks=_stored_tasks(root, run_id), now=clock.now()).recorder
    try:
        state = recorder.state
        at = max(clock.now(), state.updated_at)
        if state.status is RunStatus.CREATED:
            recorder.append(ev.SessionEnded(at=at, status=RunStatus.PAUSED, reason=state.reason))
        recorder.append(ev.RunAbandoned(at=at, reason=reason))
    finally:
        recorder.close(clock.now())


def _stored_tasks(root: Path, run_id: str) -> dict[str, Task]:
    with checkpoint.open_run(root, run_id) as folder:
        plan = plans.stored_plan(folder, checkpoint.read(folder, run_id).state)
    return {task.id: task for task in plan.tasks}


def expired_runs(root: Path, settings: Settings) -> list[Expired]:
    """Return the unfinished runs that have expired, newest first; a pinned one does not."""
    found = expiry.expired(checkpoint.summaries(root), settings.retention, time.time_ns() // 1_000_000)
    pinned = pins.pinned(root)
    return [run for run in found if run.run_id not in pinned]


def abandon_expired(root: Path, expired: Iterable[Expired]) -> list[Expired]:
    """Give up the runs that have expired; return those that are. One that has been gone on with meanwhile is not.

    Raises:
        StorageError: the disk refuses.
    """
    given_up = []
    for run in expired:
        try:
            abandon(root, run.run_id, run.reason)
        except StorageError:
            raise
        except SpecularError:
            continue
        given_up.append(run)
    return given_up
