"""Logs get their names when their tasks have been running for a while."""

from __future__ import annotations

import asyncio
import os
from typing import cast

from specular_tui.engine.clock import Clock
from specular_tui.engine.naming import AFTER_MS, Naming
from specular_tui.engine.running import Running
from specular_tui.errors import StorageError
from specular_tui.model.plan import Task
from specular_tui.store.logs.live import LiveLog
from specular_tui.store.recorder import Recorder
from tests.unit.engine.rig import until
from tests.unit.engine.test_deadlines import Job


class Names:
    """A recorder that gives names, or refuses to."""

    def __init__(self, *, refuses: bool = False) -> None:
        self.given: list[str] = []
        self.refuses = refuses

    def name_log(self, log: LiveLog) -> None:
        if self.refuses:
            raise StorageError("no room")
        self.given.append(log.name)
        log.temporary = ""


def attempt(clock: Clock, name: str, age_ms: int = 0) -> Running:
    fd = os.open(os.devnull, os.O_RDWR)
    return Running(
        task=Task(id=name, command="true"),
        attempt=1,
        job=Job(),
        log=LiveLog(name, f"{name}.tmp", fd, fd),
        started_at=clock.now() - age_ms,
        frozen_before_ms=0,
    )


async def test_old_ones_get_their_names_first_and_young_ones_the_next_time() -> None:
    clock, names, errors = Clock(), Names(), list[StorageError]()
    running = [attempt(clock, "old", age_ms=1_000), attempt(clock, "over"), attempt(clock, "young", age_ms=-600_000)]
    naming = Naming(lambda: running, cast("Recorder", names), clock, errors.append)
    running[1].ended = True
    naming.soon()
    await until(lambda: names.given)
    assert names.given == ["old"]
    running[2].started_at = 0
    await until(lambda: len(names.given) > 1)
    assert (names.given, errors) == (["old", "young"], [])


async def test_a_disk_that_refuses_makes_the_attempt_count_as_interrupted() -> None:
    clock, errors = Clock(), list[StorageError]()
    running, over = attempt(clock, "a", age_ms=1_000), attempt(clock, "b")
    naming = Naming(lambda: [running], cast("Recorder", Names(refuses=True)), clock, errors.append)
    naming.soon()
    await until(lambda: errors)
    over.ended = True
    naming.name(over)
    assert [str(error) for error in errors] == ["no room", "no room"]
    assert (running.ended_by, over.ended_by) == ("", "stop"), "the one that runs is still to be told to end"


async def test_nothing_is_named_once_it_is_closed() -> None:
    clock, names = Clock(), Names()
    naming = Naming(lambda: [attempt(clock, "a", age_ms=1_000)], cast("Recorder", names), clock, lambda error: None)
    naming.soon()
    naming.close()
    await asyncio.sleep(AFTER_MS * 2 / 1000)
    assert names.given == []
