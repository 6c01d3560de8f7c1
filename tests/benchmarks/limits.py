"""What was measured beside what must be reached: one line each, in the same form for every benchmark."""

from __future__ import annotations

import statistics
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path


class Limits:
    """Prints figures, and remembers whether one was over its limit."""

    def __init__(self) -> None:
        self.over: list[str] = []

    def line(
        self,
        name: str,
        value: float,
        unit: str,
        limit: float | None = None,
        note: str = "",
        *,
        least: float | None = None,
    ) -> None:
        """Print a figure; it must not be larger than a `limit`, nor smaller than `least`."""
        words = f"{name:56} {value:9.2f} {unit:6}"
        if limit is not None:
            missed = value > limit
            words += f"  at most {limit:g}: {'OVER' if missed else 'ok'}"
            if missed:
                self.over.append(name)
        if least is not None:
            missed = value < least
            words += f"  at least {least:g}: {'UNDER' if missed else 'ok'}"
            if missed:
                self.over.append(name)
        print(f"{words}  {note}".rstrip(), flush=True)

    def answer(self) -> int:
        """Return what the shell is answered: 1 where a limit was missed."""
        return 1 if self.over else 0


def rounds(programs: Mapping[str, Callable[[], float]], count: int) -> dict[str, list[float]]:
    """Measure every program `count` times, in turns, so that a busy moment of the machine meets them all."""
    taken: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(count):
        for name, program in programs.items():
            taken[name].append(program())
    return taken


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """Return the median of the ratios of pairs."""
    return statistics.median(one / other for one, other in zip(ours, theirs, strict=True))


def p99(taken: Sequence[float]) -> float:
    """Return the value below which 99 of 100 lie."""
    return sorted(taken)[min(len(taken) - 1, int(len(taken) * 0.99))]


def seconds(command: Sequence[str | Path], cwd: Path) -> float:
    """Run a command and return how long it took."""
    started = time.perf_counter()
    subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started
