"""Compressed runs: the same run in fewer bytes, whole at every moment."""

from __future__ import annotations

import gzip
import os
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from specular_tui.errors import RunHeldError, RunNotFoundError, StorageError
from specular_tui.store import checkpoint, effort, layout
from specular_tui.store.checks.check import check
from specular_tui.store.effort import CancelledError
from specular_tui.store.folder import Folder
from specular_tui.store.keeping import compress as compress_module
from specular_tui.store.keeping.compress import Compressed, compress
from tests import recorded
from tests.recorded import RUN, Recorded


def build_log(lines: int) -> bytes:
    """Return a log as compilers write it."""
    return b"".join(
        b"[%d/%d] cc -O2 -Wall -Iinclude -c src/module_%04x/unit_%d.c -o build/unit_%d.o\n"
        % (i, lines, i * 7919 % 65536, i, i)
        for i in range(lines)
    )


def test_the_same_bytes_in_less_room(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    run.begin()
    for task in run.tasks:
        run.run(task, log=build_log(4000))
    run.finish("completed")
    before = {p.relative_to(run.path): p.read_bytes() for p in run.path.rglob("*") if p.is_file()}
    found = compress(tmp_path, RUN)
    assert found.saved / found.before > 0.7
    after = {}
    for path in run.path.rglob("*"):
        if path.is_file():
            name = path.relative_to(run.path)
            after[name.with_suffix("") if path.suffix == ".gz" else name] = (
                gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            )
    assert after == before
    assert sorted(p.name for p in run.path.iterdir() if p.is_file()) == [
        "journal.jsonl", "lock", "metadata.json", "plan.json", "progress.json.gz", "state.json.gz",
    ]  # fmt: skip
    assert check(tmp_path, RUN).ok
    assert compress(tmp_path, RUN) == Compressed(0, 0, 0)


def test_hashes_are_those_of_the_plain_bytes(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    before = (run.path / layout.PROGRESS).read_bytes()
    compress(tmp_path, RUN)
    with Folder.at(run.path) as folder:
        assert checkpoint.read_plain(folder, layout.PROGRESS) == before
    assert checkpoint.summarise(tmp_path, RUN).status == "completed"


def test_the_same_file_gives_the_same_bytes(tmp_path: Path) -> None:
    packed = []
    for name in ("a", "b"):
        run = recorded.completed(tmp_path / name)
        compress(run.root, RUN)
        packed.append((run.outputs / "test.log.gz").read_bytes())
    assert packed[0] == packed[1]
    assert packed[0][4:8] == bytes(4)


def test_a_live_run_is_left_alone(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    with pytest.raises(RunHeldError):
        compress(tmp_path, RUN)
    run.vanish()
    with pytest.raises(RunNotFoundError):
        compress(tmp_path, "none")


def test_what_is_no_file_is_left_alone(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    (run.outputs / "link.log").symlink_to("/etc/passwd")
    (run.outputs / "folder.log").mkdir()
    compress(tmp_path, RUN)
    assert (run.outputs / "link.log").is_symlink()
    assert not (run.outputs / "link.log.gz").exists()


class Killed(BaseException):
    """The process is gone."""


def _compress_until(root: Path, stop: int, monkeypatch: pytest.MonkeyPatch) -> bool:
    steps = 0

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def step(*args: object, **more: object) -> object:
            nonlocal steps
            steps += 1
            if steps > stop:
                raise Killed
            return real(*args, **more)

        return step

    for name in ("rename", "remove", "sync", "sync_all"):
        monkeypatch.setattr(Folder, name, counted(getattr(Folder, name)))
    try:
        compress(root, RUN)
    except Killed:
        return False
    finally:
        monkeypatch.undo()
    return True


def test_a_kill_at_any_point_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for stop in range(60):
        root = tmp_path / str(stop)
        run = recorded.paused(root)
        finished = _compress_until(root, stop, monkeypatch)
        found = check(root, RUN)
        assert found.ok, found
        run.reopen()
        run.begin()
        run.run("docs", "failed")
        run.finish("failed")
        assert check(root, RUN).ok
        compress(root, RUN)
        assert check(root, RUN).ok
        assert not [p for p in run.path.rglob("*") if p.name.startswith(".tmp-")]
        if finished:
            return
    raise AssertionError("compressing never came to its end")


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = recorded.completed(tmp_path)

    def full(fd: int, data: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(compress_module, "write_all", full)
    with pytest.raises(StorageError, match="no space left"):
        compress(tmp_path, RUN)
    assert not list(run.path.rglob("*.gz"))
    assert not list(run.path.rglob(".tmp-*"))
    assert check(tmp_path, RUN).ok


def test_compressing_can_be_cancelled_and_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # However quick the machine, it is told how far it is before all is done.
    monkeypatch.setattr(effort, "_TICK", 0.001)
    monkeypatch.setattr(compress_module, "_GROUP_FILES", 1)
    run = Recorded(tmp_path)
    run.begin()
    for task in run.tasks:
        run.run(task, log=os.urandom(3 << 20))
    run.finish("paused")
    cancel = threading.Event()
    told: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        told.append((done, total))
        if done > 1 << 20:
            cancel.set()

    with pytest.raises(CancelledError):
        compress(tmp_path, RUN, progress=progress, cancel=cancel)
    assert told[-1][1] > 12 << 20
    assert check(tmp_path, RUN).ok
    assert not list(run.path.rglob(".tmp-*"))
    compress(tmp_path, RUN)
    assert check(tmp_path, RUN).ok


def test_many_small_files_in_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compress_module, "_GROUP_FILES", 3)
    recorded.completed(tmp_path)
    compress(tmp_path, RUN)
    assert check(tmp_path, RUN).ok


def test_metadata_stays_readable_for_other_programs(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    compress(tmp_path, RUN)
    assert msgspec.json.decode((run.path / layout.METADATA).read_bytes())["status"] == "completed"
