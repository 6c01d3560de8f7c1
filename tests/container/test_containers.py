"""Tasks in real containers: what they may do, how they end, and that none is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.container.dockerd import IMAGE

pytestmark = [pytest.mark.xdist_group("container"), pytest.mark.timeout(180)]

Environment = dict[str, str]
SPECULAR = [sys.executable, "-m", "specular_tui"]
POLICY = """\
execution:
  docker:
    {image_allowlist: ["tool:*", "entry:1", "bare:1"], cpu_limit: "1", mem_limit: "64m", network: none, pids_limit: 32,
     reuse: REUSE}
"""
each_way = pytest.mark.parametrize("reuse", ["task", "run"])


def write(folder: Path, *tasks: dict[str, Any], reuse: str = "task") -> None:
    (folder / ".specular").mkdir(exist_ok=True)
    (folder / ".specular" / "policy.yaml").write_text(POLICY.replace("REUSE", reuse))
    (folder / "plan.json").write_text(json.dumps({"version": 1, "tasks": list(tasks)}))


def specular(folder: Path, environment: Environment, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*SPECULAR, *args], cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def start(folder: Path, environment: Environment, *args: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [*SPECULAR, *args], cwd=folder, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def run_folder(folder: Path) -> Path:
    (run,) = (folder / ".specular" / "checkpoints").glob("build-*")
    return run


def log(folder: Path, task: str) -> str:
    return (run_folder(folder) / "outputs" / f"{task}.log").read_text()


def progress(folder: Path) -> dict[str, Any]:
    tasks: dict[str, Any] = json.loads((run_folder(folder) / "progress.json").read_text())["tasks"]
    return tasks


def containers(environment: Environment, *args: str) -> list[str]:
    asked = subprocess.run(
        ["docker", "ps", "-aq", *args], env=environment, capture_output=True, text=True, timeout=60, check=True
    )
    return asked.stdout.split()


def wait_for(condition: Callable[[], object], what: str, seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"it did not happen within {seconds} s: {what}"
        time.sleep(0.05)


@each_way
def test_a_task_gets_what_the_policy_allows_and_no_more(tmp_path: Path, engine: Environment, reuse: str) -> None:
    write(
        tmp_path,
        {
            "id": "look",
            "image": IMAGE,
            "env": {"COLOUR": "blue"},
            "command": "pwd; id -u; echo $COLOUR; cat /proc/self/status | grep -E 'CapEff|NoNewPrivs';"
            " ls /sys/class/net; touch /root-file || echo read-only; echo x > /tmp/x && echo tmp; echo made > made.txt",
            "outputs": ["made.txt"],
        },
        {"id": "below", "image": IMAGE, "workdir": "sub", "command": ["pwd"]},
        reuse=reuse,
    )
    (tmp_path / "sub").mkdir()
    done = specular(tmp_path, engine, "build")
    assert done.returncode == 0, done.stdout + done.stderr
    seen = log(tmp_path, "look")
    for line in ("/workspace", str(os.getuid()), "blue", "read-only", "tmp", "CapEff:\t0000000000000000"):
        assert line in seen
    assert "NoNewPrivs:\t1" in seen
    assert "eth0" not in seen
    assert (tmp_path / "made.txt").read_text() == "made\n"
    assert log(tmp_path, "below") == "/workspace/sub\n"
    state = json.loads((run_folder(tmp_path) / "state.json").read_text())
    assert state["context"]["docker_images_pulled"] == [IMAGE]
    assert containers(engine) == []


@each_way
def test_every_way_to_fail_is_told_as_what_it_is(tmp_path: Path, engine: Environment, reuse: str) -> None:
    write(
        tmp_path,
        {"id": "oom", "image": IMAGE, "command": "x=$(yes | head -c 300000000); echo ${#x}"},
        {"id": "code", "image": IMAGE, "command": "exit 7"},
        {"id": "program", "image": IMAGE, "command": ["gcc", "x.c"]},
        {"id": "child", "image": IMAGE, "command": "(exec sh -c 'x=$(yes | head -c 300000000)'); true"},
        {"id": "killed", "image": IMAGE, "command": "kill -9 $$"},
        {"id": "slow", "image": IMAGE, "command": ["sleep", "100"], "timeout": "1s"},
        {"id": "nowhere", "image": IMAGE, "workdir": "nowhere", "command": "pwd"},
        {"id": "image", "image": "tool:nowhere", "command": "true"},
        reuse=reuse,
    )
    done = specular(tmp_path, engine, "build", "--keep-going", "--grace", "1s")
    assert done.returncode == 1
    found = progress(tmp_path)
    assert found["oom"]["reason"] == "container killed (OOMKilled): out of memory, mem_limit 64m"
    assert found["child"]["reason"] == "container killed (OOMKilled): out of memory, mem_limit 64m"
    assert found["code"]["exit_code"] == 7
    assert found["killed"]["exit_code"] == 137
    assert found["nowhere"]["reason"].startswith("cannot enter the working directory")
    assert not (tmp_path / "nowhere").exists()
    assert found["program"]["exit_code"] == 127
    assert "program not found" in found["program"]["reason"]
    assert found["slow"]["reason"] == "timed out after 1.0s"
    assert (found["slow"]["exit_code"], found["slow"]["signal"]) == (None, "SIGTERM")
    assert "cannot pull the image 'tool:nowhere'" in found["image"]["reason"]
    assert containers(engine) == []


def test_an_image_that_is_not_allowed_starts_nothing(tmp_path: Path, engine: Environment) -> None:
    write(
        tmp_path,
        {"id": "fine", "command": "touch started"},
        {"id": "foreign", "image": "other:1", "command": "true"},
    )
    done = specular(tmp_path, engine, "build")
    assert done.returncode == 3
    assert "task foreign" in done.stderr
    assert "image_allowlist" in done.stderr
    assert not (tmp_path / "started").exists()
    assert not (tmp_path / ".specular" / "checkpoints").exists()


def test_without_an_engine_nothing_starts(tmp_path: Path, engine: Environment) -> None:
    write(tmp_path, {"id": "first", "command": "touch started"}, {"id": "second", "image": IMAGE, "command": "true"})
    policy = tmp_path / ".specular" / "policy.yaml"
    policy.write_text(policy.read_text().replace("reuse: task", "engine: docker"))
    done = specular(tmp_path, {**engine, "DOCKER_HOST": f"unix://{tmp_path}/nothing.sock"}, "build")
    assert done.returncode == 1
    assert "no container engine answers" in done.stderr
    assert not (tmp_path / "started").exists()


@each_way
def test_a_secret_is_not_on_a_command_line(tmp_path: Path, engine: Environment, reuse: str) -> None:
    write(
        tmp_path,
        {"id": "hide", "image": IMAGE, "command": "sleep 3", "env": {"API_TOKEN": "s3cr3t-value"}},
        reuse=reuse,
    )
    build = start(tmp_path, engine, "build")
    try:
        wait_for(lambda: containers(engine, "--filter", "status=running"), "the container runs")
        found = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        assert "--env API_TOKEN" in found
        assert "s3cr3t-value" not in found
    finally:
        assert build.wait(60) == 0


@each_way
def test_a_paused_container_stands_still_and_goes_on(tmp_path: Path, engine: Environment, reuse: str) -> None:
    count = "i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo $i >> ticks; sleep 0.1; done"
    write(tmp_path, {"id": "tick", "image": IMAGE, "command": count}, reuse=reuse)
    build = start(tmp_path, engine, "build")
    ticks = tmp_path / "ticks"
    try:
        wait_for(ticks.exists, "the task ticks")
        assert specular(tmp_path, engine, "pause").returncode == 0
        wait_for(lambda: containers(engine, "--filter", "status=paused"), "the container is paused")
        before = ticks.stat().st_size
        time.sleep(1)
        assert ticks.stat().st_size == before
        assert specular(tmp_path, engine, "unpause").returncode == 0
        wait_for(lambda: ticks.stat().st_size > before, "the task ticks on")
    finally:
        assert build.wait(60) == 0
    assert ticks.read_text().split() == [str(n) for n in range(1, 41)]
    assert containers(engine) == []


@each_way
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_whatever_ends_the_build_leaves_no_container(
    tmp_path: Path, engine: Environment, number: signal.Signals, code: int, reuse: str
) -> None:
    write(tmp_path, {"id": "long", "image": IMAGE, "command": "touch begun; sleep 2; echo once >> done"}, reuse=reuse)
    build = start(tmp_path, engine, "build", "--grace", "1s")
    wait_for((tmp_path / "begun").exists, "the task has begun")
    build.send_signal(number)
    assert build.wait(60) == code
    wait_for(lambda: not containers(engine), "its container is gone")
    done = specular(tmp_path, engine, "build", "--resume")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "done").read_text() == "once\n"
    assert containers(engine) == []


def test_a_kept_container_is_one_tasks_alone_and_clean_for_the_next(tmp_path: Path, engine: Environment) -> None:
    leave = (
        "echo x > /tmp/left; echo x > /tmp/.left; mkdir /tmp/..left; echo x > /dev/shm/left;"
        " (while :; do sleep 1; done) >/dev/null 2>&1 & cat /etc/hostname"
    )
    look = "cat /etc/hostname; ls -A /tmp /dev/shm; ps"
    write(
        tmp_path,
        {"id": "leave", "image": IMAGE, "command": leave},
        {"id": "look", "image": IMAGE, "command": look, "depends_on": ["leave"]},
        {"id": "mark", "image": IMAGE, "command": "echo x > /dev/left && cat /etc/hostname", "depends_on": ["look"]},
        {"id": "again", "image": IMAGE, "command": "cat /etc/hostname; ls /dev", "depends_on": ["mark"]},
        {"id": "beside", "image": IMAGE, "command": "cat /etc/hostname; sleep 1", "depends_on": ["again"]},
        {"id": "besides", "image": IMAGE, "command": "cat /etc/hostname; sleep 1", "depends_on": ["again"]},
        reuse="run",
    )
    done = specular(tmp_path, engine, "build", "--jobs", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    host = {task: log(tmp_path, task).split()[0] for task in ("leave", "look", "mark", "again", "beside", "besides")}
    assert host["leave"] == host["look"] == host["mark"]
    assert "left" not in log(tmp_path, "look")
    assert "sleep" not in log(tmp_path, "look")
    # What cannot be cleared up stays with its container.
    assert host["again"] != host["mark"]
    assert "left" not in log(tmp_path, "again")
    # Two at once are not in one container: each has its limits, its pause and its end to itself.
    assert host["beside"] != host["besides"]
    assert containers(engine) == []


@each_way
def test_a_command_is_run_as_it_is_whatever_the_image_starts_with(
    tmp_path: Path, engine: Environment, reuse: str
) -> None:
    write(
        tmp_path,
        {"id": "entry", "image": "entry:1", "command": "echo as it is"},
        {"id": "bare", "image": "bare:1", "command": ["/busybox", "echo", "no shell"]},
        {"id": "bare-again", "image": "bare:1", "command": ["/busybox", "pwd"], "depends_on": ["bare"]},
        reuse=reuse,
    )
    done = specular(tmp_path, engine, "build", "--jobs", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert log(tmp_path, "entry") == "as it is\n"
    assert log(tmp_path, "bare") == "no shell\n"
    assert log(tmp_path, "bare-again") == "/workspace\n"
    assert containers(engine) == []


def test_a_task_that_ends_its_container_fails_and_the_next_one_gets_another(
    tmp_path: Path, engine: Environment
) -> None:
    write(
        tmp_path,
        {"id": "all", "image": IMAGE, "command": "kill -9 -1; sleep 5", "allow_failure": True},
        {"id": "next", "image": IMAGE, "command": "echo fine", "depends_on": ["all"]},
        {
            "id": "deaf",
            "image": IMAGE,
            "command": "trap '' TERM; while :; do sleep 1; done",
            "timeout": "1s",
            "allow_failure": True,
            "depends_on": ["next"],
        },
        {"id": "last", "image": IMAGE, "command": "echo fine", "depends_on": ["deaf"]},
        reuse="run",
    )
    done = specular(tmp_path, engine, "build", "--grace", "1s")
    assert done.returncode == 0, done.stdout + done.stderr
    found = progress(tmp_path)
    assert (found["all"]["signal"], found["all"]["reason"]) == (
        "SIGKILL",
        "its container has ended, and all that ran in it",
    )
    assert (found["deaf"]["signal"], found["deaf"]["reason"]) == ("SIGKILL", "timed out after 1.0s")
    assert log(tmp_path, "next") == log(tmp_path, "last") == "fine\n"
    assert containers(engine) == []


def test_a_killed_engine_leaves_no_kept_container_that_waits(tmp_path: Path, engine: Environment) -> None:
    write(
        tmp_path,
        {"id": "first", "image": IMAGE, "command": "true"},
        {"id": "local", "command": "touch begun; sleep 60", "depends_on": ["first"]},
        reuse="run",
    )
    build = start(tmp_path, engine, "build")
    wait_for((tmp_path / "begun").exists, "the second task has begun")
    assert containers(engine)
    build.kill()
    build.wait()
    wait_for(lambda: not containers(engine), "the container is gone")


def test_memory_runs_out_and_a_new_policy_gives_more(tmp_path: Path, engine: Environment) -> None:
    """The specification's second scenario."""
    write(tmp_path, {"id": "eat", "image": IMAGE, "command": "x=$(yes | head -c 50000000); echo ${#x}"})
    policy = tmp_path / ".specular" / "policy.yaml"
    policy.write_text(policy.read_text().replace('"64m"', '"32m"'))
    failed = specular(tmp_path, engine, "build", "--plan", "plan.json")
    assert failed.returncode == 1
    assert "FAILED eat: container killed (OOMKilled): out of memory, mem_limit 32m" in failed.stdout
    shown = json.loads(specular(tmp_path, engine, "checkpoint", "show", "--last").stdout)
    assert shown["progress"]["tasks"]["eat"]["reason"] == "container killed (OOMKilled): out of memory, mem_limit 32m"
    policy.write_text(policy.read_text().replace('"32m"', '"1g"'))
    done = specular(tmp_path, engine, "build", "--resume", "--policy", ".specular/policy.yaml")
    assert done.returncode == 0, done.stdout + done.stderr
    assert log(tmp_path, "eat") == "49999999\n"
