"""Mending a damaged run: its bytes are kept, what depended on them runs again, and what is left is valid."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from specular_tui.errors import CheckpointError, RunHeldError, StorageError
from specular_tui.model.run import RunStatus, TaskStatus
from specular_tui.store import checkpoint, layout
from specular_tui.store.checks.check import check
from specular_tui.store.folder import Folder
from specular_tui.store.keeping.compress import compress
from specular_tui.store.repairs.repair import repair
from tests import recorded
from tests.recorded import RUN, Recorded

SRC = layout.task_stem("src/Compile.c")


@pytest.fixture(autouse=True)
def _no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded.no_sync(monkeypatch)


def mend(run: Recorded) -> list[str]:
    """Repair a run, prove it, take it up again, and prove it once more; return the tasks to run again."""
    report = check(run.root, RUN)
    assert not report.ok
    again = repair(run.root, RUN, report, 7, copies=lambda state: [run.plan, b"checkpoints: {}\n"])
    found = check(run.root, RUN)
    assert found.ok, found
    state = checkpoint.load(run.root, RUN).state
    assert all(state.task(task).status is TaskStatus.PENDING for task in again)
    run.reopen()
    run.leave()
    found = check(run.root, RUN)
    assert found.ok, found
    return again


def kept(run: Recorded) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (run.path / layout.QUARANTINE).iterdir()}


def test_a_valid_run_is_left_alone(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    before = {p: p.read_bytes() for p in run.path.rglob("*") if p.is_file()}
    assert repair(tmp_path, RUN, check(tmp_path, RUN), 7) == []
    assert {p: p.read_bytes() for p in run.path.rglob("*") if p.is_file()} == before


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("name", "again"),
    [
        ("outputs/test.log", ["test"]),
        ("outputs/test.json", ["test"]),
        (f"outputs/{SRC}.1.log", []),
        (layout.METADATA, []),
        (layout.STATE, []),
        (layout.PROGRESS, []),
        (layout.PLAN, []),
        (layout.POLICY, []),
    ],
)
def test_damaged_bytes_are_kept_and_results_made_again(
    tmp_path: Path, name: str, again: list[str], packed: bool
) -> None:
    run = recorded.completed(tmp_path, policy=b"checkpoints: {}\n")
    if packed:
        compress(tmp_path, RUN)
    path = run.path / name if (run.path / name).exists() else run.path / f"{name}.gz"
    bad = b"damaged" + path.read_bytes()
    path.write_bytes(bad)
    assert mend(run) == again
    assert bad in kept(run).values()


@pytest.mark.parametrize("name", ["outputs/test.log", "outputs/test.json", layout.STATE, layout.METADATA, layout.PLAN])
def test_what_is_gone_is_made_again(tmp_path: Path, name: str) -> None:
    run = recorded.completed(tmp_path)
    (run.path / name).unlink()
    assert mend(run) == (["test"] if name.startswith(layout.OUTPUTS) else [])


@pytest.mark.parametrize("name", ["outputs/test.log", layout.STATE, layout.PROGRESS, layout.OUTPUTS])
def test_a_link_goes_and_its_target_stays(tmp_path: Path, name: str) -> None:
    run = recorded.completed(tmp_path)
    target = tmp_path / "target"
    (run.path / name).rename(target)
    (run.path / name).symlink_to(target)
    mend(run)
    assert not (run.path / name).is_symlink()
    assert target.exists()


def test_a_repaired_task_can_run_and_the_run_stays_valid(tmp_path: Path) -> None:
    run = recorded.paused(tmp_path)
    (run.outputs / "fetch.log").write_bytes(b"x")
    assert mend(run) == ["fetch"]
    run.reopen()
    run.begin()
    run.run("fetch", log=b"second time")
    run.finish("paused")
    assert check(tmp_path, RUN).ok
    task = checkpoint.load(tmp_path, RUN).state.tasks["fetch"]
    assert (task.attempt, task.status, task.earlier[0].log_hash) == (2, TaskStatus.COMPLETED, "")


@pytest.mark.parametrize("change", ["flip", "cut", "drop", "zero"])
def test_a_damaged_journal_goes_on_from_what_is_proved(tmp_path: Path, change: str) -> None:
    for record in range(1, 13):
        run = recorded.completed(tmp_path / str(record))
        path = run.path / layout.JOURNAL
        lines = path.read_bytes().splitlines(keepends=True)
        at = sum(map(len, lines[:record]))
        bad = bytearray(b"".join(lines))
        match change:
            case "flip":
                bad[at + 15] ^= 4
            case "cut":
                del bad[at + 15 :]
            case "drop":
                del bad[at : at + len(lines[record])]
            case _:
                bad[at : at + 30] = bytes(30)
        path.write_bytes(bad)
        before = recorded.events_in(run.path)
        assert len(before) == record
        again = mend(run)
        assert bytes(bad) in kept(run).values()
        state = checkpoint.load(run.root, RUN).state
        assert state.status is RunStatus.PAUSED
        done = {task for task, known in state.tasks.items() if known.status is TaskStatus.COMPLETED}
        assert not done & set(again)
        assert path.read_bytes().startswith(b"".join(lines[:record]))


def test_tasks_that_the_lost_records_speak_of_run_again(tmp_path: Path) -> None:
    """`fetch` had completed, and ran again in what is lost: its outputs are those of the second time."""
    run = Recorded(tmp_path)
    run.begin()
    run.run("fetch")
    run.run("docs")
    run.finish("paused")
    run.reopen()
    run.begin(reset={"fetch": "from fetch on"})
    size = (run.path / layout.JOURNAL).stat().st_size
    run.run("fetch")
    run.finish("paused")
    path = run.path / layout.JOURNAL
    for data in (path.read_bytes()[:size], path.read_bytes()[: size - 40] + b"!" + path.read_bytes()[size - 39 :]):
        path.write_bytes(data)
        report = check(tmp_path, RUN)
        assert report.journal_damaged
        repair(tmp_path, RUN, report, 7)
        state = checkpoint.load(tmp_path, RUN).state
        assert state.tasks["fetch"].status is TaskStatus.PENDING
        assert state.tasks["docs"].status is TaskStatus.COMPLETED
        assert check(tmp_path, RUN).ok


@pytest.mark.parametrize("name", [layout.STATE, layout.PROGRESS, layout.METADATA])
def test_bytes_that_cannot_be_kept_are_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    run = recorded.completed(tmp_path)
    (run.path / name).write_bytes(b"what is left")
    report = check(tmp_path, RUN)
    really = Folder.publish

    def publish(self: Folder, into: str, data: bytes, *, sync: bool = True) -> None:
        if self.path.name == layout.QUARANTINE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        really(self, into, data, sync=sync)

    with monkeypatch.context() as full:
        full.setattr(Folder, "publish", publish)
        with pytest.raises(StorageError, match="failed to repair the checkpoint: no space left") as caught:
            repair(tmp_path, RUN, report, 7)
        assert "free some space" in (caught.value.hint or "")
    assert (run.path / name).read_bytes() == b"what is left"
    assert mend(run) == []
    assert kept(run)[f"{name}.7"] == b"what is left"


@pytest.mark.parametrize("name", [layout.STATE, layout.METADATA])
def test_what_cannot_be_read_is_kept_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    run = recorded.completed(tmp_path)
    (run.path / name).write_bytes(b"what is left")
    report = check(tmp_path, RUN)
    inode = (run.path / name).stat().st_ino
    really = Folder.read

    def read(self: Folder, wanted: str, limit: int = 1 << 32) -> bytes:
        if wanted == name:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return really(self, wanted, limit)

    with monkeypatch.context() as broken:
        broken.setattr(Folder, "read", read)
        repair(tmp_path, RUN, report, 7)
    assert (run.path / layout.QUARANTINE / f"{name}.7").stat().st_ino == inode
    assert check(tmp_path, RUN).ok


def test_nothing_left_to_go_on_from(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    for data in (b"", b"x" * 50, b"x\n" * 50):
        (run.path / layout.JOURNAL).write_bytes(data)
        with pytest.raises(CheckpointError, match="nothing of") as caught:
            repair(tmp_path, RUN, check(tmp_path, RUN), 7)
        assert caught.value.hint


def test_a_live_run_is_not_repaired(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    (run.outputs / "test.log").write_bytes(b"x")
    report = check(tmp_path, RUN)
    run.reopen()
    with pytest.raises(RunHeldError):
        repair(tmp_path, RUN, report, 7)
    run.leave()


def test_a_run_that_went_on_meanwhile_is_not_repaired(tmp_path: Path) -> None:
    run = recorded.paused(tmp_path)
    (run.outputs / "fetch.log").write_bytes(b"x")
    report = check(tmp_path, RUN)
    run.reopen()
    run.begin()
    run.finish("paused")
    with pytest.raises(CheckpointError, match="has changed since it was validated"):
        repair(tmp_path, RUN, report, 7)


class Killed(BaseException):
    """The process is gone."""


@pytest.mark.parametrize("damage", ["log", "journal"])
def test_a_crash_while_repairing_can_be_repaired(tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for stop in range(40):
        run = recorded.paused(tmp_path / str(stop))
        if damage == "log":
            (run.outputs / "fetch.log").write_bytes(b"x")
        else:
            path = run.path / layout.JOURNAL
            lines = path.read_bytes().splitlines(keepends=True)
            lines[3] = lines[3].replace(b"fetch", b"fetsh")
            path.write_bytes(b"".join(lines))
        finished = _repair_until(run, stop, monkeypatch)
        monkeypatch.undo()
        recorded.no_sync(monkeypatch)
        report = check(run.root, RUN)
        if not report.ok:
            repair(run.root, RUN, report, 8)
        assert check(run.root, RUN).ok
        state = checkpoint.load(run.root, RUN).state
        assert state.tasks["fetch"].status is TaskStatus.PENDING
        if finished:
            return
    raise AssertionError("the repair never came to its end")


def _repair_until(run: Recorded, stop: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    steps = 0

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def step(*args: object, **more: object) -> object:
            nonlocal steps
            if steps == stop:
                raise Killed
            steps += 1
            return real(*args, **more)

        return step

    report = check(run.root, RUN)
    for name in ("publish", "remove"):
        monkeypatch.setattr(Folder, name, counted(getattr(Folder, name)))
    monkeypatch.setattr(os, "rename", counted(os.rename))
    try:
        repair(run.root, RUN, report, 7)
    except Killed:
        return False
    return True
