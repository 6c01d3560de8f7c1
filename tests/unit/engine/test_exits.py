"""Ends of children: told once, not missed, and not reaped."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from specular_tui.engine import exits
from specular_tui.engine.exits import Exits, has_ended


def start(*command: str) -> int:
    return os.posix_spawnp(command[0], command, os.environ)


def noting(told: list[int], pid: int) -> Callable[[], None]:
    return lambda: told.append(pid)


@pytest.mark.parametrize("pidfds", [True, False])
async def test_each_end_is_told_once_also_of_those_that_ended_before_they_were_watched(
    monkeypatch: pytest.MonkeyPatch, pidfds: bool
) -> None:
    if not pidfds:
        monkeypatch.setattr(exits, "_has_pidfds", lambda: False)
    watching = Exits(asyncio.get_running_loop())
    told: list[int] = []
    early = start("true")
    os.waitid(os.P_PID, early, os.WEXITED | os.WNOWAIT)
    pids = [early, *(start("sleep", "0.05") for _ in range(20))]
    try:
        for pid in pids:
            watching.watch(pid, noting(told, pid))
        assert told == []
        async with asyncio.timeout(10):
            while len(told) < len(pids):
                await asyncio.sleep(0.005)
        await asyncio.sleep(0.02)
        assert sorted(told) == sorted(pids)
    finally:
        watching.close()
        for pid in pids:
            assert os.waitpid(pid, 0)[0] == pid  # nobody has reaped it


async def test_watching_nothing_any_more_leaves_no_descriptor() -> None:
    before = os.listdir("/proc/self/fd") if Path("/proc/self/fd").exists() else []
    watching = Exits(asyncio.get_running_loop())
    pid = start("sleep", "30")
    told: list[int] = []
    watching.watch(pid, noting(told, pid))
    watching.close()
    if before:
        assert os.listdir("/proc/self/fd") == before
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    await asyncio.sleep(0.01)
    assert told == []


def test_a_child_has_ended_once_it_is_a_zombie_or_gone() -> None:
    child = subprocess.Popen(["sleep", "30"])
    assert not has_ended(child.pid)
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert has_ended(child.pid)
    child.wait()
    assert has_ended(child.pid)
