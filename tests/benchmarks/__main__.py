"""Every benchmark, one after the other: `make bench`.

Each is a program of its own (`python -m tests.benchmarks.bench_…`) that prints what it measured.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def main() -> int:
    """Run them all; 1 where one of them failed."""
    failed = []
    for path in sorted(Path(__file__).parent.glob("bench_*.py")):
        print(f"\n== {path.stem} ==", flush=True)
        if subprocess.run([sys.executable, "-m", f"tests.benchmarks.{path.stem}"], check=False).returncode != 0:
            failed.append(path.stem)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
