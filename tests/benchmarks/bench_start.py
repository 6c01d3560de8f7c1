"""From the command to the first paint, against an empty Textual application; and until a run of 100,000 tasks is shown.

Run it with `python -m tests.benchmarks.bench_start`.
"""

from __future__ import annotations

import contextlib
import statistics
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from tests.benchmarks.limits import Limits, ratio, rounds
from tests.benchmarks.site import large, live, task_id
from tests.benchmarks.terminal import Terminal

ROUNDS = 7
#: What any Textual application costs.
EMPTY = """
from textual.app import App
from textual.widgets import Static

class Empty(App):
    BINDINGS = [("j", "count")]
    keys = 0

    def compose(self):
        yield Static("counted: 0")

    def action_count(self):
        self.keys += 1
        self.query_one(Static).update(f"counted: {self.keys}")

Empty().run()
"""
SPECULAR = Path(sys.executable).with_name("specular")


def shown(command: Sequence[str | Path], folder: Path, words: str) -> float:
    """Start a program and return the ms until these words are painted."""
    with Terminal(command, folder) as terminal:
        return terminal.until(lambda painted: words.encode() in painted)


def main() -> int:
    """Measure and print."""
    limits = Limits()
    with contextlib.ExitStack() as stack:
        small, stored, going = (Path(stack.enter_context(tempfile.TemporaryDirectory())) for _ in range(3))
        large(small / ".specular" / "checkpoints", 18).finish("failed")
        large(stored / ".specular" / "checkpoints", 100_000).finish("paused", "SIGINT")
        stack.enter_context(live(going, 100_000, rate=1000))
        taken = rounds(
            {
                "empty": partial(shown, [sys.executable, "-c", EMPTY], small, "counted: 0"),
                "specular": partial(shown, [SPECULAR], small, "SPECULAR"),
                "list": partial(shown, [SPECULAR], small, "large"),
                "run": partial(shown, [SPECULAR, "dashboard", "large"], small, task_id(5)),
                "stored": partial(shown, [SPECULAR, "dashboard", "large"], stored, task_id(5)),
                "live": partial(shown, [SPECULAR, "dashboard", "large"], going, task_id(5)),
            },
            ROUNDS,
        )
    first = statistics.median(taken["specular"])
    limits.line("an empty Textual application", statistics.median(taken["empty"]), "ms")
    limits.line("specular: first paint", ratio(taken["specular"], taken["empty"]), "times", 1.5, f"{first:.0f} ms")
    for name, words in (("list", "the list of runs"), ("run", "a run of 18 tasks")):
        limits.line(f"  … {words}", ratio(taken[name], taken["empty"]), "times")
    for name, words in (("stored", "a stored run"), ("live", "a live run at 1,000 transitions/s")):
        later = statistics.median(one - other for one, other in zip(taken[name], taken["specular"], strict=True))
        limits.line(f"  … {words}, 100,000 tasks: after that", later, "ms", 1000)
    return limits.answer()


if __name__ == "__main__":
    sys.exit(main())
