"""The commands around a build."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.contract.conftest import Shell, task


def test_init_writes_what_can_be_built_and_overwrites_nothing(shell: Shell) -> None:
    first = shell("specular init")
    assert first.code == 0
    assert first.out == "wrote plan.json\nwrote .specular/policy.yaml\n"
    assert "#" in (shell.folder / ".specular" / "policy.yaml").read_text()
    valid = shell("specular plan validate --policy .specular/policy.yaml")
    assert (valid.code, valid.err) == (0, "")
    assert shell("specular build --quiet").code == 0
    (shell.folder / "plan.json").write_text("mine")
    again = shell("specular init")
    assert again.code == 1
    assert (shell.folder / "plan.json").read_text() == "mine"
    shell("rm .specular/policy.yaml")
    assert shell("specular init").out == "wrote .specular/policy.yaml\n"
    assert shell("specular init new/folder && cd new/folder && specular plan validate").code == 0
    assert shell("specular init plan.json").code == 1


def test_plan_show_and_schema(shell: Shell) -> None:
    shell.plan(
        task("install", "npm ci", estimate=10),
        task("lint", "true", "install", estimate=1),
        task("test", ["npm", "test"], "install", estimate=5, priority="P0"),
        task("publish", "true", "lint", "test", estimate=2),
        name="webapp",
    )

    shown = shell("specular plan show --format json --jobs 2").json()

    assert shown["order"] == ["install", "test", "lint", "publish"]
    assert shown["levels"] == [["install"], ["test", "lint"], ["publish"]]
    assert shown["critical_path"] == ["install", "test", "publish"]
    assert (shown["critical_seconds"], shown["work_seconds"], shown["expected_seconds"]) == (17, 18, 17)
    table = shell("specular plan show plan.json").out
    assert "critical path (*): 17s, 3 tasks: install > test > publish" in table
    schema = shell("specular plan schema").json()
    assert schema["$schema"].startswith("https://json-schema.org/")
    valid = shell("specular plan validate --format json").json()
    assert (valid["valid"], valid["tasks"]) == (True, 4)
    invalid = shell("echo '{' > broken.json; specular plan validate broken.json --format json")
    assert invalid.code == 2
    assert invalid.json()["valid"] is False


def test_doctor(shell: Shell) -> None:
    found = shell("specular doctor --format json")

    assert found.code == 0
    names = [check["name"] for check in found.json()["checks"]]
    assert {"python", "terminal", "checkpoints", "fsync", "locks", "containers"} <= set(names)
    assert list(shell.folder.iterdir()) == []
    assert "locks" in shell("specular doctor").out
    shell.policy("execution: {jobs: none}\n")
    assert shell("specular doctor").code == 1


@pytest.mark.timeout(180)
def test_the_demo_is_interrupted_and_resumed_as_it_says(shell: Shell) -> None:
    demo = shell.start("specular demo --dir 'a demo' --jobs 2")
    shell.wait_for("[ $(grep -c task_ended 'a demo'/.specular/checkpoints/*/journal.jsonl) -ge 3 ]")
    demo.send_signal(2)
    out, _ = demo.communicate(timeout=30)
    assert demo.returncode == 130
    (command,) = [line.partition(": ")[2] for line in out.splitlines() if line.startswith("resume with: ")]
    assert command.startswith("cd 'a demo' && specular build --resume ")
    assert shell(f"{command} --dry-run").code == 0
    taken = shell("specular demo --dir 'a demo'")
    assert taken.code == 1
    assert "is there already" in taken.err
    plan = json.loads(Path(shell.folder, "a demo", "plan.json").read_text())
    assert len(plan["tasks"]) > 50
    assert shell("specular demo --dir /proc/x").code == 1


def test_the_app_is_refused_without_a_terminal(shell: Shell) -> None:
    shell.plan(task("a"))

    for line in ("", "dashboard", "dashboard --last", "build --tui"):
        refused = shell(f"specular {line}")
        assert refused.code == 2, line
        assert "terminal" in refused.err
    assert not shell.checkpoints.exists()
