"""Declared outputs reach the disk with all that leads to them, before a record vouches for them."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from specular_tui.model import event as ev
from specular_tui.model.run import TaskStatus
from specular_tui.store import commit, declared, digest
from tests import recorded
from tests.recorded import Recorded


def outputs(*paths: str) -> tuple[ev.OutputFile, ...]:
    return tuple(ev.OutputFile(path=path, size=5, hash=digest.of_bytes(b"made\n")) for path in paths)


def opened(folder: Path, found: Iterable[ev.OutputFile]) -> list[str]:
    fds = declared.open_all(str(folder), tuple(found))
    try:
        return [os.path.relpath(os.readlink(f"/proc/self/fd/{fd}"), folder) for fd in fds]
    finally:
        for fd in fds:
            os.close(fd)


needs_proc = pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="asks the kernel for names")


@needs_proc
def test_a_file_and_every_folder_down_to_it(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "b" / "made").write_bytes(b"made\n")
    (tmp_path / "top").write_bytes(b"made\n")
    assert opened(tmp_path, outputs("a/b/made", "top")) == ["a/b/made", "top", "a/b", "a", "."]


@needs_proc
def test_a_folder_that_is_declared(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert opened(tmp_path, outputs("a/")) == ["a", "."]


@needs_proc
def test_the_names_of_more_files_than_are_synced_one_by_one(tmp_path: Path) -> None:
    for n in range(70):
        (tmp_path / f"d{n}").mkdir()
        (tmp_path / f"d{n}" / "made").write_bytes(b"made\n")
    found = opened(tmp_path, outputs(*(f"d{n}/made" for n in range(70))))
    assert sum(name.endswith("/made") for name in found) == 64
    assert {f"d{n}" for n in range(70)} <= set(found)


@needs_proc
def test_outputs_beside_the_plan(tmp_path: Path) -> None:
    (tmp_path / "plan").mkdir()
    (tmp_path / "made").write_bytes(b"made\n")
    assert opened(tmp_path / "plan", outputs("../made")) == ["../made", ".."]


def test_what_is_not_there_is_nothing_to_sync(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert declared.bring_to_disk(str(tmp_path), outputs("gone", "pipe"))


def test_a_file_that_has_failed_before_is_not_believed(tmp_path: Path) -> None:
    (tmp_path / "made").write_bytes(b"made\n")
    status = (tmp_path / "made").stat()
    assert declared.bring_to_disk(str(tmp_path), outputs("made"))
    assert not declared.bring_to_disk(str(tmp_path), outputs("made"), {(status.st_dev, status.st_ino)})


def killed_with_output(root: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Recorded:
    """A run whose process died when a result had been recorded, and before that was brought to disk."""
    recorded.no_sync(monkeypatch)
    (folder / "made").write_bytes(b"made\n")
    run = Recorded(root)
    run.begin(plan_hash=digest.of_bytes(run.plan), plan_folder=str(folder))
    log = run.recorder.open_log("fetch")
    run.add(ev.TaskStarted(at=run.now, task="fetch", attempt=1, pid=5000))
    run.add(
        ev.TaskEnded(
            at=run.now,
            task="fetch",
            attempt=1,
            outcome="completed",
            duration_ms=0,
            exit_code=0,
            log_hash=digest.EMPTY,
            outputs=outputs("made"),
        ),
    )
    run.recorder.end_log(log, printed=False)
    return run.vanish()


def test_what_a_kill_left_unsynced_is_brought_to_disk_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = killed_with_output(tmp_path / "root", tmp_path, monkeypatch)
    made, synced = (tmp_path / "made").stat().st_ino, []
    really, journal = os.fsync, commit._fdatasync

    def noted(fd: int) -> None:
        synced.append(os.fstat(fd).st_ino)
        really(fd)

    def of_journal(fd: int) -> None:
        assert made in synced, "the record is not to outlive what it vouches for"
        journal(fd)

    monkeypatch.setattr(os, "fsync", noted)
    monkeypatch.setattr(commit, "_fdatasync", of_journal)
    opened = run.reopen()
    assert made in synced
    assert opened.recorder.state.tasks["fetch"].status is TaskStatus.COMPLETED
    run.finish("paused")


def test_outputs_that_the_disk_refuses_cost_their_task(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = killed_with_output(tmp_path / "root", tmp_path, monkeypatch)
    made, really = (tmp_path / "made").stat().st_ino, os.fsync

    def refused(fd: int) -> None:
        if os.fstat(fd).st_ino == made:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        really(fd)

    monkeypatch.setattr(os, "fsync", refused)
    task = run.reopen().recorder.state.tasks["fetch"]
    assert (task.status, task.reason) == (TaskStatus.PENDING, "its outputs did not reach the disk")
    run.leave()
