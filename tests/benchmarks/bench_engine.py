"""How many tasks a second: a build with a durable checkpoint of every task, against ninja and others.

    python -m tests.benchmarks.bench_engine [SHAPE …] [--rounds N] [--scale N]

Shapes: `wide` (independent no-op tasks, commands as strings; for a shell `true` is a word of its own, and no program is
run), `list` (the same as argument lists), `program` (independent tasks that run a program that does nothing), `chain`
(each needs the one before), `output` (each prints 1 KB), `slow` (each takes 100 ms). Every round runs all programs
once, one after the other, on commands that are the same; what is shown is the median of the rounds, and the median of
the ratios within a round. `limit` is a C program that spawns the same commands and waits for them, and does nothing
else; `bare` is one in Python that writes what has to be written as well (tests/benchmarks/bare.py). Programs that are
not here are left out. Nothing is deleted between the rounds: ext4 makes new files slowly where
many were deleted a moment ago.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from tests.benchmarks.limits import Limits, ratio
from tests.benchmarks.limits import rounds as in_turns

JOBS: Final = 2
BARE: Final = Path(__file__).with_name("bare.py")


class Shape(NamedTuple):
    """A plan that is measured."""

    tasks: int
    command: str | list[str]
    #: What a shell is given for the same effect.
    line: str
    chained: bool = False
    #: What Specular must reach of the others' rates.
    least: Mapping[str, float] = MappingProxyType({})
    #: Programs that say nothing about it.
    without: tuple[str, ...] = ()


SHAPES: Final = {
    "wide": Shape(10_000, "true", "true", least={"no checkpoint": 0.9, "ninja": 1, "parallel": 4, "limit": 0.8}),
    "list": Shape(10_000, ["true"], "true", least={"no checkpoint": 0.9, "ninja": 1, "parallel": 4, "limit": 0.8}),
    "program": Shape(
        10_000, "/bin/true", "/bin/true", least={"no checkpoint": 0.9, "ninja": 1, "parallel": 4, "limit": 0.8}
    ),
    "chain": Shape(2_000, "true", "true", chained=True, least={"ninja": 1}),
    "output": Shape(1_000, "head -c 1024 /dev/zero", "head -c 1024 /dev/zero", least={"ninja": 1}),
    "slow": Shape(400, "sleep 0.1", "sleep 0.1", least={"no checkpoint": 0.995}, without=("bare", "parallel", "limit")),
}

LIMIT_C: Final = r"""
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
extern char **environ;
int main(int argc, char **argv) {
    int left = atoi(argv[1]), jobs = atoi(argv[2]), running = 0, status;
    char *line[] = {"sh", "-c", argv[3], 0};
    char **command = argc > 4 ? argv + 4 : line;
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
    while (left || running) {
        for (; left && running < jobs; left--, running++) {
            pid_t child;
            if (posix_spawnp(&child, command[0], &files, 0, command, environ)) return 1;
        }
        wait(&status);
        running--;
    }
    return 0;
}
"""


class Bench:
    """A folder in which programs are measured."""

    def __init__(self, folder: Path) -> None:
        """Compile the limit, where there is a compiler."""
        self.folder = folder
        self._number = 0
        self._limit = folder / "limit"
        source = folder / "limit.c"
        source.write_text(LIMIT_C)
        if shutil.which("gcc") is None or subprocess.run(["gcc", "-O2", source, "-o", self._limit]).returncode:
            self._limit = Path()

    @contextmanager
    def fresh(self) -> Iterator[Path]:
        """Make a folder for one run; it stays until the end."""
        self._number += 1
        made = self.folder / str(self._number)
        made.mkdir()
        yield made

    def specular(self, shape: Shape, **environ: str) -> float:
        """Return the tasks a second of a build, start and end of the program included."""
        with self.fresh() as folder:
            write_plan(folder, shape)
            return self._rate(
                shape, [sys.executable, "-m", "specular_tui", "build", f"-j{JOBS}", "-q"], folder, environ
            )

    def unrecorded(self, shape: Shape) -> float:
        """The same without a checkpoint."""
        return self.specular(shape, SPECULAR_CHECKPOINT_ENABLED="false")

    def ninja(self, shape: Shape) -> float:
        """Return what ninja reaches on the same commands."""
        with self.fresh() as folder:
            lines = [f"rule r\n  command = {shape.line}\n"]
            for number in range(shape.tasks):
                needs = f" t{number - 1}" if shape.chained and number else ""
                lines.append(f"build t{number}: r{needs}\n")
            (folder / "build.ninja").write_text("".join(lines))
            return self._rate(shape, ["ninja", f"-j{JOBS}"], folder)

    def parallel(self, shape: Shape) -> float:
        """Return what GNU parallel with a log of its jobs reaches, on a tenth of them."""
        with self.fresh() as folder:
            some = shape._replace(tasks=max(100, shape.tasks // 10))
            (folder / "jobs").write_text(f"{shape.line}\n" * some.tasks)
            return self._rate(some, ["parallel", f"-j{JOBS}", "--joblog", "log", "-a", "jobs"], folder)

    def limit(self, shape: Shape) -> float:
        """Return what a C program reaches."""
        with self.fresh() as folder:
            jobs = 1 if shape.chained else JOBS
            command = shape.command if isinstance(shape.command, list) else []
            return self._rate(shape, [str(self._limit), str(shape.tasks), str(jobs), shape.line, *command], folder)

    def bare(self, shape: Shape) -> float:
        """Return what a program in Python reaches that spawns, waits, and writes a log, a record and a journal."""
        with self.fresh() as folder:
            jobs = 1 if shape.chained else JOBS
            command = [sys.executable, str(BARE), str(shape.tasks), str(jobs), shape.line]
            return self._rate(shape, command, folder)

    def programs(self) -> dict[str, Callable[[Shape], float]]:
        """Return what is here."""
        found: dict[str, Callable[[Shape], float]] = {
            "specular": self.specular,
            "no checkpoint": self.unrecorded,
            "bare": self.bare,
        }
        found |= {w.__name__: w for w in (self.ninja, self.parallel) if shutil.which(w.__name__)}
        if self._limit != Path():
            found["limit"] = self.limit
        return found

    @staticmethod
    def _rate(shape: Shape, command: list[str], folder: Path, environ: dict[str, str] | None = None) -> float:
        began = time.perf_counter()
        subprocess.run(
            command,
            cwd=folder,
            env={**os.environ, **(environ or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )
        return shape.tasks / (time.perf_counter() - began)


def write_plan(folder: Path, shape: Shape) -> None:
    """Write the plan of `shape` into `folder`."""
    tasks: list[dict[str, object]] = [{"id": f"t{number}", "command": shape.command} for number in range(shape.tasks)]
    if shape.chained:
        for number, task in enumerate(tasks[1:]):
            task["depends_on"] = [f"t{number}"]
    (folder / "plan.json").write_text(json.dumps({"version": 1, "name": "bench", "tasks": tasks}))


def measure(bench: Bench, name: str, shape: Shape, rounds: int, limits: Limits) -> None:
    """Print the table of one shape."""
    programs = {program: way for program, way in bench.programs().items() if program not in shape.without}
    rates = in_turns({program: partial(way, shape) for program, way in programs.items()}, rounds)
    print(f"{name}: {shape.tasks:,} tasks, {'one after the other' if shape.chained else f'{JOBS} at once'}")
    own = rates.pop("specular")
    limits.line("  specular", statistics.median(own), "/s")
    for program, found in rates.items():
        limits.line(f"  {program}", statistics.median(found), "/s")
        limits.line("    specular is of it", ratio(own, found), "", least=shape.least.get(program))


def main() -> int:
    """Measure what was asked for; 1 where a limit was missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("shapes", nargs="*", help=f"of {', '.join(SHAPES)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0, help="a part of the usual number of tasks")
    given = parser.parse_args()
    limits = Limits()
    with tempfile.TemporaryDirectory(prefix="specular-bench-") as folder:
        bench = Bench(Path(folder))
        for name in given.shapes or SHAPES:
            shape = SHAPES[name]
            measure(bench, name, shape._replace(tasks=int(shape.tasks * given.scale)), given.rounds, limits)
    return limits.answer()


if __name__ == "__main__":
    sys.exit(main())
