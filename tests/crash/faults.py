"""EIO and ENOSPC from every system call with which a build or a resume changes its checkpoint.

The points are those of `tests.crash.killpoints`. Each fails once; in a second pass every later call of its kind on the
checkpoint's files fails as well. Either the build ends with exit code 1, says why and how to go on, and starts nothing
more; or it is complete all the same. What it had said to be done stays done, and once the fault is gone a resume ends
well. A sync that failed is never tried again on the same file.

    python -m tests.crash.faults --all
"""

from __future__ import annotations

import argparse
import errno
import itertools
import os
import re
import sys
import tempfile
from pathlib import Path

from tests.crash import strace
from tests.crash.killpoints import Act, Outcome, Point, changes, each, table
from tests.crash.scenario import Broken, Scenario, check_after, expect
from tests.crash.small import RUN, Small
from tests.crash.zygote import Done, Zygote

SCENARIOS = ("build", "resume")
ERRORS = ("EIO", "ENOSPC")
#: Without these a build may succeed: the reserve is only for the last words on a full disk, and what is cleared away
#: or made unreadable to others was neither there nor readable before. What a task itself writes to its log is its own
#: affair, and a silent task's log is not missed.
_OPTIONAL = re.compile(
    r"write \.reserve|unlinkat .*|fchmod .*|openat .*\.reserve|chmod .*"
    r"|openat outputs \.tmp-log-\d+|write outputs/\.tmp-log-\d+|renameat outputs \.tmp-log-\d+ (old|extra)\.log"
)
#: Tasks that may have been started in the moment of the fault.
_JOBS = 2


class Fault:
    """A way to fail: with which error, and whether for good."""

    def __init__(self, error: str, *, forever: bool, mistake: str = "") -> None:
        """`mistake` names a function of `tests.crash.hooks`."""
        self.error = error
        self.forever = forever
        self._mistake = mistake

    def __str__(self) -> str:
        return f"{self.error}{' for good' if self.forever else ''}"

    def strike(self, small: Small, zygote: Zygote, scenario: Scenario, point: Point, outcome: Outcome) -> None:
        """Run the command with this fault at `point`, and look at what it says and what is left."""
        small.restore()
        log = small.folder.parent / "fault.strace"
        what = f"error={self.error}"
        options = point.options(small, what, log, forever=_files(small) if self.forever else None)
        hooks = [self._mistake, "" if point.path else "snapshots_at_once"]
        done = zygote.run(small.folder, *scenario.args, trace=options, hook=" ".join(hooks))
        calls = strace.read(log)
        injected = [call for call in calls if call.injected]
        outcome.points += 1
        outcome.hit += bool(injected)
        sites = [call.site(str(small.run)) for call in injected if changes(call, str(small.root))]
        outcome.sites.update(sites[:1])
        try:
            self._check_said(done, calls, sites)
            if point.path in ("", "*"):  # otherwise the trace does not tell one file from a new one of its name
                _check_syncs(calls)
            check_after(small, zygote, scenario, done)
        except Broken as broken:
            outcome.broken.append(f"{self} at {point} {sites[:2]}: {broken}\n    {done}")
        outcome.litter += bool(small.litter())

    def _check_said(self, done: Done, calls: list[strace.Call], sites: list[str]) -> None:
        expect(done.calm, "no traceback", done)
        expect(done.code in (0, 1), "the exit code is 0 or 1", done)
        if done.code == 0:
            bad = [site for site in sites if not _OPTIONAL.fullmatch(site)]
            expect(not bad, "a build that could not write its checkpoint fails", bad)
            return
        if not sites:
            return  # a read of something else was hit, because this time the calls came in another order
        expect("failed to write checkpoint: " in done.err, "it says what went wrong", done.err)
        reason = {"EIO": errno.EIO, "ENOSPC": errno.ENOSPC}[self.error]
        expect(os.strerror(reason).lower() in done.err, "it says why", done.err)
        expect("resume" in done.err + done.out or "disk" in done.err, "it says how to go on", done)
        struck = [call.ended for call in calls if call.injected]
        starts = [c for c in calls if "task_started" in c.args and not c.injected and c.begun > min(struck, default=0)]
        expect(not struck or len(starts) <= _JOBS, "nothing more is started", starts)


def strike_in_turn() -> Act:
    """Return what strikes each point with another one of all faults."""
    all_faults = itertools.cycle([Fault(error, forever=forever) for error in ERRORS for forever in (False, True)])
    return lambda *args: next(all_faults).strike(*args)


def _files(small: Small) -> list[str]:
    """Return the paths that the writers of a checkpoint touch."""
    run, outputs = small.run, small.run / "outputs"
    names = ("journal.jsonl", "state.json", "progress.json", "metadata.json", "plan.json", "policy.yaml")
    waiting = ("plan.next.json", "policy.next.yaml")
    tasks = ("fetch", "old", "compile", "flaky", "pack", "extra", "%40tests")
    found = [str(run), str(outputs), *(str(run / name) for name in names)]
    found += [str(run / f".tmp-{{pid}}-{name}") for name in (*names, *waiting)]
    found += [str(outputs / f"{task}{end}") for task in tasks for end in (".log", ".json")]
    return found + [str(outputs / f".tmp-{{pid}}-{task}.json") for task in tasks]


def _check_syncs(calls: list[strace.Call]) -> None:
    """After a failed sync the same file is not synced again; a new one of the same name is another file."""
    failed: set[str] = set()
    for call in calls:
        path = call.args.partition("<")[2].partition(">")[0]
        if call.name in ("fsync", "fdatasync"):
            expect(path not in failed, "a sync that failed is not tried again", path)
            # A folder cannot be made anew; what is retried there is a later change of it.
            if call.injected and not path.endswith(("/outputs", f"/{RUN}", "/checkpoints")) and ".new-" not in path:
                failed.add(path)
        elif call.name in ("unlinkat", "renameat"):
            failed -= {path for path in failed if f'"{path.rpartition("/")[2]}"' in call.args}


def run(
    base: Path, *, sample: int | None = None, seed: int = 0, names: tuple[str, ...] = SCENARIOS
) -> dict[str, Outcome]:
    """Strike at every point, or at `sample` of each scenario; return what came of each kind of fault."""
    outcomes: dict[str, Outcome] = {}
    for error in ERRORS:
        for forever in (False, True):
            fault = Fault(error, forever=forever)
            folder = base / str(fault).replace(" ", "-")
            found = each(names, folder, fault.strike, sample=sample, seed=seed)
            outcomes |= {f"{name}, {fault}": outcome for name, outcome in found.items()}
    return outcomes


def main() -> int:
    """Print a table of what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="every point, not a sample")
    parser.add_argument("--points", type=int, default=5, metavar="N", help="so many points for each kind of fault")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as base:
        outcomes = run(Path(base), sample=None if given.all else given.points)
    return table(outcomes, "fault")


if __name__ == "__main__":
    sys.exit(main())
