"""Engines that are killed, stopped, started twice, and left without a disk: nothing recorded is lost or done twice.

`SPECULAR_KILLS=500 pytest tests/crash/test_engine_killed.py` kills that often; a handful is the default.
"""

from __future__ import annotations

import json
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from specular_tui.model.run import RunState, TaskStatus
from specular_tui.store import checkpoint
from specular_tui.store.checks.check import check

KILLS = int(os.environ.get("SPECULAR_KILLS", "6"))
SPECULAR = (sys.executable, "-m", "specular_tui")

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


class Project:
    """A folder with a plan whose tasks say when they begin and when they have done what they do."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.effects = folder / "effects"
        self.effects.touch()
        self._started: list[subprocess.Popen[str]] = []

    @property
    def root(self) -> Path:
        return self.folder / ".specular" / "checkpoints"

    def plan(self, *tasks: tuple[str, str, tuple[str, ...]], **more: object) -> None:
        """Write a plan of (id, shell command between begin and done, dependencies)."""

        def say(word: str, task_id: str) -> str:
            return f'echo "{word} {task_id} $$" >> effects'

        entries = [
            {
                "id": task_id,
                "command": f"{say('begin', task_id)}; {{ {command}; }} && {say('done', task_id)}",
                "depends_on": list(needs),
                **more,
            }
            for task_id, command, needs in tasks
        ]
        (self.folder / "plan.json").write_text(json.dumps({"version": 1, "name": "p", "tasks": entries}))

    def start(self, *args: str, **env: str) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [*SPECULAR, "build", *args],
            cwd=self.folder,
            env={**os.environ, **env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(child)
        return child

    def build(self, *args: str, **env: str) -> tuple[int, str]:
        """Run `specular build ARGS` to its end; return the exit code and what it said on stderr."""
        child = self.start(*args, **env)
        _, told = child.communicate(timeout=60)
        return child.returncode, told

    def close(self) -> None:
        for child in self._started:
            child.kill()
            child.communicate()

    def lines(self, word: str) -> list[str]:
        """The tasks that said `begin` or `done`, in that order, as often as they did."""
        return [line.split()[1] for line in self.effects.read_text().splitlines() if line.startswith(word + " ")]

    def alive(self) -> list[int]:
        """The processes of tasks that still run."""
        pids = [int(line.split()[2]) for line in self.effects.read_text().splitlines() if line.startswith("begin ")]
        return [pid for pid in pids if _lives(pid)]

    def state(self) -> RunState:
        (run,) = checkpoint.run_ids(self.root)
        return checkpoint.load(self.root, run).state

    def recorded(self) -> set[str]:
        """The tasks whose success the journal has, as somebody finds it who comes after a kill."""
        runs = checkpoint.run_ids(self.root)
        if not runs:
            return set()
        return {i for i, task in self.state().tasks.items() if task.status is TaskStatus.COMPLETED}


def _lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False


def until(holds: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came to be"
        time.sleep(0.01)


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    made = Project(tmp_path)
    yield made
    made.close()


def diamonds(
    count: int, command: str = "sleep 0.0$((RANDOM % 5)) 2>/dev/null; echo output of $SPECULAR_TASK_ID"
) -> list[tuple[str, str, tuple[str, ...]]]:
    """Tasks in threes, each needing all of the three before."""
    return [
        (f"t{row}{column}", command, tuple(f"t{row - 1}{c}" for c in "abc") if row else ())
        for row in range(count // 3)
        for column in "abc"
    ]


@linux
def test_what_was_recorded_before_a_kill_is_never_run_again_and_nothing_is_lost(tmp_path: Path) -> None:
    seed = int(os.environ.get("SPECULAR_SEED", str(random.randrange(1 << 30))))
    dice = random.Random(seed)
    kills = 0
    number = 0
    while kills < KILLS:
        number += 1
        folder = tmp_path / str(number)
        folder.mkdir()
        project = Project(folder)
        tasks = diamonds(30)
        project.plan(*tasks)
        try:
            kills += _kill_until_done(project, dice, KILLS - kills)
            done = Counter(project.lines("done"))
            assert set(done) == {task for task, _, _ in tasks}
            (run,) = checkpoint.run_ids(project.root)
            report = check(project.root, run)
            assert report.ok, report
        except BaseException:
            print(f"SPECULAR_SEED={seed}")  # noqa: T201 - what a failure needs to be seen again
            raise
        finally:
            project.close()
        shutil.rmtree(folder)


def _kill_until_done(project: Project, dice: random.Random, limit: int) -> int:
    """Start, kill and go on with a build until it completes; return how often it was killed."""
    kills = 0
    known: set[str] = set()
    while True:
        engine = project.start("--resume", "--jobs", "3", "--checkpoint-every", str(dice.randint(1, 9)))
        before = len(project.lines("begin"))
        if kills < limit:
            if dice.random() < 0.8:  # mostly while it works, sometimes while it prepares or ends
                until(partial(_has_begun, engine, project, before))
            time.sleep(dice.random() * 0.3)
            engine.kill()
        out, told = engine.communicate(timeout=60)
        assert engine.returncode in (0, -signal.SIGKILL), (engine.returncode, out, told)
        again = set(project.lines("begin")[before:]) & known
        assert not again, f"{again} had been recorded, and ran again"
        recorded = project.recorded()
        assert recorded >= known, f"{known - recorded} were lost"
        known = recorded
        until(lambda: not project.alive(), 5)
        if engine.returncode == 0:
            return kills
        kills += 1


def _has_begun(engine: subprocess.Popen[str], project: Project, before: int) -> bool:
    return engine.poll() is not None or len(project.lines("begin")) > before


# Signals -------------------------------------------------------------------------------------------------------------


@linux
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_saves_the_checkpoint_and_ends_the_tasks(project: Project, number: signal.Signals, code: int) -> None:
    project.plan(("a", "true", ()), ("b", "test -e go || sleep 60", ("a",)), ("c", "true", ("b",)))
    engine = project.start()
    until(lambda: "b" in project.lines("begin"))
    engine.send_signal(number)
    out, told = engine.communicate(timeout=20)
    assert engine.returncode == code
    assert "specular build --resume" in out + told or "specular_tui build --resume" in out + told
    assert not project.alive()
    metadata = json.loads(next(project.root.glob("*/metadata.json")).read_bytes())
    assert (metadata["status"], metadata["interrupted"], metadata["reason"]) == ("paused", False, number.name)
    assert (metadata["completed_tasks"], metadata["control"]) == (1, None)
    (project.folder / "go").touch()
    assert project.build("--resume")[0] == 0
    assert project.lines("begin") == ["a", "b", "b", "c"]


@linux
def test_a_second_interrupt_kills_at_once(project: Project) -> None:
    project.plan(("a", "trap '' TERM; echo begun > begun; sleep 60; sleep 60", ()))
    engine = project.start("--grace", "60s")
    until((project.folder / "begun").exists)
    began = time.monotonic()
    engine.send_signal(signal.SIGINT)
    time.sleep(0.2)
    assert engine.poll() is None
    engine.send_signal(signal.SIGINT)
    engine.communicate(timeout=20)
    assert engine.returncode == 130
    assert time.monotonic() - began < 20
    assert not project.alive()
    assert project.state().tasks["a"].signal == "SIGKILL"


@linux
def test_a_build_under_nohup_does_not_notice_the_hangup(project: Project) -> None:
    project.plan(("a", "sleep 0.5", ()))
    ignoring = (
        "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    )
    engine = subprocess.Popen(
        [sys.executable, "-c", ignoring, *SPECULAR, "build", "--quiet"],
        cwd=project.folder,
        stdout=subprocess.DEVNULL,
    )
    try:
        until(lambda: project.lines("begin"))
        engine.send_signal(signal.SIGHUP)
        assert engine.wait(20) == 0
    finally:
        engine.kill()
        engine.wait()


@linux
def test_usr1_rewrites_the_json_files(project: Project) -> None:
    project.plan(("a", "true", ()), ("b", "sleep 60", ("a",)))
    engine = project.start()
    until(lambda: "b" in project.lines("begin"))

    def told() -> object:
        return json.loads(next(project.root.glob("*/metadata.json")).read_bytes())["completed_tasks"]

    assert told() == 0
    engine.send_signal(signal.SIGUSR1)
    until(lambda: told() == 1)
    engine.send_signal(signal.SIGINT)
    engine.communicate(timeout=20)


@linux
def test_a_terminal_stop_freezes_the_tasks_and_a_continue_thaws_them(project: Project) -> None:
    project.plan(("a", "i=0; while [ $i -lt 40 ]; do echo $i >> count; i=$((i+1)); sleep 0.02; done", ()))
    engine = project.start()
    count = project.folder / "count"
    until(lambda: count.exists() and count.read_text().count("\n") > 3)
    engine.send_signal(signal.SIGTSTP)
    stat = Path(f"/proc/{engine.pid}/stat")
    until(lambda: stat.read_text().rpartition(") ")[2][0] == "T")
    before = count.read_text()
    time.sleep(0.3)
    assert count.read_text() == before
    assert project.state().frozen_since is not None
    engine.send_signal(signal.SIGCONT)
    engine.communicate(timeout=20)
    assert engine.returncode == 0
    assert project.state().frozen_ms >= 300


@linux
def test_of_two_resumes_at_once_one_works_and_the_other_is_told(project: Project) -> None:
    project.plan(("a", "true", ()), ("b", "test -e go && sleep 1.5", ("a",)))
    assert project.build()[0] == 1
    (project.folder / "go").touch()
    both = [project.start("--resume") for _ in range(2)]
    told = [child.communicate(timeout=60)[1] for child in both]
    assert sorted(child.returncode for child in both) == [0, 5], told
    assert Counter(project.lines("begin")) == {"a": 1, "b": 2}


@linux
def test_tasks_of_a_killed_engine_whose_guard_was_killed_too_are_ended_by_the_next(project: Project) -> None:
    project.plan(("a", "test -e go || sleep 60", ()))
    engine = project.start()
    until(lambda: project.alive())
    children = Path(f"/proc/{engine.pid}/task/{engine.pid}/children").read_text().split()
    (guard,) = [int(pid) for pid in children if int(pid) not in project.alive()]
    os.kill(guard, signal.SIGKILL)
    engine.kill()
    engine.communicate(timeout=20)
    time.sleep(0.1)
    assert len(project.alive()) == 1
    (project.folder / "go").touch()
    code, told = project.build("--resume")
    assert code == 0
    assert "that the last session had left" in told
    assert not project.alive()
    assert project.lines("done") == ["a"]


@linux
@pytest.mark.parametrize("by", ["kill", "interrupts"])
def test_the_tasks_of_a_build_in_a_build_end_with_both(project: Project, by: str) -> None:
    """Its guard has the marks of the task that it belongs to, and is not to be killed before it has done its work."""
    daemon = "import os; os.setsid(); os.fork() and os._exit(0); os.execvp('sh', ['sh', '-c', SCRIPT])"
    script = 'echo "begin $0 $$" >> effects; exec sleep 60'
    away = daemon.replace("SCRIPT", repr(script.replace("$0", "daemon")))
    tasks = [
        {"id": "plain", "command": ["sh", "-c", script, "plain"]},
        {"id": "away", "command": ["sh", "-c", f"{shlex.join([sys.executable, '-c', away])}; exec sleep 60"]},
    ]
    (project.folder / "inner.json").write_text(json.dumps({"version": 1, "tasks": tasks}))
    inner = shlex.join([*SPECULAR, "build", "--plan", "inner.json", "--jobs", "2", "--run-id", "inner"])
    project.plan(("outer", f"SPECULAR_CHECKPOINT_DIR=inner {inner}", ()))
    engine = project.start("--grace", "60s")
    until(lambda: len(project.alive()) == 3)
    if by == "kill":
        engine.kill()
    else:
        for _ in range(2):
            engine.send_signal(signal.SIGINT)
            time.sleep(0.2)
    engine.communicate(timeout=20)
    until(lambda: not project.alive())


# Disks that refuse ---------------------------------------------------------------------------------------------------


def _can_mount() -> bool:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        return False
    probe = ["unshare", "-m", "sh", "-c", "mount -t tmpfs -o size=1m tmpfs /tmp"]
    return subprocess.run(probe, capture_output=True, check=False).returncode == 0


mounting = pytest.mark.skipif(not _can_mount(), reason="needs root, and a kernel that lets it mount")


def in_small_disk(project: Project, script: str, size: str = "1500k") -> str:
    """Run a shell script in which `disk` is a small file system that holds the checkpoints; return what it said."""
    (project.folder / "disk").mkdir()
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", f"mount -t tmpfs -o size={size} tmpfs disk && {script}"],
        cwd=project.folder,
        env={**os.environ, "SPECULAR_CHECKPOINT_DIR": "disk/checkpoints", "specular": " ".join(SPECULAR)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.stdout + done.stderr


@mounting
def test_a_full_disk_ends_the_build_and_what_was_acknowledged_is_kept(project: Project) -> None:
    chain = [(f"t{i}", "true", (f"t{i - 1}",) if i else ()) for i in range(60)]
    fill = "test -e filled || { touch filled; dd if=/dev/zero of=disk/filler bs=4k 2> /dev/null; true; }"
    chain[20] = ("t20", fill, ("t19",))
    project.plan(*chain)
    told = in_small_disk(
        project,
        "$specular build --checkpoint-every 1000; echo code=$?; cp -r disk/checkpoints .specular-full;"
        "rm disk/filler; $specular build --resume; echo code=$?; $specular checkpoint validate --last; echo code=$?;"
        "mkdir .specular; cp -r disk/checkpoints .specular",
    )
    assert "Error: failed to write checkpoint: no space left on device" in told
    assert [line for line in told.splitlines() if line.startswith("code=")] == ["code=1", "code=0", "code=0"], told
    (run,) = checkpoint.run_ids(project.folder / ".specular-full")
    full = checkpoint.load(project.folder / ".specular-full", run).state
    assert full.status == "paused"
    assert not full.interrupted  # its last words fitted
    acknowledged = [line.split()[2] for line in told.splitlines() if " DONE " in line]
    stopped = {i for i, task in full.tasks.items() if task.status is TaskStatus.COMPLETED}
    assert len(stopped) < 60
    assert stopped <= set(acknowledged)
    assert Counter(acknowledged).most_common(1)[0][1] == 1  # none of them was run a second time
    assert {i for i, t in project.state().tasks.items() if t.status is TaskStatus.COMPLETED} == {i for i, _, _ in chain}
    assert set(Counter(project.lines("done")).values()) <= {1, 2}


@mounting
def test_a_disk_without_room_for_a_run_refuses_it_and_nothing_is_run(project: Project) -> None:
    project.plan(("a", "true", ()))
    told = in_small_disk(
        project, "dd if=/dev/zero of=disk/filler 2> /dev/null; $specular build; echo code=$?; ls -A disk/*"
    )
    assert "Error: failed to write checkpoint: no space left on device" in told
    assert "code=1" in told
    assert ".new-" not in told
    assert project.lines("begin") == []


@mounting
def test_a_disk_that_may_not_be_written_is_told_of_and_nothing_is_run(project: Project) -> None:
    project.plan(("a", "true", ()), ("b", "test -e go", ("a",)))
    told = in_small_disk(
        project,
        "$specular build -q; touch go; mount -o remount,ro disk; $specular build --resume; echo code=$?;"
        "$specular build; echo code=$?; $specular build --resume --dry-run; echo code=$?",
    )
    assert told.count("failed to write checkpoint: read-only file system") == 2
    assert [line for line in told.splitlines() if line.startswith("code=")] == ["code=1", "code=1", "code=0"], told
    assert project.lines("begin") == ["a", "b"]


def test_a_checkpoint_folder_that_is_taken_away_ends_the_build(project: Project) -> None:
    project.plan(("a", "rm -rf .specular", ()), ("b", "sleep 0.1", ("a",)), ("c", "sleep 60", ("b",)))
    code, told = project.build("--checkpoint-every", "1")
    assert code == 1
    assert "Error: failed to write" in told
    assert "no such file or directory" in told
    assert "internal error" not in told
