"""Looking at a live build, and steering it, from another terminal."""

from __future__ import annotations

import json
import os
import re
import time

from tests.contract.conftest import Shell, task

WAIT = "echo started; until [ -e go ]; do sleep 0.02; done; echo over"
STARTED = "grep -q task_started .specular/checkpoints/*/journal.jsonl"


def test_pause_unpause_and_stop(shell: Shell) -> None:
    shell.plan(task("a", WAIT), task("b", "true", "a"))
    build = shell.start("specular build --run-id live")
    shell.wait_for(STARTED)

    assert shell("specular pause").out == "live: paused\n"
    shown = shell("specular progress --format json").json()
    assert (shown["status"], shown["live"], shown["counts"]["in_progress"]) == ("paused", True, 1)
    assert "paused" in shell("specular checkpoint list").out
    assert shell("specular unpause live").out == "live: going on\n"
    assert shell("specular pause --drain liv").code == 0
    assert shell("specular progress --format json").json()["draining"] is True
    assert shell("specular unpause --last").code == 0
    assert shell("specular progress --short").out.split()[1] == "in_progress"
    stopped = shell("specular stop --wait")
    assert stopped.out == "live: stopped\n"
    assert "specular build --resume live" in stopped.err
    assert build.wait(10) == 143
    none = shell("specular stop")
    assert (none.code, none.out) == (1, "")
    assert "no build is running here" in none.err
    dead = shell("specular pause live")
    assert dead.code == 1
    assert "--resume live" in dead.err


def test_several_live_builds_must_be_told_apart(shell: Shell) -> None:
    shell.plan(task("a", WAIT))
    builds = [shell.start(f"specular build --run-id {name}") for name in ("one", "two")]
    shell.wait_for("[ $(cat .specular/checkpoints/*/journal.jsonl | grep -c task_started) = 2 ]")

    asked = shell("specular pause")
    assert asked.code == 2
    assert "one" in asked.err
    assert "two" in asked.err
    assert shell("specular stop one --kill --wait").code == 0
    (shell.folder / "go").touch()
    assert [build.wait(20) for build in builds] == [143, 0]


def test_a_build_in_the_background(shell: Shell) -> None:
    shell.plan(task("a", WAIT))

    started = shell("specular build --detach")

    assert started.code == 0
    run_id = started.out.strip()
    assert shell.runs() == [run_id]
    assert shell("specular progress --short").out.split()[1:4] == ["in_progress", "0/1", "0%"]
    (shell.folder / "go").touch()
    shell.wait_for("specular checkpoint list --status completed --format json | grep -q run_id")
    refused = shell("specular build --detach --plan nothing.json")
    assert refused.code == 2
    assert refused.err.startswith("Error: plan not found: nothing.json\n→ ")
    nothing = shell("specular build --detach --resume")
    assert (nothing.code, nothing.out) == (0, "")
    assert "nothing to resume" in nothing.err


def test_logs_follow_a_task_from_before_it_starts_to_its_end(shell: Shell) -> None:
    shell.plan(task("first", WAIT), task("second", "echo s1; sleep 0.3; printf s2", "first"))
    build = shell.start("specular build --run-id live")
    shell.wait_for(STARTED)
    first = shell.start("specular logs first --follow")
    second = shell.start("specular logs second --follow --run live")
    assert first.stdout is not None
    assert first.stdout.readline() == "started\n"
    time.sleep(0.5)
    assert second.poll() is None

    (shell.folder / "go").touch()

    assert first.stdout.read() == "over\n"
    assert second.communicate(timeout=20)[0] == "s1\ns2\n"
    assert [child.wait(20) for child in (first, second, build)] == [0, 0, 0]
    assert shell("specular logs second --follow").out == "s1\ns2\n"


def test_following_ends_with_a_build_that_is_killed(shell: Shell) -> None:
    shell.plan(task("a", WAIT))
    build = shell.start("specular build --run-id live")
    shell.wait_for(STARTED)
    followers = [shell.start("specular logs a --follow"), shell.start("specular progress --stream")]
    for follower in followers:
        assert follower.stdout is not None
        assert follower.stdout.readline()

    build.kill()

    for follower in followers:
        assert follower.wait(15) == 0
    build.communicate()


def test_following_shows_every_attempt(shell: Shell) -> None:
    shell.plan(task("a", "echo try; until [ -e go ]; do sleep 0.02; done; exit 1", retries=2, retry_delay="100ms"))
    shell.start("specular build")
    shell.wait_for(STARTED)
    follower = shell.start("specular logs a --follow")
    assert follower.stdout is not None
    assert follower.stdout.readline() == "try\n"
    (shell.folder / "go").touch()

    assert follower.stdout.read() == "attempt 2:\ntry\nattempt 3:\ntry\n"
    assert follower.wait(20) == 0


def test_the_stream_of_events(shell: Shell) -> None:
    shell.plan(task("a", WAIT), task("b", "exit 1"))
    build = shell.start("specular build --run-id live --keep-going")
    shell.wait_for("grep -q task_ended .specular/checkpoints/*/journal.jsonl")
    stream = shell.start("specular progress --stream")
    assert stream.stdout is not None
    assert json.loads(stream.stdout.readline())["event"] == "run_created"
    (shell.folder / "go").touch()

    live = [json.loads(line) for line in stream.stdout]

    assert build.wait(20) == 1
    assert live[-1]["event"] == "session_ended"
    assert live[-1]["status"] == "failed"
    stored = [json.loads(line) for line in shell("specular progress --stream live").out.splitlines()]
    assert stored[1:] == live
    ended = {event["task"]: event["status"] for event in live if event["event"] == "task_ended"}
    assert ended == {"a": "completed", "b": "failed"}


def test_progress_in_its_forms(shell: Shell) -> None:
    shell.plan(task("a"), task("b", "exit 1", "a"), name="webapp")
    shell("specular build --run-id done")

    assert shell("specular progress --short").out.startswith("webapp failed 1/2 50% 1 failed ")
    plain = shell("specular progress").out
    assert "run: done\n" in plain
    assert "failed: b exit code 1\n" in plain
    assert shell("specular progress done --format plain").out == plain
    table = shell("specular progress --last --format table").out
    assert "1/2" in table
    facts = shell("specular progress --format json").json()
    assert facts["counts"] == {"pending": 0, "in_progress": 0, "completed": 1, "failed": 1, "skipped": 0}
    assert facts["failed"][0]["task"] == "b"


def test_what_can_never_run_is_told_apart_from_what_is_to_come(shell: Shell) -> None:
    shell.plan(
        task("a", "exit 1"),
        task("b", "true", "a"),
        task("c", "true", "b"),
        task("d", "sleep 0.3"),
        task("e", "true", "d"),
    )
    summary = shell("specular build --run-id broken --jobs 2")

    assert "3 pending (2 blocked)" in summary.out, "e would run with --keep-going"
    assert shell("specular progress --short").out.startswith(f"{shell.folder.name} failed 1/5 20% 1 failed 2 blocked ")
    facts = shell("specular progress --format json").json()
    assert (facts["counts"]["pending"], facts["blocked"]) == (3, 2)
    assert "pending: 3\n" in (plain := shell("specular progress").out)
    assert "blocked: 2\n" in plain
    assert "1 completed, 1 failed, 3 pending (2 blocked)\n" in shell("specular progress --format table").out
    ended = json.loads(shell("specular build --resume --keep-going --format json").out.splitlines()[-1])
    assert (ended["counts"]["pending"], ended["blocked"]) == (2, 2)
    assert "1 failed, 2 pending (blocked)\n" in shell("specular progress --format table").out
    (shell.checkpoints / "broken" / "plan.json").write_text("{}")
    assert shell("specular progress --format json").json()["blocked"] is None, "nobody knows what needs what"
    assert "blocked" not in shell("specular progress").out


def test_what_was_skipped_is_not_done(shell: Shell) -> None:
    shell.plan(task("a", "exit 1"), task("b", "true", "a"), task("c"), name="webapp")
    shell("specular build --keep-going")
    assert shell("specular build --resume --skip-failed").code == 0

    assert shell("specular progress --short").out.startswith("webapp completed 1/3 33% 2 skipped ")
    facts = shell("specular progress --format json").json()
    assert (facts["percent"], facts["blocked"]) == (33.3, 0)
    assert "  1/3  " in shell("specular progress --format table").out
    for line in ("build --resume", "build --resume " + shell.runs()[0]):
        told = shell(f"specular {line}").err
        assert "is completed; 2 tasks skipped: --from-task TASK runs one, and what depends on it\n" in told


def test_what_is_left_is_a_range_with_its_clock_time(shell: Shell) -> None:
    shell.plan(task("a", "echo > begun; sleep 60", estimate=90), task("b", "true", "a", estimate=300))
    shell.start("specular build --run-id live")
    shell.wait_for("test -e begun")
    assert re.search(r" ~[0-9]+(m|-[0-9]+m) left, until [0-9:]{5}-[0-9:]{5}$", shell("specular progress --short").out)
    facts = shell("specular progress --format json").json()
    assert 0 < facts["remaining_low_ms"] < facts["remaining_ms"] < facts["remaining_high_ms"]
    assert shell("specular pause").code == 0
    table = shell("specular progress --format table").out
    assert " left" in table
    assert "until" not in table, "nobody knows when it goes on"
    first = shell("specular progress --format json").json()["remaining_ms"]
    time.sleep(0.05)
    assert shell("specular progress --format json").json()["remaining_ms"] == first, "it stands still"
    assert shell("specular stop --kill --wait").code == 0
    assert shell("specular progress --format json").json()["remaining_ms"] is None


def test_where_nobody_knows_what_is_left_that_is_said(shell: Shell) -> None:
    shell.plan(task("a", "echo > begun; sleep 60"))
    shell.start("specular build --run-id live")
    shell.wait_for("test -e begun")
    assert "remaining: nobody knows yet how long" in shell("specular progress --format plain").out
    assert "left" not in shell("specular progress --short").out
    assert shell("specular progress --format json").json()["remaining_low_ms"] is None
    assert shell("specular stop --kill --wait").code == 0


def test_a_build_that_is_stopping_is_listed_so(shell: Shell) -> None:
    shell.plan(task("deaf", "trap '' TERM; touch begun; while :; do sleep 0.1; done"))
    shell.start("specular build --run-id live --grace 10m")
    shell.wait_for("test -e begun")
    assert "live  in_progress  " in shell("specular checkpoint list").out
    assert shell("specular pause --drain").code == 0
    shell.wait_for("specular checkpoint list | grep -q 'in_progress, draining'")
    assert shell("specular stop").code == 0
    shell.wait_for("specular checkpoint list | grep -q 'in_progress, stopping'")
    (entry,) = shell("specular checkpoint list --format json").json()
    assert (entry["status"], entry["stopping"]) == ("in_progress", True)
    assert "status: in_progress, stopping\n" in shell("specular progress").out
    assert " 0/1 0% stopping " in shell("specular progress --short").out
    assert "  in_progress, stopping\n" in shell("specular checkpoint show live --format table").out
    assert shell("specular stop --kill --wait").code == 0
    (entry,) = shell("specular checkpoint list --format json").json()
    assert entry["status"] == "paused"
    assert not {"stopping", "draining"} & entry.keys()


def test_readers_leave_no_trace(shell: Shell) -> None:
    shell.plan(task("a", "echo hi"))
    shell("specular build --run-id done")

    def traces() -> dict[str, tuple[int, int]]:
        return {path: (os.stat(path).st_mtime_ns, os.stat(path).st_size) for path, _, _ in os.walk(shell.folder)}

    before = traces()
    for line in ("checkpoint list", "checkpoint show", "checkpoint validate", "progress", "logs a", "build --dry-run"):
        assert shell(f"specular {line}").code == 0
    assert traces() == before
