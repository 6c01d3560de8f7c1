"""Which stored runs stay: pinning them, and removing them by name, by rule, or all of them."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from specular_tui.errors import RunHeldError, RunNotFoundError, UsageError
from specular_tui.model.policy import RetentionPolicy
from specular_tui.model.run import RunStatus
from specular_tui.spec.settings import DIRECTORY, Settings
from specular_tui.store import checkpoint
from specular_tui.store.checkpoint import RunSummary, SizedRun
from specular_tui.store.effort import CancelledError, Effort
from specular_tui.store.keeping import pins, removal, retention
from specular_tui.store.keeping.removal import TrashedRun
from specular_tui.store.keeping.retention import Named, Removal

if TYPE_CHECKING:
    from specular_tui.store.keeping.compress import Compressed

__all__ = [
    "PINNED",
    "TRASH",
    "Named",
    "Removal",
    "Survey",
    "TrashedRun",
    "all_removals",
    "apply_retention",
    "compress_run",
    "decide_named",
    "decide_retention",
    "delete_run",
    "discard_trash",
    "empty_trash",
    "is_unfinished",
    "named_removals",
    "pin_run",
    "pinned_runs",
    "remove_runs",
    "restore_run",
    "retention_removals",
    "survey",
    "sweep",
    "trash_run",
    "trashed_runs",
    "unpin_run",
    "why_keep",
]

#: Where pins and deleted runs are kept, in the checkpoint directory.
PINNED = pins.PINNED
TRASH = removal.TRASH

#: Is told the bytes done and the bytes in all.
Progress = Callable[[int, int], None]

_FINISHED = (RunStatus.COMPLETED, RunStatus.ABANDONED)
_MIB = 1 << 20


def _now() -> int:
    return time.time_ns() // 1_000_000


def is_unfinished(run: RunSummary) -> bool:
    """Tell whether removing a run loses work that could go on. What cannot be read cannot."""
    return run.damage is None and run.status not in _FINISHED


# One run -------------------------------------------------------------------------------------------------------------


def delete_run(root: Path, run_id: str, *, force: bool = False) -> int:
    """Remove a run and return the bytes that this frees.

    Raises:
        RunNotFoundError: it is not there. RunHeldError: it is being built. UsageError: it is unfinished or pinned, and
            `force` was not given. StorageError: it cannot be removed.
    """
    if not force and (reason := why_keep(root, run_id)):
        raise UsageError(
            f"{run_id} is {reason}", hint=f"to remove it all the same: specular checkpoint delete {run_id} --force"
        )
    return removal.remove(root, run_id)


def why_keep(root: Path, run_id: str) -> str:
    """Return why one should think twice before removing a run, as what follows `RUN is`; "" where nothing is lost."""
    found = checkpoint.summarise(root, run_id)
    if found.live:
        return ""
    if is_unfinished(found):
        return f"{found.status}: it could still be resumed"
    return "pinned" if run_id in pins.pinned(root) else ""


def pinned_runs(root: Path) -> frozenset[str]:
    """Return the ids of the runs that retention and clean-up never take."""
    return pins.pinned(root)


def pin_run(root: Path, run_id: str) -> None:
    """Have retention and clean-up never take a run. Raises RunNotFoundError and StorageError."""
    pins.pin(root, run_id)


def unpin_run(root: Path, run_id: str) -> bool:
    """Take that back, and tell whether the run was pinned. Raises StorageError."""
    return pins.unpin(root, run_id)


def trash_run(root: Path, run_id: str, at: int | None = None, *, sync: bool = True) -> TrashedRun:
    """Put a run into the trash, from where it can be taken back for a week. Raises as `delete_run` with `force`.

    `at` is the moment that is noted, so that runs which are deleted together can be taken back together; of these only
    the last need `sync`.
    """
    return removal.trash(root, run_id, _now() if at is None else at, sync=sync)


def trashed_runs(root: Path, known: Mapping[str, TrashedRun] | None = None) -> list[TrashedRun]:
    """Return what is in the trash, the latest first; what is `known`, by its name there, is not measured again."""
    return removal.trashed(root, known)


def restore_run(root: Path, run_id: str, at: int | None = None, *, sync: bool = True) -> str:
    """Take a run back from the trash: the latest of its name, or the one put there at the moment `at`.

    `sync` is as for `trash_run`.

    Raises:
        RunNotFoundError: it is not there. StorageError: its name is taken.
    """
    return removal.restore(root, run_id, at, sync=sync)


def empty_trash(root: Path, *, all_of_it: bool = False, settings: Settings | None = None) -> int:
    """Delete what has been in the trash for more than a week, or `all_of_it`; return the bytes that this frees.

    With `settings`, as much more of it goes as the bound of the directory asks for: what was deleted makes room first.
    """
    if settings is None or all_of_it or not removal.trashed(root):
        return removal.empty_trash(root, _now(), older_than_ms=0 if all_of_it else removal.TRASH_MS)
    room = max(0, settings.max_size_bytes - sum(size for _, size in removal.sized(root)))
    return removal.empty_trash(root, _now(), room=room)


def discard_trash(root: Path, puts: Iterable[TrashedRun], patience: float) -> tuple[list[TrashedRun], bool]:
    """Take these runs from the trash for good; return those that were there, and whether their room is free already.

    Deleting takes no more than `patience` seconds; what is left then goes by a process beside this one, which goes on
    when this one ends. Raises StorageError.
    """
    gone = removal.discard(root, puts)
    if not gone:
        return [], True
    enough = threading.Event()
    timer = threading.Timer(patience, enough.set)
    timer.daemon = True
    timer.start()
    try:
        removal.sweep(root, Effort(cancel=enough))
    except (CancelledError, KeyboardInterrupt):
        _sweep_beside(root)
        return gone, False
    finally:
        timer.cancel()
    return gone, True


def sweep(root: Path) -> None:
    """Free what runs take that have been removed for good, without hurry. Raises StorageError."""
    os.nice(10)
    removal.sweep(root)


def _sweep_beside(root: Path) -> None:
    """Have a process of its own do `sweep`. Where it does not come to its end, the next removal goes on with it."""
    import subprocess
    import sys

    with contextlib.suppress(OSError):
        subprocess.Popen(
            [sys.executable, "-P", "-m", "specular_tui", "checkpoint", "trash", "--sweep"],
            cwd="/",
            env={**os.environ, DIRECTORY: str(root.absolute())},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


# Many runs -----------------------------------------------------------------------------------------------------------


class Survey(Struct, frozen=True):
    """The runs of a directory at one moment, and which of them are pinned: what a clean-up is decided by."""

    runs: tuple[SizedRun, ...]
    pinned: frozenset[str]


def survey(root: Path) -> Survey:
    """Look at every run of the directory."""
    return Survey(tuple(removal.sized(root)), pins.pinned(root))


def decide_named(found: Survey, named: Named, now: int | None = None) -> list[Removal]:
    """Return the runs that go because the user names them, whatever the policy keeps; oldest first.

    `now` is the moment that ages are counted from, in milliseconds since the epoch.
    """
    at = _now() if now is None else now
    return retention.decide(found.runs, RetentionPolicy(), 0, at, named=named, pinned=found.pinned)


def decide_retention(
    found: Survey, settings: Settings, *, cleaning: bool = True, now: int | None = None
) -> list[Removal]:
    """Return the runs that the retention policy does not keep, oldest first; `cleaning` where the user asks for it."""
    return retention.decide(
        found.runs,
        settings.retention,
        settings.max_size_bytes / _MIB,
        _now() if now is None else now,
        cleaning=cleaning,
        pinned=found.pinned,
    )


def named_removals(root: Path, named: Named) -> list[Removal]:
    """Do `decide_named` for the runs that are there now."""
    return decide_named(survey(root), named)


def retention_removals(root: Path, settings: Settings, *, cleaning: bool = True) -> list[Removal]:
    """Do `decide_retention` for the runs that are there now."""
    return decide_retention(survey(root), settings, cleaning=cleaning)


def all_removals(root: Path) -> list[Removal]:
    """Return every run that is neither live, as far as can be told, nor pinned, oldest first."""
    kept = pins.pinned(root)
    return [
        Removal(run_id=run.run_id, reason="all runs are removed", size=size, status=run.status)
        for run, size in reversed(removal.sized(root))
        if not (run.live or run.in_doubt) and run.run_id not in kept
    ]


def remove_runs(root: Path, removals: Sequence[Removal], progress: Progress | None = None) -> list[Removal]:
    """Remove runs and return those that are gone; one that has become live meanwhile stays.

    Raises:
        StorageError: one cannot be removed; those before it are gone.
    """
    total = sum(going.size for going in removals)
    before = 0
    gone = []
    for going in removals:
        effort = Effort(_shifted(progress, before, total) if progress is not None else None)
        try:
            removal.remove(root, going.run_id, effort)
        except (RunHeldError, RunNotFoundError):
            continue
        before += going.size
        gone.append(going)
    return gone


def _shifted(progress: Progress, before: int, total: int) -> Progress:
    return lambda done, _: progress(before + done, total)


def compress_run(
    root: Path, run_id: str, progress: Progress | None = None, cancel: threading.Event | None = None
) -> Compressed:
    """Pack the files of a run; setting `cancel` ends that early, and what is packed by then stays so.

    Raises:
        RunNotFoundError: it is not there. RunHeldError: it is live. StorageError: the disk refuses.
        CancelledError: `cancel` was set.
    """
    from specular_tui.store.keeping.compress import compress

    return compress(root, run_id, progress=progress, cancel=cancel)


def apply_retention(root: Path, settings: Settings, spared: str) -> list[Removal]:
    """Remove what the retention policy does not keep, after the build of the run `spared`; return what is gone.

    Raises:
        StorageError: something cannot be removed.
    """
    removals = retention_removals(root, settings, cleaning=False)
    gone = remove_runs(root, [going for going in removals if going.run_id != spared])
    empty_trash(root, settings=settings)
    return gone
