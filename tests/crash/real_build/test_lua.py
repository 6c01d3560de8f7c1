"""Lua, built by `specular build`: at a stretch, and interrupted twice. The programs are the same, byte for byte."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.crash.real_build import generate_plan, sources
from tests.crash.session import SPECULAR, Session

TOOLS = ("gcc", "ar")

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def archive() -> Path:
    problem = ""
    if lacking := [tool for tool in TOOLS if not shutil.which(tool)]:
        problem = f"no {' and no '.join(lacking)} on this machine"
    else:
        try:
            return sources.fetch()
        except sources.SourcesUnavailableError as error:
            problem = f"the sources of Lua cannot be fetched: {error}"
    if os.environ.get("CI") == "true" and os.geteuid() == 0 and shutil.which("apt-get"):
        pytest.fail(problem)
    pytest.skip(problem)


def project(archive: Path, folder: Path) -> Path:
    sources.unpack(archive, folder)
    generate_plan.write_plan(folder)
    return folder


def products(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in generate_plan.PRODUCTS}


@pytest.fixture(scope="module")
def uninterrupted(archive: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = project(archive, tmp_path_factory.mktemp("whole"))
    session = Session(folder, "build", "--jobs", "2", "--plan", "plan.json")
    code = session.follow()

    assert code == 0, session.output
    assert len(session.done) == len(generate_plan.make_plan(folder)["tasks"])
    return products(folder)


def test_what_is_built_runs(uninterrupted: dict[str, bytes], tmp_path: Path) -> None:
    lua = tmp_path / "lua"
    lua.write_bytes(uninterrupted["lua"])
    lua.chmod(0o700)

    assert subprocess.check_output([lua, "-e", "print(6 * 7)"], text=True) == "42\n"


def test_interrupted_twice_and_resumed_it_is_the_same(
    archive: Path, uninterrupted: dict[str, bytes], tmp_path: Path
) -> None:
    folder = project(archive, tmp_path / "lua")

    first = Session(folder, "build", "--jobs", "2", "--plan", "plan.json")
    assert first.follow(until_done=8, then=signal.SIGINT) == 130, first.output
    second = Session(folder, "build", "--jobs", "2", "--resume")
    assert second.follow(until_done=8, then=signal.SIGKILL) == -signal.SIGKILL, second.output
    third = Session(folder, "build", "--jobs", "2", "--resume")
    assert third.follow() == 0, third.output

    assert products(folder) == uninterrupted
    # What was seen to be done, before the interruption or the kill, was not done again.
    assert len(first.done) >= 8
    assert not set(first.done) & {*second.started, *third.started}
    assert not set(second.done) & set(third.started)
    assert subprocess.check_output([folder / "lua", "-e", "print(6 * 7)"], text=True) == "42\n"


def test_the_checkpoint_of_the_finished_build_is_whole(archive: Path, tmp_path: Path) -> None:
    folder = project(archive, tmp_path / "lua")
    first = Session(folder, "build", "--jobs", "2", "--plan", "plan.json", "--run-id", "lua")
    assert first.follow(until_done=5, then=signal.SIGKILL) == -signal.SIGKILL, first.output
    assert Session(folder, "build", "--jobs", "2", "--resume", "lua").follow() == 0

    validated = subprocess.run([*SPECULAR, "checkpoint", "validate", "lua"], cwd=folder, capture_output=True, text=True)
    assert validated.returncode == 0, validated.stdout + validated.stderr
    metadata = json.loads((folder / ".specular/checkpoints/lua/metadata.json").read_bytes())
    assert metadata["status"] == "completed"
    assert metadata["completed_tasks"] == metadata["total_tasks"] == len(generate_plan.make_plan(folder)["tasks"])
