"""Format 1, as docs/checkpoint.md has it: stored runs stay readable, and another program can read and write them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from specular_tui.store import checkpoint
from specular_tui.store.archive import import_run
from specular_tui.store.checks.check import check
from tests import recorded
from tests.recorded import RUN

STORED = Path(__file__).parents[2] / "data" / "checkpoints" / "format-1"
RUNS = {
    "completed": ("completed", 4, 0),
    "packed": ("completed", 4, 0),
    "paused": ("paused", 2, 0),
    "failed": ("failed", 1, 1),
    "folded": ("failed", 1, 1),
    "killed": ("paused", 2, 0),
}


@pytest.mark.parametrize("name", RUNS)
def test_stored_runs_stay_readable(tmp_path: Path, name: str) -> None:
    shutil.copytree(STORED / name, tmp_path / name)
    assert check(tmp_path, name).ok
    summary = checkpoint.summarise(tmp_path, name)
    found = (summary.status, summary.metadata["completed_tasks"], summary.metadata["failed_tasks"])
    assert found == RUNS[name]
    tasks = {task.id: task for task in recorded.TASKS}
    recorded.recorder_of(tmp_path, name, tasks).close(recorded.START)
    assert check(tmp_path, name).ok


def test_stored_archives_can_be_imported(tmp_path: Path) -> None:
    assert import_run(tmp_path, STORED / "completed.tar.gz") == "completed"
    assert check(tmp_path, "completed").ok


def read_journal(data: bytes) -> list[dict[str, Any]]:
    """Read a journal by what docs/checkpoint.md says, with nothing of Specular's own."""
    records: list[dict[str, Any]] = []
    chain = ""
    for line in data.split(b"\n")[:-1]:
        record = json.loads(line)
        body, end = line[:-44], line[-44:]
        assert end == f',"chain":"{record["chain"]}"}}'.encode()
        if record["event"] == "folded" and not records:
            chain = record["state"]["chain"]
            assert record["seq"] == record["state"]["seq"] + 1
        elif records:
            assert record["seq"] == records[-1]["seq"] + 1
        else:
            assert record["seq"] == 1
        assert body.startswith(b'{"seq":%d,' % record["seq"])
        chain = blake3(chain.encode() + body).hexdigest()[:32]
        assert record["chain"] == chain
        records.append(record)
    return records


@pytest.mark.parametrize("name", RUNS)
def test_another_program_can_read_a_run(name: str) -> None:
    records = read_journal((STORED / name / "journal.jsonl").read_bytes())
    metadata = json.loads((STORED / name / "metadata.json").read_bytes())
    assert metadata["format"] == 1
    (mark,) = [record for record in records if record["seq"] == metadata["journal_seq"]]
    assert metadata["journal_chain"] == mark["chain"]
    for record in records:
        if record["event"] == "task_ended" and name != "packed" and record.get("log_size"):
            stem = "".join(
                c if c in "abcdefghijklmnopqrstuvwxyz0123456789_@+-" else f"%{ord(c):02X}" for c in record["task"]
            )
            last = max(r["attempt"] for r in records if r["event"] == "task_ended" and r["task"] == record["task"])
            part = "" if record["attempt"] == last else f".{record['attempt']}"
            data = (STORED / name / "outputs" / f"{stem}{part}.log").read_bytes()
            assert f"blake3:{blake3(data).hexdigest()}" == record["log_hash"]
            assert len(data) == record["log_size"]


def test_another_program_can_write_a_run(tmp_path: Path) -> None:
    """By hand, with other spacing: the journal, the plan and the three files are all that a run needs."""
    plan = b'{"version": 1, "tasks": [{"id": "a", "command": "true"}]}'
    digest = f"blake3:{blake3(plan).hexdigest()}"
    events = [
        {"event": "run_created", "at": 1_705_314_645_000, "run_id": RUN, "plan_file": "plan.json", "plan_folder": "/p",
         "plan_name": "p", "plan_hash": digest, "host": "elsewhere", "tasks": ["a"]},
        {"event": "session_started", "at": 1_705_314_646_000, "pid": 1},
        {"event": "task_started", "at": 1_705_314_647_000, "task": "a", "attempt": 1},
        {"event": "task_ended", "at": 1_705_314_648_000, "task": "a", "attempt": 1, "outcome": "interrupted",
         "duration_ms": 1000},
        {"event": "session_ended", "at": 1_705_314_649_000, "status": "paused", "reason": "SIGINT", "elapsed_ms": 3000},
    ]  # fmt: skip
    journal, chain = b"", ""
    for seq, event in enumerate(events, 1):
        body = json.dumps({"seq": seq, **event}, separators=(",", ":")).encode()[:-1]
        chain = blake3(chain.encode() + body).hexdigest()[:32]
        journal += body + b',"chain":"' + chain.encode() + b'"}\n'
    record = json.dumps({"task": "a", "attempt": 1, "outcome": "interrupted", "started_at": "2024-01-15T10:30:47Z",
                         "completed_at": "2024-01-15T10:30:48Z", "duration_ms": 1000, "exit_code": None, "signal": None,
                         }).encode()  # fmt: skip
    run = tmp_path / RUN
    (run / "outputs").mkdir(parents=True, mode=0o700)
    files: dict[str, Any] = {
        "metadata.json": {
            "run_id": RUN, "created_at": "2024-01-15T10:30:45Z", "updated_at": "2024-01-15T10:30:49Z",
            "plan_file": "plan.json", "plan_hash": digest, "policy_file": None, "status": "paused", "total_tasks": 1,
            "completed_tasks": 0, "failed_tasks": 0, "skipped_tasks": 0, "format": 1, "host": "elsewhere",
            "plan_name": "p", "plan_path": "/p/plan.json", "policy_hash": None, "interrupted": False, "imported": False,
            "reason": "SIGINT", "elapsed_ms": 3000, "frozen_ms": 0, "created_at_ms": 1_705_314_645_000,
            "updated_at_ms": 1_705_314_649_000, "control": None, "journal_seq": 5, "journal_chain": chain,
            "journal_bytes": len(journal),
        },
        "state.json": {"current_task": None, "completed": [], "failed": [], "skipped": [], "pending": ["a"],
                       "running": [], "context": {}, "journal_seq": 5},
        "progress.json": {
            "tasks": {"a": {"status": "pending", "started_at": "2024-01-15T10:30:47Z",
                            "completed_at": "2024-01-15T10:30:48Z", "duration_ms": 1000, "exit_code": None,
                            "output_hash": f"blake3:{blake3(record).hexdigest()}", "attempt": 1}},
            "gates": {}, "journal_seq": 5,
        },
    }  # fmt: skip
    (run / "journal.jsonl").write_bytes(journal)
    (run / "plan.json").write_bytes(plan)
    (run / "outputs" / "a.json").write_bytes(record)
    for name, content in files.items():
        (run / name).write_text(json.dumps(content))
    found = check(tmp_path, RUN)
    assert found.ok, found
    assert len(found.notes) == 3
    assert checkpoint.load(tmp_path, RUN).state.tasks["a"].status == "pending"
