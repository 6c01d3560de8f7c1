"""Records of tasks on their way to the disk: all of them are brought there, and after an error written anew."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from specular_tui.errors import StorageError
from specular_tui.model import event as ev
from specular_tui.model.plan import Task
from specular_tui.store import publisher
from specular_tui.store.checks.check import check
from specular_tui.store.folder import SWEEP, Folder
from tests.recorded import Recorded

COUNT = 3 * SWEEP


@pytest.fixture
def run(tmp_path: Path) -> Recorded:
    found = Recorded(tmp_path, tasks=[Task(id=f"t{n}", command="true") for n in range(COUNT)])
    found.begin()
    for task in found.tasks:
        found.add(ev.TaskStarted(at=found.now, task=task, attempt=1))
        found.add(ev.TaskEnded(at=found.now, task=task, attempt=1, outcome="completed", duration_ms=1, exit_code=0))
    return found


def _inodes(run: Recorded) -> dict[str, int]:
    return {path.name: path.stat().st_ino for path in run.outputs.glob("*.json")}


def test_without_a_sweep_every_record_is_synced(run: Recorded, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: set[int] = set()
    really = os.fsync

    def sync(fd: int) -> None:
        synced.add(os.fstat(fd).st_ino)
        really(fd)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Folder, "sweep", lambda self, files: False)
    run.recorder.publish_all(run.now)
    found = _inodes(run)
    assert len(found) == COUNT
    assert set(found.values()) <= synced
    run.finish("completed")
    assert check(run.root, run.run_id).ok


def _failing_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the first sweep fail, and all that follow answer with success, as the kernel may."""
    left = [OSError(errno.EIO, os.strerror(errno.EIO))]

    def sweep(self: Folder, files: int) -> bool:
        if left:
            raise left.pop()
        return True

    monkeypatch.setattr(Folder, "sweep", sweep)


@pytest.mark.parametrize("batch", [COUNT // 4, 2 * COUNT])
def test_records_whose_sweep_failed_are_written_anew(
    run: Recorded, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    monkeypatch.setattr(publisher, "BATCH", batch)
    _failing_once(monkeypatch)
    with pytest.raises(StorageError, match="input/output error"):
        run.recorder.publish_all(run.now)
    # Kept, so that no new file gets the number of an old one.
    for name in (before := _inodes(run)):
        os.link(run.outputs / name, run.path / f"old-{name}")
    run.recorder.publish_all(run.now)
    after = _inodes(run)
    assert before
    assert len(after) == COUNT
    assert not {name for name in before if after[name] == before[name]}
    for name in before:
        (run.path / f"old-{name}").unlink()
    run.finish("completed")
    assert check(run.root, run.run_id).ok
