"""Who descends from whom, and who belongs to a run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from specular_tui.engine import processes
from specular_tui.engine.processes import MARKER, Process
from tests.unit.engine.lab import lives, numbers, until

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


@contextmanager
def running(*command: str, **env: str) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env={**os.environ, **env}, process_group=0)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def seen(pid: int) -> Process:
    start = processes.start_time(pid)
    assert start is not None
    return Process(pid, start)


async def test_descendants_are_found_through_sessions_and_odd_names(tmp_path: Path) -> None:
    odd = tmp_path / "a ) R 1 (b"
    odd.symlink_to("/bin/sleep")
    pids = tmp_path / "pids"
    script = f"echo $$ >> '{pids}'; setsid sh -c 'echo $$ >> {pids}; \"{odd}\" 60 & wait' & wait"
    with running("sh", "-c", script) as task:
        await until(lambda: len(processes.descendants(task.pid)) == 2)
        inner = numbers(pids, 2)[1]
        found = processes.descendants(task.pid)
        assert found[0] == seen(inner)
        assert processes.descendants(inner) == found[1:]
        processes.send(found, signal.SIGKILL)
        await until(lambda: not any(lives(process.pid) for process in found))
    assert processes.descendants(task.pid) == []


def test_the_marker_finds_what_carries_it_and_nothing_that_only_resembles_it(tmp_path: Path) -> None:
    marker = str(tmp_path / "run")
    with (
        running("sleep", "60", **{MARKER: marker}) as own,
        running("sleep", "60", **{MARKER: marker + "-2"}),
        running("sleep", "60", **{"X" + MARKER: marker}),
    ):
        assert processes.marked(marker) == [seen(own.pid)]


def test_the_process_that_asks_and_those_that_it_descends_from_are_spared(tmp_path: Path) -> None:
    program = (
        "import subprocess, sys\n"
        "if len(sys.argv) < 2: sys.exit(subprocess.call([sys.executable, '-c', sys.orig_argv[2], 'inner']))\n"
        "from specular_tui.engine import processes\n"
        f"sys.exit(len(processes.marked({str(tmp_path)!r})))\n"
    )
    asked = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, MARKER: str(tmp_path)}, check=False, timeout=20
    )
    assert asked.returncode == 0


async def test_leftovers_are_ended_by_their_recorded_start_or_their_marker(tmp_path: Path) -> None:
    marker = str(tmp_path)
    with (
        running("sleep", "60") as recorded,
        running("sleep", "60", **{MARKER: marker}) as carrying,
        running("sleep", "60") as stranger,
    ):
        os.kill(carrying.pid, signal.SIGSTOP)
        start = seen(recorded.pid).start
        assert processes.end_leftovers(marker, [(recorded.pid, start), (stranger.pid, start - 1)]) == 2
        assert recorded.wait(5) == -signal.SIGKILL
        assert carrying.wait(5) == -signal.SIGKILL
        assert stranger.poll() is None


def test_a_group_of_zombies_does_not_live() -> None:
    with running("true") as task:
        os.waitid(os.P_PID, task.pid, os.WEXITED | os.WNOWAIT)
        assert processes.group_exists(task.pid)
        assert not processes.group_lives(task.pid)
    assert not processes.group_exists(task.pid)
    assert not processes.send_group(task.pid, signal.SIGTERM)


def test_without_pidfds_the_start_is_compared_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "_hold", lambda pid: None)
    with running("sleep", "60") as task:
        known = seen(task.pid)
        processes.send([Process(known.pid, known.start - 1)], signal.SIGKILL)
        time.sleep(0.05)
        assert task.poll() is None
        processes.send([known], signal.SIGKILL)
        assert task.wait(5) == -signal.SIGKILL


def test_who_is_gone_is_no_error() -> None:
    with running("true") as task:
        task.wait()
        processes.send([Process(task.pid, 1)], signal.SIGKILL)
    assert processes.start_time(task.pid) is None
