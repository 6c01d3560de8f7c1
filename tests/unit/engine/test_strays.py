"""Daemons: what a task has let go of stands still with it, and ends with it where it is told to end."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from specular_tui.engine import processes
from specular_tui.engine.processes import MARKER, TASK, Process
from specular_tui.engine.strays import Marks, Strays
from tests.unit.engine.lab import ENV, Lab, lives, numbers, stands, state_of, until

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

#: A process of a session of its own whose parent has ended, and a child of it.
DAEMON = "(setsid sh -c 'echo $$ >> {pids}; sh -c \"echo \\$\\$ >> {pids}; exec sleep 60\" & wait' &); "


def marks(folder: Path, task: str = "t") -> dict[str, str]:
    return {**ENV, MARKER: str(folder), TASK: task}


async def test_a_daemon_stands_still_with_its_task_and_ends_with_it(lab: Lab, tmp_path: Path) -> None:
    trial = lab.start(
        DAEMON.format(pids=tmp_path / "pids") + "exec sleep 60",
        env=marks(tmp_path),
    )
    await until(lambda: numbers(tmp_path / "pids", 2))
    all_of_it = [trial.job.pid, *numbers(tmp_path / "pids", 2)]
    assert processes.descendants(trial.job.pid) == []

    trial.job.freeze()
    assert all(map(stands, all_of_it))
    trial.job.thaw()
    await until(lambda: "T" not in map(state_of, all_of_it))
    assert trial.job.terminate()
    assert (await trial.end).signal == "SIGTERM"
    await until(lambda: not any(map(lives, all_of_it)))


async def test_a_daemon_that_ignores_the_end_is_killed(lab: Lab, tmp_path: Path) -> None:
    deaf = f"(setsid sh -c \"trap '' TERM; echo \\$\\$ >> {tmp_path}/pids; while :; do sleep 0.1; done\" &); "
    trial = lab.start(deaf + "exec sleep 60", env=marks(tmp_path))
    await until(lambda: numbers(tmp_path / "pids", 1))
    (daemon,) = numbers(tmp_path / "pids", 1)
    trial.job.kill()
    assert (await trial.end).signal == "SIGKILL"
    await until(lambda: not lives(daemon))


async def test_what_another_task_or_another_run_has_left_is_not_touched(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    left = []
    for folder, task in ((tmp_path, "t2"), (tmp_path / "other", "t")):
        pids = folder / f"{task}.pids"
        end, _ = await lab.run(DAEMON.format(pids=pids) + f"until [ -s {pids} ]; do :; done", env=marks(folder, task))
        assert end.exit_code == 0
        while not numbers(pids, 2):
            await asyncio.sleep(0.01)
        left += numbers(pids, 2)
    trial = lab.start("exec sleep 60", env=marks(tmp_path))
    try:
        trial.job.freeze()
        assert "T" not in [state_of(pid) for pid in left]
        trial.job.kill()
        await trial.end
        assert all(map(lives, left))
    finally:
        for pid in left:
            os.kill(pid, signal.SIGKILL)


async def test_one_look_serves_all_tasks_that_are_frozen_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []

    def look() -> Iterator[tuple[Process, list[bytes]]]:
        looks.append(1)
        return iter(())

    monkeypatch.setattr(processes, "environments", look)
    found = Strays()
    for number in range(100):
        assert found.of(Marks(str(tmp_path), f"t{number}")) == []
    assert len(looks) < 10


@pytest.mark.parametrize("empty", [Marks("", ""), Marks("/run", ""), Marks("", "task")])
def test_without_marks_nobody_is_found(empty: Marks) -> None:
    """Every process of this user that is no task has empty ones."""
    assert Strays().of(empty) == []
