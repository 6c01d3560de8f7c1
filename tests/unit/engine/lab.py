"""Real processes for the tests of the engine: one attempt at a time, its log and its end."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from specular_tui.engine.executor import Exit, Work
from specular_tui.engine.exits import Exits
from specular_tui.engine.process import ProcessExecutor, ProcessJob

ENV = {"PATH": os.environ["PATH"], "LC_ALL": "C"}


class Trial(NamedTuple):
    """An attempt that is under way."""

    job: ProcessJob
    end: asyncio.Future[Exit]
    log: Path


class Lab:
    """Starts processes as the engine does."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.exits = Exits(asyncio.get_running_loop())
        self.executor = ProcessExecutor(self.exits, environ={})
        self._count = 0

    def start(
        self,
        command: str | tuple[str, ...],
        *,
        env: Mapping[str, str] = ENV,
        workdir: Path | None = None,
    ) -> Trial:
        """Start an attempt."""
        self._count += 1
        log = self.folder / f"{self._count}.log"
        end: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        fd = os.open(log, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC)
        try:
            work = Work(task="t", attempt=1, command=command, env=env, workdir=str(workdir or self.folder), log_fd=fd)
            job = self.executor.start(work, end.set_result)
        finally:
            os.close(fd)
        return Trial(job, end, log)

    async def run(
        self, command: str | tuple[str, ...], *, env: Mapping[str, str] = ENV, workdir: Path | None = None
    ) -> tuple[Exit, bytes]:
        """Run an attempt to its end and return that, and the bytes of its log."""
        trial = self.start(command, env=env, workdir=workdir)
        end = await asyncio.wait_for(trial.end, 20)
        return end, trial.log.read_bytes()

    def close(self) -> None:
        self.exits.close()
        self.executor.close()


async def until(holds: Callable[[], object], seconds: float = 10) -> None:
    """Wait until `holds` says something true."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came to be"
        await asyncio.sleep(0.005)


def state_of(pid: int) -> str | None:
    """Return the letter of the process's state; None where it is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()[0]
    except OSError:
        return None


def stands(pid: int) -> bool:
    """Tell whether a process stands still: stopped, or waiting for a child that was stopped before it ran its program.

    A shell that starts a program sleeps without interruption (D) until that has begun.
    """
    return state_of(pid) in ("T", "D")


def lives(pid: int) -> bool:
    """Tell whether a process is there and is more than a zombie."""
    return state_of(pid) not in (None, "Z", "X")


def cpu_ticks(pid: int) -> int:
    """Return the processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return int(fields[11]) + int(fields[12])


def numbers(path: Path, count: int) -> list[int]:
    """Return the numbers in a file, once there are `count`; else nothing."""
    try:
        lines = path.read_text().split()
    except OSError:
        return []
    return [int(line) for line in lines] if len(lines) >= count else []
