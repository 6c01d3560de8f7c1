"""The lock: one holder, queried without being taken, gone with its process."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from specular_tui.errors import StorageError
from specular_tui.store import layout, lock
from specular_tui.store.folder import Folder


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Folder]:
    with Folder.at(tmp_path) as found:
        yield found


def test_one_holder_at_a_time(run: Folder) -> None:
    assert not lock.held(run)
    fd = lock.acquire(run)
    assert lock.held(run)
    with pytest.raises(lock.HeldError):
        lock.acquire(run)
    os.close(fd)
    assert not lock.held(run)
    os.close(lock.acquire(run))


def test_a_plain_flock_of_another_program_counts(run: Folder, tmp_path: Path) -> None:
    fd = os.open(tmp_path / layout.LOCK, os.O_RDWR | os.O_CREAT)
    fcntl.flock(fd, fcntl.LOCK_EX)
    assert lock.held(run)
    with pytest.raises(lock.HeldError):
        lock.acquire(run)
    os.close(fd)
    assert not lock.held(run)


def test_querying_writes_nothing(run: Folder, tmp_path: Path) -> None:
    lock.held(run)
    assert os.listdir(tmp_path) == []


def test_a_link_in_its_place_is_not_followed(run: Folder, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").touch()
    (tmp_path / layout.LOCK).symlink_to("elsewhere")
    with pytest.raises(OSError, match=r"Too many|symbolic"):
        lock.acquire(run)
    assert not lock.held(run)


@pytest.mark.parametrize("code", [errno.EMFILE, errno.EIO, errno.EACCES])
def test_a_lock_that_cannot_be_looked_at_is_not_taken_for_free(
    run: Folder, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    fd = lock.acquire(run)

    def refuse(self: Folder, name: str, flags: int = os.O_RDONLY) -> int:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Folder, "open", refuse)
    with pytest.raises(StorageError, match="failed to see whether the checkpoint is in use"):
        lock.held(run)
    monkeypatch.undo()
    os.close(fd)


def test_without_queries_trying_does(run: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lock, "_HAS_OFD", False)
    assert not lock.held(run)
    fd = lock.acquire(run)
    assert lock.held(run)
    os.close(fd)
    assert not lock.held(run)


HOLDER = """
import os, sys, time
from pathlib import Path
from specular_tui.store import lock
from specular_tui.store.folder import Folder
lock.acquire(Folder.at(Path(sys.argv[1])))
child = os.posix_spawn("/bin/sleep", ["sleep", "60"], {})
print(child, flush=True)
time.sleep(60)
"""


def test_the_lock_ends_with_its_process_though_children_live(run: Folder, tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        child = int(holder.stdout.readline())
        try:
            assert lock.held(run)
            holder.kill()
            holder.wait()
            # A child that has only just become another program may not have let go of the descriptor yet.
            deadline = time.monotonic() + 10
            while lock.held(run) and time.monotonic() < deadline:
                time.sleep(0.01)
            assert not lock.held(run)
            os.close(lock.acquire(run))
        finally:
            os.kill(child, signal.SIGKILL)
