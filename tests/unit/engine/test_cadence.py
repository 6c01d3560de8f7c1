"""How often the JSON files are rewritten."""

from __future__ import annotations

from specular_tui.engine.cadence import Cadence


def started(every_tasks: int = 3, every_ms: int = 60_000) -> Cadence:
    cadence = Cadence(every_tasks=every_tasks, every_ms=every_ms)
    cadence.start(1_000)
    return cadence


def test_it_is_due_after_so_many_tasks() -> None:
    cadence = started()
    due = []
    for _ in range(7):
        cadence.task_ended()
        due.append(cadence.due(1_000))
        if due[-1]:
            cadence.began(1_000)
            cadence.made(5)
    assert due == [False, False, True, False, False, True, False]


def test_it_is_due_after_so_much_time_if_anything_has_ended_since() -> None:
    cadence = started()
    assert not cadence.due(500_000)
    cadence.task_ended()
    assert not cadence.due(60_999)
    assert cadence.due(61_000)
    cadence.began(61_000)
    cadence.task_ended()
    assert not cadence.due(120_999)
    assert cadence.due(121_000)


def test_tasks_that_end_while_a_snapshot_is_made_count_for_the_next() -> None:
    cadence = started(every_tasks=1)
    cadence.task_ended()
    assert cadence.due(1_000)
    cadence.began(1_000)
    cadence.task_ended()
    cadence.made(20)
    assert cadence.due(1_020)


def test_dear_snapshots_become_rare() -> None:
    cadence = started(every_tasks=1)
    now = 1_000
    for _ in range(100):
        now += 100
        cadence.task_ended()
        if cadence.due(now):
            cadence.began(now)
            cadence.made(100)
    # A second is free; of the ten seconds that it took another half may be spent, and one begun is finished.
    assert cadence.spent_ms <= 1_000 + 0.05 * 10_000 + 100
    cadence.task_ended()
    assert not cadence.due(now + 100)
    assert cadence.due(now + 10_000)
