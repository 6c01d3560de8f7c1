"""Taking a run from an archive of strangers: read member by member, staged, proved, and only then given its name.

Nothing is written outside of a hidden folder in the checkpoint directory, and nothing in it bears a name that the
archive chose: a member is one of the files that a run has, or the archive is refused.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from specular_tui.errors import CheckpointError, StorageError
from specular_tui.model.event import AnyEvent, Imported, SessionEnded
from specular_tui.model.fold import apply
from specular_tui.model.plan import RUN_ID
from specular_tui.model.quote import quote
from specular_tui.model.run import INTERRUPTED, RunStatus
from specular_tui.store import checkpoint, journal, layout, lock
from specular_tui.store.archive.tarstream import BadArchive, Bounds, Member, TarStream
from specular_tui.store.checks.check import check_folder
from specular_tui.store.effort import Effort, Progress
from specular_tui.store.explaining import explain
from specular_tui.store.folder import Folder, write_all
from specular_tui.store.repairs import rebuild

_TOP: Final = frozenset(
    {
        layout.METADATA,
        layout.JOURNAL,
        layout.PLAN,
        layout.POLICY,
        layout.STATE,
        layout.PROGRESS,
        f"{layout.STATE}.gz",
        f"{layout.PROGRESS}.gz",
    }
)
#: What `layout.task_stem` can give, and what follows it.
_OUTPUT: Final = re.compile(
    r"(?:(?:[a-z0-9_@+-]|%[0-9A-F]{2}){1,180}|[a-z0-9_@+%A-F-]{100}~[0-9a-f]{32})"
    r"(?:\.json|(?:\.[1-9][0-9]{0,8})?\.log)(?:\.gz)?"
)


def import_run(
    root: Path,
    archive: Path | IO[bytes],
    *,
    bounds: Bounds | None = None,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> str:
    """Add the run in `archive` to the checkpoint directory `root` and return its id. Nothing of it is run.

    Args:
        root: the checkpoint directory; it is made where it is missing.
        archive: what `export_run` wrote, or an open stream of what `stream_run` writes; it is read to its end.
        bounds: how much the archive may hold.
        progress: told bytes read and bytes in all.
        cancel: setting it ends the work; nothing is left of it.

    Raises:
        CheckpointError: the archive is not one of a run, or what it holds is not valid; nothing is left of it.
        StorageError: a run of this name is there already, or the disk refuses.
        CancelledError: `cancel` was set.
    """
    effort = Effort(progress, cancel)
    was_there = os.path.lexists(root)
    name = str(archive) if isinstance(archive, Path) else "stdin"
    try:
        file = open(archive, "rb") if isinstance(archive, Path) else archive  # noqa: SIM115
    except OSError as error:
        raise StorageError(f"cannot read {name}: {(error.strerror or str(error)).lower()}") from None
    try:
        with contextlib.nullcontext(file) if file is archive else file, Folder.create(root) as folder:
            effort.total = os.fstat(file.fileno()).st_size
            try:
                return _import(folder, file, name, bounds or Bounds(), effort, cancel)
            except BaseException:
                if not was_there:
                    with contextlib.suppress(OSError):
                        os.rmdir(root)
                raise
    except BadArchive as error:
        raise CheckpointError(
            f"{name} cannot be imported: the archive {error}",
            hint="make it with: specular checkpoint export RUN --out FILE",
        ) from None
    except OSError as error:
        raise explain(error, "import the checkpoint", root) from error


def _import(
    folder: Folder, file: IO[bytes], name: str, bounds: Bounds, effort: Effort, cancel: threading.Event | None
) -> str:
    staged = f".import-{os.getpid()}-{time.monotonic_ns():x}"
    with folder.make(staged) as stage:
        try:
            held = lock.acquire(stage)
            try:
                run_id = _stage(stage, TarStream(file, bounds, effort.add), effort, folder)
                _prove(stage, run_id, name, Effort(cancel=cancel))
                _mark(stage)
                stage.sync()
                _refuse_taken(folder, run_id)
                folder.rename(staged, run_id)
                folder.sync()
            finally:
                os.close(held)
        except BaseException:
            with contextlib.suppress(OSError):
                folder.remove_tree(staged)
            raise
    return run_id


def _stage(stage: Folder, stream: TarStream, effort: Effort, root: Folder) -> str:
    """Write the members of an archive into the folder `stage`; return the name of the run that they are of."""
    run_id = ""
    seen: set[str] = set()
    with stage.make(layout.OUTPUTS) as outputs:
        written: list[str] = []
        for member in stream.members():
            effort.tell()
            top, inner = _place(member, seen)
            if not run_id:
                run_id = top
                _refuse_taken(root, run_id)
            if top != run_id:
                raise BadArchive(f"holds more than one folder: {quote(run_id)} and {quote(top)}")
            if member.is_folder:
                continue
            name = inner.removeprefix(f"{layout.OUTPUTS}/")
            target = outputs if name != inner else stage
            _write(target, name, stream.content())
            if target is outputs:
                written.append(name)
        if not run_id:
            raise BadArchive("is empty")
        outputs.sync_all(written)
    stage.sync_all([name for name in stage.names() if stage.has(name)])
    return run_id


def _place(member: Member, seen: set[str]) -> tuple[str, str]:
    """Return (run, path in the run) of a member, or refuse it."""
    name = member.name.removeprefix("./")
    top, _, inner = name.partition("/")
    if not RUN_ID.fullmatch(top):
        raise BadArchive(f"has a member outside of a run's folder: {quote(member.name)}")
    if name.casefold() in seen:
        raise BadArchive(f"has two members of one name: {quote(member.name)}")
    seen.add(name.casefold())
    if member.is_folder:
        known = inner in ("", layout.OUTPUTS)
    else:
        folder, slash, leaf = inner.rpartition("/")
        known = inner in _TOP if not slash else folder == layout.OUTPUTS and _OUTPUT.fullmatch(leaf) is not None
    if not known:
        raise BadArchive(f"has a member that is no file of a run: {quote(member.name)}")
    return top, inner


def _write(folder: Folder, name: str, content: Iterator[bytes]) -> None:
    fd = folder.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        for data in content:
            write_all(fd, data)
    finally:
        os.close(fd)


def _refuse_taken(folder: Folder, run_id: str) -> None:
    try:
        folder.stat(run_id)
    except FileNotFoundError:
        return
    raise StorageError(
        f"a run '{run_id}' is already there, and an import never replaces one",
        hint=f"delete that one first: specular checkpoint delete {run_id}",
    )


def _prove(stage: Folder, run_id: str, name: str, effort: Effort) -> None:
    """Prove what was staged as `checkpoint validate` does, and that it holds nothing else."""
    report = check_folder(stage, run_id, effort, live=False)
    strangers = [name for name in report.strangers if name.startswith(f"{layout.OUTPUTS}/")]
    if not report.ok or strangers:
        details = [f"{name}: {line}" for name, ok, lines in report.checks if not ok for line in lines]
        details += [f"{name} belongs to no task" for name in strangers]
        raise CheckpointError(
            f"{name} cannot be imported: checkpoint validation failed: {details[0]}",
            details=details[1:21],
            hint="export it anew from a checkpoint that validates: specular checkpoint validate RUN",
        )


def _mark(stage: Folder) -> None:
    """Say in the journal that the run was imported; its last session is over, wherever it was."""
    data = stage.read(layout.JOURNAL, checkpoint.LONGEST)
    reader = journal.JournalReader()
    with contextlib.suppress(journal.JournalDamage):
        reader.feed(data)
    state, lines = reader.state, bytearray(data[: reader.offset])
    events: list[AnyEvent] = [Imported(at=state.updated_at)]
    if state.session is not None:
        events.insert(0, SessionEnded(at=state.updated_at, status=RunStatus.PAUSED, reason=INTERRUPTED))
    for event in events:
        line, chain = journal.encode(state.seq + 1, event, state.chain)
        apply(state, event)
        state.seq, state.chain = state.seq + 1, chain
        lines += line
    stage.publish(layout.JOURNAL, bytes(lines))
    rebuild.rebuild(stage, state, len(lines))
