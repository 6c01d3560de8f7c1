"""A task that had ended well when the engine was killed is not run again, even while its outputs were being read."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

SPECULAR = [sys.executable, "-m", "specular_tui"]


def test_a_result_that_was_being_hashed_is_kept(tmp_path: Path) -> None:
    # Large sparse outputs: reading them takes long enough for the kill to fall into it.
    command = "truncate -s 1G big && echo made >> made.log"
    tasks = [
        {"id": "big", "command": command, "outputs": ["big"]},
        {"id": "after", "command": "true", "depends_on": ["big"]},
    ]
    (tmp_path / "plan.json").write_text(json.dumps({"version": 1, "tasks": tasks}))
    engine = subprocess.Popen([*SPECULAR, "build"], cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    journals = tmp_path / ".specular" / "checkpoints"
    while not any(b'"task_exited"' in path.read_bytes() for path in journals.glob("build-*/journal.jsonl")):
        assert time.monotonic() < deadline, "the task did not end"
        time.sleep(0.005)
    os.kill(engine.pid, signal.SIGKILL)
    engine.wait()
    (journal,) = journals.glob("build-*/journal.jsonl")
    assert b'"outcome":"completed"' not in journal.read_bytes(), "the outputs had been read before the kill"
    done = subprocess.run([*SPECULAR, "build", "--resume"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "made.log").read_text() == "made\n"
    progress = json.loads((journal.parent / "progress.json").read_text())["tasks"]
    assert progress["big"]["status"] == "completed"
    assert progress["big"]["attempt"] == 1
