"""Others at the same run: a second build, readers, what a dead build has left, and a clock that nobody can rely on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from specular_tui.engine import processes
from specular_tui.model.event import TaskStarted
from specular_tui.store import journal
from specular_tui.store.checks.check import check
from tests.crash.small import RUN, Small, lines, plan_bytes, read_journal
from tests.crash.zygote import Zygote, borrowed

SPECULAR = (sys.executable, "-m", "specular_tui")
LONG = plan_bytes(
    [
        {
            "id": f"t{n}",
            "command": f"echo building {n}; sleep 0.05; echo t{n} >> ran.log",
            "depends_on": [f"t{n - 2}"] * (n > 1),
        }
        for n in range(60)
    ]
)
TASKS = {f"t{n}" for n in range(60)}
BUILD = ("build", "--run-id", RUN, "--jobs", "2", "--checkpoint-every", "1")


@pytest.fixture
def zygote() -> Iterator[Zygote]:
    with borrowed() as found:
        yield found


@pytest.fixture
def small(tmp_path: Path) -> Small:
    found = Small(tmp_path)
    found.clear(policy=False)
    (found.folder / "plan.json").write_bytes(LONG)
    return found


def start(small: Small, *args: str) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [*SPECULAR, *args],
        cwd=small.folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 30
    while "t3" not in small.said().completed:
        assert child.poll() is None, child.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return child


def look(path: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    return found


def test_readers_see_whole_files_that_only_go_forward(small: Small, zygote: Zygote) -> None:
    build = start(small, *BUILD)
    reads, commands, seen, seqs = 0, 0, 0, dict.fromkeys(("state", "progress", "metadata"), 0)
    while build.poll() is None:
        # In this order: what is written last is read first, so that no file may be older than one read before it.
        floor = 0
        for name in ("metadata", "progress", "state"):
            found = look(small.run / f"{name}.json")
            assert found is not None
            assert found["journal_seq"] >= max(seqs[name], floor)
            seqs[name] = floor = found["journal_seq"]
            reads += 1
        said = read_journal((small.run / "journal.jsonl").read_bytes())
        assert said.records >= max(seqs.values())
        assert len(said.completed) >= seen
        seen = len(said.completed)
        if reads % 30 == 0:
            commands += 1
            for args in (("checkpoint", "list", "--format", "json"), ("checkpoint", "show", RUN), ("progress", RUN)):
                done = zygote.run(small.folder, *args)
                assert done.code == 0, done
                assert not done.err, done
                if args[0] == "checkpoint":
                    json.loads(done.out)
            assert check(small.root, RUN).ok
    assert build.wait() == 0, build.communicate()
    build.communicate()
    assert reads >= 30
    assert commands >= 1
    assert small.said().completed == TASKS


def test_two_builds_on_one_run(small: Small, zygote: Zygote) -> None:
    # The build waits until everybody else has tried.
    waiting = LONG.replace(b"echo building 9;", b"while ! test -e go; do sleep 0.02; done;")
    (small.folder / "plan.json").write_bytes(waiting)
    build = start(small, *BUILD)
    before = (small.run / "plan.json").read_bytes()
    second = zygote.run(small.folder, "build", "--resume", RUN)
    assert second.code == 5, second
    assert f"{RUN} is being built by another process" in second.err
    named = zygote.run(small.folder, "build", "--run-id", RUN)
    assert named.code == 1, named
    assert "already there" in named.err
    for args in (("delete", RUN, "--force"), ("abandon", RUN)):
        refused = zygote.run(small.folder, "checkpoint", *args)
        assert refused.code == 5, refused
    (small.folder / "go").touch()
    assert build.wait() == 0, build.communicate()
    build.communicate()
    assert (small.run / "plan.json").read_bytes() == before
    assert small.ran() == dict.fromkeys(TASKS, 1)
    assert check(small.root, RUN).ok


def test_many_builds_that_start_in_the_same_second(small: Small) -> None:
    small.write_plan([{"id": "a", "command": "true"}])
    children = [
        subprocess.Popen([*SPECULAR, "build", "--quiet"], cwd=small.folder, stdout=subprocess.DEVNULL) for _ in range(4)
    ]
    assert [child.wait() for child in children] == [0, 0, 0, 0]
    runs = [path.name for path in small.root.iterdir()]
    assert len(runs) == 4
    assert all(check(small.root, run).ok for run in runs)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="start times of processes are in /proc")
def test_what_a_dead_build_left_neither_blocks_nor_misleads(small: Small, zygote: Zygote) -> None:
    """Its lock file is still there; its pids are those of innocent processes by now."""
    (small.folder / ".specular" / "policy.yaml").write_text("checkpoints: {validate_on_resume: false}\n")
    build = start(small, *BUILD)
    build.send_signal(signal.SIGKILL)
    build.wait()
    build.communicate()
    time.sleep(0.02)  # its start is told in hundredths of a second, and must not be that of the last task
    bystander = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        _claim_pid(small, bystander.pid)
        completed = small.said().completed
        assert (small.run / "lock").exists()
        # A task that was just being started has the lock open until it has become its program.
        deadline = time.monotonic() + 10
        while check(small.root, RUN).live:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        again = zygote.run(small.folder, "build", "--resume")
        assert again.code == 0, again
        assert not completed & lines(again, "START")
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()
    assert small.said().completed == TASKS


def _claim_pid(small: Small, pid: int) -> None:
    """Write the journal as if every process of the dead build had had this pid, in this boot."""
    before, after, written = "", "", b""
    for seq, line in enumerate((small.run / "journal.jsonl").read_bytes().splitlines(), 1):
        event, before = journal.decode(line, seq, before)
        if isinstance(event, TaskStarted):
            event = replace(event, pid=pid)
        record, after = journal.encode(seq, event, after)
        written += record
    (small.run / "journal.jsonl").write_bytes(written)


def test_a_group_of_a_recycled_pid_is_left_alone() -> None:
    bystander = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        started = processes.start_time(bystander.pid)
        assert started is not None
        assert processes.end_leftovers("nowhere", [(bystander.pid, started - 1), (bystander.pid, None)]) == 0
        assert bystander.poll() is None
        assert processes.end_leftovers("nowhere", [(bystander.pid, started)]) == 1
        assert bystander.wait(10) == -signal.SIGKILL
    finally:
        bystander.kill()
        bystander.wait()


@pytest.mark.parametrize("hook", ["clock_jumps", "clock_set_back"])
def test_the_journal_never_goes_back_in_time(small: Small, zygote: Zygote, hook: str) -> None:
    first = zygote.run(small.folder, *BUILD, hook="stop_after_five")
    assert first.code == 130, first
    completed = small.said().completed
    again = zygote.run(small.folder, "build", "--resume", hook=hook)
    assert again.code == 0, again
    said = small.said()
    assert said.times == sorted(said.times)
    assert said.completed == TASKS
    assert not completed & lines(again, "START")
    assert check(small.root, RUN).ok
    for args in (("list",), ("show", RUN)):
        assert zygote.run(small.folder, "checkpoint", *args, hook=hook).calm


def test_after_a_reboot_the_content_of_outputs_is_proved_again(small: Small, zygote: Zygote) -> None:
    """A power cut may come after a build has ended well, and before the system has written what its tasks made."""
    tasks = json.loads(LONG)["tasks"][:8]
    tasks[0] |= {"command": "mkdir -p made; echo right > made/file; echo t0 >> ran.log", "outputs": ["made"]}
    small.write_plan(tasks)
    first = zygote.run(small.folder, *BUILD, hook="stop_after_five")
    assert first.code == 130, first
    assert "t0" in small.said().completed
    (small.folder / "made" / "file").write_text("wrong\n")
    again = zygote.run(small.folder, "build", "--resume", hook="another_boot")
    assert again.code == 0, again
    assert "t0" in lines(again, "START")
    assert (small.folder / "made" / "file").read_text() == "right\n"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the kernel who writes to a file")
def test_a_daemon_of_a_task_that_has_ended_writes_no_more_in_its_log(small: Small, zygote: Zygote) -> None:
    late = "touch up; n=0; while test $n -lt 12; do sleep 0.1; echo late; n=$((n+1)); done; rm there"
    daemon = f"setsid env -i sh -c '{late}' &"
    tasks: list[dict[str, Any]] = [
        {"id": "starts", "command": f"touch there; echo mine; {daemon} until test -e up; do sleep 0.02; done"},
        {"id": "goes-on", "command": "while test -e there; do sleep 0.05; done", "depends_on": ["starts"]},
    ]
    (small.folder / "plan.json").write_bytes(plan_bytes(tasks))
    done = zygote.run(small.folder, *BUILD)
    assert done.code == 0, done
    assert not (small.folder / "there").exists(), "the daemon has come to its end"
    assert (small.run / "outputs" / "starts.log").read_bytes() == b"mine\n"
    assert zygote.run(small.folder, "checkpoint", "validate", RUN).code == 0
