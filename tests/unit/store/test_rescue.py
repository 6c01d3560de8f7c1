"""What a run saves of its results when a sync has failed."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from specular_tui.errors import StorageError
from specular_tui.model.event import SessionEnded
from specular_tui.model.run import TaskStatus
from specular_tui.store import checkpoint, commit, layout
from specular_tui.store.checks.check import check
from specular_tui.store.folder import Folder
from specular_tui.store.keeping.compress import compress
from tests import recorded
from tests.recorded import Recorded


def _fail_sync_of(monkeypatch: pytest.MonkeyPatch, path: Path) -> None:
    really, inode = os.fdatasync, path.stat().st_ino

    def sync(fd: int) -> None:
        if os.fstat(fd).st_ino == inode:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        really(fd)

    monkeypatch.setattr(commit, "_fdatasync", sync)


@pytest.fixture
def run(tmp_path: Path) -> Recorded:
    found = Recorded(tmp_path)
    found.begin()
    found.run("fetch")
    found.recorder.flush()
    return found


def _end(run: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StorageError, match="failed to write checkpoint: input/output error"):
        run.recorder.flush()
    monkeypatch.setattr(commit, "_fdatasync", os.fdatasync)
    run.recorder.rescue(run.now)
    run.add(SessionEnded(at=run.now, status="paused", reason="storage"))
    run.leave()


def test_a_log_whose_sync_failed_is_written_anew(run: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    run.start("docs", b"building\n")
    log = run.outputs / "docs.log"
    inode = log.stat().st_ino
    _fail_sync_of(monkeypatch, log)
    run.end("docs")
    _end(run, monkeypatch)

    assert log.read_bytes() == b"building\n"
    assert log.stat().st_ino != inode
    state = checkpoint.load(run.root, run.run_id).state
    assert state.tasks["docs"].status is TaskStatus.COMPLETED
    assert check(run.root, run.run_id).ok


def test_a_log_that_cannot_be_written_anew_costs_its_task(run: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    run.start("docs", b"building\n")
    log = run.outputs / "docs.log"
    _fail_sync_of(monkeypatch, log)

    def refuse(self: Folder, name: str) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Folder, "renew", refuse)
    run.end("docs")
    _end(run, monkeypatch)

    state = checkpoint.load(run.root, run.run_id).state
    assert state.tasks["fetch"].status is TaskStatus.COMPLETED
    assert state.tasks["docs"].status is TaskStatus.PENDING
    assert state.tasks["docs"].reason == "its log did not reach the disk"
    assert check(run.root, run.run_id).ok


def test_results_that_were_on_disk_before_are_left_alone(run: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    log = run.outputs / "fetch.log"
    inode = log.stat().st_ino
    _fail_sync_of(monkeypatch, run.path / "journal.jsonl")
    run.run("docs", log=b"")
    _end(run, monkeypatch)

    assert log.stat().st_ino == inode
    state = checkpoint.load(run.root, run.run_id).state
    assert {state.tasks[task].status for task in ("fetch", "docs")} == {TaskStatus.COMPLETED}


def test_names_of_new_logs_are_on_disk_before_a_journal_vouches_for_them(
    run: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.start("docs", b"building\n")
    _fail_sync_of(monkeypatch, run.outputs / "docs.log")
    run.end("docs")
    done: list[str] = []
    rename, sync = os.rename, os.fsync
    outputs = run.outputs.stat().st_ino

    def renamed(old: str, new: str, **more: int) -> None:
        rename(old, new, **more)
        done.append(new)

    def synced(fd: int) -> None:
        sync(fd)
        if os.fstat(fd).st_ino == outputs:
            done.append("outputs")

    with pytest.raises(StorageError):
        run.recorder.flush()
    monkeypatch.setattr(commit, "_fdatasync", os.fdatasync)
    monkeypatch.setattr(os, "rename", renamed)
    monkeypatch.setattr(os, "fsync", synced)
    run.recorder.rescue(run.now)
    assert done[:3] == ["docs.log", "outputs", "journal.jsonl"]
    monkeypatch.undo()
    run.leave()


def test_logs_whose_new_names_do_not_reach_the_disk_cost_their_tasks(
    run: Recorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.start("docs", b"building\n")
    _fail_sync_of(monkeypatch, run.outputs / "docs.log")
    run.end("docs")
    sync, outputs = Folder.sync, run.outputs

    def refuse(self: Folder) -> None:
        if self.path == outputs:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        sync(self)

    with pytest.raises(StorageError):
        run.recorder.flush()
    monkeypatch.setattr(commit, "_fdatasync", os.fdatasync)
    with monkeypatch.context() as broken:
        broken.setattr(Folder, "sync", refuse)
        run.recorder.rescue(run.now)
    run.add(SessionEnded(at=run.now, status="paused", reason="storage"))
    run.leave()
    state = checkpoint.load(run.root, run.run_id).state
    assert state.tasks["fetch"].status is TaskStatus.COMPLETED
    assert state.tasks["docs"].status is TaskStatus.PENDING
    assert state.tasks["docs"].reason == "its log did not reach the disk"
    assert check(run.root, run.run_id).ok


def test_a_packed_log_of_an_earlier_session_is_not_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = recorded.failed(tmp_path)
    compress(tmp_path, run.run_id)
    run.reopen()
    run.begin("retrying")
    run.start("src/Compile.c", b"again\n")
    _fail_sync_of(monkeypatch, run.outputs / layout.log_name("src/Compile.c"))
    run.end("src/Compile.c")
    _end(run, monkeypatch)
    task = checkpoint.load(run.root, run.run_id).state.tasks["src/Compile.c"]
    assert task.status is TaskStatus.COMPLETED
    assert task.earlier[0].log_hash is not None
    assert check(run.root, run.run_id).ok
