"""The screen beside those of others, in one run: first paint, key to paint, processor and memory while nothing happens.

Turborepo is installed with npm into a temporary folder, where npm and its registry are there; htop and less are taken
as they are here. Each shows what it is for: Turborepo twelve tasks that have begun and print nothing more, Specular a
build of twelve of which four run. Run it with `python -m tests.benchmarks.bench_rivals`.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from tests.benchmarks.bench_keys import in_any, in_empty, in_specular, press
from tests.benchmarks.bench_start import EMPTY, SPECULAR
from tests.benchmarks.limits import p99
from tests.benchmarks.site import live, task_id
from tests.benchmarks.terminal import Terminal

TASKS: Final = 12
CALM: Final = 6.0
REST: Final = 20.0
#: Turborepo sends no word home, and shows its screen.
QUIET: Final = {"TURBO_TELEMETRY_DISABLED": "1", "TURBO_UI": "true", "CI": ""}


def measure(
    name: str,
    command: Sequence[str | Path],
    folder: Path,
    first: bytes,
    keys: Callable[[Terminal], list[float]],
    env: Mapping[str, str] | None = None,
) -> None:
    """Run a program until its keys are pressed, and print one row of a table."""
    with Terminal(command, folder, env) as terminal:
        shown = terminal.until(lambda painted: first in painted)
        terminal.rest(CALM)
        spent, painted = terminal.cpu(), len(terminal.seen)
        terminal.rest(REST)
        share = (terminal.cpu() - spent) / REST * 100
        bytes_a_second = (len(terminal.seen) - painted) / REST
        memory = terminal.memory()
        taken = keys(terminal)
    print(
        f"| {name} | {shown:.0f} | {statistics.median(taken):.1f} / {p99(taken):.1f} | {share:.2f} |"
        f" {bytes_a_second:,.0f} | {memory:.0f} |",
        flush=True,
    )


def monorepo(folder: Path) -> str:
    """Install Turborepo in `folder` and write a workspace of tasks; return why that cannot be, or ""."""
    if shutil.which("npm") is None:
        return "npm is not here"
    folder.mkdir()
    packages = [f"part-{number:02d}" for number in range(TASKS)]
    whole = {"name": "whole", "private": True, "packageManager": "npm@10.0.0", "workspaces": ["packages/*"]}
    (folder / "package.json").write_text(json.dumps(whole))
    for name in packages:
        place = folder / "packages" / name
        place.mkdir(parents=True)
        script = {"name": name, "version": "1.0.0", "scripts": {"work": f"echo {name} has begun; sleep 3600"}}
        (place / "package.json").write_text(json.dumps(script))
    task = {"cache": False, "persistent": True}
    (folder / "turbo.json").write_text(json.dumps({"ui": "tui", "concurrency": "20", "tasks": {"work": task}}))
    command = ["npm", "install", "--save-dev", "--no-audit", "--no-fund", "--loglevel=error", "turbo"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=180, check=False)
    except subprocess.TimeoutExpired:
        return "npm did not come to its end"
    return done.stderr.strip().splitlines()[-1] if done.returncode and done.stderr.strip() else ""


def main() -> int:
    """Measure and print."""
    # Turborepo starts npm for every task: with the priority of `chrt` these would keep everybody else from running.
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    print("| program | first paint, ms | key p50 / p99, ms | idle, % CPU | idle, bytes/s | memory, MB |")
    print("|---|---|---|---|---|---|")
    arrows = (b"\x1b[B", b"\x1b[A")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measure("an empty Textual application", [sys.executable, "-c", EMPTY], folder, b"counted: 0", in_empty)
        lines = (b"%07d some words that a task has printed\n" % number for number in range(1_000_000))
        (folder / "log").write_bytes(b"".join(lines))
        if shutil.which("less"):
            measure("less, 1,000,000 lines", ["less", folder / "log"], folder, b"0000000", lambda t: in_any(t, b"jjjk"))
        if shutil.which("htop"):
            # Its next turn is far away: what is painted is the key's.
            measure(
                "htop", ["htop", "--delay", "100"], folder, b"PID", lambda t: press(t, lambda n: (arrows[0], _painted))
            )
        reason = monorepo(folder / "turbo")
        if reason:
            print(f"Turborepo is not measured: {reason}", flush=True)
        else:
            turbo = folder / "turbo" / "node_modules" / ".bin" / "turbo"
            measure(
                f"Turborepo, {TASKS} tasks",
                [turbo, "run", "work"],
                folder / "turbo",
                b"part-00",
                lambda t: press(t, lambda n: (arrows[n // 6 % 2], _painted)),
                QUIET,
            )
    with tempfile.TemporaryDirectory() as name, live(Path(name), TASKS):
        measure(
            f"Specular, {TASKS} tasks", [SPECULAR, "dashboard", "large"], Path(name), task_id(5).encode(), in_specular
        )
    return 0


def _painted(painted: bytes) -> bool:
    return len(painted) > 2


if __name__ == "__main__":
    sys.exit(main())
