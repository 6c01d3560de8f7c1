"""An open folder of the checkpoint directory; every file of a run is reached through one.

Names are single path components, resolved against an open descriptor and never through a symbolic link, so that
nothing planted in the directory redirects a read or a write. Folders are 0700 and files 0600 at any umask.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from specular_tui.errors import StorageError
from specular_tui.store import writeback
from specular_tui.store.room import DIRECTORY_FLAGS, entries_of, room_on_disk, size_within

#: Files that are being written are called so until they are whole.
TEMPORARY: Final = ".tmp-"
#: From so many files on, one sweep of the file system brings them to disk sooner than one sync each.
SWEEP: Final = 32
_FILE_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC


class Folder:
    """A directory descriptor with the operations that a checkpoint needs. Errors are plain `OSError`s."""

    def __init__(self, fd: int, path: Path) -> None:
        """Own `fd`; `path` is for messages and for those who need an absolute path."""
        self.fd = fd
        self.path = path
        #: Whether files without a name can be made here and be given one; None before that has been tried.
        self._nameless = None if hasattr(os, "O_TMPFILE") else False

    @classmethod
    def at(cls, path: Path) -> Self:
        """Open an existing directory; its parents may be links, itself not.

        Raises:
            StorageError: it belongs to another user.
        """
        folder = cls(os.open(path, DIRECTORY_FLAGS), path)
        owner = os.fstat(folder.fd).st_uid
        if owner != os.geteuid():
            folder.close()
            raise StorageError(
                f"the checkpoint directory belongs to another user (uid {owner}): {path}",
                hint="name a folder of your own with SPECULAR_CHECKPOINT_DIR",
            )
        return folder

    @classmethod
    def create(cls, path: Path) -> Self:
        """Open a directory, made with all its missing parents, each 0700."""
        missing = []
        probe = path
        while not probe.exists() and not probe.is_symlink():
            missing.append(probe)
            probe = probe.parent
        for part in reversed(missing):
            try:
                part.mkdir(0o700)
            except FileExistsError:
                continue
            part.chmod(0o700)
            with cls(os.open(part.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), part.parent) as above:
                above.sync()
        return cls.at(path)

    def close(self) -> None:
        """Close the descriptor; twice is harmless."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def folder(self, name: str) -> Folder:
        """Open the folder `name` in this one."""
        return Folder(os.open(name, DIRECTORY_FLAGS, dir_fd=self.fd), self.path / name)

    def make(self, name: str) -> Folder:
        """Open the folder `name` in this one, made if it is missing."""
        try:
            os.mkdir(name, 0o700, dir_fd=self.fd)
        except FileExistsError:
            return self.folder(name)
        made = self.folder(name)
        os.fchmod(made.fd, 0o700)
        return made

    def is_in_place(self) -> bool:
        """Tell whether its path still leads to it: it may have been moved, into the trash say, or removed."""
        try:
            return os.path.samestat(os.fstat(self.fd), os.stat(self.path))
        except OSError:
            return False

    def close_to_others(self) -> None:
        """Take away what anybody but its owner may do with it; nobody else gets to what is in it then."""
        if os.fstat(self.fd).st_mode & 0o077:
            os.fchmod(self.fd, 0o700)

    def open(self, name: str, flags: int = os.O_RDONLY) -> int:
        """Return a descriptor of the regular file `name`; with O_CREAT it is 0600.

        Raises:
            OSError: ELOOP for a link, EINVAL for anything that is not a regular file.
        """
        # O_NONBLOCK: a FIFO that somebody planted must not block the opening.
        fd = os.open(name, flags | _FILE_FLAGS | os.O_NONBLOCK, 0o600, dir_fd=self.fd)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise OSError(errno.EINVAL, "not a regular file", str(self.path / name))
        if flags & os.O_CREAT:
            os.fchmod(fd, 0o600)
        return fd

    def read(self, name: str, limit: int = 1 << 32) -> bytes:
        """Return the bytes of the file `name`.

        Raises:
            OSError: EFBIG where it is longer than `limit` bytes.
        """
        fd = self.open(name)
        try:
            size = os.fstat(fd).st_size
            if size > limit:
                raise OSError(errno.EFBIG, "the file is too large", str(self.path / name))
            # One byte more, so that the usual file is known to end there: what has grown since is read too.
            data = os.read(fd, size + 1)
            if len(data) == size:
                return data
            pieces = [data]
            while piece := os.read(fd, 1 << 20):
                pieces.append(piece)
            return b"".join(pieces)
        finally:
            os.close(fd)

    def publish(self, name: str, data: bytes | Iterable[bytes], *, sync: bool = True) -> None:
        """Replace the file `name` by `data` in one step: a reader finds the old bytes or the new ones.

        With `sync` they are on disk before this returns, the name included. Large data come in pieces, which
        need not be in memory as a whole.
        """
        self.publish_all({name: (data,) if isinstance(data, bytes) else data}, sync=sync)

    def publish_all(self, files: Mapping[str, Iterable[bytes]], *, sync: bool = True) -> None:
        """Replace each of `files`, whose data come in pieces, in one step, in their order.

        With `sync` all are on disk before this returns. No file gets its name before the bytes of all are there, so
        that they share what a sync waits for; and none before the name of the one in front of it is. So a crash may
        leave the first so many of the new ones.
        """
        written = {temporary_name(name): name for name in files}
        try:
            with contextlib.ExitStack() as opened:
                fds = []
                for temporary, name in written.items():
                    fds.append(self.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC))
                    opened.callback(os.close, fds[-1])
                    for piece in files[name]:
                        write_all(fds[-1], piece)
                if sync:
                    writeback.bring(fds)
            for temporary, name in written.items():
                self.rename(temporary, name)
                if sync:
                    self.sync()
        except BaseException:
            for temporary in written:
                self.remove(temporary, missing_ok=True)
            raise

    def add(self, name: str, data: bytes) -> None:
        """Make the file `name`, as `publish` does without a sync, where most likely none of that name is here.

        The file gets its name when it is whole, and needs no other before: that spares two changes of the folder.
        """
        fd = -1 if self._nameless is False else self._open_nameless()
        if fd < 0:
            self.publish(name, data, sync=False)
            return
        try:
            write_all(fd, data)
            os.link(f"/proc/self/fd/{fd}", name, dst_dir_fd=self.fd, follow_symlinks=True)
        except FileExistsError:
            self.publish(name, data, sync=False)
        except FileNotFoundError:  # no /proc
            self._nameless = False
            self.publish(name, data, sync=False)
        finally:
            os.close(fd)

    def _open_nameless(self) -> int:
        """Return a descriptor of a new file without a name, or -1 where the file system has none."""
        try:
            fd = os.open(".", os.O_WRONLY | os.O_TMPFILE | os.O_CLOEXEC, 0o600, dir_fd=self.fd)
        except OSError as error:
            # EPERM: somebody has removed this folder; making a file with a name says so in better words.
            if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT, errno.EPERM):
                raise
            self._nameless = False
            return -1
        if self._nameless is None:
            # A umask that takes from 0600 is for all of a process's life: then files get their bits in another way.
            self._nameless = stat.S_IMODE(os.fstat(fd).st_mode) == 0o600
        if not self._nameless:
            os.close(fd)
            return -1
        return fd

    def renew(self, name: str) -> None:
        """Replace the file `name` by a copy whose bytes are on disk when this returns; its name still needs `sync`.

        After a failed sync the pages of the old file may never be written, whatever another sync of it answers.
        """
        temporary = temporary_name(name)
        old = self.open(name)
        try:
            fd = self.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            try:
                while data := os.read(old, 1 << 20):
                    write_all(fd, data)
                os.fsync(fd)
            finally:
                os.close(fd)
            self.rename(temporary, name)
        except BaseException:
            self.remove(temporary, missing_ok=True)
            raise
        finally:
            os.close(old)

    def rename(self, old: str, new: str) -> None:
        """Rename a file within this folder, over one that is there."""
        os.rename(old, new, src_dir_fd=self.fd, dst_dir_fd=self.fd)

    def stat(self, name: str) -> os.stat_result:
        """Return what is known of `name` itself, never of what a link points to."""
        return os.stat(name, dir_fd=self.fd, follow_symlinks=False)

    def has(self, name: str) -> bool:
        """Tell whether a regular file `name` is here, as far as a reader can see."""
        try:
            return self.finds(name)
        except OSError:
            return False

    def finds(self, name: str) -> bool:
        """Tell whether a regular file `name` is here, to whoever would write over it.

        Raises:
            OSError: it cannot be told.
        """
        try:
            return stat.S_ISREG(self.stat(name).st_mode)
        except FileNotFoundError:
            return False

    def names(self) -> Iterator[str]:
        """Yield the names in this folder but for half-written temporary files, in no order."""
        with os.scandir(self.fd) as entries:
            for entry in entries:
                if not entry.name.startswith(TEMPORARY):
                    yield entry.name

    def folders(self) -> Iterator[str]:
        """Yield the names of the folders in this folder (links are none), hidden ones left out."""
        with os.scandir(self.fd) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False):
                    yield entry.name

    def remove(self, name: str, *, missing_ok: bool = False) -> None:
        """Remove the file or link `name`."""
        try:
            os.unlink(name, dir_fd=self.fd)
        except FileNotFoundError:
            if not missing_ok:
                raise

    def entries(self) -> dict[str, os.stat_result]:
        """Return what is known of everything in this folder, by name, half-written files too; links are not followed.

        What vanishes meanwhile is left out.
        """
        return dict(entries_of(self.fd))

    def size(self, entries: Mapping[str, os.stat_result] | None = None) -> int:
        """Return the bytes that this folder and all below it take on the disk, as `du` counts them.

        A file of several names counts once; what vanishes meanwhile counts nothing. `entries` spares looking again.
        """
        found = entries_of(self.fd) if entries is None else entries.items()
        return room_on_disk(os.fstat(self.fd)) + size_within(self.fd, found, set())

    def clear_temporary(self) -> None:
        """Remove what a crash has left half written; only for whoever alone writes here."""
        with os.scandir(self.fd) as entries:
            left = [entry.name for entry in entries if entry.name.startswith(TEMPORARY)]
        for name in left:
            self.remove(name, missing_ok=True)

    def remove_tree(self, name: str) -> None:
        """Remove the folder `name` and all below it; links are removed, never followed."""
        with self.folder(name) as inner:
            with os.scandir(inner.fd) as entries:
                found = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries]
            for child, is_folder in found:
                if is_folder:
                    inner.remove_tree(child)
                else:
                    inner.remove(child, missing_ok=True)
        os.rmdir(name, dir_fd=self.fd)

    def sync(self) -> None:
        """Bring the names in this folder to disk, where the file system has a call for that."""
        writeback.sync_foreign(self.fd)

    def sweep(self, files: int) -> bool:
        """Bring everything on this file system to disk, for the sake of so many files.

        False where the system has no call for that, or so much waits for the disk that this would be waiting for what
        others have written: the gigabytes that tasks have made, for one.
        """
        return writeback.sweep(self.fd, files)

    def sync_all(self, names: list[str]) -> None:
        """Bring the files `names` and their names to disk, in one sweep of the file system where they are many."""
        self.sync_files(names)
        self.sync()

    def sync_files(self, names: Sequence[str]) -> None:
        """Bring the bytes of the files `names` to disk, in one sweep where they are many; their names need `sync`."""
        if len(names) < SWEEP or not self.sweep(len(names)):
            for start in range(0, len(names), SWEEP):
                self._sync_few(names[start : start + SWEEP])

    def _sync_few(self, names: Sequence[str]) -> None:
        with contextlib.ExitStack() as opened:
            files = []
            for name in names:
                files.append(self.open(name))
                opened.callback(os.close, files[-1])
            writeback.bring(files)


def temporary_name(name: str) -> str:
    """Return what the file `name` is called while this process writes it."""
    return f"{TEMPORARY}{os.getpid()}-{name}"[:255]


def write_all(fd: int, data: bytes | bytearray) -> None:
    """Write all of `data`; a short write goes on where it stopped."""
    written = os.write(fd, data)
    if written < len(data):
        view = memoryview(data)[written:]
        while view:
            view = view[os.write(fd, view) :]
