"""A task whose container has not begun yet: one of its own, or one that tasks share."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from specular_tui.engine.container.job import ENGINE_FAILED, ContainerJob, Place
from specular_tui.engine.container.shared import Pool, SharedJob, SharedPlace
from specular_tui.engine.executor import Exit, Work
from specular_tui.errors import SpecularError


class Registry:
    """A place whose image comes when it is there, or fails."""

    engine = local = SimpleNamespace()
    line = SimpleNamespace(marker="/run")

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.asked = 0

    async def provide(self, image: str, log_fd: int) -> None:
        self.asked += 1
        if self.error is not None:
            raise self.error
        await asyncio.sleep(60)


def start(place: Registry, log: Path) -> tuple[ContainerJob, asyncio.Future[Exit]]:
    end: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
    fd = os.open(log, os.O_WRONLY | os.O_CREAT)
    work = Work(task="t", attempt=1, command="true", env={}, workdir="/", image="there:1", log_fd=fd)
    return ContainerJob(cast("Place", place), work, end.set_result), end


@pytest.mark.parametrize("by_force", [False, True])
async def test_one_that_waits_for_its_image_ends_when_it_is_told_to(tmp_path: Path, by_force: bool) -> None:
    place = Registry()
    job, end = start(place, tmp_path / "log")
    await asyncio.sleep(0)
    if by_force:
        job.kill()
    else:
        assert job.terminate()
    assert (await asyncio.wait_for(end, 5)).signal == "SIGTERM"
    assert place.asked <= 1
    assert not job.terminate()


async def test_a_mistake_in_it_ends_the_task_and_is_told(tmp_path: Path) -> None:
    job, end = start(Registry(RuntimeError("a \udcff mistake")), tmp_path / "log")
    found = await asyncio.wait_for(end, 5)
    assert found.exit_code == ENGINE_FAILED
    assert (found.reason or "").startswith("internal error: RuntimeError: a ")
    assert (tmp_path / "log").read_bytes() == b"specular: internal error: RuntimeError: a ? mistake\n"
    assert job.ending is False


@pytest.mark.parametrize("error", [None, SpecularError("cannot pull the image 'there:1'")])
async def test_a_container_that_tasks_share_waits_for_the_next_one_where_there_is_no_image(
    tmp_path: Path, error: Exception | None
) -> None:
    place = Registry(error)
    line = SimpleNamespace(marker="/run", keep=lambda name, image: [name, image])
    place.line = line
    pool = Pool(cast("Place", place), most_idle=1, guard=None)
    taken = pool.take("there:1")
    await pool.give_back("there:1", taken)
    place.pool = pool  # type: ignore[attr-defined]
    log = os.open(tmp_path / "log", os.O_WRONLY | os.O_CREAT)
    work = Work(task="t", attempt=1, command="true", env={}, workdir="/", image="there:1", log_fd=log)
    for _ in range(3):
        end: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        job = SharedJob(cast("SharedPlace", place), work, end.set_result)
        assert job.container == taken.name
        await asyncio.sleep(0)
        assert job.terminate() or error
        await asyncio.wait_for(end, 5)
    assert pool.take("there:1") is taken
    pool.close()
