"""The kernel's freezer, where this user may use it."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from specular_tui.engine import freezer
from specular_tui.engine.processes import MARKER, TASK
from tests.unit.engine.lab import ENV, Lab, cpu_ticks, lives, until


def usable() -> bool:
    group = freezer.freeze("test", os.getpid(), [])
    if group is not None:
        group.thaw()
    return group is not None


needs_groups = pytest.mark.skipif(not usable(), reason="this user may make no control group of version 2 here")


def group_of(pid: int) -> str:
    return next(line for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines() if line.startswith("0::"))


def left(marker: str) -> list[Path]:
    base = freezer.own_group()
    assert base is not None
    return list(base.glob(f"{freezer._prefix(marker)}*"))


@pytest.fixture
def busy() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sh", "-c", "while :; do :; done"])
    yield process
    process.kill()
    process.wait()


def stands(pid: int) -> bool:
    before = cpu_ticks(pid)
    time.sleep(0.15)
    return cpu_ticks(pid) == before


@needs_groups
def test_it_stands_still_whatever_signal_it_gets_and_goes_back_where_it_was(
    busy: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    home = group_of(busy.pid)
    group = freezer.freeze(str(tmp_path), busy.pid, [busy.pid, 2**22 + 1])
    assert group is not None
    assert group_of(busy.pid) != home
    busy.send_signal(signal.SIGCONT)
    assert stands(busy.pid)
    group.thaw()
    assert group_of(busy.pid) == home
    assert not stands(busy.pid)
    assert left(str(tmp_path)) == []


@needs_groups
def test_what_a_killed_engine_has_left_frozen_is_ended(busy: subprocess.Popen[bytes], tmp_path: Path) -> None:
    assert freezer.freeze(str(tmp_path), busy.pid, [busy.pid]) is not None
    freezer.remove_left(str(tmp_path / "another"))
    assert lives(busy.pid)
    busy.kill()  # as the guard does; frozen or not, it ends
    freezer.remove_left(str(tmp_path))
    assert busy.wait() == -signal.SIGKILL
    assert left(str(tmp_path)) == []


@needs_groups
async def test_a_frozen_task_is_killed_and_leaves_no_group(lab: Lab, tmp_path: Path) -> None:
    for end in ("kill", "terminate"):
        trial = lab.start("sleep 60 & wait", env={**ENV, MARKER: str(tmp_path), TASK: "t"})
        trial.job.freeze()
        assert len(left(str(tmp_path))) == 1
        getattr(trial.job, end)()
        assert (await trial.end).signal in ("SIGKILL", "SIGTERM")
        await until(lambda: not left(str(tmp_path)))


def test_without_such_groups_nothing_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for base in (None, tmp_path / "nowhere", tmp_path):
        monkeypatch.setattr(freezer, "own_group", lambda base=base: base)
        assert freezer.freeze("run", 1, [os.getpid()]) is None
        freezer.remove_left("run")
    assert list(tmp_path.iterdir()) == []
