"""The first line of the live display."""

from __future__ import annotations

import pytest

from specular_tui.cli.live import LiveReporter
from specular_tui.model.graph import Graph
from specular_tui.model.plan import Task
from specular_tui.model.run import RunState, RunStatus, Session, TaskState, TaskStatus


def running(*, done: int = 0, skipped: int = 0, total: int = 40) -> RunState:
    """A run that began at the moment 0, whose next task has run since then."""
    statuses = [TaskStatus.COMPLETED] * done + [TaskStatus.SKIPPED] * skipped + [TaskStatus.IN_PROGRESS]
    tasks = {
        f"t{at}": TaskState(status=status, attempt=1, started_at=0, duration_ms=5_000)
        for at, status in enumerate(statuses)
    } | {f"t{at}": TaskState() for at in range(len(statuses), total)}
    return RunState(
        status=RunStatus.IN_PROGRESS,
        tasks=tasks,
        counts={status: sum(task.status is status for task in tasks.values()) for status in TaskStatus},
        sessions=[Session(started_at=0, pid=1)],
        running={f"t{done + skipped}": None},
    )


@pytest.fixture
def reporter() -> LiveReporter:
    found = LiveReporter()
    found._graph = Graph([Task(id=f"t{at}", title="", command="true") for at in range(40)])
    return found


def test_how_far_it_is_and_since_when_is_said_at_once(reporter: LiveReporter) -> None:
    head = reporter._head(running(), 1_000, 80).plain
    assert head.startswith("building  ")
    assert head.endswith("  0/40  1.0s")


def test_where_nobody_knows_the_end_that_is_said_after_a_while(reporter: LiveReporter) -> None:
    head = reporter._head(running(), 6_000, 80).plain
    assert head.endswith("  0/40  6.0s, nobody knows yet how long")
    assert len(head) < 80, "it stays one line"
    assert reporter._head(running(), 6_000, 50).plain.endswith("  0/40  6.0s")
    stopping = running()
    stopping.stopping = True
    assert reporter._head(stopping, 6_000, 80).plain.endswith("  0/40  6.0s")


def test_an_estimate_takes_its_place(reporter: LiveReporter) -> None:
    head = reporter._head(running(done=8), 6_000, 80).plain
    assert "  8/40  6.0s, ~" in head
    assert "nobody" not in head


def test_what_was_skipped_is_said_beside_what_is_done(reporter: LiveReporter) -> None:
    assert "  8/40  2 skipped  6.0s, ~" in reporter._head(running(done=8, skipped=2), 6_000, 100).plain
