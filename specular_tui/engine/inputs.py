"""The inputs of tasks: the files that the plan's patterns match, and one digest of their names and contents.

A link to a folder is followed, as a file below it is as much an input as any other. But every folder is looked into
once, however many ways lead there: links may lead round in circles (`node_modules` of packages that need each other),
and then there are more ways through them than anybody could walk.
"""

from __future__ import annotations

import asyncio
import fnmatch
import glob
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final

from blake3 import blake3

from specular_tui.engine.background import Background
from specular_tui.engine.content import hash_path
from specular_tui.model.plan import Task
from specular_tui.store import digest
from specular_tui.store.effort import CancelledError, Effort

_ANY_DEPTH: Final = "**"


def inputs_digest(folder: str, patterns: Iterable[str], but: Iterable[Path] = (), effort: Effort | None = None) -> str:
    """Return one digest of the names and contents of all files that the glob `patterns` match, or "" for no patterns.

    `**` matches folders at any depth; a pattern that names a folder means every file below it. A pattern that matches
    nothing is part of the digest too: a file that appears later changes it. What is in one of the folders `but` is not
    found by a pattern that does not name it: what Specular itself writes while the build runs is nobody's input.

    Raises:
        CancelledError: `effort` is not wanted any more.
    """
    patterns = tuple(patterns)
    if not patterns:
        return ""
    effort = effort or Effort()
    left_out = {place for path in but if (place := _place(str(path))) is not None}
    files: set[str] = set()
    for pattern in patterns:
        files.update(_Search(folder, pattern, left_out, effort).files())
    hasher = blake3("\0".join(patterns).encode() + b"\0\0")
    for file in sorted(files):
        effort.add(0)
        try:
            content = hash_path(file, effort.add)[1]
        except OSError as error:
            content = f"unreadable: {error.strerror}"
        hasher.update(os.fsencode(os.path.relpath(file, folder)) + b"\0" + content.encode() + b"\n")
    return digest.PREFIX + hasher.hexdigest()


def _place(path: str) -> tuple[int, int] | None:
    """Return (device, inode) of the folder at `path`, links followed; None where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


class _Search:
    """One pattern's way through the file system."""

    def __init__(self, folder: str, pattern: str, left_out: set[tuple[int, int]], effort: Effort) -> None:
        self._parts = [part for part in pattern.split("/") if part]
        self._left_out = left_out
        self._effort = effort
        #: Folders with the part of the pattern that is to be found in them: what is to be looked into, links last.
        self._next: deque[tuple[str, int]] = deque([("/" if pattern.startswith("/") else folder, 0)])
        self._linked: deque[tuple[str, int]] = deque()
        self._seen: set[tuple[tuple[int, int], int]] = set()

    def files(self) -> Iterator[str]:
        """Yield the path of every file that matches, and of every link that leads nowhere."""
        while self._next or self._linked:
            # A file that can be reached without a link is called as it is called there.
            folder, at = (self._next or self._linked).popleft()
            self._effort.add(0)
            place = _place(folder)
            if place is not None and (place, at) not in self._seen:
                self._seen.add((place, at))
                yield from self._look(folder, at)

    def _look(self, folder: str, at: int) -> Iterator[str]:
        """Yield what matches directly in `folder`, where part number `at` of the pattern is to be found."""
        # A pattern that ends here names this folder: every file below it.
        part = self._parts[at] if at < len(self._parts) else _ANY_DEPTH
        if part != _ANY_DEPTH and not glob.has_magic(part):
            yield from self._found(os.path.join(folder, part), at + 1)
            return
        if part == _ANY_DEPTH and at < len(self._parts) - 1:
            self._next.append((folder, at + 1))
        whole = at >= len(self._parts) - 1
        for entry in _entries(folder):
            if part != _ANY_DEPTH:
                if fnmatch.fnmatchcase(entry.name, part):
                    yield from self._found(entry.path, at + 1)
            elif _is_folder(entry):
                self._enter(entry.path, at)
            elif whole:
                yield entry.path

    def _found(self, path: str, at: int) -> Iterator[str]:
        """Go on with part number `at` of the pattern in what has matched so far."""
        if os.path.isdir(path):
            self._enter(path, at, named=not glob.has_magic(self._parts[at - 1]))
        elif at == len(self._parts) and os.path.lexists(path):
            yield path

    def _enter(self, path: str, at: int, *, named: bool = False) -> None:
        if named or not self._left_out or _place(path) not in self._left_out:
            (self._linked if os.path.islink(path) else self._next).append((path, at))


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:
        return []


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


class Inputs:
    """Reads the inputs of tasks that are about to start, beside the session's loop."""

    def __init__(
        self, folder: str, but: Iterable[Path], background: Background, then: Callable[[Task, str | None], None]
    ) -> None:
        """`folder` is the plan's; `but` as for `inputs_digest`.

        `then` is told of each task with the digest of its inputs, None where the session is over before that.
        """
        self._folder = folder
        self._but = tuple(but)
        self._background = background
        self._then = then
        self._cancelled = threading.Event()

    def read(self, task: Task) -> None:
        """Read a task's inputs. Before it runs: one that it changes, or somebody meanwhile, must make it run again."""
        self._background.start(self._read(task))

    async def _read(self, task: Task) -> None:
        effort = Effort(cancel=self._cancelled)
        try:
            found = await asyncio.to_thread(inputs_digest, self._folder, task.inputs, self._but, effort)
        except CancelledError:
            self._then(task, None)
        else:
            self._then(task, found)

    def cancel(self) -> None:
        """Read on no more: nothing that they are read for starts."""
        self._cancelled.set()
