"""The exit codes of the contract, one line each, and what is told beside them."""

from __future__ import annotations

import signal

import pytest

from tests.contract.conftest import Shell, interrupt, task

WAIT = "until [ -e go ]; do sleep 0.02; done"


def test_success_and_failure(shell: Shell) -> None:
    shell.plan(task("a"))
    assert shell("specular build").code == 0
    shell.plan(task("a", "false"))
    assert shell("specular build").code == 1
    shell.plan(task("a"))
    shell.policy("tests: {require_pass: true, cmd: 'echo no; exit 7'}\n")
    gate = shell("specular build")
    assert gate.code == 1
    assert "FAILED @tests" in gate.out
    assert "failed: 1 of 1 task completed, 1 gate failed, in " in gate.out
    assert shell("specular logs @tests").out == "no\n"
    shell.policy("tests: {require_pass: false, cmd: 'echo no; exit 7'}\n")
    told = shell("specular build")
    assert told.code == 0, "they are run, and need not pass"
    assert "@tests" in told.out
    assert shell("specular logs @tests").out == "no\n"


def test_usage(shell: Shell) -> None:
    for line in (
        "nonsense",
        "build --nonsense",
        "checkpoint",
        "checkpoint nonsense",
        "logs",
        "progress --short --stream",
    ):
        refused = shell(f"specular {line}")
        assert refused.code == 2, line
    assert "did you mean 'progress'" in shell("specular progres").err
    assert "did you mean 'checkpoint list'" in shell("specular list").err
    for line in ("", "dashboard"):
        refused = shell(f"specular {line}")
        assert refused.code == 2
        assert "terminal" in refused.err
    assert shell.on_terminal("specular dashboard", env={"TERM": "dumb"}).code == 2


def test_policy_violation(shell: Shell) -> None:
    shell.plan(task("a", "touch ran"))
    shell.policy("execution: {allow_local: false}\n")

    refused = shell("specular build")

    assert refused.code == 3
    assert "policy violation: task a" in refused.err
    assert not (shell.folder / "ran").exists()
    assert not shell.checkpoints.exists()
    assert shell("specular plan validate --policy .specular/policy.yaml").code == 3
    shell.policy("execution: {docker: {image_allowlist: ['golang:*']}}\n")
    shell.plan(task("a", "true", image="evil:1"))
    assert shell("specular build").code == 3


def test_a_run_that_another_process_holds(shell: Shell) -> None:
    shell.plan(task("a", WAIT))
    build = shell.start("specular build --run-id held")
    shell.wait_for("grep -q task_started .specular/checkpoints/held/journal.jsonl")

    second = shell("specular build --resume held")
    assert second.code == 5
    assert "held is being built by another process" in second.err
    assert shell("specular checkpoint delete held --force").code == 5
    pruned = shell("specular checkpoint prune --force")
    assert pruned.code == 0
    assert "held is live" in pruned.err
    assert shell("specular checkpoint clean --older-than 0s").out == "nothing to remove\n"
    assert shell("specular checkpoint abandon held").code == 5
    assert shell.runs() == ["held"]
    (shell.folder / "go").touch()
    assert build.wait(20) == 0


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["INT", "TERM", "HUP"]
)
def test_a_stopped_build(shell: Shell, number: signal.Signals, code: int) -> None:
    shell.plan(task("a", WAIT))
    build = shell.start("specular build --run-id stopped")
    shell.wait_for("grep -q task_started .specular/checkpoints/stopped/journal.jsonl")

    out = interrupt(build, number)

    assert build.returncode == code
    assert "resume with: specular build --resume stopped" in out
    shown = shell("specular checkpoint show stopped").json()
    assert (shown["status"], shown["interrupted"]) == ("paused", False)
    assert shown["state"]["pending"] == ["a"]


def test_an_interruption_before_anything_has_started(shell: Shell) -> None:
    shell.plan(task("a"))
    line = "mkfifo plan.fifo; (sleep 0.6; kill -INT 0) & specular build --plan plan.fifo"

    assert shell(f"set -m; trap '' INT; ({line}); true").code == 0
    assert not shell.checkpoints.exists()
