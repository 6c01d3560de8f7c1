"""What a power cut may leave: a file system in which every change waits until a sync of its own file or folder.

A change of a file's bytes is durable once an `fsync` or `fdatasync` of this file that began after it has returned; a
change of a folder's names once an `fsync` of this folder has; `syncfs` makes all durable. A rename is one change. What
is not durable at a crash may be there or not, each for itself and in any order, whole, torn, or as zeros of the right
length. (No file system is so bad in all of this at once.)
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from msgspec import Struct

from tests.crash.strace import Call

ROOT = 0
_FD = re.compile(r"(?:\d+|AT_FDCWD)<([^>]*)>")
_ON_OPEN_FILES = frozenset({"write", "pwrite64", "ftruncate", "fsync", "fdatasync"})
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


class Change(Struct, frozen=True):
    """One change: to the bytes of file `inode`, or to the names in folder `inode`."""

    number: int
    inode: int
    #: `write`, `truncate`, `link` (a new name), `unlink`, `rename`.
    kind: str
    name: str = ""
    new: str = ""
    child: int = 0
    offset: int = 0
    data: bytes = b""
    is_folder: bool = False

    def torn(self, at: int) -> Change:
        """Return this write as far as byte `at`."""
        return Change(self.number, self.inode, self.kind, offset=self.offset, data=self.data[:at])

    def zeroed(self) -> Change:
        """Return this write with zeros for bytes: the length has reached the disk, and the bytes have not."""
        return Change(self.number, self.inode, self.kind, offset=self.offset, data=bytes(len(self.data)))


class Sync(Struct, frozen=True):
    """A sync that returned after change `number`: changes before `covers` to `inode` (None: all) are durable."""

    number: int
    covers: int
    inode: int | None
    pid: str = ""


class Tree:
    """A directory tree to which changes are applied."""

    def __init__(self) -> None:
        self.folders: dict[int, dict[str, int]] = {ROOT: {}}
        self.files: dict[int, bytes] = {}

    def copy(self) -> Tree:
        """Return one that changes for itself."""
        other = Tree()
        other.folders = {inode: dict(names) for inode, names in self.folders.items()}
        other.files = dict(self.files)
        return other

    def apply(self, change: Change) -> None:
        """Make a change, also where another one that it followed has been lost."""
        if change.kind == "write":
            old = self.files.get(change.inode, b"")
            old = old.ljust(change.offset, b"\0")
            self.files[change.inode] = old[: change.offset] + change.data + old[change.offset + len(change.data) :]
            return
        if change.kind == "truncate":
            old = self.files.get(change.inode, b"")
            self.files[change.inode] = old[: change.offset].ljust(change.offset, b"\0")
            return
        names = self.folders.setdefault(change.inode, {})
        if change.kind == "link":
            names[change.name] = change.child
            if change.is_folder:
                self.folders.setdefault(change.child, {})
            else:
                self.files.setdefault(change.child, b"")
        elif change.kind == "rename":
            names.pop(change.name, None)
            names[change.new] = change.child
        else:
            names.pop(change.name, None)

    def find(self, path: str) -> int | None:
        """Return what is at a path relative to the root."""
        inode = ROOT
        for part in path.split("/"):
            if part not in ("", "."):
                found = self.folders.get(inode, {}).get(part)
                if found is None:
                    return None
                inode = found
        return inode

    def items(self, inode: int = ROOT, prefix: str = "") -> Iterator[tuple[str, bytes | None]]:
        """Yield every path and its bytes; None for a folder."""
        for name, child in sorted(self.folders.get(inode, {}).items()):
            path = prefix + name
            if child in self.folders:
                yield path, None
                yield from self.items(child, path + "/")
            else:
                yield path, self.files.get(child, b"")

    def write_to(self, folder: Path) -> None:
        """Make real files of it."""
        for path, data in self.items():
            if data is None:
                os.mkdir(folder / path, 0o700)
            else:
                fd = os.open(folder / path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                try:
                    os.write(fd, data)
                finally:
                    os.close(fd)


class Recording:
    """The changes and syncs of a traced process and its children below one folder."""

    def __init__(self, folder: Path, calls: Iterable[Call]) -> None:
        """`folder` is as it was before the process started, and all of that is durable."""
        self.first = Tree()
        self.changes: list[Change] = []
        self.syncs: list[Sync] = []
        self._root = str(folder)
        self._last = 0
        self._load(folder, ROOT)
        self._now = self.first.copy()
        self._ended: list[tuple[int, int]] = []
        #: Files that were made without a name: by the one that the kernel shows, and by descriptor.
        self._nameless: dict[str, int] = {}
        self._opened: dict[str, int] = {}
        #: The files that calls under way work on: while they do, another thread may give these another name.
        self._meant: dict[int, int] = {}
        made = [call for call in calls if call.result != "?" and not call.result.startswith("-")]
        moments = [(call.begun, False, n) for n, call in enumerate(made)]
        moments += [(call.ended, True, n) for n, call in enumerate(made)]
        for _, ends, n in sorted(moments):
            if ends:
                self._take(made[n])
            elif made[n].name in _ON_OPEN_FILES and (inode := self._named(made[n])) is not None:
                self._meant[id(made[n])] = inode

    def _load(self, folder: Path, inode: int) -> None:
        for entry in sorted(os.scandir(folder), key=lambda found: found.name):
            self._last += 1
            child = self._last
            self.first.folders[inode][entry.name] = child
            if entry.is_dir(follow_symlinks=False):
                self.first.folders[child] = {}
                self._load(Path(entry.path), child)
            else:
                self.first.files[child] = Path(entry.path).read_bytes()

    def tree(self, changes: Iterable[Change]) -> Tree:
        """Return what `changes` make of the first state."""
        tree = self.first.copy()
        for change in changes:
            tree.apply(change)
        return tree

    def durable(self, at: int) -> set[int]:
        """Return the numbers of the changes that are durable at a crash before change `at`."""
        found: set[int] = set()
        for sync in self.syncs:
            if sync.number <= at:
                found |= {c.number for c in self.changes[: sync.covers] if sync.inode in (None, c.inode)}
        return found

    def _add(self, call: Call, inode: int | None, kind: str, **more: object) -> None:
        if inode is not None:
            change = Change(len(self.changes), inode, kind, **more)  # type: ignore[arg-type]
            self.changes.append(change)
            self._ended.append((call.ended, change.number))
            self._now.apply(change)

    def _inside(self, path: str) -> str | None:
        if path == self._root:
            return ""
        return path[len(self._root) + 1 :] if path.startswith(self._root + "/") else None

    def _paths(self, call: Call) -> list[str]:
        """Return the paths that a call names, relative to the root; those outside of it are left out."""
        head = call.args[:2000]
        # Engine and tasks both work in the root; a call that names no other folder starts from there.
        found, base = [], self._root
        for match in re.finditer(rf"{_FD.pattern}|{_QUOTED.pattern}", head):
            if match[1] is not None:
                base = match[1]
            else:
                found.append(os.path.normpath(os.path.join(base, match[2])))
        return [inside for path in found if (inside := self._inside(path)) is not None]

    def _fd(self, call: Call) -> int | None:
        found = self._meant.pop(id(call), None)
        return self._named(call) if found is None else found

    def _named(self, call: Call) -> int | None:
        match = _FD.match(call.args)
        inside = self._inside(match[1]) if match is not None else None
        if inside is None:
            return None
        return self._nameless[inside] if inside in self._nameless else self._now.find(inside)

    def _parent(self, path: str) -> tuple[int | None, str]:
        folder, _, name = path.rpartition("/")
        return self._now.find(folder), name

    def _take(self, call: Call) -> None:
        match call.name:
            case "openat":
                self._open(call)
            case "write" | "pwrite64":
                self._write(call)
            case "ftruncate":
                self._add(call, self._fd(call), "truncate", offset=int(call.args.rpartition(", ")[2]))
            case "mkdir" | "mkdirat":
                for path in self._paths(call):
                    self._link(call, path, is_folder=True)
            case "rename" | "renameat" | "renameat2":
                paths = self._paths(call)
                if len(paths) == 2 and (child := self._now.find(paths[0])) is not None:
                    parent, old = self._parent(paths[0])
                    self._add(call, parent, "rename", name=old, new=self._parent(paths[1])[1], child=child)
            case "linkat":
                self._give_name(call)
            case "unlink" | "unlinkat" | "rmdir":
                for path in self._paths(call):
                    parent, name = self._parent(path)
                    self._add(call, parent, "unlink", name=name)
            case "fsync" | "fdatasync" | "syncfs":
                self._sync(call)
            case _:
                pass

    def _link(self, call: Call, path: str, *, is_folder: bool) -> None:
        parent, name = self._parent(path)
        self._last += 1
        self._add(call, parent, "link", name=name, child=self._last, is_folder=is_folder)

    def _give_name(self, call: Call) -> None:
        """A file that was made without a name, and is known by its descriptor, gets one."""
        there = re.search(r"/proc/self/fd/(\d+)", call.args)
        paths = self._paths(call)
        if there is None or not paths or (child := self._opened.get(there[1])) is None:
            return
        parent, name = self._parent(paths[-1])
        self._add(call, parent, "link", name=name, child=child)

    def _open(self, call: Call) -> None:
        match = re.match(r"<([^>]*)>", call.note)
        path = self._inside(match[1]) if match is not None else None
        if path is not None and "O_TMPFILE" in call.args:
            self._last += 1
            self._nameless[path] = self._opened[call.result] = self._last
            self._now.files[self._last] = b""
            return
        if path is None or ("O_CREAT" not in call.args and "O_TRUNC" not in call.args):
            return
        there = self._now.find(path)
        if there is None:
            self._link(call, path, is_folder=False)
        elif "O_TRUNC" in call.args and self._now.files.get(there):
            self._add(call, there, "truncate", offset=0)

    def _write(self, call: Call) -> None:
        inode = self._fd(call)
        if inode is None:
            return
        quoted = _QUOTED.search(call.args, call.args.index(">"))
        assert quoted is not None
        data = codecs.escape_decode(quoted[1].encode())[0][: int(call.result)]
        assert len(data) == int(call.result), "the trace holds whole strings"
        end = len(self._now.files.get(inode, b""))
        offset = int(call.args.rpartition(", ")[2]) if call.name == "pwrite64" else end
        self._add(call, inode, "write", offset=offset, data=data)

    def _sync(self, call: Call) -> None:
        inode = None if call.name == "syncfs" else self._fd(call)
        if inode is None and call.name != "syncfs":
            return
        covers = sum(ended < call.begun for ended, _ in self._ended)
        self.syncs.append(Sync(len(self.changes), covers, inode, call.pid))
