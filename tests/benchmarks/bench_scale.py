"""What a task costs in a plan of 1,000, of 10,000 and of 100,000: time, memory, and the time that a resume takes.

    python -m tests.benchmarks.bench_scale [TASKS …]

Each plan of independent no-op tasks is built once with two jobs and a durable checkpoint of every task. Then the
finished run is resumed, until that says that there is nothing to do, beside ninja finding the same on as many edges
whose outputs are there: medians of five, in turn. Memory is the peak of the engine above that of a build of one task.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final, NamedTuple

from tests.benchmarks.bench_engine import Shape, write_plan

BUILD: Final = [sys.executable, "-m", "specular_tui", "build"]
RESUMES: Final = 5


class Cost(NamedTuple):
    """What a command took."""

    seconds: float
    peak_kib: int


def run(command: list[str], folder: Path) -> Cost:
    """Run a command to its end."""
    began = time.perf_counter()
    child = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    assert child.returncode == 0, (command, child.returncode)
    peak = usage.ru_maxrss // 1024 if sys.platform == "darwin" else usage.ru_maxrss
    return Cost(time.perf_counter() - began, peak)


def built(folder: Path, tasks: int) -> Cost:
    """Build a plan of so many tasks in `folder`."""
    folder.mkdir()
    write_plan(folder, Shape(tasks, "true", "true"))
    return run([*BUILD, "-j2", "-q"], folder)


def ninja_with_outputs(folder: Path, tasks: int) -> None:
    """Have ninja build as many files as there are tasks."""
    folder.mkdir()
    lines = ["rule r\n  command = touch $out\n", *(f"build t{number}: r\n" for number in range(tasks))]
    (folder / "build.ninja").write_text("".join(lines))
    run(["ninja", "-j2"], folder)


def main(counts: list[int]) -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory(prefix="specular-bench-") as name:
        root = Path(name)
        base = built(root / "base", 1)
        print(f"a build of one task: {base.seconds:.2f} s, {base.peak_kib / 1024:.0f} MiB")
        print(
            f"{'tasks':>9} {'tasks/s':>8} {'us a task':>10} {'KiB a task':>11} {'resume':>8} {'ninja':>8} {'ratio':>6}"
        )
        for count in counts:
            cost = built(root / str(count), count)
            resumes, others = [], []
            ninja = root / f"ninja-{count}"
            if shutil.which("ninja"):
                ninja_with_outputs(ninja, count)
            for _ in range(RESUMES):
                resumes.append(run([*BUILD, "--resume"], root / str(count)).seconds)
                if ninja.exists():
                    others.append(run(["ninja"], ninja).seconds)
            spent = cost.seconds - base.seconds
            row = f"{count:>9,} {count / spent:>8,.0f} {spent / count * 1e6:>10,.0f}"
            row += f" {(cost.peak_kib - base.peak_kib) / count:>11.2f} {statistics.median(resumes):>6.2f} s"
            if others:
                ratio = statistics.median(a / b for a, b in zip(resumes, others, strict=True))
                row += f" {statistics.median(others):>6.2f} s {ratio:>6.2f}"
            print(row, flush=True)


if __name__ == "__main__":
    main([int(count) for count in sys.argv[1:]] or [1_000, 10_000, 100_000])
