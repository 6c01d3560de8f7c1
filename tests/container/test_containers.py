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

from tests.container.conftest import IMAGE

pytestmark = [pytest.mark.xdist_group("container"), pytest.mark.timeout(180)]

Environment = dict[str, str]
SPECULAR = [sys.executable, "-m", "specular_tui"]
POLICY = """\
execution:
  docker: {image_allowlist: ["tool:*"], cpu_limit: "1", mem_limit: "64m", network: none, pids_limit: 32}
"""


def write(folder: Path, *tasks: dict[str, Any], policy: str = POLICY) -> None:
    (folder / ".specular").mkdir(exist_ok=True)
    (folder / ".specular" / "policy.yaml").write_text(policy)
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


def test_a_task_gets_what_the_policy_allows_and_no_more(tmp_path: Path, engine: Environment) -> None:
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


def test_every_way_to_fail_is_told_as_what_it_is(tmp_path: Path, engine: Environment) -> None:
    write(
        tmp_path,
        {"id": "oom", "image": IMAGE, "command": "x=$(yes | head -c 300000000); echo ${#x}"},
        {"id": "code", "image": IMAGE, "command": "exit 7"},
        {"id": "program", "image": IMAGE, "command": ["gcc", "x.c"]},
        {"id": "slow", "image": IMAGE, "command": "sleep 100", "timeout": "1s"},
        {"id": "image", "image": "tool:nowhere", "command": "true"},
    )
    done = specular(tmp_path, engine, "build", "--keep-going", "--grace", "1s")
    assert done.returncode == 1
    found = progress(tmp_path)
    assert found["oom"]["reason"] == "killed: out of memory (mem_limit 64m)"
    assert found["code"]["exit_code"] == 7
    assert found["program"]["exit_code"] == 127
    assert "program not found" in found["program"]["reason"]
    assert found["slow"]["reason"] == "timed out after 1.0s"
    assert found["slow"]["exit_code"] is None
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
    done = specular(tmp_path, {**engine, "DOCKER_HOST": f"unix://{tmp_path}/nothing.sock"}, "build")
    assert done.returncode == 1
    assert "no container engine answers" in done.stderr
    assert not (tmp_path / "started").exists()


def test_a_secret_is_not_on_a_command_line(tmp_path: Path, engine: Environment) -> None:
    write(tmp_path, {"id": "hide", "image": IMAGE, "command": "sleep 3", "env": {"API_TOKEN": "s3cr3t-value"}})
    build = start(tmp_path, engine, "build")
    try:
        wait_for(lambda: containers(engine, "--filter", "status=running"), "the container runs")
        found = subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True).stdout
        assert "--env API_TOKEN" in found
        assert "s3cr3t-value" not in found
    finally:
        assert build.wait(60) == 0


def test_a_paused_container_stands_still_and_goes_on(tmp_path: Path, engine: Environment) -> None:
    count = "i=0; while [ $i -lt 40 ]; do i=$((i+1)); echo $i >> ticks; sleep 0.1; done"
    write(tmp_path, {"id": "tick", "image": IMAGE, "command": count})
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


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_whatever_ends_the_build_leaves_no_container(
    tmp_path: Path, engine: Environment, number: signal.Signals, code: int
) -> None:
    write(tmp_path, {"id": "long", "image": IMAGE, "command": "touch begun; sleep 2; echo once >> done"})
    build = start(tmp_path, engine, "build", "--grace", "1s")
    wait_for((tmp_path / "begun").exists, "the task has begun")
    build.send_signal(number)
    assert build.wait(60) == code
    wait_for(lambda: not containers(engine), "its container is gone")
    done = specular(tmp_path, engine, "build", "--resume")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "done").read_text() == "once\n"
    assert containers(engine) == []
