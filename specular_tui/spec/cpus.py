"""How many CPUs this process may use: its affinity, and the quota of its control group."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from pathlib import Path

_ROOT = Path("/")


def available_cpus(root: Path = _ROOT) -> int:
    """Return the number of CPUs that this process can use, at least 1.

    A quota of 1.5 CPUs counts as 2. `root` is where `proc` and `sys` are.
    """
    try:
        allowed = len(os.sched_getaffinity(0))
    except (AttributeError, OSError):  # not on macOS
        allowed = os.cpu_count() or 1
    quota = _quota(root)
    return max(1, allowed if quota is None else min(allowed, math.ceil(quota)))


def _quota(root: Path) -> float | None:
    """Return the least quota, in CPUs, of this process's control group and those above it; None without one."""
    quotas: list[float] = []
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, group = rest.partition(":")
        if not controllers:
            quotas.extend(_up(root / "sys/fs/cgroup", group, _quota_v2))
        elif "cpu" in controllers.split(","):
            quotas.extend(_up(root / "sys/fs/cgroup/cpu", group, _quota_v1))
    return min(quotas, default=None)


def _up(mount: Path, group: str, read: Callable[[Path], float | None]) -> Iterator[float]:
    """Yield the quotas of `group` and of every group above it; those that are not visible here are passed over."""
    steps = [step for step in group.split("/") if step and step != ".."]
    for end in range(len(steps), -1, -1):
        quota = read(mount.joinpath(*steps[:end]))
        if quota is not None:
            yield quota


def _quota_v2(folder: Path) -> float | None:
    return _ratio(_read(folder / "cpu.max").split())


def _quota_v1(folder: Path) -> float | None:
    return _ratio([_read(folder / "cpu.cfs_quota_us").strip(), _read(folder / "cpu.cfs_period_us").strip()])


def _ratio(words: list[str]) -> float | None:
    """Return quota / period; None for `max`, -1 and whatever is no number."""
    if len(words) != 2 or not all(word.isdecimal() and int(word) > 0 for word in words):
        return None
    return int(words[0]) / int(words[1])


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii", "replace")
    except OSError:
        return ""
