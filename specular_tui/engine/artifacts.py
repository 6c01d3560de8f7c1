"""What tasks make: the files and folders that `outputs` name, and the key of a result that can be used again."""

from __future__ import annotations

import stat
from collections.abc import Iterable
from pathlib import Path

import msgspec
from blake3 import blake3

from specular_tui.engine.content import hash_path
from specular_tui.model.event import OutputFile
from specular_tui.model.plan import Task
from specular_tui.model.reuse import cache_record


def cache_key(task: Task) -> str:
    """Return 16 hex digits that differ where what a result of `task` depends on differs."""
    return blake3(msgspec.json.encode(cache_record(task))).hexdigest(length=8)


class MissingOutputError(Exception):
    """A declared output is not there."""


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
