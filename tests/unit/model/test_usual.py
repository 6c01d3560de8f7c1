"""What a task usually takes."""

from __future__ import annotations

import pytest

from specular_tui.model.run import RunState, TaskState, TaskStatus
from specular_tui.model.usual import Usual, is_slow, usual


def took(ms: int | None, outcome: str = "completed", *, gate: bool = False) -> RunState:
    task = TaskState(status=TaskStatus.COMPLETED, attempt=1, outcome=outcome, duration_ms=ms)
    return RunState(gates={"@lint": task}) if gate else RunState(tasks={"a": task})


def test_the_middle_and_both_ends() -> None:
    assert usual([took(30), took(10), took(20)]) == {"a": Usual(20, 10, 30, 3)}
    assert usual([took(10), took(20)]) == {"a": Usual(15, 10, 20, 2)}
    assert usual([]) == {}


def test_only_what_completed_counts_and_gates_do() -> None:
    assert usual([took(30), took(1, "failed"), took(None)]) == {"a": Usual(30, 30, 30, 1)}
    assert usual([took(7, gate=True)]) == {"@lint": Usual(7, 7, 7, 1)}


@pytest.mark.parametrize(
    ("ms", "past", "slow"),
    [
        (12_000, Usual(10_000, 9_000, 11_000, 4), False),
        (13_501, Usual(10_000, 9_000, 11_000, 4), True),
        (15_000, Usual(10_000, 9_000, 16_000, 4), False),
        (1_100, Usual(100, 90, 110, 4), False),
        (1_200, Usual(100, 90, 110, 4), True),
    ],
)
def test_slow_is_longer_than_ever_and_by_far(ms: int, past: Usual, slow: bool) -> None:
    assert is_slow(ms, past) is slow
