"""Writing a run as a tar.gz: the same bytes for the same run, into a file (never half of one) or a stream."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tarfile
import threading
import zlib
from collections.abc import Iterator, Mapping
from io import BytesIO, RawIOBase
from pathlib import Path
from typing import Final

from specular_tui.errors import CheckpointError, RunHeldError, SpecularError
from specular_tui.model.run import RunState
from specular_tui.store import checkpoint, digest, journal, layout, lock, redact
from specular_tui.store.effort import Effort, Progress
from specular_tui.store.explaining import explain
from specular_tui.store.folder import Folder, write_all
from specular_tui.store.logs import kept
from specular_tui.store.repairs import rebuild

_LEVEL: Final = 6
_SLICE: Final = 1 << 20
#: A run in a directory that cannot be written is exported without its lock being held.
_NOT_WRITABLE: Final = frozenset({errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOSPC, errno.EDQUOT})


def export_run(
    root: Path,
    run_id: str,
    out: Path,
    *,
    redact: bool = False,
    force: bool = False,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> int:
    """Write the run `run_id` to the new file `out`, 0600, and return its size in bytes.

    Args:
        root: the checkpoint directory.
        run_id: the run; it must not be live.
        out: the archive. It appears in one step, when it is whole.
        redact: mask the values of secret-looking variables in the plan. Logs are as the tasks wrote them.
        force: replace a file that is there.
        progress: told bytes read and bytes in all.
        cancel: setting it ends the work; nothing is left of it.

    Raises:
        RunNotFoundError: the run is not there. RunHeldError: it is live. CheckpointError: it is damaged.
        StorageError: the disk refuses. CancelledError: `cancel` was set. SpecularError: `out` is there already.
    """
    with contextlib.suppress(OSError):
        mode = out.lstat().st_mode
        if not force:
            raise _is_there(out)
        if not stat.S_ISREG(mode) and not stat.S_ISLNK(mode):
            raise SpecularError(f"{out} is no regular file, and is not replaced", hint="choose another --out")
    try:
        with _held(root, run_id, out) as (run, found):
            return _write(run, found, out, redact, force, Effort(progress, cancel))
    except FileExistsError:
        raise _is_there(out) from None


def stream_run(
    root: Path,
    run_id: str,
    fd: int,
    *,
    redact: bool = False,
    progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> int:
    """Write the run `run_id` to the open file or pipe `fd` and return the bytes that are written.

    The arguments are those of `export_run`. What has been written before an error stays written: it is cut off, and
    `import_run` refuses it.

    Raises:
        BrokenPipeError: whoever read it has gone. Otherwise as `export_run`.
    """
    with _held(root, run_id, "stdout") as (run, found):
        return _pack(run, found, fd, redact, Effort(progress, cancel))


@contextlib.contextmanager
def _held(root: Path, run_id: str, where: object) -> Iterator[tuple[Folder, checkpoint.StoredRun]]:
    """Yield a run, held so that it cannot become live, and what it says; tell what goes wrong with writing `where`."""
    with contextlib.ExitStack() as stack:
        run = stack.enter_context(checkpoint.open_run(root, run_id))
        refused = RunHeldError(
            f"{run_id} is being built: a live run is not exported",
            hint=f"wait for it, or stop it first: specular stop {run_id}",
        )
        try:
            stack.enter_context(lock.holding(run, refused, spared=_NOT_WRITABLE))
        except OSError as error:
            raise explain(error, "export the checkpoint", run.path) from error
        try:
            yield run, checkpoint.read(run, run_id)
        except (FileExistsError, BrokenPipeError):
            raise
        except (OSError, tarfile.TarError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise explain(error, "export the checkpoint", where, elsewhere="choose another --out") from error
            raise CheckpointError(f"{run_id} changed while it was exported", hint="try again") from error


def _is_there(out: Path) -> SpecularError:
    return SpecularError(f"{out} is there already", hint="choose another --out, or replace it: --force")


class _Packer(RawIOBase):
    """A file to write a tar to: packs as gzip without name and time."""

    def __init__(self, fd: int) -> None:
        super().__init__()
        self._fd = fd
        self._count = 0
        #: Packed bytes so far.
        self.written = 0
        self._packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        self._put(self._packer.compress(data))
        self._count += len(data)
        return len(data)

    def tell(self) -> int:
        return self._count

    def finish(self) -> None:
        self._put(self._packer.flush())

    def _put(self, packed: bytes) -> None:
        write_all(self._fd, packed)
        self.written += len(packed)


class _Counting(RawIOBase):
    """A file to read a member from, which tells how far it is."""

    def __init__(self, fd: int, effort: Effort) -> None:
        super().__init__()
        self._fd = fd
        self._effort = effort

    def read(self, size: int = _SLICE, /) -> bytes:
        data = os.read(self._fd, size)
        self._effort.add(len(data))
        self._effort.tell()
        return data


def _write(run: Folder, found: checkpoint.StoredRun, out: Path, masked: bool, force: bool, effort: Effort) -> int:
    temporary = out.with_name(f".{out.name[:100]}.{os.getpid()}.part")
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            size = _pack(run, found, fd, masked, effort)
            os.fsync(fd)
        finally:
            os.close(fd)
        if force:
            os.replace(temporary, out)
        else:
            _publish_new(temporary, out)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return size


def _pack(run: Folder, found: checkpoint.StoredRun, fd: int, masked: bool, effort: Effort) -> int:
    """Write the archive to `fd`; return its size."""
    packer = _Packer(fd)
    with tarfile.TarFile(fileobj=packer, mode="w", format=tarfile.PAX_FORMAT, copybufsize=_SLICE) as tar:
        _add_all(tar, run, found, masked, effort)
    packer.finish()
    return packer.written


def _publish_new(temporary: Path, out: Path) -> None:
    """Give a file its name unless that is taken."""
    try:
        os.link(temporary, out)
    except FileExistsError:
        raise
    except OSError:
        # A file system without hard links.
        if os.path.lexists(out):
            raise FileExistsError(errno.EEXIST, "it is there already", str(out)) from None
        os.rename(temporary, out)
    else:
        temporary.unlink()


def _add_all(tar: tarfile.TarFile, run: Folder, found: checkpoint.StoredRun, masked: bool, effort: Effort) -> None:
    state, name = found.state, found.run_id
    # A torn end stays behind, and a plan that waits for its name gets it.
    journal_bytes = run.read(layout.JOURNAL, checkpoint.LONGEST)[: found.journal_bytes]
    made = {layout.JOURNAL: journal_bytes, layout.PLAN: _in_force(run, layout.PLAN, state.plan_hash)}
    if state.policy_hash is not None:
        made[layout.POLICY] = _in_force(run, layout.POLICY, state.policy_hash)
    records: dict[str, bytes] = {}
    with run.make(layout.OUTPUTS) as outputs:
        if masked:
            changed, records = _masked(outputs, made)
            made |= changed
        top = [n for n in (layout.METADATA, layout.STATE, layout.PROGRESS) if n not in made]
        wanted = _of_tasks(kept.listing(outputs), state)
        effort.total = sum(_size(run, n) for n in top) + sum(_size(outputs, n) for n in wanted)
        _add_folder(tar, name, state)
        for plain in sorted({*top, *made}):
            if plain in made:
                _add_bytes(tar, f"{name}/{plain}", made[plain], state)
            else:
                _add_file(tar, run, f"{name}/", plain, state, effort)
        inner = f"{name}/{layout.OUTPUTS}"
        _add_folder(tar, inner, state)
        for plain in sorted({*wanted, *records}):
            if plain in records:
                _add_bytes(tar, f"{inner}/{plain}", records[plain], state)
            else:
                _add_file(tar, outputs, f"{inner}/", plain, state, effort)


def _in_force(run: Folder, name: str, expected: str) -> bytes:
    """Return the run's copy of the plan or the policy; after a crash it may still wait under another name."""
    for there in (name, {layout.PLAN: layout.NEXT_PLAN}.get(name, layout.NEXT_POLICY)):
        with contextlib.suppress(OSError):
            data = run.read(there, 80 << 20)
            if digest.of_bytes(data) == expected:
                return data
    raise CheckpointError(
        f"checkpoint validation failed: hash mismatch: {run.path / name} is not the one of this run",
        hint=f"see what is damaged: specular checkpoint validate {run.path.name}",
    )


def _masked(outputs: Folder, made: Mapping[str, bytes]) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Return the files and records of a run whose plan is masked: its journal is folded, and names another plan."""
    reader = journal.JournalReader()
    reader.feed(made[layout.JOURNAL])
    state = reader.state
    plan = redact.masked_plan(made[layout.PLAN], yaml=state.plan_file.lower().endswith((".yaml", ".yml")))
    state.plan_hash = digest.of_bytes(plan)
    pieces, seq, chain = journal.fold(state, state.updated_at)
    line = b"".join(pieces)
    state.seq, state.chain = seq, chain
    files, records = rebuild.derived(outputs, state, len(line))
    return {**files, layout.JOURNAL: line, layout.PLAN: plan}, records


def _of_tasks(there: dict[str, bool], state: RunState) -> list[str]:
    """Return the files of a listing that belong to tasks of the run."""
    tasks = state.tasks | state.gates
    mine = {layout.record_name(task) for task in tasks} | {layout.log_name(task) for task in tasks}
    mine |= {name for task, attempt, name in kept.earlier_logs(there, tasks) if attempt <= tasks[task].attempt}
    return sorted(mine & there.keys())


def _size(folder: Folder, name: str) -> int:
    for there in (name, name + ".gz"):
        with contextlib.suppress(OSError):
            return folder.stat(there).st_size
    return 0


def _info(name: str, size: int, state: RunState, *, folder: bool = False) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type = tarfile.DIRTYPE if folder else tarfile.REGTYPE
    info.size, info.mode = size, 0o700 if folder else 0o600
    info.mtime = min(max(state.created_at, 0) // 1000, 0o77777777777)
    return info


def _add_folder(tar: tarfile.TarFile, name: str, state: RunState) -> None:
    tar.addfile(_info(name, 0, state, folder=True))


def _add_bytes(tar: tarfile.TarFile, name: str, data: bytes, state: RunState) -> None:
    tar.addfile(_info(name, len(data), state), BytesIO(data))


def _add_file(tar: tarfile.TarFile, folder: Folder, prefix: str, plain: str, state: RunState, effort: Effort) -> None:
    """Add a file as it is stored, plain or packed; one that is missing is left out."""
    for name in (plain, plain + ".gz"):
        try:
            fd = folder.open(name)
        except FileNotFoundError:
            continue
        except OSError as error:
            if error.errno in (errno.ELOOP, errno.EINVAL):
                raise CheckpointError(
                    f"{folder.path / name} is no file of a checkpoint",
                    hint=f"see what is damaged: specular checkpoint validate {state.run_id}",
                ) from None
            raise
        try:
            status = os.fstat(fd)
            assert stat.S_ISREG(status.st_mode)
            tar.addfile(_info(prefix + name, status.st_size, state), _Counting(fd, effort))
        finally:
            os.close(fd)
        return
