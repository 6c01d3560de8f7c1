"""What is usable here: the file system under the checkpoint directory, the control socket, container engines."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from enum import StrEnum
from pathlib import Path
from typing import Final

from msgspec import Struct

from specular_tui.errors import SpecularError, StorageError
from specular_tui.model.policy import DockerPolicy
from specular_tui.store import lock
from specular_tui.store.folder import Folder

#: File systems on other machines: locks and notice of changes cannot be relied on there.
_REMOTE: Final = ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "fuse.sshfs", "glusterfs", "lustre")
#: Less room than this is worth a word.
_LITTLE: Final = 1 << 30
#: A sync that takes longer makes builds of many short tasks slow.
_SLOW_SYNC: Final = 0.05


class Verdict(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    #: Something works less well, or only some builds need it.
    WARNING = "warning"
    #: No build can be checkpointed.
    BROKEN = "broken"


class Finding(Struct, frozen=True):
    """One thing that was looked at."""

    name: str
    verdict: Verdict
    text: str


def look_at_storage(root: Path) -> list[Finding]:
    """Try out what checkpoints need of the file system that `root` is on, or would be on. Leaves nothing behind."""
    base = root
    while not base.exists() and base != base.parent:
        base = base.parent
    there = "" if base == root else " (not there yet)"
    try:
        with Folder.at(base) if base == root else Folder(os.open(base, os.O_RDONLY | os.O_DIRECTORY), base):
            pass
        place = Path(tempfile.mkdtemp(prefix=".specular-doctor-", dir=base))
    except SpecularError as error:
        return [Finding("checkpoints", Verdict.BROKEN, error.message)]
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        return [Finding("checkpoints", Verdict.BROKEN, f"{root} cannot be written: {reason}")]
    try:
        findings = [Finding("checkpoints", Verdict.OK, f"{root}{there}")]
        findings += [_kind(base), _room(base), _sync(place), _locks(place)]
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return findings


def _kind(base: Path) -> Finding:
    kind = _file_system(base)
    if kind in _REMOTE:
        return Finding("file system", Verdict.WARNING, f"{kind}: on another machine; locks must work there too")
    return Finding("file system", Verdict.OK, kind or "unknown")


def _file_system(path: Path) -> str:
    """Return the type of the file system that `path` is on, or "" where the system does not say."""
    best, kind = "", ""
    real = str(path.resolve())
    try:
        with open("/proc/self/mounts", encoding="utf-8", errors="replace") as mounts:
            for line in mounts:
                fields = line.split()
                where = fields[1].replace("\\040", " ")
                if (real == where or real.startswith(where.rstrip("/") + "/")) and len(where) >= len(best):
                    best, kind = where, fields[2]
    except (OSError, IndexError):
        return ""
    return kind


def _room(base: Path) -> Finding:
    free = shutil.disk_usage(base).free
    return Finding("free space", Verdict.OK if free >= _LITTLE else Verdict.WARNING, f"{free / 1e9:.1f} GB")


def _sync(place: Path) -> Finding:
    took = []
    try:
        with Folder.at(place) as folder:
            for number in range(5):
                began = time.perf_counter()
                folder.publish("probe", b"%d" % number)
                took.append(time.perf_counter() - began)
    except (OSError, SpecularError) as error:
        why = (error.strerror or str(error)).lower() if isinstance(error, OSError) else error.message
        return Finding("fsync", Verdict.BROKEN, f"a file cannot be written, synced and renamed: {why}")
    middle = sorted(took)[2]
    return Finding(
        "fsync", Verdict.OK if middle < _SLOW_SYNC else Verdict.WARNING, f"{middle * 1000:.1f} ms to publish a file"
    )


def _locks(place: Path) -> Finding:
    try:
        with Folder.at(place) as folder:
            held = lock.acquire(folder)
            try:
                seen = lock.held(folder)
                second = os.open(place / "lock", os.O_RDWR)
                try:
                    fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    exclusive = False
                except OSError:
                    exclusive = True
                finally:
                    os.close(second)
            finally:
                os.close(held)
            free = not lock.held(folder)
    except (OSError, StorageError, lock.HeldError) as error:
        return Finding("locks", Verdict.BROKEN, f"a file cannot be locked: {error}")
    if not (seen and exclusive and free):
        return Finding("locks", Verdict.BROKEN, "a lock does not keep others out: two builds could work on one run")
    return Finding("locks", Verdict.OK, "exclusive, and seen without being taken")


def look_at_steering() -> Finding:
    """Tell whether live builds can be steered from other terminals."""
    from specular_tui.engine.control import socket_folder

    try:
        folder = socket_folder()
    except OSError as error:
        return Finding("steering", Verdict.WARNING, f"pause and stop will not work: {error.strerror or error}")
    return Finding("steering", Verdict.OK, f"sockets in {folder}")


def look_at_changes() -> Finding:
    """Tell whether the system says when files change, which is how a build is followed."""
    try:
        import watchfiles

        with tempfile.TemporaryDirectory(prefix="specular-") as folder:
            for _ in watchfiles.watch(folder, recursive=False, rust_timeout=50, yield_on_timeout=True):
                break
    except (ImportError, OSError) as error:
        return Finding("file changes", Verdict.WARNING, f"a build can only be followed by looking again: {error}")
    return Finding("file changes", Verdict.OK, "the system tells of them")


def look_at_engine(policy: DockerPolicy) -> Finding:
    """Ask the container engines."""
    from specular_tui.engine.container.engine import find_engine

    try:
        engine = find_engine(policy)
    except SpecularError as error:
        verdict = Verdict.BROKEN if policy.required else Verdict.WARNING
        why = "; ".join(error.details) or error.message
        return Finding("containers", verdict, f"no engine answers, so tasks with an image cannot run ({why})")
    version = engine.ask("version", "--format", "{{.Server.Version}}").stdout.strip()
    return Finding("containers", Verdict.OK, f"{engine.name} {version}".strip())
