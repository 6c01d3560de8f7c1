"""The processes of this machine: who descends from whom, and which belong to a run.

Linux tells in /proc; elsewhere a process group is all that is known of a task.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import time
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from specular_tui.engine import freezer

#: In the environment of every task: the run that it belongs to, by its folder.
MARKER = "SPECULAR_RUN"
#: Beside it: the task.
TASK = "SPECULAR_TASK_ID"
#: What a guard is called, to be told from what it guards.
GUARD: Final = b"specular-guard"


class Process(NamedTuple):
    """A process that was seen: its number may be another one's by now, its number and start together never are."""

    pid: int
    #: In clock ticks since boot.
    start: int


def start_time(pid: int) -> int | None:
    """Return the start of a process in clock ticks since boot, or None where that cannot be known."""
    fields = _stat(pid)
    return int(fields[19]) if fields else None


def tick() -> float:
    """Return the present clock tick since boot; endless where the system has no such clock."""
    clock: int | None = getattr(time, "CLOCK_BOOTTIME", None)
    return math.inf if clock is None else time.clock_gettime_ns(clock) * os.sysconf("SC_CLK_TCK") // 1_000_000_000


def _stat(pid: int) -> list[str] | None:
    """Return the fields of /proc/<pid>/stat from the state on: 0 state, 1 parent, 2 group, 3 session, 19 start."""
    # Read at every start of a task: a plain descriptor takes a third of a text file's time.
    try:
        fd = os.open(f"/proc/{pid}/stat", os.O_RDONLY | os.O_CLOEXEC)
        try:
            return os.read(fd, 4096).rpartition(b") ")[2].decode("ascii", "replace").split()
        finally:
            os.close(fd)
    except OSError:
        return None


def _pids() -> Iterable[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


def descendants(pid: int) -> list[Process]:
    """Return the living processes that descend from `pid`, parents first; `pid` itself is not among them."""
    children: dict[int, list[Process]] = {}
    for other in _pids():
        fields = _stat(other)
        if fields and fields[0] != "Z":
            children.setdefault(int(fields[1]), []).append(Process(other, int(fields[19])))
    found: list[Process] = []
    queue = deque(children.get(pid, ()))
    while queue:
        child = queue.popleft()
        found.append(child)
        queue.extend(children.get(child.pid, ()))
    return found


def marked(value: str) -> list[Process]:
    """Return the living processes of this user that carry `SPECULAR_RUN=value` in their environment.

    This process is not among them, nor are those that it descends from: a shell that a task once opened may be where
    the user sits now.
    """
    wanted = os.fsencode(f"{MARKER}={value}")
    return [process for process, environment in environments() if wanted in environment and not is_guard(process)]


def is_guard(process: Process) -> bool:
    """Tell whether a process is the guard of a build: of one that a task runs, it has that task's marks.

    It ends by itself, and with it what it guards, when its engine has; killed with its engine, it would leave all that.
    """
    try:
        with open(f"/proc/{process.pid}/comm", "rb", buffering=0) as file:
            return file.read(64).strip() == GUARD
    except OSError:
        return False


def environments() -> Iterator[tuple[Process, list[bytes]]]:
    """Yield the processes of this user with the environments that they started with.

    This process is not among them, nor are those that it descends from.
    """
    own = os.getuid()
    lineage = _lineage()
    for pid in _pids():
        try:
            if pid in lineage or os.stat(f"/proc/{pid}").st_uid != own:
                continue
            start = start_time(pid)
            with open(f"/proc/{pid}/environ", "rb") as file:
                environment = file.read(1 << 20).split(b"\0")
        except OSError:
            continue
        if start is not None:
            yield Process(pid, start), environment


def _lineage() -> set[int]:
    """Return this process and all that it descends from."""
    found: set[int] = set()
    pid = os.getpid()
    while pid > 0 and pid not in found:
        found.add(pid)
        fields = _stat(pid)
        pid = int(fields[1]) if fields else 0
    return found


def group_exists(group: int) -> bool:
    """Tell whether there is a process group of this number; of processes that have ended, it may be."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def members(group: int) -> Iterator[Process]:
    """Yield the processes of `group` that run; one that has ended and waits for its parent does not."""
    for pid in _pids():
        fields = _stat(pid)
        if fields and int(fields[2]) == group and fields[0] not in "ZX":
            yield Process(pid, int(fields[19]))


def group_lives(group: int) -> bool:
    """Tell whether a process of `group` still runs."""
    return next(members(group), None) is not None


def send(found: Iterable[Process], number: signal.Signals) -> None:
    """Send a signal to each of the processes `found` that is still there, and never to one that has its number now."""
    for process in found:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            fd = _hold(process.pid)
            try:
                if start_time(process.pid) != process.start:
                    continue
                if fd is None:
                    os.kill(process.pid, number)
                else:
                    signal.pidfd_send_signal(fd, number)
            finally:
                if fd is not None:
                    os.close(fd)


def _hold(pid: int) -> int | None:
    """Return a descriptor that goes on meaning this very process; None where there is none to be had."""
    if not hasattr(os, "pidfd_open"):
        return None
    try:
        return os.pidfd_open(pid)
    except ProcessLookupError:
        raise
    except OSError:
        return None


def send_group(group: int, number: signal.Signals) -> bool:
    """Send a signal to a process group; False where none of it is left."""
    try:
        os.killpg(group, number)
    except ProcessLookupError:
        return False
    except PermissionError:
        # macOS answers so for a group of which only zombies are left.
        return False
    return True


def end_leftovers(marker: str, groups: Iterable[tuple[int, int | None]]) -> int:
    """End what an engine that was killed has left running, stopped processes included; return how many there were.

    `groups` are the recorded (pid, start time) of its tasks: a group is ended only where its leader is still the very
    process that was recorded. Beside them every process is ended that carries the run's marker.
    """
    ended = 0
    for pid, start in groups:
        if start is not None and start_time(pid) == start and group_lives(pid):
            ended += send_group(pid, signal.SIGKILL)
    left = marked(marker)
    send(left, signal.SIGKILL)
    freezer.remove_left(marker)
    return ended + len(left)
