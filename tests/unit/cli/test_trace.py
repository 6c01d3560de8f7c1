"""A run as a trace."""

from __future__ import annotations

from specular_tui.cli.trace import trace
from specular_tui.model.run import Attempt, RunState, TaskState, TaskStatus


def test_every_attempt_is_in_a_row_in_which_nothing_else_runs() -> None:
    first = Attempt(attempt=1, outcome="failed", started_at=100, completed_at=300, duration_ms=200, exit_code=1)
    state = RunState(
        run_id="r",
        plan_name="webapp",
        created_at=100,
        tasks={
            "a": TaskState(
                status=TaskStatus.COMPLETED,
                attempt=2,
                outcome="completed",
                started_at=300,
                completed_at=500,
                exit_code=0,
                earlier=(first,),
            ),
            "b": TaskState(status=TaskStatus.IN_PROGRESS, attempt=1, started_at=200),
            "c": TaskState(),
        },
        freezes=[(350, 400)],
    )
    found = trace(state, 900, frozenset({"a"}))["traceEvents"]
    slices = [(e["name"], e["tid"], e["ts"], e["dur"]) for e in found if e["ph"] == "X"]
    assert slices == [
        ("a", 1, 0, 200_000),
        ("b", 2, 100_000, 700_000),
        ("a", 1, 200_000, 200_000),
        ("frozen", 0, 250_000, 50_000),
    ]
    args = [e["args"] for e in found if e["ph"] == "X"]
    assert args[0] == {"attempt": 1, "outcome": "failed", "critical": True, "exit_code": 1}
    assert args[1] == {"attempt": 1, "outcome": "running", "critical": False}
    assert [e["args"]["name"] for e in found if e["ph"] == "M"] == ["webapp r", "slot 1", "slot 2", "run"]


def test_a_run_in_which_nothing_has_run() -> None:
    assert [e["ph"] for e in trace(RunState(run_id="r"), 0, frozenset())["traceEvents"]] == ["M"]
