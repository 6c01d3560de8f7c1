from __future__ import annotations

from typing import get_args

import msgspec
import pytest

from specular_tui.cli.events import describe, event_line
from specular_tui.model import event as ev
from specular_tui.model.run import RunState

STATE = RunState(run_id="r")
SAMPLES: list[ev.AnyEvent] = [
    ev.RunCreated(at=1, run_id="r", plan_file="", plan_folder="", plan_name="", plan_hash=""),
    ev.SessionStarted(at=1, pid=1),
    ev.TaskStarted(at=1, task="a", attempt=1),
    ev.TaskExited(at=1, task="a", attempt=1, duration_ms=5),
    ev.TaskEnded(at=1, task="a", attempt=1, outcome="completed", duration_ms=5),
    ev.TaskSkipped(at=1, task="a", reason="x"),
    ev.TaskReset(at=1, task="a", reason="x"),
    ev.Frozen(at=1),
    ev.Thawed(at=1),
    ev.Draining(at=1),
    ev.Stopping(at=1),
    ev.ContextSet(at=1, values={}),
    ev.LogLost(at=1, task="a", attempt=1),
    ev.Imported(at=1),
    ev.SessionEnded(at=1, status="paused"),
    ev.RunAbandoned(at=1),
    ev.Folded(at=1, state=msgspec.Raw(b"{}")),
]


def test_there_is_a_sample_of_every_event() -> None:
    assert {type(sample) for sample in SAMPLES} == set(get_args(ev.AnyEvent))


def test_every_event_has_a_line_of_its_own() -> None:
    lines = [event_line(sample, "r", STATE) for sample in SAMPLES]

    assert len({line["event"] for line in lines}) == len(SAMPLES)
    for line in lines:
        assert list(line)[:3] == ["event", "time", "run_id"]
        assert line["time"] == "1970-01-01T00:00:00.001Z"


@pytest.mark.parametrize(
    ("outcome", "will_retry", "status", "word"),
    [
        ("completed", False, "completed", "DONE"),
        ("failed", False, "failed", "FAIL"),
        ("failed", True, "pending", "RETRY"),
        ("interrupted", False, "pending", "STOP"),
    ],
)
def test_how_a_task_ended(outcome: str, will_retry: bool, status: str, word: str) -> None:
    ended = ev.TaskEnded(at=1, task="a", attempt=1, outcome=outcome, duration_ms=5, will_retry=will_retry)

    assert event_line(ended, "r", STATE)["status"] == status
    fact = describe(ended, STATE, {"a": "A title"})
    assert fact is not None
    assert fact[0] == word
    assert "A title" in fact[2]
