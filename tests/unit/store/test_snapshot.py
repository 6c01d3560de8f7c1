"""The three files and the records: the specification's names and types, and nothing secret."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from specular_tui.model import event as ev
from specular_tui.model.fold import apply
from specular_tui.model.plan import Task
from specular_tui.model.run import RunState, TaskState
from specular_tui.store import snapshot


def state(*events: ev.AnyEvent) -> RunState:
    found = apply(
        RunState(),
        ev.RunCreated(
            at=1_705_314_645_123,
            run_id="r",
            plan_file="plans/plan.json",
            plan_folder="/p",
            plan_name="p",
            plan_hash="blake3:0",
            tasks=("a", "b", "c"),
            gates=("@tests",),
        ),
    )
    for event in events:
        found = apply(found, event)
    return found


BEGIN = ev.SessionStarted(at=1_705_314_650_000, pid=1)


def started(task: str, at: int, attempt: int = 1) -> ev.TaskStarted:
    return ev.TaskStarted(at=at, task=task, attempt=attempt)


def ended(task: str, at: int, outcome: str = "completed", **more: Any) -> ev.TaskEnded:
    return ev.TaskEnded(at=at, task=task, attempt=1, outcome=outcome, duration_ms=1000, **more)


def test_metadata_has_the_fields_of_the_specification_first() -> None:
    found = snapshot.metadata(state(), now=0, journal_bytes=7)
    assert list(found)[:10] == [
        "run_id", "created_at", "updated_at", "plan_file", "plan_hash", "policy_file", "status", "total_tasks",
        "completed_tasks", "failed_tasks",
    ]  # fmt: skip
    assert found["created_at"] == "2024-01-15T10:30:45Z"
    assert found["plan_path"] == "/p/plan.json"
    assert found["format"] == 1


def test_states_are_lists_in_the_order_of_the_plan() -> None:
    at = BEGIN.at
    run = state(BEGIN, started("c", at), ended("c", at), started("b", at + 1), started("a", at + 2))
    found = snapshot.states(run)
    assert found["completed"] == ["c"]
    assert found["pending"] == ["a", "b"]
    assert found["running"] == ["b", "a"]
    assert found["current_task"] == "b"


def test_progress_of_a_running_task_is_as_the_specification_shows_it() -> None:
    run = state(BEGIN, started("a", BEGIN.at))
    entry = snapshot.progress(run, {})["tasks"]["a"]
    assert entry == {
        "status": "in_progress",
        "started_at": "2024-01-15T10:30:50Z",
        "completed_at": None,
        "duration_ms": None,
        "exit_code": None,
        "attempt": 1,
    }


def test_only_ended_attempts_have_records() -> None:
    at = BEGIN.at
    assert not snapshot.has_record(TaskState())
    run = state(BEGIN, started("a", at))
    assert not snapshot.has_record(run.tasks["a"])
    run = apply(run, ended("a", at))
    assert snapshot.has_record(run.tasks["a"])
    run = apply(run, started("a", at, attempt=2))
    assert not snapshot.has_record(run.tasks["a"])


def test_a_record_masks_secrets_and_keeps_earlier_attempts() -> None:
    at = BEGIN.at
    run = state(
        BEGIN,
        started("a", at),
        ended("a", at + 5, "failed", exit_code=2, will_retry=True, log_size=3, log_hash="blake3:1"),
        started("a", at + 6, attempt=2),
    )
    run = apply(run, ev.TaskEnded(at=at + 9, task="a", attempt=2, outcome="completed", duration_ms=3, exit_code=0))
    task = Task(id="a", command="x", env={"API_TOKEN": "hunter2", "CI": "1"})
    found = msgspec.json.decode(snapshot.record("a", run.tasks["a"], task))
    assert found["env"] == {"API_TOKEN": "***", "CI": "1"}
    assert [(a["attempt"], a["exit_code"], a["log"]["file"]) for a in found["attempts"]] == [(1, 2, "a.1.log")]
    assert (found["attempt"], found["status"], found["log"]["file"]) == (2, "completed", "a.log")


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (None, None),
        (0, "1970-01-01T00:00:00Z"),
        (1_705_314_645_999, "2024-01-15T10:30:45Z"),
        (-5, "1970-01-01T00:00:00Z"),
        (10**30, "9999-12-31T23:59:59Z"),
    ],
)
def test_any_number_is_a_time(ms: int | None, text: str | None) -> None:
    assert snapshot.timestamp(ms) == text


def test_what_is_written_is_indented_and_ends_with_a_line_feed() -> None:
    assert snapshot.encode({"a": [1]}) == b'{\n  "a": [\n    1\n  ]\n}\n'


@pytest.mark.parametrize("tasks", [0, 1, 3, 7])
@pytest.mark.parametrize("gates", [0, 2])
def test_progress_in_pieces_is_the_same_file(tasks: int, gates: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "_AT_A_TIME", 3)
    run = RunState(
        tasks={f'{number}\n"{{': TaskState(reason="a\nb" if number % 2 else None) for number in range(tasks)},
        gates={f"@{number}": TaskState() for number in range(gates)},
        seq=5,
    )
    hashes = {'0\n"{': "blake3:00"}
    assert b"".join(snapshot.progress_file(run, hashes.get)) == snapshot.encode(snapshot.progress(run, hashes))
