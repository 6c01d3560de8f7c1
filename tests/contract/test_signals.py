"""Signals, and time that does not count."""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path

from tests.contract.conftest import Shell, interrupt, task

WAIT = "until [ -e go ]; do sleep 0.05; done"


def stands_still(pid: int) -> bool:
    # D: in the middle of a vfork, and waiting for a child that is stopped.
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] in "TD"


def until(shell: Shell, condition: str) -> None:
    shell.wait_for(condition, 20)


def completed(shell: Shell) -> list[str]:
    (run,) = shell.runs()
    found: list[str] = json.loads((shell.checkpoints / run / "state.json").read_bytes())["completed"]
    return found


def test_sigusr1_writes_a_checkpoint_now(shell: Shell) -> None:
    shell.plan(task("a"), task("b", f"touch begun; {WAIT}", "a"))
    build = shell.start("specular build --checkpoint-interval 1h --checkpoint-every 100")
    until(shell, "test -e begun")
    assert completed(shell) == []

    build.send_signal(signal.SIGUSR1)

    until(shell, "grep -q '\"completed\":.*\"a\"' <(tr -d '\\n ' < .specular/checkpoints/*/state.json)")
    assert build.poll() is None
    (shell.folder / "go").touch()
    assert build.wait(20) == 0


def test_a_second_signal_does_not_wait_for_the_grace_period(shell: Shell) -> None:
    shell.plan(task("deaf", "trap '' TERM; touch begun; while :; do sleep 0.1; done"))
    build = shell.start("specular build --grace 10m")
    until(shell, "test -e begun")

    build.send_signal(signal.SIGINT)
    time.sleep(0.5)
    assert build.poll() is None
    build.send_signal(signal.SIGINT)

    out, _ = build.communicate(timeout=20)
    assert build.returncode == 130
    assert "once more kills" in out
    assert "resume with: specular build --resume" in out
    (entry,) = shell("specular checkpoint list --format json").json()
    assert (entry["status"], entry["interrupted"]) == ("paused", False)
    assert shell("specular checkpoint show --last").json()["state"]["pending"] == ["deaf"]


def test_a_task_may_clean_up_within_the_grace_period(shell: Shell) -> None:
    shell.plan(task("tidy", f"trap 'echo tidied > tidied; exit 1' TERM; touch begun; {WAIT}"))
    build = shell.start("specular build")
    until(shell, "test -e begun")

    build.send_signal(signal.SIGTERM)

    assert build.wait(20) == 143
    assert (shell.folder / "tidied").read_text() == "tidied\n"
    assert shell("specular checkpoint show --last").json()["state"]["pending"] == ["tidy"]


def test_ctrl_z_freezes_the_tasks_and_that_time_counts_for_nothing(shell: Shell) -> None:
    shell.plan(task("a", f"echo $$ > pid; {WAIT}", timeout="3s"))
    build = shell.start("specular build")
    until(shell, "test -s pid")
    pid = int((shell.folder / "pid").read_text())

    build.send_signal(signal.SIGTSTP)
    until(shell, f"grep -q '^State:.T' /proc/{build.pid}/status && grep -q '^State:.T' /proc/{pid}/status")
    time.sleep(3)
    build.send_signal(signal.SIGCONT)
    until(shell, f"! grep -q '^State:.T' /proc/{pid}/status")
    (shell.folder / "go").touch()

    assert build.wait(20) == 0, build.communicate()[0]
    shown = shell("specular checkpoint show --last").json()
    assert shown["frozen_ms"] >= 2_900
    assert shown["progress"]["tasks"]["a"]["duration_ms"] < 3_000
    assert shown["elapsed_ms"] < 3_000 + shown["progress"]["tasks"]["a"]["duration_ms"]


def test_a_frozen_build_is_paused_and_stopping_it_ends_what_stands_still(shell: Shell) -> None:
    shell.plan(task("a", f"echo $$ > pid; (setsid sh -c 'echo $$ > daemon; {WAIT}' &); {WAIT}"))
    build = shell.start("specular build")
    until(shell, "test -s pid -a -s daemon")
    pids = [int((shell.folder / name).read_text()) for name in ("pid", "daemon")]

    assert shell("specular pause").code == 0
    assert all(stands_still(pid) for pid in pids)
    assert shell("specular checkpoint show --last").json()["status"] == "paused"
    assert shell("specular stop --wait").code == 0

    assert build.wait(20) == 143
    for pid in pids:
        until(shell, f"! test -e /proc/{pid} || grep -q '^State:.[ZX]' /proc/{pid}/status")


def test_a_build_that_is_paused_when_its_process_is_killed_can_be_resumed(shell: Shell) -> None:
    shell.plan(task("a"), task("b", f"echo $$ > pid; {WAIT}", "a"))
    build = shell.start("specular build")
    until(shell, "test -s pid")
    pid = int((shell.folder / "pid").read_text())
    assert shell("specular pause").code == 0
    assert stands_still(pid)

    os.kill(build.pid, signal.SIGKILL)
    build.wait()

    until(shell, f"! test -e /proc/{pid} || grep -q '^State:.[ZX]' /proc/{pid}/status")
    (entry,) = shell("specular checkpoint list --format json").json()
    assert (entry["status"], entry["interrupted"], entry["live"]) == ("paused", True, False)
    (shell.folder / "go").touch()
    done = shell("specular build --resume")
    assert done.code == 0, done.err
    assert "START a" not in done.out


def test_an_export_that_is_ended_leaves_nothing_half_written(shell: Shell) -> None:
    shell.plan(task("a", "head -c 60000000 /dev/urandom"))
    assert shell("specular build --run-id one").code == 0
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        export = shell.start("specular checkpoint export one --out one.tar.gz")
        shell.wait_for("ls .one.tar.gz.*.part")
        out = interrupt(export, number)
        assert export.returncode == 128 + number
        assert out in ("interrupted\n", f"ended by {number.name}\n")
        assert [path.name for path in shell.folder.iterdir() if "one.tar.gz" in path.name] == []
