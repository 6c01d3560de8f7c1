"""The processes of this machine: who descends from whom, and which belong to a run.

Linux tells in /proc; elsewhere a process group is all that is known of a task.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterable

#: In the environment of every task: the run that it belongs to, by its folder.
MARKER = "SPECULAR_RUN"


def start_time(pid: int) -> int | None:
    """Return the start of a process in clock ticks since boot, or None where that cannot be known."""
    fields = _stat(pid)
    return int(fields[19]) if fields else None


def _stat(pid: int) -> list[str] | None:
    """Return the fields of /proc/<pid>/stat from the state on: 0 state, 1 parent, 2 group, 3 session, 19 start."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(") ")[2].split()
    except (OSError, ValueError):
        return None


def _pids() -> Iterable[int]:
    try:
        return [int(name) for name in os.listdir("/proc") if name.isdigit()]
    except OSError:
        return []


def descendants(pid: int) -> list[int]:
    """Return the living processes that descend from `pid`, parents first; `pid` itself is not among them."""
    children: dict[int, list[int]] = {}
    for other in _pids():
        fields = _stat(other)
        if fields and fields[0] != "Z":
            children.setdefault(int(fields[1]), []).append(other)
    found: list[int] = []
    queue = list(children.get(pid, ()))
    while queue:
        child = queue.pop(0)
        found.append(child)
        queue.extend(children.get(child, ()))
    return found


def marked(value: str) -> list[int]:
    """Return the living processes of this user that carry `SPECULAR_RUN=value` in their environment."""
    wanted = os.fsencode(f"{MARKER}={value}")
    own = os.getuid()
    found = []
    for pid in _pids():
        if pid == os.getpid():
            continue
        try:
            if os.stat(f"/proc/{pid}").st_uid != own:
                continue
            with open(f"/proc/{pid}/environ", "rb") as file:
                if wanted in file.read(1 << 20).split(b"\0"):
                    found.append(pid)
        except OSError:
            continue
    return found


def group_lives(group: int) -> bool:
    """Tell whether a process of `group` still runs; one that has ended and waits for its parent does not."""
    for pid in _pids():
        fields = _stat(pid)
        if fields and int(fields[2]) == group and fields[0] not in "ZX":
            return True
    return False


def send(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to each of `pids` that is still there."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


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
        if start is not None and start_time(pid) == start:
            ended += send_group(pid, signal.SIGKILL)
    left = marked(marker)
    send(left, signal.SIGKILL)
    return ended + len(left)
