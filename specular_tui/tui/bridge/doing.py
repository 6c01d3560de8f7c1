"""What a deed does, on a thread: plain functions that tell how far they are and end when they are not wanted."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from specular_tui.errors import RunHeldError, RunNotFoundError, SpecularError
from specular_tui.spec.settings import Settings, resolve
from specular_tui.tui.deeds import Rules
from specular_tui.workspace import keeping, moving, plans
from specular_tui.workspace.keeping import Named, Removal, Survey, TrashedRun


class Effort(Struct):
    """One deed as it is being done."""

    root: Path
    #: Is told the run, its number and how many there are, the bytes done and the bytes in all.
    tell: Callable[[str, int, int, int, int], None]
    cancel: threading.Event = field(default_factory=threading.Event)

    def progress(self, run_id: str, number: int = 1, of: int = 1) -> Callable[[int, int], None]:
        """Return what is told the bytes done and the bytes in all of one run."""
        return lambda done, total: self.tell(run_id, number, of, done, total)


class Outcome(Struct, frozen=True):
    """What came of something that was done to several runs."""

    done: tuple[str, ...] = ()
    #: Runs that it was not done to, each with the reason.
    spared: tuple[tuple[str, str], ...] = ()
    #: The bytes that it concerned.
    size: int = 0
    #: So many runs were left as they are, because it was given up.
    left: int = 0


def trash(effort: Effort, run_ids: Sequence[str], puts: list[TrashedRun]) -> Outcome:
    """Put runs into the trash, noted in `puts` as they go; a run that is live or gone by now is passed over."""
    spared: list[tuple[str, str]] = []
    left = 0
    for number, run_id in enumerate(run_ids, 1):
        if effort.cancel.is_set():
            left = len(run_ids) - number + 1
            break
        effort.tell(run_id, number, len(run_ids), 0, 0)
        try:
            at = puts[0].at if puts else None
            puts.append(keeping.trash_run(effort.root, run_id, at, sync=number == len(run_ids)))
        except RunHeldError:
            spared.append((run_id, "it is being built"))
        except RunNotFoundError:
            spared.append((run_id, "it was gone already"))
        except (SpecularError, OSError) as error:
            spared.append((run_id, why(error)))
    return Outcome(tuple(put.run_id for put in puts), tuple(spared), sum(put.size for put in puts), left)


def latest_deletion(root: Path) -> list[TrashedRun]:
    """Return the runs that were deleted last, together."""
    puts = keeping.trashed_runs(root)
    return [put for put in puts if put.at == puts[0].at]


def take_back(effort: Effort, puts: Sequence[TrashedRun]) -> tuple[Outcome, list[TrashedRun]]:
    """Take runs back from the trash; return also those that still are in it."""
    done: list[str] = []
    spared: list[tuple[str, str]] = []
    still: list[TrashedRun] = []
    left = 0
    for number, put in enumerate(puts, 1):
        if effort.cancel.is_set():
            left = len(puts) - number + 1
            still += puts[number - 1 :]
            break
        effort.tell(put.run_id, number, len(puts), 0, 0)
        try:
            done.append(keeping.restore_run(effort.root, put.run_id, put.at, sync=number == len(puts)))
        except RunNotFoundError:
            spared.append((put.run_id, "it is not in the trash any more"))
        except (SpecularError, OSError) as error:
            spared.append((put.run_id, why(error)))
            still.append(put)
    back = set(done)
    return Outcome(tuple(done), tuple(spared), sum(put.size for put in puts if put.run_id in back), left), still


def compress(effort: Effort, run_ids: Sequence[str]) -> Outcome:
    """Pack the files of runs; `size` is what that saved. Being cancelled leaves what is packed by then."""
    done: list[str] = []
    spared: list[tuple[str, str]] = []
    saved = left = 0
    for number, run_id in enumerate(run_ids, 1):
        if effort.cancel.is_set():
            left = len(run_ids) - number + 1
            break
        try:
            packed = keeping.compress_run(
                effort.root, run_id, effort.progress(run_id, number, len(run_ids)), effort.cancel
            )
        except RunHeldError:
            spared.append((run_id, "it is being built"))
        except RunNotFoundError:
            spared.append((run_id, "it is gone"))
        except (SpecularError, OSError) as error:
            if effort.cancel.is_set():
                left = len(run_ids) - number + 1
                break
            spared.append((run_id, why(error)))
        else:
            if packed.files:
                done.append(run_id)
                saved += packed.saved
            else:
                spared.append((run_id, "nothing was left to compress"))
    return Outcome(tuple(done), tuple(spared), saved, left)


def export(effort: Effort, run_id: str, path: Path, *, redact: bool, force: bool) -> int:
    """Write a run into an archive and return its size. Raises as `moving.export_run`."""
    return moving.export_run(
        effort.root,
        run_id,
        path,
        redact=redact,
        force=force,
        progress=effort.progress(run_id),
        cancel=effort.cancel,
    )


def take_in(effort: Effort, path: Path) -> tuple[str, list[Removal]]:
    """Import a run and return its id, and the old runs that had to go for it. Raises as `moving.import_run`."""
    return moving.import_run(path, settings_of(effort.root), effort.progress(path.name), effort.cancel)


def take_in_instead(effort: Effort, path: Path, damaged: str) -> tuple[str, TrashedRun]:
    """Put a damaged run into the trash and import the same run from an archive; whatever goes wrong, it comes back.

    Raises:
        SpecularError: the archive is not of that run, or `moving.import_run` refuses.
    """
    put = keeping.trash_run(effort.root, damaged)
    imported = ""
    try:
        imported, _ = take_in(effort, path)
        if imported == damaged:
            return imported, put
    finally:
        if imported != damaged:
            keeping.restore_run(effort.root, damaged, put.at)
    raise SpecularError(
        f"{path} holds another run, {imported}: that one is there now, and {damaged} stays as it is",
        hint=f"if you do not want it: specular checkpoint delete {imported}",
    )


def settings_of(root: Path) -> Settings:
    """Return the settings that hold in the current folder, for the checkpoint directory `root`.

    Raises:
        SettingsError: the policy cannot be read.
    """
    folder = Path.cwd()
    found = resolve(plans.read_policy(None, folder)[0], environ=os.environ, cwd=folder)
    return replace(found, checkpoint_dir=root)


def decide(root: Path, found: Survey, rules: Rules, now: int) -> list[Removal]:
    """Return which of the runs that were found a clean-up at the moment `now` would remove. Raises SettingsError."""
    if not rules:
        return []
    if rules.policy:
        return keeping.decide_retention(found, settings_of(root), now=now)
    named = Named(older_than_ms=rules.older_than_ms, failed=rules.failed, keep_last=rules.keep_last)
    return keeping.decide_named(found, named, now)


def why(error: Exception) -> str:
    """Return what an error says, in one line."""
    return error.message if isinstance(error, SpecularError) else str(error)
