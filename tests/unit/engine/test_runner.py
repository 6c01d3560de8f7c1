"""The runner with real processes: order, retries, timeouts, freezing, steering, stopping, and disks that refuse."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from specular_tui.engine import artifacts, inputs
from specular_tui.errors import SpecularError, StorageError
from specular_tui.model import event as ev
from specular_tui.model.plan import Task
from specular_tui.model.run import RunStatus, TaskStatus
from specular_tui.store import checkpoint
from specular_tui.store.creating import create_run
from specular_tui.store.logs.live import LiveLog
from specular_tui.store.recorder import RunRecorder
from tests.unit.engine.lab import lives
from tests.unit.engine.rig import Rig, until

COMPLETED, FAILED, PAUSED = RunStatus.COMPLETED, RunStatus.FAILED, RunStatus.PAUSED
PENDING, SKIPPED = TaskStatus.PENDING, TaskStatus.SKIPPED


def task(task_id: str, command: str | tuple[str, ...] = ("true",), *needs: str, **more: Any) -> Task:
    return Task(id=task_id, command=command, depends_on=needs, **more)


def statuses(rig: Rig) -> dict[str, str]:
    return {task_id: known.status.value for task_id, known in rig.state.tasks.items()}


def loaded(rig: Rig) -> checkpoint.StoredRun:
    """What a reader finds once the session is over."""
    return checkpoint.load(rig.folder / "checkpoints", "run")


async def test_tasks_run_behind_what_they_need_and_never_more_than_asked_for(tmp_path: Path) -> None:
    tasks = [task("last", "sleep 0.01", *"abcdef"), *(task(i, "sleep 0.03") for i in "abcdef")]
    rig = Rig(tmp_path, tasks, jobs=3)
    ending = await rig.run()
    assert (ending.status, ending.reason, ending.error) == (COMPLETED, "", None)
    assert rig.started()[-1] == "last"
    assert rig.most_at_once() == 3
    assert loaded(rig).state.status is COMPLETED


async def test_a_task_knows_who_and_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROM_OUTSIDE", "yes")
    monkeypatch.setenv("OWN", "outer")
    (tmp_path / "sub").mkdir()
    show = "printf '%s\\n' $FROM_OUTSIDE $OWN $SPECULAR_RUN_ID $SPECULAR_TASK_ID $SPECULAR_ATTEMPT $SPECULAR_RUN $PWD"
    rig = Rig(tmp_path, [task("x", show, env={"OWN": "inner"}, workdir="sub")])
    await rig.run()
    run = str(rig.recorder.path)
    assert rig.log("x").decode().split() == ["yes", "inner", "run", "x", "1", run, str(tmp_path / "sub")]


async def test_after_a_failure_nothing_new_starts_and_running_tasks_end(tmp_path: Path) -> None:
    tasks = [task("bad", "exit 3"), task("slow", "sleep 0.2"), task("later"), task("after", "true", "bad")]
    rig = Rig(tmp_path, tasks, jobs=2)
    assert (await rig.run()).status is FAILED
    assert statuses(rig) == {"bad": "failed", "slow": "completed", "later": "pending", "after": "pending"}
    assert (rig.task("bad").exit_code, rig.task("bad").reason) == (3, "exit code 3")


async def test_keep_going_runs_all_that_does_not_need_the_failure(tmp_path: Path) -> None:
    tasks = [task("bad", "exit 3"), task("later"), task("after", "true", "bad"), task("end", "true", "later")]
    rig = Rig(tmp_path, tasks, keep_going=True)
    assert (await rig.run()).status is FAILED
    assert statuses(rig) == {"bad": "failed", "later": "completed", "after": "pending", "end": "completed"}


async def test_an_allowed_failure_fails_nothing(tmp_path: Path) -> None:
    rig = Rig(tmp_path, [task("bad", "exit 3", allow_failure=True), task("after", "true", "bad")])
    assert (await rig.run()).status is COMPLETED
    assert statuses(rig) == {"bad": "failed", "after": "completed"}
    assert rig.task("bad").allowed


async def test_two_retries_are_three_attempts_and_every_log_is_kept(tmp_path: Path) -> None:
    rig = Rig(tmp_path, [task("x", "echo try $SPECULAR_ATTEMPT; exit 1", retries=2, retry_delay_ms=60)])
    began = time.monotonic()
    assert (await rig.run()).status is FAILED
    assert time.monotonic() - began >= 0.12
    assert [rig.log("x", 1), rig.log("x", 2), rig.log("x")] == [b"try 1\n", b"try 2\n", b"try 3\n"]
    assert rig.task("x").attempt == 3
    assert [attempt.attempt for attempt in rig.task("x").earlier] == [1, 2]


async def test_a_retry_that_succeeds_lets_the_build_complete(tmp_path: Path) -> None:
    command = f"test $SPECULAR_ATTEMPT = 2 && touch {tmp_path / 'made'}"
    rig = Rig(tmp_path, [task("x", command, retries=5, outputs=("made",)), task("y", "true", "x")])
    assert (await rig.run()).status is COMPLETED
    assert rig.started() == ["x", "x", "y"]
    assert [output.path for output in rig.task("x").outputs] == ["made"]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere a file that is written to can be run")
async def test_what_cannot_be_started_for_a_moment_is_worth_a_retry(tmp_path: Path) -> None:
    program = tmp_path / "program"
    shutil.copy("/bin/true", program)
    busy = task("x", ("./program",), retries=50, retry_delay_ms=20)
    rig = Rig(tmp_path, [busy, task("y", ("./program",), allow_failure=True)], keep_going=True)
    with program.open("ab"):
        session = rig.start()
        await until(lambda: len(rig.started()) > 2)
    assert (await session).status is COMPLETED
    assert rig.task("x").earlier[0].reason == "cannot run ./program: text file busy"
    assert rig.log("x", 1) == b"specular: cannot run ./program: text file busy\n"
    assert statuses(rig) == {"x": "completed", "y": "failed"}
    assert rig.task("y").allowed


async def test_what_cannot_be_started_fails_at_once_whatever_retries_it_has(tmp_path: Path) -> None:
    rig = Rig(tmp_path, [task("x", ("no-such-program",), retries=3), task("y", workdir="gone")], keep_going=True)
    assert (await rig.run()).status is FAILED
    assert (rig.task("x").exit_code, rig.task("x").reason) == (127, "program not found: no-such-program")
    assert rig.log("x") == b"specular: program not found: no-such-program\n"
    assert rig.task("y").exit_code == 126
    assert rig.started() == ["x", "y"]


async def test_a_timeout_asks_first_and_kills_after_the_grace(tmp_path: Path) -> None:
    stubborn = "trap 'echo asked' TERM; while :; do sleep 0.02; done"
    tasks = [task("x", stubborn, timeout_ms=150), task("y", "trap 'exit 0' TERM; sleep 60 & wait", timeout_ms=150)]
    rig = Rig(tmp_path, tasks, jobs=2, keep_going=True, grace_ms=200)
    assert (await rig.run()).status is FAILED
    assert b"asked\n" in rig.log("x")
    known = rig.task("x")
    assert (known.reason, known.exit_code, known.signal) == ("timed out after 0.15s", None, "SIGKILL")
    assert 350 <= (known.duration_ms or 0) < 2_000
    assert rig.task("y").reason == "timed out after 0.15s"
    assert rig.task("y").exit_code is None


async def test_a_timeout_is_a_failure_that_is_retried(tmp_path: Path) -> None:
    rig = Rig(tmp_path, [task("x", "test $SPECULAR_ATTEMPT = 2 || sleep 60", timeout_ms=100, retries=1)])
    assert (await rig.run()).status is COMPLETED


async def test_frozen_time_counts_towards_neither_duration_nor_timeout(tmp_path: Path) -> None:
    rig = Rig(
        tmp_path, [task("x", "for i in 1 2 3 4 5 6; do sleep 0.05; done", timeout_ms=900), task("y", "true", "x")]
    )
    session = rig.start()
    await until(lambda: rig.state.running)
    rig.runner.freeze()
    assert rig.state.status is PAUSED
    await asyncio.sleep(1.0)
    assert statuses(rig)["x"] == "in_progress"
    rig.runner.thaw()
    assert rig.state.status is RunStatus.IN_PROGRESS
    assert (await session).status is COMPLETED
    assert 250 <= (rig.task("x").duration_ms or 0) < 900
    assert rig.state.elapsed_ms < 1_000
    assert rig.state.frozen_ms >= 1_000


async def test_a_task_that_hangs_after_a_freeze_still_times_out(tmp_path: Path) -> None:
    rig = Rig(tmp_path, [task("x", "sleep 60", timeout_ms=200)])
    session = rig.start()
    await until(lambda: rig.state.running)
    rig.runner.freeze()
    await asyncio.sleep(0.3)
    rig.runner.thaw()
    assert (await session).status is FAILED
    assert rig.task("x").reason == "timed out after 0.20s"


async def test_a_task_that_was_told_to_end_and_then_frozen_is_killed_all_the_same(tmp_path: Path) -> None:
    stubborn = "trap 'echo asked' TERM; while :; do sleep 0.05; done"
    rig = Rig(tmp_path, [task("x", stubborn, timeout_ms=100)], grace_ms=300)
    session = rig.start()
    await until(lambda: b"asked" in rig.log("x"))
    rig.runner.freeze()
    await asyncio.sleep(0.1)
    rig.runner.thaw()
    assert (await session).status is FAILED
    assert rig.task("x").reason == "timed out after 0.10s"


async def test_a_task_that_ends_in_the_moment_of_a_freeze_ends_the_build(tmp_path: Path) -> None:
    rig = Rig(tmp_path, [task("x", "exec sleep 0.05")])
    session = rig.start()
    await until(lambda: rig.state.running)
    pid = rig.task("x").pid
    assert pid is not None
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # it has ended, and the loop does not know it yet
    rig.runner.freeze()
    assert (await session).status is COMPLETED
    assert loaded(rig).state.status is COMPLETED
    kinds = [type(event).__name__ for event in rig.events[-4:]]
    assert kinds == ["Frozen", "TaskEnded", "Thawed", "SessionEnded"]


async def test_nothing_starts_while_frozen_or_draining_and_the_rest_goes_on_afterwards(tmp_path: Path) -> None:
    rig = Rig(tmp_path, [task("x", "sleep 0.1"), task("y"), task("z")])
    session = rig.start()
    await until(lambda: rig.state.running)
    rig.runner.drain()
    await until(lambda: statuses(rig)["x"] == "completed")
    await asyncio.sleep(0.05)
    assert rig.started() == ["x"]
    assert rig.state.draining
    rig.runner.thaw()
    assert not rig.state.draining
    assert (await session).status is COMPLETED


async def test_inputs_that_are_read_while_the_build_is_frozen_start_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading = asyncio.Event()
    loop = asyncio.get_running_loop()
    original = inputs.inputs_digest

    def slowly(*args: Any) -> str:
        loop.call_soon_threadsafe(reading.set)
        time.sleep(0.1)
        return original(*args)

    monkeypatch.setattr(inputs, "inputs_digest", slowly)
    rig = Rig(tmp_path, [task("x", inputs=("*.c",))])
    session = rig.start()
    await asyncio.wait_for(reading.wait(), 5)
    with pytest.raises(SpecularError, match="is starting"):
        rig.runner.skip("x")
    rig.runner.freeze()
    await asyncio.sleep(0.3)
    assert rig.started() == []
    rig.runner.thaw()
    assert (await session).status is COMPLETED
    assert rig.task("x").inputs_hash


@pytest.mark.parametrize("polite", [True, False])
async def test_a_stop_leaves_running_tasks_pending_and_nobody_behind(tmp_path: Path, polite: bool) -> None:
    trap = "" if polite else "trap '' TERM; "
    rig = Rig(tmp_path, [task("x", f"{trap}sleep 60 & wait; sleep 60"), task("y")], grace_ms=150)
    session = rig.start()
    await until(lambda: rig.state.running)
    pid = rig.task("x").pid
    await asyncio.sleep(0.05)
    rig.runner.stop("SIGINT")
    ending = await session
    assert (ending.status, ending.reason) == (PAUSED, "SIGINT")
    assert statuses(rig) == {"x": "pending", "y": "pending"}
    assert rig.task("x").outcome == "interrupted"
    assert rig.task("x").signal == ("SIGTERM" if polite else "SIGKILL")
    assert pid is not None
    assert not lives(pid)


async def test_a_second_stop_kills_at_once(tmp_path: Path) -> None:
    rig = Rig(tmp_path, [task("x", "trap '' TERM; echo up; sleep 60 & wait; sleep 60")], grace_ms=60_000)
    session = rig.start()
    await until(lambda: rig.state.running and rig.log("x"))
    began = time.monotonic()
    rig.runner.stop("SIGINT")
    await asyncio.sleep(0.1)
    assert not session.done()
    rig.runner.stop("SIGINT")
    assert (await session).status is PAUSED
    assert time.monotonic() - began < 30
    assert rig.task("x").signal == "SIGKILL"


@pytest.mark.parametrize("keep_going", [False, True])
async def test_by_force_ends_a_build_that_nothing_runs_in_too(tmp_path: Path, keep_going: bool) -> None:
    rig = Rig(tmp_path, [task("x", "sleep 0.2"), task("y", "true", "x")], keep_going=keep_going)
    session = rig.start()
    await until(lambda: rig.state.running)
    rig.runner.drain()
    await until(lambda: statuses(rig)["x"] == "completed")
    rig.runner.stop_by_force("stopped")
    ending = await asyncio.wait_for(session, 5)
    assert (ending.status, ending.reason) == (PAUSED, "stopped")
    assert statuses(rig)["y"] == "pending"


async def test_by_force_does_not_wait_for_a_retry(tmp_path: Path) -> None:
    rig = Rig(tmp_path, [task("x", "false", retries=1, retry_delay_ms=60_000)])
    session = rig.start()
    await until(lambda: any(isinstance(event, ev.TaskEnded) for event in rig.events))
    rig.runner.stop_by_force("stopped")
    assert (await asyncio.wait_for(session, 5)).status is PAUSED


async def test_nothing_is_promised_to_who_steers_a_build_that_is_stopping(tmp_path: Path) -> None:
    rig = Rig(tmp_path, [task("bad", "false"), task("x", "trap '' TERM; echo up; sleep 60 & wait; sleep 60")], jobs=2)
    session = rig.start()
    await until(lambda: statuses(rig)["bad"] == "failed" and rig.log("x"))
    rig.runner.stop("SIGINT")
    for command, request in (("retry", {"task": "bad"}), ("skip", {"task": "bad"}), ("pause", {}), ("drain", {})):
        with pytest.raises(SpecularError, match="the build is stopping"):
            rig.runner.control(command, request)
    assert rig.runner.control("kill", {}) == "killing"
    assert (await session).status is PAUSED
    assert statuses(rig)["bad"] == "failed"


async def test_a_drain_outlasts_a_stop_by_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(tmp_path, [task("x", "sleep 0.3"), task("y", "true", "x")])
    session = rig.start()
    await until(lambda: rig.state.running)
    rig.runner.drain()
    stops: list[RunStatus] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: stops.append(rig.state.status))
    rig.runner.stop_self()
    monkeypatch.undo()
    assert stops == [PAUSED]
    assert rig.state.frozen_since is None
    await until(lambda: statuses(rig)["x"] == "completed")
    await asyncio.sleep(0.05)
    assert (rig.state.draining, rig.started()) == (True, ["x"])
    rig.runner.thaw()
    assert (await session).status is COMPLETED


async def test_a_log_that_can_get_no_name_ends_its_task_with_the_build(tmp_path: Path) -> None:
    rig = Rig(tmp_path, [task("x", "sleep 60")], recorder=refusing)
    assert isinstance(rig.recorder, Refusing)
    rig.recorder.refuses_names = True
    ending = await asyncio.wait_for(rig.start(), 10)
    assert ending.error is not None
    assert statuses(rig)["x"] == "pending"


async def test_it_is_on_record_that_a_build_is_being_stopped(tmp_path: Path) -> None:
    rig = Rig(tmp_path, [task("x", "trap '' TERM; echo ready; sleep 60 & wait; sleep 60")])
    session = rig.start()
    await until(lambda: rig.state.running)
    assert not loaded(rig).state.stopping
    rig.runner.control("stop", {})
    assert loaded(rig).state.stopping
    rig.runner.control("stop", {})
    assert (await asyncio.wait_for(session, 5)).status is PAUSED
    state = loaded(rig).state
    assert (state.stopping, state.status, state.reason) == (False, PAUSED, "stopped")


async def test_a_stop_ends_what_is_frozen(tmp_path: Path) -> None:
    rig = Rig(tmp_path, [task("x", "sleep 60"), task("y")])
    session = rig.start()
    await until(lambda: rig.state.running)
    rig.runner.freeze()
    rig.runner.stop("SIGTERM")
    assert (await session).status is PAUSED
    state = loaded(rig).state
    assert (state.status, state.frozen_since) == (PAUSED, None)


async def test_who_ends_by_himself_in_the_moment_of_the_stop_has_completed(tmp_path: Path) -> None:
    rig = Rig(tmp_path, [task("x", "exec sleep 0.05"), task("y")])
    session = rig.start()
    await until(lambda: rig.state.running)
    pid = rig.task("x").pid
    assert pid is not None
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
    rig.runner.stop("SIGINT")
    assert (await session).status is PAUSED
    assert statuses(rig) == {"x": "completed", "y": "pending"}


async def test_a_failed_task_can_be_run_again_while_the_build_goes_on(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    tasks = [task("x", f"test -e {flag}"), task("slow", f"while ! test -e {flag}; do sleep 0.01; done; sleep 0.1")]
    rig = Rig(tmp_path, [*tasks, task("after", "true", "x")], jobs=2, keep_going=True)
    session = rig.start()
    await until(lambda: statuses(rig)["x"] == "failed")
    flag.touch()
    assert rig.runner.control("retry", {}) == "running 1 failed task again"
    assert (await session).status is COMPLETED
    assert rig.task("x").attempt == 2


async def test_a_task_can_be_left_out_with_or_without_what_needs_it(tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    gate = task("gate", f"while ! test -e {flag}; do sleep 0.01; done")
    tasks = [gate, *(task(i, "true", "gate") for i in "ab"), task("na", "true", "a"), task("nb", "true", "b")]
    rig = Rig(tmp_path, tasks)
    session = rig.start()
    await until(lambda: rig.state.running)
    assert rig.runner.control("skip", {"task": "a"}) == "skipping a"
    assert rig.runner.control("skip", {"task": "b", "run_dependents": True}) == "skipping b"
    flag.touch()
    assert (await session).status is COMPLETED
    assert statuses(rig) == {
        "gate": "completed",
        "a": "skipped",
        "b": "skipped",
        "na": "skipped",
        "nb": "completed",
    }
    assert rig.task("na").reason == "needs a, which was skipped"


async def test_leaving_out_an_allowed_failure_starts_nothing_too_early(tmp_path: Path) -> None:
    tasks = [task("a", "exit 1", allow_failure=True), task("b", "sleep 0.2"), task("c", "true", "a", "b")]
    rig = Rig(tmp_path, tasks, jobs=3)
    session = rig.start()
    await until(lambda: statuses(rig)["a"] == "failed")
    rig.runner.skip("a", run_dependents=True)
    assert (await session).status is COMPLETED
    assert rig.events.index(next(e for e in rig.events if isinstance(e, ev.TaskStarted) and e.task == "c")) > next(
        i for i, e in enumerate(rig.events) if isinstance(e, ev.TaskEnded) and e.task == "b"
    )


async def test_a_single_task_can_be_stopped_and_is_not_retried(tmp_path: Path) -> None:
    rig = Rig(tmp_path, [task("x", "sleep 60", retries=3), task("y")], jobs=2, keep_going=True)
    session = rig.start()
    await until(lambda: rig.state.running)
    assert rig.runner.control("stop_task", {"task": "x"}) == "stopping x"
    assert (await session).status is FAILED
    assert (rig.task("x").attempt, rig.task("x").reason) == (1, "stopped by the user")
    assert statuses(rig)["y"] == "completed"


@pytest.mark.parametrize(
    ("command", "request_", "words"),
    [
        ("retry", {"task": "nobody"}, "the run has no task 'nobody'"),
        ("retry", {"task": "x"}, "only a failed or skipped one can be run again"),
        ("skip", {}, "skip needs a task"),
        ("skip", {"task": ["x"]}, "skip needs a task"),
        ("skip", {"task": "x"}, "only a pending or failed one can be skipped"),
        ("stop_task", {"task": "y"}, "task y is not running"),
        ("dance", {}, "unknown steering command 'dance'"),
    ],
)
async def test_what_cannot_be_done_is_refused_and_changes_nothing(
    tmp_path: Path, command: str, request_: dict[str, Any], words: str
) -> None:
    rig = Rig(tmp_path, [task("x", "sleep 0.2"), task("y")])
    session = rig.start()
    await until(lambda: rig.state.running)
    before = rig.state.seq
    with pytest.raises(SpecularError, match=words):
        rig.runner.control(command, request_)
    assert rig.state.seq == before
    assert (await session).status is COMPLETED


async def test_gates_run_behind_the_tasks_and_decide(tmp_path: Path) -> None:
    gates = [task("@good", "echo fine"), task("@bad", "exit 2"), task("@last", "true")]
    rig = Rig(tmp_path, [task("x")], gates=gates)
    assert (await rig.run()).status is FAILED
    assert rig.started() == ["x", "@good", "@bad", "@last"]
    assert [rig.task(gate.id).status.value for gate in gates] == ["completed", "failed", "completed"]
    failing = Rig(tmp_path / "2", [task("x", "exit 1")], gates=gates)
    await failing.run()
    assert failing.started() == ["x"]


async def test_tasks_cannot_be_steered_once_the_gates_run(tmp_path: Path) -> None:
    tasks = [task("x", "exit 1", allow_failure=True), task("y")]
    rig = Rig(tmp_path, tasks, gates=[task("@slow", "sleep 0.2")])
    session = rig.start()
    await until(lambda: "@slow" in rig.started())
    for command, what in (("retry", {"task": "x"}), ("retry", {}), ("skip", {"task": "x"})):
        with pytest.raises(SpecularError, match="the gates run"):
            rig.runner.control(command, what)
    assert (await session).status is COMPLETED


async def test_a_stop_during_the_gates_leaves_them_to_be_done(tmp_path: Path) -> None:
    rig = Rig(tmp_path, [task("x")], gates=[task("@slow", "sleep 60"), task("@next")])
    session = rig.start()
    await until(lambda: "@slow" in rig.started())
    rig.runner.stop("SIGINT")
    assert (await session).status is PAUSED
    assert [gate.status for gate in rig.state.gates.values()] == [PENDING, PENDING]


async def test_once_the_last_task_has_ended_nothing_can_be_started_any_more(tmp_path: Path) -> None:
    rig = Rig(tmp_path, [task("x", "exit 1", allow_failure=True)])

    def late(event: ev.AnyEvent) -> None:
        if isinstance(event, ev.TaskEnded):
            asyncio.get_running_loop().call_soon(steer)

    refused: list[str] = []

    def steer() -> None:
        for command in ("pause", "retry"):
            try:
                rig.runner.control(command, {})
            except SpecularError as error:
                refused.append(str(error))

    rig.on_event = late
    assert (await rig.run()).status is COMPLETED
    assert refused == ["the build has just ended"] * 2
    assert rig.started() == ["x"]


async def test_a_stop_while_a_big_result_is_judged_leaves_the_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    judging = asyncio.Event()
    original = artifacts.capture

    def slowly(*args: Any) -> Any:
        loop.call_soon_threadsafe(judging.set)
        time.sleep(0.1)
        return original(*args)

    monkeypatch.setattr(artifacts, "capture", slowly)
    rig = Rig(tmp_path, [task("x", f"touch {tmp_path / 'out'}", outputs=("out",), timeout_ms=150), task("y")])
    session = rig.start()
    await asyncio.wait_for(judging.wait(), 5)
    rig.runner.freeze()
    rig.runner.thaw()
    rig.runner.stop("SIGINT")
    rig.runner.kill()
    assert (await session).status is PAUSED
    assert statuses(rig) == {"x": "completed", "y": "pending"}


async def test_the_json_files_tell_of_a_pause_even_if_they_are_just_being_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = RunRecorder.prepare_snapshot

    def slowly(self: RunRecorder, *args: Any) -> Callable[[], None]:
        write = original(self, *args)

        def later() -> None:
            time.sleep(0.05)
            write()

        return later

    monkeypatch.setattr(RunRecorder, "prepare_snapshot", slowly)
    rig = Rig(tmp_path, [task("x", "sleep 60")])
    session = rig.start()
    await until(lambda: rig.state.running)
    rig.runner.freeze()

    def status() -> str:
        return str(json.loads((rig.recorder.path / "metadata.json").read_bytes())["status"])

    await until(lambda: status() == "paused")
    rig.runner.thaw()
    rig.runner.freeze()
    rig.runner.thaw()
    await until(lambda: status() == "in_progress")
    rig.runner.stop("SIGINT")
    await session


async def test_every_task_is_told_of_where_a_snapshot_for_each_is_asked_for(tmp_path: Path) -> None:
    rig = Rig(tmp_path, [*(task(f"t{i}") for i in range(8)), task("slow", "sleep 60")], jobs=1, every_tasks=1)
    session = rig.start()
    await until(lambda: "slow" in rig.started())

    def told() -> int:
        return int(json.loads((rig.recorder.path / "metadata.json").read_bytes())["completed_tasks"])

    await until(lambda: told() == 8, 3)
    rig.runner.stop("SIGINT")
    await session


class Refusing(RunRecorder):
    """A recorder whose disk refuses what `refuses` says, as a full disk does."""

    refuses: Callable[[ev.AnyEvent], bool] = staticmethod(lambda event: False)
    rescued = 0
    refuses_names = False

    def name_log(self, log: LiveLog) -> None:
        if self.refuses_names:
            raise StorageError("failed to write checkpoint: no space left on device")
        super().name_log(log)

    def append(self, event: ev.AnyEvent, *files: int) -> None:
        if self.refuses(event):
            for fd in files:
                os.close(fd)
            raise StorageError("failed to write checkpoint: no space left on device")
        super().append(event, *files)

    def rescue(self, now: int) -> Sequence[ev.AnyEvent]:
        self.rescued += 1
        return super().rescue(now)


def refusing(*args: Any, **more: Any) -> RunRecorder:
    made = create_run(*args, **more)
    made.__class__ = Refusing
    return made


class Losing(Refusing):
    """One whose rescue finds that the output of `a` has not reached the disk."""

    def rescue(self, now: int) -> Sequence[ev.AnyEvent]:
        lost = ev.TaskReset(at=self.state.updated_at, task="a", reason="its outputs did not reach the disk")
        found = super().rescue(now)
        self.append(lost)
        return [*found, lost]


async def test_a_build_whose_last_results_are_lost_is_not_completed(tmp_path: Path) -> None:
    rig = Rig(tmp_path, [task("a"), task("b", "true", "a")], recorder=refusing)
    assert isinstance(rig.recorder, Refusing)
    recorder = rig.recorder
    recorder.__class__ = Losing
    recorder.refuses = lambda event: isinstance(event, ev.SessionEnded) and not recorder.rescued
    ending = await rig.run()
    assert ending.error is not None
    state = loaded(rig).state
    assert (state.status, state.reason) == (ending.status, "storage") == (PAUSED, "storage")
    assert {i: t.status.value for i, t in state.tasks.items()} == {"a": "pending", "b": "completed"}


async def test_what_the_disk_refused_is_saved_at_the_end_if_there_is_room_again(tmp_path: Path) -> None:
    tasks = [task("a"), task("b", "true", "a"), task("c", "sleep 60"), task("d", "true", "b")]
    rig = Rig(tmp_path, tasks, jobs=2, recorder=refusing)
    assert isinstance(rig.recorder, Refusing)
    broken = False

    def refuses(event: ev.AnyEvent) -> bool:
        nonlocal broken
        broken = broken or (isinstance(event, ev.TaskEnded) and event.task == "a")
        return broken and not isinstance(event, ev.SessionEnded) and bool(rig.runner._attempts._running)

    rig.recorder.refuses = refuses
    ending = await rig.run()
    assert str(ending.error) == "failed to write checkpoint: no space left on device"
    assert (ending.status, ending.reason) == (PAUSED, "storage")
    # Nothing that depends on what could not be recorded was started.
    assert "b" not in rig.started()
    state = loaded(rig).state
    assert (state.status, state.reason) == (PAUSED, "storage")
    assert {i: t.status.value for i, t in state.tasks.items()} == {
        "a": "completed",
        "b": "pending",
        "c": "pending",
        "d": "pending",
    }


async def test_what_the_disk_refuses_to_the_end_leaves_what_was_recorded_before(tmp_path: Path) -> None:
    rig = Rig(tmp_path, [task("a"), task("b", "true", "a"), task("c", "true", "b")], recorder=refusing)
    assert isinstance(rig.recorder, Refusing)
    broken = False

    def refuses(event: ev.AnyEvent) -> bool:
        nonlocal broken
        broken = broken or (isinstance(event, ev.TaskEnded) and event.task == "b")
        return broken

    rig.recorder.refuses = refuses
    ending = await rig.run()
    assert ending.error is not None
    assert rig.recorder.rescued == 1
    found = loaded(rig)
    assert (found.state.status, found.state.interrupted) == (PAUSED, True)
    assert {i: t.status.value for i, t in found.state.tasks.items()} == {
        "a": "completed",
        "b": "pending",
        "c": "pending",
    }


async def test_a_sync_that_fails_ends_the_build_and_a_new_journal_saves_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from specular_tui.store import commit

    rig = Rig(tmp_path, [task("a", "echo a"), task("b", "sleep 60", "a")])
    loop = asyncio.get_running_loop()

    def tell(error: OSError) -> None:
        loop.call_soon_threadsafe(lambda: rig.runner.storage_failed(rig.recorder.failure()))

    rig.recorder.on_error = tell
    session = rig.start()
    await until(lambda: rig.state.running and rig.task("a").status is TaskStatus.COMPLETED)
    rig.recorder.flush()
    real = commit._fdatasync
    broken = [True]

    def failing(fd: int) -> None:
        if broken.pop() if broken else False:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        real(fd)

    monkeypatch.setattr(commit, "_fdatasync", failing)
    rig.runner.freeze()
    ending = await session
    assert ending.error is not None
    assert "input/output error" in str(ending.error)
    found = loaded(rig)
    assert found.state.status is PAUSED
    assert not found.state.interrupted
    assert {i: t.status.value for i, t in found.state.tasks.items()} == {"a": "completed", "b": "pending"}


async def test_a_mistake_of_the_program_ends_the_session_and_its_tasks(tmp_path: Path) -> None:
    rig = Rig(tmp_path, [task("a", "sleep 0.05"), task("b", "sleep 60")], jobs=2)

    def mistake(event: ev.AnyEvent) -> None:
        if isinstance(event, ev.TaskEnded):
            raise ZeroDivisionError

    rig.on_event = mistake
    with pytest.raises(ZeroDivisionError):
        await rig.run()
    (pid,) = [event.pid for event in rig.events if isinstance(event, ev.TaskStarted) and event.task == "b"]
    assert pid is not None
    await until(lambda: not lives(pid))
    assert loaded(rig).state.interrupted


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
async def test_three_hundred_tasks_leave_no_descriptor(tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    tasks = [task(f"t{i}", "echo x" if i % 2 else ("true",), outputs=("out",) if i % 3 else ()) for i in range(300)]
    rig = Rig(tmp_path, tasks, jobs=4)
    before = set(os.listdir("/proc/self/fd"))
    during: list[int] = []
    rig.on_event = lambda event: during.append(len(os.listdir("/proc/self/fd"))) if len(rig.events) % 50 == 0 else None
    assert (await rig.run()).status is COMPLETED
    assert max(during) < len(before) + 200  # 4 x (log, pidfd), and what one group of records keeps open for its sync
    assert set(os.listdir("/proc/self/fd")) < before  # the recorder and the executor are closed too
