"""From a key to the paint on a terminal, of the whole application on a live run that another process writes.

100,000 tasks, 1,000 transitions a second, and 5,000 lines a second into the log that is shown, at 160x48. What less and
htop take on the same terminal stands beside it, where they are installed. Run it with
`python -m tests.benchmarks.bench_keys`.
"""

from __future__ import annotations

import random
import re
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from tests.benchmarks.bench_start import EMPTY, SPECULAR
from tests.benchmarks.limits import Limits, p99
from tests.benchmarks.site import STEADY, live, task_id
from tests.benchmarks.terminal import COLUMNS, LINES, Terminal

KEYS: Final = 300
TASKS: Final = 100_000
#: More than the whole screen with a style for every second cell is not painted at once.
MOST_BYTES: Final = COLUMNS * LINES * 25
#: What a move of the cursor may write while nothing else happens: over a line of 10 KB/s that is a fifth of a second.
BYTES_A_KEY: Final = 2048


def press(terminal: Terminal, typed: Callable[[int], tuple[bytes, Callable[[bytes], object]]]) -> list[float]:
    """Press keys at odd moments and return how many ms each took to be seen."""
    pick = random.Random(1)
    taken = []
    for number in range(KEYS):
        terminal.rest(pick.uniform(0.01, 0.06))
        key, found = typed(number)
        taken.append(terminal.key(key, found))
    return taken


def in_specular(terminal: Terminal) -> list[float]:
    """Move the cursor over the tasks that run, whose logs are shown as it goes."""
    # The cursor's ground is that of the first task's row as it is painted first.
    mark = "●".encode() + rb" \x1b\[0m\x1b\[[0-9;]*"
    first = re.search(mark + rb"48;2;(\d+;\d+;\d+)m" + task_id(0).encode(), bytes(terminal.seen))
    if first is None:
        raise RuntimeError("the cursor is not on the first task")
    at = [0, 1]

    def typed(number: int) -> tuple[bytes, Callable[[bytes], object]]:
        if not 0 <= at[0] + at[1] < STEADY:
            at[1] = -at[1]
        at[0] += at[1]
        row = b"48;2;%sm%s" % (first[1], task_id(at[0]).encode())
        return b"j" if at[1] > 0 else b"k", lambda painted: row in painted

    return press(terminal, typed)


def in_empty(terminal: Terminal) -> list[float]:
    """Count keys in an application that does nothing else."""
    return press(terminal, lambda number: (b"j", lambda painted: b"%d" % (number + 1) in painted))


def in_any(terminal: Terminal, keys: bytes) -> list[float]:
    """Move in a program that paints nothing by itself in so short a time."""
    return press(terminal, lambda number: (keys[number % len(keys) :][:1], lambda painted: len(painted) > 2))


def main() -> int:
    """Measure and print."""
    limits = Limits()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with Terminal([sys.executable, "-c", EMPTY], folder) as terminal:
            terminal.until(lambda painted: b"counted: 0" in painted)
            terminal.rest(1)
            tell(limits, "an empty Textual application", in_empty(terminal))
        rivals(limits, folder)
        for words, rate, lines in (("still", 0, 0), ("1,000 transitions/s, 5,000 lines/s", 1000, 5000)):
            with (
                tempfile.TemporaryDirectory() as place,
                live(Path(place), TASKS, rate=rate, lines=lines),
                Terminal([SPECULAR, "dashboard", "large"], Path(place)) as terminal,
            ):
                terminal.until(lambda painted: task_id(5).encode() in painted, seconds=60)
                terminal.rest(3)
                before, since = len(terminal.seen), len(terminal.writes)
                begun, spent = terminal.writes[-1][0], terminal.cpu()
                terminal.rest(5)
                seconds = terminal.writes[-1][0] - begun if rate else 5.0
                painted = len(terminal.seen) - before
                used = (terminal.cpu() - spent) / 5
                largest = max((end for _, end in frames(terminal, since)), default=0)
                before = len(terminal.seen)
                taken = in_specular(terminal)
                a_key = (len(terminal.seen) - before) / len(taken)
                tell(limits, f"specular, {TASKS:,} tasks, {words}", taken, 16)
                limits.line("  written, a key", a_key, "bytes", None if rate else BYTES_A_KEY)
                limits.line("  painted by itself", painted / 1024 / seconds, "KiB/s", 512)
                limits.line("  largest frame", largest / 1024, "KiB", MOST_BYTES / 1024)
                limits.line("  processor", used * 100, "%")
                limits.line("  memory", terminal.memory(), "MB")
    return limits.answer()


def frames(terminal: Terminal, since: int) -> list[tuple[float, int]]:
    """Return what was painted within 4 ms of each other from the write `since` on: when, and how many bytes."""
    found: list[tuple[float, int]] = []
    last = terminal.writes[since - 1][1] if since else 0
    for at, end in terminal.writes[since:]:
        if found and at - found[-1][0] < 0.004:
            found[-1] = (at, found[-1][1] + end - last)
        else:
            found.append((at, end - last))
        last = end
    return found


def rivals(limits: Limits, folder: Path) -> None:
    """Measure programs that show a file or a table, where they are here."""
    (folder / "log").write_bytes(b"".join(b"%07d some words that a task has printed\n" % n for n in range(1_000_000)))
    programs: tuple[tuple[str, Sequence[str | Path], bytes], ...] = (
        ("less, 1,000,000 lines", ["less", folder / "log"], b"jjjk"),
        ("htop", ["htop", "--delay", "100"], b"\x1b[B"),
    )
    for name, command, keys in programs:
        if shutil.which(str(command[0])) is None:
            print(f"{name}: not here")
            continue
        with Terminal(command, folder) as terminal:
            terminal.rest(2)
            taken = (
                press(terminal, lambda _: (b"\x1b[B", lambda painted: len(painted) > 2))
                if name == "htop"
                else in_any(terminal, keys)
            )
        tell(limits, name, taken)


def tell(limits: Limits, name: str, taken: Sequence[float], limit: float | None = None) -> None:
    """Print how long keys took."""
    limits.line(name, p99(taken), "ms p99", limit, f"p50 {statistics.median(taken):.1f}, max {max(taken):.1f}")


if __name__ == "__main__":
    sys.exit(main())
