"""How quickly a checkpoint with 2 GiB of logs is proved and packed: `checkpoint validate` beside `b3sum`, in turn.

Both are whole commands, from their start to their end, on the same files, which are in memory after the first round.
The logs are real ones: what listing, compiling and importing this machine's own Python prints.

    python -m tests.benchmarks.bench_validate [ROUNDS] [MIB] [FOLDER]

With FOLDER the run is made there and stays. Returns 1 where a check fails, or packing changes a hash.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

LOGS = 32
SPECULAR = (sys.executable, "-m", "specular_tui")
#: What prints the logs; each line of a log begins with a number of its own, so that no two blocks are alike.
SOURCES = (
    (sys.executable, "-m", "compileall", "-f", "-r", "9", "{library}/json", "{library}/asyncio", "{library}/email"),
    (sys.executable, "-v", "-c", "import asyncio, email.message, http.client, unittest.mock, xml.dom.minidom"),
    ("ls", "-lR", "{library}"),
)


def printed(work: Path) -> list[bytes]:
    """Return what the sources print, as lines."""
    library = work / "library"
    given = sysconfig.get_path("stdlib")
    shutil.copytree(given, library, ignore=shutil.ignore_patterns("site-packages", "__pycache__", "test"))
    lines: list[bytes] = []
    for source in SOURCES:
        command = [part.format(library=library) for part in source]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True)
        lines += done.stdout.splitlines(keepends=True)
    return lines


def make(folder: Path, mib: int) -> Path:
    """Run a build whose tasks print `mib` MiB together; return the folder of their logs."""
    lines = printed(folder)
    size = (mib << 20) // LOGS
    for n in range(LOGS):
        with (folder / f"text-{n}").open("wb") as file:
            written = 0
            while written < size:
                at = time.time_ns() + written
                block = b"".join(b"[%d.%03d] " % divmod(at + i * 7919, 1000) + line for i, line in enumerate(lines))
                written += file.write(block)
    tasks = [{"id": f"log-{n}", "command": f"cat text-{n}; rm text-{n}"} for n in range(LOGS)]
    (folder / "plan.json").write_text(json.dumps({"version": 1, "tasks": tasks}))
    subprocess.run([*SPECULAR, "build", "--run-id", "large", "--quiet"], cwd=folder, check=True)
    return folder / ".specular" / "checkpoints" / "large" / "outputs"


def timed(command: Sequence[str], cwd: Path) -> float:
    """Return the seconds that a command takes."""
    began = time.perf_counter()
    subprocess.run(command, cwd=cwd, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def hashes(folder: Path) -> dict[str, str]:
    """Return the `output_hash` of every task."""
    shown = subprocess.run(
        [*SPECULAR, "checkpoint", "show", "large", "--format", "json"], cwd=folder, check=True, capture_output=True
    )
    return {task: entry["output_hash"] for task, entry in json.loads(shown.stdout)["progress"]["tasks"].items()}


def compare(folder: Path, logs: Sequence[Path], rounds: int) -> None:
    """Print how long both take, and the ratio of each pair."""
    validate, sums = [*SPECULAR, "checkpoint", "validate", "large"], ["b3sum", *map(str, logs)]
    gib = sum(log.stat().st_size for log in logs) / (1 << 30)
    both = shutil.which("b3sum") is not None
    pairs = []
    for number in range(rounds + 1):
        first = timed(sums, folder) if both else 0.0
        second = timed(validate, folder)
        if number:  # the first round brings the files into memory
            pairs.append((first, second))
    took = statistics.median(second for _, second in pairs)
    print(f"validate: {gib:.2f} GiB in {took:.2f} s, {gib / took:.2f} GiB/s (median of {rounds})")
    if both:
        ratio = statistics.median(first / second for first, second in pairs)
        print(
            f"b3sum:    {statistics.median(first for first, _ in pairs):.2f} s; validate has {ratio:.2f} of its speed"
        )
    else:
        print("b3sum is not installed: nothing to compare with")


def main(rounds: int, mib: int, base: Path) -> int:
    """Make the logs, and measure."""
    outputs = make(base, mib)
    logs = sorted(outputs.glob("*.log"))
    compare(base, logs, rounds)
    known, before = hashes(base), sum(log.stat().st_size for log in logs)
    took = timed([*SPECULAR, "checkpoint", "compress", "large"], base)
    after = sum(path.stat().st_size for path in outputs.iterdir())
    print(f"compress: {took:.1f} s, {1 - after / before:.0%} smaller")
    took = timed([*SPECULAR, "checkpoint", "validate", "large"], base)
    print(f"validate of the packed run: {took:.2f} s")
    if hashes(base) != known:
        print("packing has changed a hash", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    given = sys.argv[1:]
    how_often, how_much = int(given[0]) if given else 5, int(given[1]) if given[1:] else 2048
    if given[2:]:
        os.makedirs(given[2], exist_ok=True)
        sys.exit(main(how_often, how_much, Path(given[2])))
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(main(how_often, how_much, Path(folder)))
