"""How long quick commands take, against `python -c "import click"`: `--version`, and `checkpoint list` with 50 runs.

Run it with `python -m tests.benchmarks.bench_cli`.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
from functools import partial
from pathlib import Path

from tests.benchmarks.limits import Limits, ratio, rounds, seconds
from tests.recorded import START, completed, failed

ROUNDS = 25


def main() -> int:
    """Measure and print."""
    specular = Path(sys.executable).with_name("specular")
    limits = Limits()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(50):
            make = failed if number % 5 == 0 else completed
            make(folder / ".specular" / "checkpoints", f"build-{number}", at=START + number * 1000)
        taken = rounds(
            {
                "click": partial(seconds, [sys.executable, "-c", "import click"], folder),
                "version": partial(seconds, [specular, "--version"], folder),
                "list": partial(seconds, [specular, "checkpoint", "list"], folder),
                "progress": partial(seconds, [specular, "progress", "--short"], folder),
            },
            ROUNDS,
        )
    limits.line("python -c 'import click'", statistics.median(taken["click"]) * 1000, "ms")
    limits.line("specular --version", ratio(taken["version"], taken["click"]), "times", 2)
    limits.line("specular checkpoint list, 50 runs", ratio(taken["list"], taken["click"]), "times", 2.5)
    limits.line("specular progress --short, 50 runs", ratio(taken["progress"], taken["click"]), "times")
    return limits.answer()


if __name__ == "__main__":
    sys.exit(main())
