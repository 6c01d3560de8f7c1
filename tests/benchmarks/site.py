"""A checkpoint directory as a large build leaves it, and one that goes on being written, by a process of its own.

`python -m tests.benchmarks.site FOLDER TASKS RATE LINES` writes a live run: so many tasks, RATE transitions a second,
and LINES lines a second into the log of each of the first tasks, which stay running. It goes through the recorder that
builds go through.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from specular_tui.model import event as ev
from specular_tui.model.plan import Task
from tests.recorded import Recorded

#: The tasks at the top of the table that run all the time.
STEADY: Final = 4


def task_id(number: int) -> str:
    """Return the id of a task."""
    return f"pkg{number // 100:04d}/step-{number % 100:02d}"


def large(root: Path, tasks: int, run_id: str = "large") -> Recorded:
    """Write a run of so many tasks, of which none has started; each needs the one a hundred before it."""
    plan = [
        Task(
            id=task_id(number),
            title=f"Compile module {number} of the tree",
            command="cc",
            estimate=3,
            depends_on=(task_id(number - 100),) if number >= 100 else (),
        )
        for number in range(tasks)
    ]
    run = Recorded(root, run_id, tasks=plan, at=time.time_ns() // 1_000_000)
    run.begin()
    return run


def write(root: Path, tasks: int, rate: int, lines: int) -> None:
    """Write a live run until this process is ended; say so on stdout when it stands."""
    run = large(root, tasks)
    steady = [task_id(number) for number in range(min(STEADY, tasks))]
    for task in steady:
        run.now = time.time_ns() // 1_000_000
        run.start(task, b"the first line\n")
    run.recorder.flush()
    print("ready", flush=True)
    begun, done, told = time.perf_counter(), 0, 0
    running: list[str] = []
    pending = iter(range(STEADY, tasks))
    while True:
        time.sleep(0.01 if rate or lines else 3600)
        passed = time.perf_counter() - begun
        while done < passed * rate:
            done += 1
            now = time.time_ns() // 1_000_000
            following = next(pending, None) if len(running) < 8 else None
            if following is not None:
                running.append(task_id(following))
                run.add(ev.TaskStarted(at=now, task=running[-1], attempt=1, pid=5000))
            elif running:
                run.add(ev.TaskEnded(at=now, task=running.pop(0), attempt=1, outcome="completed", duration_ms=8))
        if (more := int(passed * lines) - told) > 0:
            numbers = range(told, told + more)
            text = b"".join(
                b"\x1b[1;32m   Compiling\x1b[0m crate-%d v0.1.0 (registry)\n" % number for number in numbers
            )
            for task in steady:
                run.print(task, text)
            told += more


@contextmanager
def live(folder: Path, tasks: int, *, rate: int = 0, lines: int = 0) -> Iterator[None]:
    """Have another process write a live run in `folder`."""
    root = folder / ".specular" / "checkpoints"
    program = [sys.executable, "-m", "tests.benchmarks.site", str(root), str(tasks), str(rate), str(lines)]
    child = subprocess.Popen(program, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        if child.stdout.readline() != "ready\n":
            raise RuntimeError("the run was not written")
        yield
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()


if __name__ == "__main__":
    write(Path(sys.argv[1]), *(int(word) for word in sys.argv[2:]))
