"""Group commit: what is flushed is on disk, logs before the journal, and a failed sync is the last."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from specular_tui.store import commit
from specular_tui.store.commit import GroupCommit


class Disk:
    """Notes which file is synced when; may fail."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.calls: list[str] = []
        self.names: dict[int, str] = {}
        self.fail_on: str | None = None

    def open(self, name: str) -> int:
        fd = os.open(self.folder / name, os.O_RDWR | os.O_CREAT)
        self.names[fd] = name
        return fd

    def sync(self, fd: int) -> None:
        name = self.names.get(fd, "folder")
        self.calls.append(name)
        if name == self.fail_on:
            raise OSError(errno.EIO, "Input/output error")


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Disk:
    found = Disk(tmp_path)
    monkeypatch.setattr(commit, "_fdatasync", found.sync)
    monkeypatch.setattr(os, "fsync", found.sync)
    return found


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
