"""Reading the bytes of a file that a user named: whatever else may be there gets an error of its own."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from specular_tui.errors import SpecularError
from specular_tui.model.quote import plain

_CHUNK = 1 << 20
_KINDS = {
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def read_bytes(
    path: Path,
    *,
    typed: str,
    noun: str,
    limit: int,
    error: type[SpecularError],
    missing_hint: str,
) -> bytes:
    """Return the content of the regular file at `path`.

    `typed` is the name that messages use, `noun` what the file should be (`plan`), `limit` its largest size in
    bytes, `missing_hint` the way on where no file is. Never waits for the other end of a pipe.

    Raises:
        SpecularError: as `error`; it is missing, unreadable, no regular file, or larger than `limit`.
    """
    name = plain(typed)
    try:
        # Before it is opened: opening alone can set a device in motion.
        _refuse_kind(os.stat(path).st_mode, name, noun, error)
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            info = os.fstat(fd)
            _refuse_kind(info.st_mode, name, noun, error)
            if info.st_size > limit:
                raise _too_large(name, noun, limit, error)
            data = _read(fd, limit)
        finally:
            os.close(fd)
    except (OSError, ValueError) as problem:
        raise _unreadable(problem, name, noun, error, missing_hint) from problem
    if len(data) > limit:
        raise _too_large(name, noun, limit, error)
    return data


def _read(fd: int, limit: int) -> bytes:
    """Return what `fd` holds, or the first bytes of it, more than `limit` (a file may grow while it is read)."""
    chunks: list[bytes] = []
    size = 0
    while size <= limit and (chunk := os.read(fd, _CHUNK)):
        chunks.append(chunk)
        size += len(chunk)
    return b"".join(chunks)


def _refuse_kind(mode: int, name: str, noun: str, error: type[SpecularError]) -> None:
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "not a regular file")
        inside = f"{name.rstrip('/')}/{'plan.json' if noun == 'plan' else 'policy.yaml'}"
        hint = f"name the file itself, as in {inside}" if stat.S_ISDIR(mode) else None
        raise error(f"{name} is {kind}, not a {noun} file", hint=hint)


def _too_large(name: str, noun: str, limit: int, error: type[SpecularError]) -> SpecularError:
    size = f"{limit >> 20} MiB" if limit >= 1 << 20 else f"{limit >> 10} KiB"
    return error(f"{name} is larger than {size}, more than a {noun} may be")


def _unreadable(
    problem: OSError | ValueError, name: str, noun: str, error: type[SpecularError], missing_hint: str
) -> SpecularError:
    if not isinstance(problem, OSError):  # a NUL character, or one that the file system cannot encode
        return error(f"'{name}' cannot be the name of a file")
    if problem.errno in (errno.ENOENT, errno.ENOTDIR):
        return error(f"{noun} not found: {name}", hint=missing_hint)
    if problem.errno in (errno.EACCES, errno.EPERM):
        return error(f"cannot read {name}: permission denied", hint=f"see its rights with: ls -l {name}")
    return error(f"cannot read {name}: {(problem.strerror or 'unknown error').lower()}")
