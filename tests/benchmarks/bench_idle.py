"""What the application costs while nothing happens: a live run whose tasks are silent, and a stored one.

A live run counts the seconds of what runs, so it paints once a second; a stored one paints nothing. Run it with
`python -m tests.benchmarks.bench_idle`.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

from tests.benchmarks.bench_start import EMPTY, SPECULAR
from tests.benchmarks.limits import Limits
from tests.benchmarks.site import large, live, task_id
from tests.benchmarks.terminal import Terminal

SECONDS = 30.0
#: What a second costs that is seen at all: one line that counts them.
CLOCK = EMPTY.replace(
    "    def action_count",
    "    def on_mount(self):\n        self.set_interval(1, self.action_count)\n\n    def action_count",
)
#: Seconds until everything that comes after the start has come: sizes counted, the past read, the end foretold.
CALM = 8.0


def rest(limits: Limits, name: str, terminal: Terminal, limit: float | None = None) -> None:
    """Leave a program alone and print what it has cost."""
    terminal.rest(CALM)
    spent, painted = terminal.cpu(), len(terminal.seen)
    terminal.rest(SECONDS)
    share = (terminal.cpu() - spent) / SECONDS * 100
    bytes_a_second = (len(terminal.seen) - painted) / SECONDS
    limits.line(name, share, "% CPU", limit, f"{bytes_a_second:.0f} bytes/s, {terminal.memory():.0f} MB")


def main() -> int:
    """Measure and print."""
    limits = Limits()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Terminal([sys.executable, "-c", EMPTY], folder) as terminal:
            rest(limits, "an empty Textual application", terminal)
        with Terminal([sys.executable, "-c", CLOCK], folder) as terminal:
            rest(limits, "one that counts the seconds", terminal)
        if shutil.which("htop"):
            with Terminal(["htop"], folder) as terminal:
                rest(limits, "htop", terminal)
    for tasks in (200, 100_000):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            with (
                live(folder, tasks),
                Terminal([SPECULAR, "dashboard", "large"], folder) as terminal,
            ):
                terminal.until(lambda painted: task_id(5).encode() in painted)
                rest(limits, f"specular, live and silent, {tasks:,} tasks", terminal, 0.5)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            large(folder / ".specular" / "checkpoints", tasks).finish("paused", "SIGINT")
            with Terminal([SPECULAR, "dashboard", "large"], folder) as terminal:
                terminal.until(lambda painted: task_id(5).encode() in painted)
                rest(limits, f"specular, stored, {tasks:,} tasks", terminal, 0.5)
    return limits.answer()


if __name__ == "__main__":
    sys.exit(main())
