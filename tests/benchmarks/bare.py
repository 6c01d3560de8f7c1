"""What no engine in Python can leave out: spawn, wait, a log and a record for each task, two lines of a journal.

    python -m tests.benchmarks.bare TASKS JOBS COMMAND

Runs `sh -c COMMAND` as often as TASKS says, or the program itself where COMMAND is one plain word. It has no plan, no
state, no loop: nothing can be watched, paused, stopped, retried or resumed, and no name is proved to be whole. What
`bench_engine` shows beside it is what all of that costs, and how much of the rest is Python.
"""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from pathlib import Path

import msgspec
from blake3 import blake3


class Journal:
    """A chained journal, brought to disk every 20 ms."""

    def __init__(self) -> None:
        """Begin one in this folder."""
        self._fd = os.open("journal", os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._chain = ""
        self._written = self._synced = 0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._sync)
        self._thread.start()

    def append(self, **event: object) -> None:
        """Add a record."""
        body = msgspec.json.encode(event)
        self._chain = blake3(self._chain.encode() + body).hexdigest(length=16)
        os.write(self._fd, b"%b %b\n" % (body, self._chain.encode()))
        self._written += 1

    def _sync(self) -> None:
        while not self._over.wait(0.02):
            written = self._written
            if written != self._synced:
                os.fdatasync(self._fd)
                self._synced = written

    def close(self) -> None:
        """Bring the rest to disk."""
        self._over.set()
        self._thread.join()
        os.fsync(self._fd)


def main() -> None:
    """Run the tasks."""
    left, jobs, command = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    argv = [command] if " " not in command else ["/bin/sh", "-c", command]
    program = shutil.which(argv[0]) or argv[0]
    Path("outputs").mkdir()
    journal = Journal()
    running: dict[int, tuple[str, int, float]] = {}
    number = 0
    while left or running:
        while left and len(running) < jobs:
            task = f"t{number}"
            log = os.open(f"outputs/{task}.log", os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            files = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0)]
            pid = os.posix_spawn(
                program,
                argv,
                os.environ,
                file_actions=[*files, (os.POSIX_SPAWN_DUP2, log, 1), (os.POSIX_SPAWN_DUP2, log, 2)],
                setpgroup=0,
            )
            began = time.time()
            journal.append(event="started", task=task, pid=pid, at=began)
            running[pid] = task, log, began
            number, left = number + 1, left - 1
        pid, status, usage = os.wait4(-1, 0)
        task, log, began = running.pop(pid)
        size = os.fstat(log).st_size
        found = blake3(Path(f"outputs/{task}.log").read_bytes() if size else b"").hexdigest()
        if size:
            os.fdatasync(log)
        os.close(log)
        end = {"task": task, "status": status, "at": time.time(), "cpu": usage.ru_utime, "size": size, "hash": found}
        journal.append(event="ended", **end)
        Path(f"outputs/{task}.json").write_bytes(msgspec.json.encode({"began": began, **end}))
    journal.close()


if __name__ == "__main__":
    main()
