"""The files that tasks read and make: what `inputs` and `outputs` name, and what is in them."""

from __future__ import annotations

import glob
import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec
from blake3 import blake3

from specular_tui.model.event import OutputFile
from specular_tui.model.plan import Task
from specular_tui.model.reuse import cache_record
from specular_tui.store import digest


def cache_key(task: Task) -> str:
    """Return 16 hex digits that differ where what a result of `task` depends on differs."""
    return blake3(msgspec.json.encode(cache_record(task))).hexdigest(length=8)


class MissingOutputError(Exception):
    """A declared output is not there."""


def hash_path(path: Path) -> tuple[int, str]:
    """Return (bytes, digest) of a file, a link (its target's text) or a folder (its sorted listing and digests).

    A folder, a link or a special file never has the digest of a regular file: an empty folder not that of an empty
    file, a link not that of a file with its target's text.

    Raises:
        OSError: it is not there or cannot be read.
    """
    status = path.lstat()
    if stat.S_ISREG(status.st_mode):
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            return digest.of_file(fd)
        finally:
            os.close(fd)
    if stat.S_ISLNK(status.st_mode):
        target = os.fsencode(os.readlink(path))
        return len(target), digest.of_bytes(b"link\0" + target)
    if stat.S_ISDIR(status.st_mode):
        return _hash_folder(path)
    return 0, digest.of_bytes(b"special\0" + stat.filemode(status.st_mode)[:1].encode())


def _hash_folder(folder: Path) -> tuple[int, str]:
    hasher = blake3(b"folder\0")
    total = 0
    for entry in sorted(os.scandir(folder), key=lambda e: os.fsencode(e.name)):
        size, found = hash_path(Path(entry.path))
        total += size
        kind = b"d" if entry.is_dir(follow_symlinks=False) else b"l" if entry.is_symlink() else b"f"
        hasher.update(kind + os.fsencode(entry.name) + b"\0" + found.encode() + b"\n")
    return total, digest.PREFIX + hasher.hexdigest()


def capture(folder: str, outputs: Iterable[str]) -> tuple[OutputFile, ...]:
    """Return what the declared `outputs`, relative to `folder`, are now.

    Raises:
        MissingOutputError: one is not there, or cannot be read.
    """
    found = []
    for name in outputs:
        try:
            size, found_hash = hash_path(Path(folder, name))
        except FileNotFoundError:
            raise MissingOutputError(f"the declared output '{name}' was not made") from None
        except OSError as error:
            reason = (error.strerror or "").lower()
            raise MissingOutputError(f"the declared output '{name}' cannot be read: {reason}") from None
        found.append(OutputFile(path=name, size=size, hash=found_hash))
    return tuple(found)


def changed_output(folder: str, outputs: Iterable[OutputFile], *, content: bool) -> str | None:
    """Return what is wrong with the outputs of a completed task, or None where they are as they were.

    Without `content` only their presence is looked at, and the size of files.
    """
    for output in outputs:
        path = Path(folder, output.path)
        try:
            status = path.lstat()
            if stat.S_ISREG(status.st_mode) and status.st_size != output.size:
                return f"its output '{output.path}' has changed"
            if content and hash_path(path)[1] != output.hash:
                return f"its output '{output.path}' has changed"
        except FileNotFoundError:
            return f"its output '{output.path}' is gone"
        except OSError as error:
            return f"its output '{output.path}' cannot be read: {(error.strerror or '').lower()}"
    return None


def inputs_digest(folder: str, patterns: Iterable[str], hash_file: Callable[[Path], str] | None = None) -> str:
    """Return one digest of the names and contents of all files that the glob `patterns` match, or "" for no patterns.

    `**` matches folders at any depth; a pattern that names a folder means every file below it. A pattern that matches
    nothing is part of the digest too: a file that appears later changes it.
    """
    patterns = tuple(patterns)
    if not patterns:
        return ""
    hash_file = hash_file or (lambda path: hash_path(path)[1])
    files: set[str] = set()
    for pattern in patterns:
        for found in glob.iglob(os.path.join(glob.escape(folder), pattern), recursive=True, include_hidden=True):
            if os.path.isdir(found):
                if not pattern.endswith("**"):
                    files.update(_below(found))
            else:
                files.add(found)
    hasher = blake3("\0".join(patterns).encode() + b"\0\0")
    for file in sorted(files):
        try:
            content = hash_file(Path(file))
        except OSError as error:
            content = f"unreadable: {error.strerror}"
        hasher.update(os.fsencode(os.path.relpath(file, folder)) + b"\0" + content.encode() + b"\n")
    return digest.PREFIX + hasher.hexdigest()


def _below(folder: str) -> Iterable[str]:
    for base, _, names in os.walk(folder):
        for name in names:
            yield os.path.join(base, name)
