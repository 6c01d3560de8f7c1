"""The machine's own sleep counts as frozen: towards no duration, and no timeout."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from specular_tui.engine import sleep
from specular_tui.model import event as ev
from specular_tui.model.plan import Task
from specular_tui.model.run import RunStatus, TaskStatus
from tests.unit.engine.rig import Rig, until

NIGHT = 8 * 3_600_000


def task(task_id: str, command: str, *needs: str, timeout_ms: int | None = None) -> Task:
    return Task(id=task_id, command=command, depends_on=needs, timeout_ms=timeout_ms)


def fall_asleep(rig: Rig, ms: int = NIGHT) -> None:
    """Have the clocks be as after a sleep of `ms`: the one goes on while the machine sleeps, the other does not."""
    rig.clock._began -= ms * 1_000_000


async def test_a_night_counts_towards_no_duration(tmp_path: Path) -> None:
    rig = Rig(tmp_path, [task("a", "touch began; until test -e go; do sleep 0.01; done"), task("b", "true", "a")])
    began = rig.clock.now()
    running = rig.start()
    await until(lambda: (tmp_path / "began").exists())
    fall_asleep(rig)
    (tmp_path / "go").touch()
    await running
    assert rig.state.status is RunStatus.COMPLETED
    assert [(type(e), getattr(e, "by", "")) for e in rig.events if isinstance(e, ev.Frozen | ev.Thawed)] == [
        (ev.Frozen, "sleep"),
        (ev.Thawed, ""),
    ]
    assert rig.state.updated_at - began >= NIGHT, "it is the next morning"
    for name in ("a", "b"):
        took = rig.task(name).duration_ms
        assert took is not None
        assert took < 60_000
    assert rig.state.elapsed_ms < 60_000
    ((since, until_),) = rig.state.freezes
    assert abs(until_ - since - NIGHT) < 60_000
    assert [e.at for e in rig.events] == sorted(e.at for e in rig.events)


async def test_a_sleep_is_seen_while_nothing_happens_and_costs_no_timeout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sleep, "_LOOK_S", 0.02)
    rig = Rig(tmp_path, [task("a", "touch began; until test -e go; do sleep 0.01; done", timeout_ms=600_000)])
    running = rig.start()
    await until(lambda: (tmp_path / "began").exists())
    fall_asleep(rig)
    await until(lambda: rig.state.freezes)
    assert rig.task("a").status is TaskStatus.IN_PROGRESS
    assert rig.state.status is RunStatus.IN_PROGRESS
    rig.runner.freeze()
    fall_asleep(rig)
    await asyncio.sleep(0.1)
    rig.runner.thaw()  # what is left of the timeout is counted anew
    assert len(rig.state.freezes) == 2, "frozen as it was, it slept too"
    (tmp_path / "go").touch()
    await running
    assert rig.task("a").status is TaskStatus.COMPLETED
    assert rig.state.frozen_ms >= 2 * NIGHT
    assert rig.state.elapsed_ms < 60_000


async def test_a_nap_is_not_worth_an_event(tmp_path: Path) -> None:
    rig = Rig(tmp_path, [task("a", "touch began; until test -e go; do sleep 0.01; done")])
    running = rig.start()
    await until(lambda: (tmp_path / "began").exists())
    fall_asleep(rig, 500)
    (tmp_path / "go").touch()
    await running
    assert not any(isinstance(event, ev.Frozen) for event in rig.events)
