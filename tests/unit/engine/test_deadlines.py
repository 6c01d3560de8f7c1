"""Timeouts and the grace of attempts that were told to end."""

from __future__ import annotations

import asyncio
import os

from specular_tui.engine.deadlines import Deadlines
from specular_tui.engine.running import Running
from specular_tui.model.plan import Task
from specular_tui.store.logs.live import LiveLog


class Job:
    """Writes down what it is told."""

    pid = pid_start = container = None

    def __init__(self, *, ends: bool = False) -> None:
        self.told: list[str] = []
        self.ends = ends

    def freeze(self) -> None: ...

    def thaw(self) -> None: ...

    def terminate(self) -> bool:
        self.told.append("terminate")
        return not self.ends

    def kill(self) -> None:
        self.told.append("kill")


def attempt(job: Job, timeout_ms: int | None = None, task_id: str = "t") -> Running:
    fd = os.open(os.devnull, os.O_RDWR)
    task = Task(id=task_id, command="true", timeout_ms=timeout_ms)
    return Running(task=task, attempt=1, job=job, log=LiveLog("log", "", fd, fd), started_at=0, frozen_before_ms=0)


async def test_a_timeout_counts_only_the_time_that_the_attempt_has_run() -> None:
    deadlines = Deadlines(10_000, lambda running: 4_990)
    quick, slow = Job(), Job()
    deadlines.start(attempt(quick, 5_000))
    deadlines.start(attempt(slow, task_id="slow"))
    await asyncio.sleep(0.05)
    assert (quick.told, slow.told) == (["terminate"], [])


async def test_what_does_not_end_when_asked_is_killed_after_the_grace() -> None:
    deadlines = Deadlines(20, lambda running: 0)
    job = Job()
    running = attempt(job)
    deadlines.end(running, "user")
    assert (job.told, running.ended_by) == (["terminate"], "user")
    await asyncio.sleep(0.06)
    assert job.told == ["terminate", "kill"]


async def test_the_grace_goes_on_after_a_freeze() -> None:
    deadlines = Deadlines(20, lambda running: 0)
    job = Job()
    running = attempt(job, 5_000)
    deadlines.end(running, "timeout")
    deadlines.stop(running)
    await asyncio.sleep(0.06)
    assert job.told == ["terminate"]
    deadlines.start(running)
    await asyncio.sleep(0.06)
    assert job.told == ["terminate", "kill"]


async def test_one_that_has_ended_is_left_alone() -> None:
    deadlines = Deadlines(0, lambda running: 0)
    gone, over = Job(ends=True), Job()
    running = attempt(gone)
    deadlines.end(running, "timeout")
    ended = attempt(over, 1)
    ended.ended = True
    deadlines.start(ended)
    deadlines.end(ended, "stop")
    await asyncio.sleep(0.03)
    assert (gone.told, running.ended_by, over.told) == (["terminate"], "", [])


async def test_one_that_is_to_stop_is_not_asked_twice_and_one_that_timed_out_is() -> None:
    deadlines = Deadlines(10_000, lambda running: 0)
    job = Job()
    running = attempt(job)
    for why in ("timeout", "stop", "stop", "timeout"):
        deadlines.end(running, why)
    assert (job.told, running.ended_by) == (["terminate", "terminate"], "stop")
    deadlines.stop(running)
