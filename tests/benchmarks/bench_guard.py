"""How long the tasks of a killed engine live on.

python -m tests.benchmarks.bench_guard [ROUNDS]
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TASKS = 20


def once(folder: Path) -> float:
    """Return the seconds from the kill of an engine to the end of the last of its tasks."""
    tasks = [{"id": f"t{i}", "command": "echo $$ >> pids; exec sleep 600"} for i in range(TASKS)]
    (folder / "plan.json").write_text(json.dumps({"version": 1, "tasks": tasks}))
    engine = subprocess.Popen(
        [sys.executable, "-m", "specular_tui", "build", "--jobs", str(TASKS)], cwd=folder, stdout=subprocess.DEVNULL
    )
    pids: list[str] = []
    while len(pids) < TASKS:
        time.sleep(0.01)
        pids = (folder / "pids").read_text().split() if (folder / "pids").exists() else []
    began = time.perf_counter()
    os.kill(engine.pid, signal.SIGKILL)
    while any(_lives(pid) for pid in pids):
        pass
    took = time.perf_counter() - began
    engine.wait()
    return took


def _lives(pid: str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2][0] not in "ZX"
    except OSError:
        return False


def main(rounds: int) -> None:
    times = []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory() as folder:
            times.append(once(Path(folder)) * 1000)
    print(f"{TASKS} tasks: median {statistics.median(times):.1f} ms, longest {max(times):.1f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10)
