"""Group commit: what is flushed is on disk, logs before the journal, and a failed sync is the last."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from specular_tui.store import commit, writeback
from specular_tui.store.commit import GroupCommit


class Disk:
    """Notes which file is synced when; may fail."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls: list[str] = []
        self.names: dict[int, str] = {}
        self.fail_on: str | None = None
        self.failure = errno.EIO

    def open(self, name: str) -> int:
        fd = os.open(self.folder / name, os.O_RDWR | os.O_CREAT)
        self.names[fd] = name
        return fd

    def sync(self, fd: int) -> None:
        name = self.names.get(fd, "folder")
        self.calls.append(name)
        if name == self.fail_on:
            raise OSError(self.failure, os.strerror(self.failure))


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    found = Disk(tmp_path)
    monkeypatch.setattr(commit, "_fdatasync", found.sync)
    monkeypatch.setattr(os, "fsync", found.sync)
    return found


@pytest.fixture(params=[commit._SLOW_S, 0.0], ids=["quick", "slow"])
def speed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that counts as slow has many files synced at once."""
    monkeypatch.setattr(commit, "_SLOW_S", request.param)


@pytest.fixture
def folder_fd(tmp_path: Path) -> Iterator[int]:
    fd = os.open(tmp_path, os.O_RDONLY)
    yield fd
    os.close(fd)


def is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def test_logs_go_to_disk_before_the_record_that_vouches_for_them(disk: Disk, folder_fd: int) -> None:
    journal = disk.open("journal")
    group = GroupCommit(journal, folder_fd, 0)
    log = disk.open("log")
    group.written(1, log)
    group.flush()
    assert disk.calls == ["log", "folder", "journal"]
    assert group.synced == 1
    assert not is_open(log)
    group.close()
    os.close(journal)


def test_many_records_share_a_sync(disk: Disk, folder_fd: int) -> None:
    journal = disk.open("journal")
    group = GroupCommit(journal, folder_fd, 0)
    for seq in range(1, 501):
        group.written(seq)
    group.flush()
    assert group.synced == 500
    assert len(disk.calls) < 20
    group.close()
    os.close(journal)


def test_records_become_durable_by_themselves_within_the_promise(disk: Disk, folder_fd: int) -> None:
    journal = disk.open("journal")
    group = GroupCommit(journal, folder_fd, 0)
    began = time.monotonic()
    group.written(1)
    while group.synced < 1 and time.monotonic() - began < 5:
        time.sleep(0.001)
    assert group.synced == 1
    assert commit.WINDOW < 0.05
    group.close()
    os.close(journal)


@pytest.mark.parametrize("failing", ["journal", "log", "folder"])
def test_after_a_failed_sync_nothing_counts_and_nothing_is_synced_again(
    disk: Disk, folder_fd: int, failing: str
) -> None:
    disk.fail_on = failing
    told: list[OSError] = []
    noticed = threading.Event()

    def on_error(error: OSError) -> None:
        told.append(error)
        noticed.set()

    journal = disk.open("journal")
    group = GroupCommit(journal, folder_fd, 4, on_error)
    log = disk.open("log")
    group.written(5, log)
    assert noticed.wait(5)
    calls = len(disk.calls)
    for _ in range(2):
        with pytest.raises(OSError, match="Input/output"):
            group.flush()
    group.written(6)
    with pytest.raises(OSError, match="Input/output"):
        group.flush()
    assert len(disk.calls) == calls
    assert group.synced == 4
    assert len(told) == 1
    assert not is_open(log)
    group.close()
    os.close(journal)


@pytest.mark.usefixtures("speed")
def test_many_logs_are_synced_together_and_before_the_journal(disk: Disk, folder_fd: int) -> None:
    journal = disk.open("journal")
    group = GroupCommit(journal, folder_fd, 0)
    logs = [disk.open(f"log{number}") for number in range(20)]
    for seq, log in enumerate(logs, 1):
        group.written(seq, log)
    group.flush()
    assert sorted(disk.calls[:20]) == sorted(f"log{number}" for number in range(20))
    assert disk.calls[20:] == ["folder", "journal"]
    assert not any(is_open(log) for log in logs)
    group.close()
    os.close(journal)


@pytest.mark.parametrize("took", [0, 60])
def test_many_logs_are_synced_at_once_where_the_disk_makes_each_wait(
    disk: Disk, folder_fd: int, monkeypatch: pytest.MonkeyPatch, took: int
) -> None:
    passed = 0
    by: dict[str, list[str]] = {}
    begun: list[int] = []

    def sync(fd: int) -> None:
        nonlocal passed
        assert begun == [*logs, journal], "all are on their way before the first is waited for"
        by.setdefault(threading.current_thread().name, []).append(disk.names[fd])
        passed += took

    journal = disk.open("journal")
    group = GroupCommit(journal, folder_fd, 0)
    logs = [disk.open(f"log{number}") for number in range(20)]
    monkeypatch.setattr(commit, "_fdatasync", sync)
    monkeypatch.setattr(writeback, "begin", begun.append)
    monkeypatch.setattr(commit, "_SLOW_S", 30)
    monkeypatch.setattr(commit, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + passed))
    for seq, log in enumerate(logs, 1):
        group.written(seq, log)
    group.flush()
    assert sorted(name for names in by.values() for name in names) == sorted([*disk.names.values()])
    # The first waits for what is common to all, so the second one says what the disk is like.
    assert (len(by) > 1) == (took > 0)
    assert by["group-commit"][:2] == ["log0", "log1"]
    group.close()
    os.close(journal)


@pytest.mark.usefixtures("speed")
def test_of_many_logs_one_that_fails_keeps_the_record_from_counting(
    disk: Disk, folder_fd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = disk.open("journal")
    group = GroupCommit(journal, folder_fd, 0)
    logs = [disk.open(f"log{number}") for number in range(20)]
    slow = threading.Event()

    def sync(fd: int) -> None:
        if fd == logs[-1]:
            assert slow.wait(5)
            os.fstat(fd)  # it is still open: another file could have its number otherwise
        disk.sync(fd)

    monkeypatch.setattr(commit, "_fdatasync", sync)
    disk.fail_on = "log3"
    for seq, log in enumerate(logs, 1):
        group.written(seq, log)
    threading.Timer(0.05, slow.set).start()
    with pytest.raises(OSError, match="Input/output"):
        group.flush()
    status = (disk.folder / "log3").stat()
    assert group.failed == {(status.st_dev, status.st_ino)}
    assert {"log19", "log3"} <= set(disk.calls)
    assert not {"folder", "journal"} & set(disk.calls)
    assert group.synced == 0
    group.close()
    assert not any(is_open(log) for log in logs)
    os.close(journal)


@pytest.mark.parametrize("what", ["folder", "log", "journal"])
def test_what_cannot_be_synced_at_all_need_not_be_unless_it_is_the_journal(
    disk: Disk, folder_fd: int, what: str
) -> None:
    """Folders of some file systems, and outputs in places such as /proc, have no sync; the journal must have one."""
    journal = disk.open("journal")
    disk.fail_on, disk.failure = what, errno.EINVAL
    group = GroupCommit(journal, folder_fd, 0)
    group.written(1, disk.open("log"))
    if what == "journal":
        with pytest.raises(OSError, match="Invalid argument"):
            group.flush()
    else:
        group.flush()
        assert group.synced == 1
        assert not group.failed
    assert disk.calls == ["log", "folder", "journal"]
    group.close()
    os.close(journal)


def test_flushing_nothing_returns_at_once(disk: Disk, folder_fd: int) -> None:
    journal = disk.open("journal")
    group = GroupCommit(journal, folder_fd, 7)
    group.flush()
    assert disk.calls == []
    group.close()
    os.close(journal)


def test_closing_closes_what_waits(disk: Disk, folder_fd: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "WINDOW", 0.3)
    journal = disk.open("journal")
    group = GroupCommit(journal, folder_fd, 0)
    logs = [disk.open(f"log{i}") for i in range(3)]
    for seq, log in enumerate(logs, 1):
        group.written(seq, log)
    group.close()
    assert not any(is_open(log) for log in logs)
    os.close(journal)


class FewThreads:
    """A pool that may start `threads` threads and no more, as under a limit of the kernel."""

    def __init__(self, threads: int) -> None:
        self.left = threads

    def start(self, thread: threading.Thread) -> None:
        if self.left == 0:
            raise RuntimeError("can't start new thread")
        self.left -= 1
        self.really(thread)

    really = staticmethod(threading.Thread.start)


@pytest.mark.usefixtures("speed")
@pytest.mark.parametrize("threads", [0, 1, 3])
@pytest.mark.parametrize("fail_on", [None, "log0", "log19"])
def test_without_further_threads_logs_are_synced_all_the_same(
    disk: Disk, folder_fd: int, monkeypatch: pytest.MonkeyPatch, threads: int, fail_on: str | None
) -> None:
    journal = disk.open("journal")
    group = GroupCommit(journal, folder_fd, 0)
    limit = FewThreads(threads)
    monkeypatch.setattr(threading.Thread, "start", lambda self: limit.start(self))
    disk.fail_on = fail_on
    for round_ in range(2):
        logs = [disk.open(f"log{number}") for number in range(20)]
        for seq, log in enumerate(logs, 1):
            group.written(20 * round_ + seq, log)
        if fail_on is not None:
            with pytest.raises(OSError, match="Input/output"):
                group.flush()
            assert group.synced == 0
            assert not {"folder", "journal"} & set(disk.calls)
            break
        group.flush()
        assert group.synced == 20 * round_ + 20
        assert {f"log{number}" for number in range(20)} <= set(disk.calls[:-2])
        assert disk.calls[-2:] == ["folder", "journal"]
        disk.calls.clear()
    group.close()
    assert not any(is_open(log) for log in logs)
    os.close(journal)


def test_whatever_ends_the_thread_is_told(disk: Disk, folder_fd: int, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[OSError] = []

    def mistake(self: GroupCommit, files: list[int]) -> None:
        raise MemoryError

    monkeypatch.setattr(GroupCommit, "_sync", mistake)
    journal = disk.open("journal")
    group = GroupCommit(journal, folder_fd, 0, told.append)
    group.written(1)
    with pytest.raises(OSError, match="not synced: MemoryError"):
        group.flush()
    group.close()
    assert group.synced == 0
    assert told == [group.error]
    os.close(journal)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_is_gone_without_a_word_has_synced_nothing(
    disk: Disk, folder_fd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def leave(self: GroupCommit, files: list[int]) -> None:
        raise SystemExit  # which a thread ends of quietly

    monkeypatch.setattr(GroupCommit, "_sync", leave)
    journal = disk.open("journal")
    group = GroupCommit(journal, folder_fd, 0)
    group.written(1)
    with pytest.raises(OSError, match="has ended"):
        group.flush()
    group.close()
    os.close(journal)


def test_a_process_that_may_have_no_thread_is_told_so(
    disk: Disk, folder_fd: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit = FewThreads(0)
    monkeypatch.setattr(threading.Thread, "start", lambda self: limit.start(self))
    with pytest.raises(OSError, match="can't start new thread"):
        GroupCommit(folder_fd, folder_fd, 0)
