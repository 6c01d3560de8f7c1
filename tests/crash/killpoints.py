"""kill -9 at every system call with which a command changes a checkpoint.

The calls are listed once with strace; then the command runs once for each of them, and is killed as it makes the call.
Main thread: the n-th call of its kind. Threads that sync and publish: the n-th call of its kind on one file.

    python -m tests.crash.killpoints --all
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from msgspec import Struct, field

from tests.crash import strace
from tests.crash.scenario import SCENARIOS, Broken, Scenario, at, check_after
from tests.crash.small import Small
from tests.crash.zygote import Zygote, borrowed


class Point(Struct, frozen=True):
    """One moment to be killed at."""

    scenario: str
    call: str
    #: The n-th of its kind.
    when: int
    #: The call and the files that it names.
    site: str = ""
    #: In all threads, on this file only, by its path in the build's folder, or on any file for "*"; "": on any file, on
    #: the main thread.
    path: str = ""

    def options(self, small: Small, what: str, log: Path, *, forever: Sequence[str] | None = None) -> list[str]:
        """Return the options of strace that do `what` (`signal=KILL`, `error=EIO`) there, and log to `log`.

        With `forever` it is done from then on: here, and to every call of this kind on the paths that are given.
        """
        where = ["-f"] if self.path or forever is not None else []
        only = [str(small.folder / self.path)] if self.path not in ("", "*") else []
        for path in only if forever is None else forever:
            where += ["-P", path]
        again = "" if forever is None else "+"
        return [
            *("-y", "-s", "80", "-o", str(log), *where, "-e", f"trace={strace.CHANGING}"),
            *("-e", f"inject={self.call}:{what}:when={self.when}{again}"),
        ]


class Outcome(Struct):
    """What came of the points of one scenario."""

    points: int = 0
    #: How often the process was really cut short; a thread may have had less to do this time.
    hit: int = 0
    broken: list[str] = []
    #: How often something half written stayed behind after the resume.
    litter: int = 0
    seconds: float = 0
    #: The places: a call and the files that it names.
    sites: Counter[str] = field(default_factory=Counter)

    def add(self, other: Outcome) -> None:
        """Count what came of other points too."""
        self.points += other.points
        self.hit += other.hit
        self.broken += other.broken
        self.litter += other.litter
        self.seconds += other.seconds
        self.sites += other.sites


#: Nothing here lasts; whatever takes so long hangs.
_SLOW_S = 30.0
#: Does something at a point of a scenario, in a folder that is ready for it, and counts what came of it.
Act = Callable[[Small, Zygote, Scenario, Point, Outcome], None]
#: What other threads than the main one do to files that they have open.
_THREADED = ("fsync", "write")


def changes(call: strace.Call, root: str) -> bool:
    """Tell whether a call changes something below `root`, or tries to."""
    return root in call.args and (call.name != "openat" or "O_CREAT" in call.args)


def enumerate_points(small: Small, zygote: Zygote, scenario: Scenario) -> list[Point]:
    """Run the command of `scenario` undisturbed and return every point at which it can be killed."""
    small.restore()
    log = small.folder.parent / "calls.strace"
    root, points = str(small.folder), []
    zygote.run(small.folder, *scenario.args, trace=_listing(log), hook="snapshots_at_once")
    numbers: Counter[str] = Counter()
    for call in strace.read(log):
        numbers[call.name] += 1
        if changes(call, root):
            points.append(Point(scenario.name, call.name, numbers[call.name], call.site(str(small.run))))
    if scenario.args[0] != "build":
        return points
    # The threads: so often as each file is touched in a run as it really is.
    small.restore()
    zygote.run(small.folder, *scenario.args, trace=["-f", *_listing(log)])
    found: Counter[tuple[str, str, str]] = Counter()
    for call in strace.read(log):
        path = _path(call)
        if call.name == "fdatasync":  # one thread's alone, so that they can be counted without looking at the file
            found[call.name, "*", call.pid] += 1
        if call.name not in _THREADED or not path.startswith(root) or ".new-" in path:
            continue
        if call.name != "write" or not path.endswith((".log", ".txt")):  # those are the tasks' own
            found[call.name, strace.generic(path), call.pid] += 1
    most = {(name, path): times for (name, path, _), times in sorted(found.items(), key=lambda item: item[1])}
    for (name, path), times in most.items():
        inner, file = path if path == "*" else os.path.relpath(path, root), os.path.basename(path)
        points += [Point(scenario.name, name, n, f"{name} {file}", inner) for n in range(1, times + 1)]
    return points


def _listing(log: Path) -> list[str]:
    return ["-y", "-o", str(log), "-e", f"trace={strace.CHANGING}"]


def _path(call: strace.Call) -> str:
    return call.args.partition("<")[2].partition(">")[0]


def kill_at(
    small: Small, zygote: Zygote, scenario: Scenario, point: Point, outcome: Outcome, mistake: str = ""
) -> None:
    """Run the command, kill it there, and look at what is left."""
    small.restore()
    log = small.folder.parent / "kill.strace"
    hooks = [mistake, "" if point.path else "snapshots_at_once"]
    options = point.options(small, "signal=KILL", log)
    done = zygote.run(small.folder, *scenario.args, trace=options, hook=" ".join(hooks))
    outcome.points += 1
    if done.code == -9:
        outcome.hit += 1
        last = [call for call in strace.read(log) if call.result == "?"]
        outcome.sites.update(call.site(str(small.run)) for call in last[:1])
    try:
        check_after(small, zygote, scenario, done)
    except Broken as broken:
        outcome.broken.append(f"{point}: {broken}\n    {done}")
    outcome.litter += bool(small.litter())


def killer(mistake: str) -> Act:
    """Return what kills a `specular` that makes a mistake of `tests.crash.hooks`."""
    return partial(kill_at, mistake=mistake)


def _work(
    base: Path, points: Iterator[Point], act: Act, outcomes: dict[str, Outcome], lock: threading.Lock, name: str
) -> None:
    """Be one of those who work off `points`."""
    prepared: dict[str, Small] = {}
    by_name = {scenario.name: scenario for scenario in SCENARIOS}
    with borrowed() as zygote:
        while True:
            with lock:
                point = next(points, None)
            if point is None:
                return
            scenario = by_name[point.scenario]
            if point.scenario not in prepared:
                small = prepared[point.scenario] = at(base, f"{name}-{point.scenario}")
                scenario.prepare(small, zygote)
                small.save()
            began = time.monotonic()
            mine = Outcome()
            act(prepared[point.scenario], zygote, scenario, point, mine)
            with lock:
                mine.seconds = time.monotonic() - began
                if mine.seconds > _SLOW_S:
                    mine.broken.append(f"{point} took {mine.seconds:.1f} s")
                outcomes.setdefault(point.scenario, Outcome()).add(mine)


def each(
    names: Sequence[str],
    base: Path,
    act: Act,
    *,
    sample: int | None = None,
    only: str = "",
    seed: int = 0,
    workers: int = 2,
) -> dict[str, Outcome]:
    """Do `act` at every point of the scenarios `names`, or at `sample` of each; return what came of each scenario.

    `only` takes the points at one kind of call on one file.
    """
    points: list[Point] = []
    with borrowed() as zygote:
        for scenario in SCENARIOS:
            if scenario.name in names:
                small = at(base, f"list-{scenario.name}")
                scenario.prepare(small, zygote)
                small.save()
                found = enumerate_points(small, zygote, scenario)
                found = [point for point in found if only in ("", point.site)]
                if sample is not None and len(found) > sample:
                    found = random.Random(seed).sample(found, sample)
                points += found
    outcomes: dict[str, Outcome] = {}
    queue, lock = iter(points), threading.Lock()
    threads = [threading.Thread(target=_work, args=(base, queue, act, outcomes, lock, f"w{n}")) for n in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if sum(outcome.points for outcome in outcomes.values()) < len(points):
        raise RuntimeError("a worker has failed")
    return outcomes


def table(outcomes: dict[str, Outcome], title: str) -> int:
    """Print what came of it, and return an exit code."""
    rows = [f"{title:26} {'points':>7} {'hit':>7} {'places':>7} {'broken':>7} {'litter':>7} {'seconds':>8}"]
    total = Outcome()
    for outcome in outcomes.values():
        total.add(outcome)
    for name, outcome in [*outcomes.items(), ("all", total)]:
        numbers = (outcome.points, outcome.hit, len(outcome.sites), len(outcome.broken), outcome.litter)
        rows.append(f"{name:26} {' '.join(f'{number:7}' for number in numbers)} {outcome.seconds:8.1f}")
    sys.stdout.write("\n".join(rows) + "\n")
    sys.stderr.write("".join(f"{text}\n" for text in total.broken))
    return 1 if total.broken else 0


def main() -> int:
    """Print a table of what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="every point, not a sample")
    parser.add_argument("--only", action="append", choices=[scenario.name for scenario in SCENARIOS])
    given = parser.parse_args()
    names = given.only or [scenario.name for scenario in SCENARIOS]
    with tempfile.TemporaryDirectory() as base:
        outcomes = each(names, Path(base), kill_at, sample=None if given.all else 10)
    return table(outcomes, "kill -9 in")


if __name__ == "__main__":
    sys.exit(main())
