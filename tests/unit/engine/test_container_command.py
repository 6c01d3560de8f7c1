"""The engine's command lines, without an engine."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from specular_tui.engine.container import keeper
from specular_tui.engine.container.command import CommandLine, kept_container, task_container
from specular_tui.engine.executor import StartError, Work
from specular_tui.model.policy import DockerPolicy

POLICY = DockerPolicy(cpu_limit="2", mem_limit="1g", network="none", pids_limit=10)


def line(folder: Path, *, engine: str = "docker", policy: DockerPolicy = POLICY) -> CommandLine:
    return CommandLine(engine=engine, policy=policy, folder=str(folder), marker="/runs/one")


def work(folder: Path, command: str | tuple[str, ...] = "make", workdir: str = "", **env: str) -> Work:
    return Work(task="t", attempt=1, command=command, env=env, workdir=str(folder / workdir), image="tool:1", log_fd=1)


def argv(made: Work) -> list[str]:
    assert not isinstance(made.command, str)
    return list(made.command)


def test_a_container_gets_what_the_policy_says(tmp_path: Path) -> None:
    found = argv(line(tmp_path).run("name", work(tmp_path)))

    assert found[:4] == ["docker", "run", "--name", "name"]
    for option, value in (("--cpus", "2"), ("--memory", "1g"), ("--memory-swap", "1g"), ("--network", "none")):
        assert found[found.index(option) + 1] == value
    assert found[found.index("--pids-limit") + 1] == "10"
    assert {"--cap-drop=ALL", "--security-opt=no-new-privileges", "--read-only", "--init", "--pull=never"} < set(found)
    assert found[found.index("--user") + 1] == f"{os.getuid()}:{os.getgid()}"
    assert f"type=bind,source={tmp_path},target=/workspace" in found
    assert found[-4:] == ["tool:1", "sh", "-c", "make"]
    assert "--entrypoint=" in found


def test_without_limits_there_are_none(tmp_path: Path) -> None:
    found = argv(line(tmp_path, policy=DockerPolicy()).run("name", work(tmp_path, ("a", "b c"))))

    assert not {"--cpus", "--memory", "--memory-swap", "--network", "--pids-limit"} & set(found)
    assert found[-3:] == ["tool:1", "a", "b c"]
    assert "--pids-limit" not in line(tmp_path, policy=DockerPolicy()).keep("name", "tool:1")


def test_the_shell_that_keeps_a_container_costs_the_task_no_process(tmp_path: Path) -> None:
    found = line(tmp_path).keep("name", "tool:1")

    assert found[found.index("--pids-limit") + 1] == "11"
    assert {"-i", "--rm", "--read-only", "--cap-drop=ALL"} < set(found)
    assert found[-2:] == ["--entrypoint=sh", "tool:1"]


@pytest.mark.parametrize("way", ["run", "enter"])
def test_values_go_through_the_clients_environment(tmp_path: Path, way: str) -> None:
    made = getattr(line(tmp_path), way)("name", work(tmp_path, API_TOKEN="s3cret", PATH="/opt", DOCKER_HOST="tcp://x"))
    found = argv(made)

    assert made.image is None
    assert "s3cret" not in " ".join(found)
    assert found[found.index("API_TOKEN") - 1] == "--env"
    assert made.env["API_TOKEN"] == "s3cret"
    # These the client itself would obey.
    assert {"PATH=/opt", "DOCKER_HOST=tcp://x", "HOME=/tmp"} < set(found)
    assert not {"PATH", "DOCKER_HOST", "HOME"} & set(made.env)


def test_the_working_directory_is_below_the_plans_folder_and_there(tmp_path: Path) -> None:
    (tmp_path / "plan" / "sub").mkdir(parents=True)
    (tmp_path / "beside").mkdir()
    inside = line(tmp_path / "plan")

    found = argv(inside.enter("name", work(tmp_path / "plan", workdir="sub")))
    assert found[:4] == ["docker", "exec", "--workdir", "/workspace/sub"]
    with pytest.raises(StartError, match="must be below the plan's folder"):
        inside.run("name", work(tmp_path / "plan", workdir="../beside"))
    with pytest.raises(StartError, match="no such directory"):
        inside.run("name", work(tmp_path / "plan", workdir="nowhere"))


def test_the_keeping_shell_ends_itself_outside_of_a_container() -> None:
    head = keeper._SCRIPT.partition("trap")[0]
    assert "kill" not in head
    with subprocess.Popen(["sh"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as shell:
        out, _ = shell.communicate(f"{head}\necho alive\n".encode())
    if shell.pid < 100:
        pytest.skip("this test runs in a young container itself")
    assert (shell.returncode, out) == (1, b"")


def test_names_are_readable_and_of_one_run() -> None:
    name = task_container("/runs/one", "build/lib:α", 2)
    assert name.startswith("specular-")
    assert name.endswith("-build-lib-2")
    assert task_container("/runs/two", "build/lib:α", 2) != name
    assert kept_container("/runs/one", 1) != kept_container("/runs/two", 1)
