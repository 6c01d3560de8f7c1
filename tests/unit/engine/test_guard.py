"""The guard, seen from outside: an engine that is killed, and what becomes of its tasks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from specular_tui.engine.guard import Guard
from specular_tui.engine.processes import MARKER
from tests.unit.engine.lab import lives, numbers, until

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")

#: An engine that guards two tasks, one of which has a descendant that left its group, and then just lives.
ENGINE = """
import os, subprocess, sys, time
from specular_tui.engine.guard import Guard
folder = sys.argv[1]
guard = Guard()
guard.mark(folder)
env = {**os.environ, "SPECULAR_RUN": folder}
aside = "setsid sh -c 'echo $$ >> pids; exec sleep 60' &"
for script in ("exec sleep 60", aside + " exec sleep 60"):
    task = subprocess.Popen(["sh", "-c", "echo $$ >> pids; " + script], cwd=folder, env=env, process_group=0)
    guard.add(task.pid)
other = subprocess.Popen(["sleep", "60"], process_group=0)
forgotten = subprocess.Popen(["sh", "-c", "exec sleep 60"], process_group=0)
guard.add(forgotten.pid)
guard.remove(forgotten.pid)
open(os.path.join(folder, "others"), "w").write(f"{other.pid} {forgotten.pid} {guard._pid}")
print("ready", flush=True)
time.sleep(60)
"""


class Engine:
    def __init__(self, folder: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", ENGINE, str(folder)], stdout=subprocess.PIPE, text=True, start_new_session=True
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"
        self.tasks: list[int] = []
        self.strangers = [int(word) for word in (folder / "others").read_text().split()]
        self.guard = self.strangers.pop()

    async def begun(self, folder: Path) -> None:
        await until(lambda: numbers(folder / "pids", 3))
        self.tasks = numbers(folder / "pids", 3)

    def close(self) -> None:
        for pid in (*self.tasks, *self.strangers):
            if lives(pid):
                os.kill(pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


async def test_no_task_outlives_an_engine_that_is_killed(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    try:
        await engine.begun(tmp_path)
        assert all(lives(pid) for pid in engine.tasks)
        began = time.monotonic()
        engine.process.kill()
        engine.process.wait()
        await until(lambda: not any(lives(pid) for pid in engine.tasks))
        # It takes some milliseconds; the bound leaves room for a busy machine.
        assert time.monotonic() - began < 30
        assert all(lives(pid) for pid in engine.strangers)
        await until(lambda: not lives(engine.guard))
    finally:
        engine.close()


async def test_signals_that_the_terminal_sends_to_all_leave_the_guard_alone(tmp_path: Path) -> None:
    engine = Engine(tmp_path)
    try:
        await engine.begun(tmp_path)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP, signal.SIGUSR1):
            os.kill(engine.guard, number)
        time.sleep(0.05)
        assert lives(engine.guard)
        assert os.getsid(engine.guard) == engine.guard
        assert os.listdir(f"/proc/{engine.guard}/fd")
        engine.process.kill()
        await until(lambda: not any(lives(pid) for pid in engine.tasks))
    finally:
        engine.close()


#: An engine whose only task has just been forked and is not yet what it is to run, or has settled (`settle`).
STARTING = """
import os, subprocess, sys, time
from specular_tui.engine import guard as module
from specular_tui.engine.guard import Guard
folder = sys.argv[1]
module._PATIENCE = 0.7
guard = Guard()
guard.mark(folder)
guard.expect()
script = "echo $$ >> pids; sleep 0.2; exec env SPECULAR_RUN=" + folder + " sleep 60"
subprocess.Popen(["sh", "-c", script], cwd=folder, process_group=0)
if sys.argv[2:]:
    guard.settle()
print(guard._pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("settled", [False, True])
async def test_a_task_that_was_just_starting_does_not_outlive_the_engine(tmp_path: Path, settled: bool) -> None:
    words = [sys.executable, "-c", STARTING, str(tmp_path), *(["settle"] * settled)]
    engine = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert engine.stdout is not None
    with engine, engine.stdout:
        guard = int(engine.stdout.readline())
        await until(lambda: numbers(tmp_path / "pids", 1))
        (task,) = numbers(tmp_path / "pids", 1)
        engine.kill()
        try:
            await until(lambda: not lives(guard))
            # What carries the mark and is left behind when nothing runs is somebody's daemon.
            assert lives(task) == settled
        finally:
            if lives(task):
                os.kill(task, signal.SIGKILL)


async def test_what_goes_on_with_the_run_is_none_of_the_guards_business(tmp_path: Path) -> None:
    words = [sys.executable, "-c", STARTING, str(tmp_path)]
    engine = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, start_new_session=True)
    assert engine.stdout is not None
    with engine, engine.stdout:
        guard = int(engine.stdout.readline())
        await until(lambda: numbers(tmp_path / "pids", 1))
        engine.kill()
        engine.wait()
    time.sleep(0.05)  # so long no engine takes less to start
    other = subprocess.Popen(["sleep", "60"], env={**os.environ, MARKER: str(tmp_path)})
    try:
        await until(lambda: not lives(guard))
        assert other.poll() is None, "the task of the next engine is still there"
    finally:
        other.kill()
        other.wait()


def test_the_guard_holds_nothing_of_the_engine_open(tmp_path: Path) -> None:
    with open(tmp_path / "a", "w") as file, Guard() as guard:
        deadline = time.monotonic() + 5
        while len(os.listdir(f"/proc/{guard._pid}/fd")) > 1:
            assert time.monotonic() < deadline
            time.sleep(0.001)
        (left,) = os.listdir(f"/proc/{guard._pid}/fd")
        assert os.readlink(f"/proc/{guard._pid}/fd/{left}").startswith("pipe:")
        assert file.fileno() != int(left)


def test_a_guard_that_is_sent_home_goes_and_leaves_nothing() -> None:
    before = os.listdir("/proc/self/fd")
    guard = Guard()
    pid = guard._pid
    guard.close()
    guard.close()
    assert not Path(f"/proc/{pid}").exists()
    assert os.listdir("/proc/self/fd") == before


def test_more_tasks_than_there_is_room_for_are_left_unguarded() -> None:
    with Guard(slots=2) as guard:
        for group in (101, 102, 103):
            guard.add(group)
        assert len(guard._slots) == 2
        for group in (101, 102, 103):
            guard.remove(group)
        guard.add(104)
        guard.remove(104)
        assert not guard._slots


def test_a_marker_that_is_too_long_is_left_out() -> None:
    with Guard(slots=1) as guard:
        guard.mark("x" * 20_000)
        guard.mark("/run")
        assert guard._table[:4] == b"/run"
    assert MARKER == "SPECULAR_RUN"
