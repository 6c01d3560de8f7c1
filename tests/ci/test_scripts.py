"""The scripts of docs/ci/examples, and the shell lines of its pipelines, run as they stand there."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.ci.runner import BIN, ROOT
from tests.recorded import Recorded

EXAMPLES = ROOT / "docs" / "ci" / "examples"


class Project:
    """A folder with a plan, and a shell in it that has `specular`, and `tools` before all else."""

    def __init__(self, folder: Path, *, tries: int = 1) -> None:
        self.folder = folder
        self.tools = folder.with_name(f"{folder.name}-tools")
        for new in (folder, self.tools):
            new.mkdir()
        flaky = f"echo flaky >> ran; test $(grep -c flaky ran) -ge {tries}"
        tasks = [{"id": "one", "command": "echo one >> ran"}, {"id": "two", "command": flaky, "depends_on": ["one"]}]
        folder.joinpath("plan.json").write_text(json.dumps({"version": 1, "tasks": tasks}))
        self.env = {"PATH": f"{self.tools}:{BIN}:/usr/bin:/bin", "HOME": str(folder), "LANG": "C.UTF-8"}

    def stub(self, name: str, script: str) -> None:
        self.tools.joinpath(name).write_text(f"#!/bin/sh\n{script}\n")
        self.tools.joinpath(name).chmod(0o755)

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=self.folder, env=self.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
        )

    def ran(self) -> list[str]:
        return self.folder.joinpath("ran").read_text().split()

    def runs(self) -> list[dict[str, Any]]:
        listed: list[dict[str, Any]] = json.loads(self.run("specular", "checkpoint", "list", "--format=json").stdout)
        return listed


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path / "project")


def test_a_build_is_tried_again_until_it_succeeds(tmp_path: Path) -> None:
    project = Project(tmp_path / "project", tries=3)
    project.stub("sleep", 'echo "$1" >> slept')

    done = project.run(EXAMPLES / "build-with-resume.sh")

    assert done.returncode == 0, done.stdout
    assert re.findall(r"Build attempt (\d)", done.stdout) == ["1", "2", "3"]
    assert project.ran() == ["one", "flaky", "flaky", "flaky"]
    assert project.folder.joinpath("slept").read_text() == "5\n5\n"
    assert "completed: 2 of 2 tasks" in project.folder.joinpath("build.log").read_text()


def test_a_build_is_not_tried_for_ever(tmp_path: Path) -> None:
    project = Project(tmp_path / "project", tries=9)
    project.stub("sleep", ":")

    done = project.run(EXAMPLES / "build-with-resume.sh")

    assert done.returncode == 1
    assert done.stdout.endswith("Build failed after 3 attempts\n")
    assert project.ran().count("flaky") == 3


@pytest.mark.skipif(not (shutil.which("watch") and shutil.which("jq")), reason="watch or jq is not installed")
def test_the_monitor_shows_a_live_build(project: Project) -> None:
    waiting = {"id": "waits", "command": "until test -e go; do sleep 0.05; done", "depends_on": ["one"]}
    plan = json.loads(project.folder.joinpath("plan.json").read_text())
    plan["tasks"][1] = waiting
    project.folder.joinpath("plan.json").write_text(json.dumps(plan))
    assert project.run("specular", "build", "--detach").returncode == 0

    seen = on_terminal(project, EXAMPLES / "monitor.sh", until="progress")
    project.folder.joinpath("go").touch()

    assert json.loads(seen[seen.index("{") : seen.rindex("}") + 1]) == {
        "status": "in_progress",
        "completed": 1,
        "total": 2,
        "progress": 50,
    }
    deadline = time.monotonic() + 30
    while project.runs()[0]["status"] != "completed":
        assert time.monotonic() < deadline


def on_terminal(project: Project, script: Path, *, until: str) -> str:
    """Run a script on a terminal until its screen shows something and a bracket behind it; return the screen's text."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(project.folder)
        os.execvpe("timeout", ["timeout", "30", "bash", str(script)], project.env | {"TERM": "xterm"})
    seen = ""
    try:
        while not re.search(rf"{until}[^}}]*\}}", seen):
            assert select.select([terminal], [], [], 30)[0]
            seen += re.sub(r"\x1b(\[[0-9;?]*[@-~]|[ -/]?[0-~])", "", os.read(terminal, 65536).decode())
    finally:
        os.kill(pid, signal.SIGTERM)
        os.close(terminal)
        os.waitpid(pid, 0)
    return seen


def old(project: Project) -> str:
    """Store a run of long ago and return its id."""
    recorded = Recorded(project.folder / ".specular" / "checkpoints")
    recorded.begin()
    for task in recorded.tasks:
        recorded.run(task)
    recorded.finish("completed")
    return recorded.run_id


def test_cron_cleans_old_checkpoints(project: Project) -> None:
    assert project.run("specular", "build", "--run-id", "kept").returncode == 0
    gone = old(project)
    line = EXAMPLES.joinpath("crontab").read_text().splitlines()[-1]
    *times, command = line.split(" ", 5)
    assert times == ["0", "2", "*", "*", "*"]

    done = subprocess.run(
        ["/bin/sh", "-c", command.replace("/path/to/project", str(project.folder))],
        cwd="/",
        env={"HOME": "/", "LOGNAME": "ada", "SHELL": "/bin/sh", "PATH": f"{BIN}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    assert gone in done.stdout
    assert [run["run_id"] for run in project.runs()] == ["kept"]


def test_the_size_is_minded(project: Project) -> None:
    assert project.run("specular", "build", "--run-id", "kept").returncode == 0
    gone = old(project)

    small = project.run(EXAMPLES / "check-size.sh")
    assert (small.returncode, small.stdout, small.stderr) == (0, "", "")
    project.stub("du", 'test "$*" = "-sm .specular/checkpoints/" && printf "1001\\t.specular/checkpoints/\\n"')
    large = project.run(EXAMPLES / "check-size.sh")

    assert large.returncode == 0, large.stderr
    assert large.stdout.startswith("Warning: Checkpoint directory exceeds 1GB\n")
    assert gone in large.stdout
    assert [run["run_id"] for run in project.runs()] == ["kept"]


def test_incremental_ci_goes_on_in_the_next_attempt(tmp_path: Path) -> None:
    job = yaml.safe_load((EXAMPLES / "github-incremental.yml").read_text())["jobs"]["build"]
    (script,) = (step["run"] for step in job["steps"] if step.get("name") == "Build")
    first, second = Project(tmp_path / "first", tries=2), Project(tmp_path / "second")

    failed = first.run("bash", "-e", "-c", script)
    assert failed.returncode == 1
    shutil.move(first.folder / ".specular", second.folder / ".specular")
    shutil.rmtree(first.folder)
    resumed = second.run("bash", "-e", "-c", script)

    assert resumed.returncode == 0, resumed.stderr
    assert second.ran() == ["flaky"]


def test_gitlab_retries_in_a_later_stage(tmp_path: Path) -> None:
    pipeline = yaml.safe_load((EXAMPLES / "gitlab-retry.yml").read_text())
    build, retry = pipeline["build"], pipeline["retry_build"]
    assert pipeline["stages"].index(build["stage"]) < pipeline["stages"].index(retry["stage"])
    assert (retry["dependencies"], retry["when"]) == (["build"], "on_failure")
    first, second = Project(tmp_path / "first", tries=2), Project(tmp_path / "second")

    assert gitlab(first, build).returncode == 1
    for path in build["artifacts"]["paths"]:
        shutil.copytree(first.folder / path, second.folder / path)
    done = gitlab(second, retry)

    assert done.returncode == 0, done.stderr
    assert second.ran() == ["flaky"]  # in its own checkout, though the first is still there
    assert first.ran() == ["one", "flaky"]


def test_gitlab_starts_one_job_again(tmp_path: Path) -> None:
    job = yaml.safe_load((EXAMPLES / "gitlab-one-job.yml").read_text())["build"]
    project = Project(tmp_path / "project", tries=3)

    codes = [gitlab(project, job).returncode for _ in range(1 + job["retry"])]

    assert codes == [1, 1, 0]
    assert project.ran() == ["one", "flaky", "flaky", "flaky"]


def gitlab(project: Project, job: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    """Run the script of a job as GitLab's runner does: its lines in one shell, which ends at the first that fails."""
    return project.run("bash", "-c", "\n".join(["set -eo pipefail", *job["script"]]))
