"""What a task in a container costs, with a container of its own (`reuse: task`) and in a kept one (`reuse: run`).

python -m tests.benchmarks.bench_container [TASKS] [ROUNDS]
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.container import dockerd

POLICY = """\
execution:
  docker: {{cpu_limit: "1", mem_limit: "256m", network: none, pids_limit: 64, reuse: {reuse}}}
"""


def build(folder: Path, environment: dict[str, str], reuse: str, count: int, jobs: int) -> list[float]:
    """Run `count` tasks that do nothing; return the build's milliseconds for one, and those of each."""
    folder.mkdir()
    (folder / ".specular").mkdir()
    (folder / ".specular" / "policy.yaml").write_text(POLICY.format(reuse=reuse))
    tasks = [{"id": f"t{i}", "image": dockerd.IMAGE, "command": "true"} for i in range(count)]
    (folder / "plan.json").write_text(json.dumps({"version": 1, "tasks": tasks}))
    began = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "specular_tui", "build", "--quiet", "--jobs", str(jobs)],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        check=True,
    )
    wall = (time.perf_counter() - began) * 1000 / count
    (progress,) = (folder / ".specular" / "checkpoints").glob("*/progress.json")
    done = json.loads(progress.read_text())["tasks"].values()
    return [wall, *(float(task["duration_ms"]) for task in done)]


def main(count: int, rounds: int) -> None:
    missing = dockerd.lacking()
    if missing:
        print(f"not measured: this needs {', '.join(missing)}")
        return
    with tempfile.TemporaryDirectory() as base, dockerd.running(Path(base)) as environment:
        for jobs in (1, 2):
            wall: dict[str, list[float]] = {"task": [], "run": []}
            each: dict[str, list[float]] = {"task": [], "run": []}
            for number in range(rounds):
                for reuse in ("task", "run"):
                    first, *rest = build(Path(base, f"{jobs}-{reuse}-{number}"), environment, reuse, count, jobs)
                    wall[reuse].append(first)
                    each[reuse] += rest
            for reuse, words in (("task", "a container for each task"), ("run", "kept containers")):
                share, took = statistics.median(wall[reuse]), statistics.median(each[reuse])
                print(f"{words}, {count} tasks, {jobs} at once: {took:.0f} ms a task, {share:.0f} ms of the build")
            ratio = statistics.median(a / b for a, b in zip(wall["task"], wall["run"], strict=True))
            print(f"{jobs} at once: kept containers are {ratio:.1f} times as fast")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20, int(sys.argv[2]) if len(sys.argv) > 2 else 3)
