"""Every byte of every file of a run flipped, doubled, zeroed; the journal cut at every byte.

Either the check names the file, or what is left of the run is right all the same; and a resume reuses only results
that are the ones that were made, gives up no completed task without saying so, and never shows a traceback.

    python -m tests.crash.flips --all
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from msgspec import Struct, field

from specular_tui.errors import SpecularError
from specular_tui.store import checkpoint
from specular_tui.store.checks.check import Report, check
from specular_tui.workspace.building import build
from specular_tui.workspace.request import BuildRequest
from tests.crash.face import Face
from tests.crash.scenario import BUILD, Broken, at, expect
from tests.crash.small import Small, read_journal
from tests.crash.zygote import Zygote, borrowed

#: What is done to one byte of a file.
DAMAGES: dict[str, Callable[[bytes, int], bytes]] = {
    "one bit": lambda data, at: data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :],
    "doubled": lambda data, at: data[: at + 1] + data[at:],
    "zeroed": lambda data, at: data[:at] + b"\0" + data[at + 1 :],
}
#: From here on the rest of the file goes.
CUT = "cut"
JOURNAL = "journal.jsonl"


class Result(Struct):
    """What came of one kind of damage."""

    damages: int = 0
    #: The check named the file.
    named: int = 0
    #: It had a note on it: bytes that count for nothing, or others that mean the same.
    noted: int = 0
    #: The file holds what it held, or cannot be proved, or is what a power cut may leave.
    harmless: int = 0
    #: How many of them `specular build --resume --repair` went on from.
    repaired: int = 0
    #: A resume refused, or ran tasks again and said which.
    refused: int = 0
    reran: int = 0
    broken: list[str] = field(default_factory=list)

    def add(self, other: Result) -> None:
        """Count what came of others too."""
        self.damages += other.damages
        self.named += other.named
        self.noted += other.noted
        self.harmless += other.harmless
        self.repaired += other.repaired
        self.refused += other.refused
        self.reran += other.reran
        self.broken += other.broken


class Damaged:
    """A run that is damaged again and again, and knows what it was."""

    def __init__(self, small: Small) -> None:
        self.small = small
        self.files = {
            str(path.relative_to(small.run)): path.read_bytes()
            for path in sorted(small.run.rglob("*"))
            if path.is_file() and path.stat().st_size and not path.name.startswith(".")
        }
        self._logs = {name: data for name, data in self.files.items() if name.endswith(".log")}
        self._completed = small.said().completed
        small.save()

    def strike(self, name: str, kind: str, at: int, result: Result, zygote: Zygote | None = None) -> None:
        """Damage byte `at` of a file, look at what is said, and put it right again.

        With `zygote` the run is also gone on with, repaired.
        """
        whole = self.files[name]
        damaged = whole[:at] if kind == CUT else DAMAGES[kind](whole, at)
        if damaged == whole:
            return
        result.damages += 1
        path = self.small.run / name
        path.write_bytes(damaged)
        try:
            self._look(name, result)
            if zygote is not None:
                self._repair(zygote, result)
        except Broken as broken:
            result.broken.append(f"{name}, byte {at} {kind}: {broken}")
        except Exception as error:
            result.broken.append(f"{name}, byte {at} {kind}: {type(error).__name__}: {error}")
        finally:
            if zygote is not None:
                self.small.restore()
            path.write_bytes(whole)

    def _look(self, name: str, result: Result) -> None:
        checkpoint.summaries(self.small.root)
        report = check(self.small.root, self.small.run.name)
        named = self._names(report, name)
        result.named += named == "damaged"
        result.noted += named == "noted"
        result.harmless += not named
        expect(bool(named) or self._is_harmless(name) or self._is_earlier(name), "the check names the file", report)
        for repair in (False, True):
            self._resume(result, repair=repair, count=not repair)

    def _names(self, report: Report, name: str) -> str:
        details = [line for found in report.checks for line in found.details]
        if any(name in line for line in details):
            return "damaged"
        expect(report.ok or bool(details), "a check that fails says why", report)
        if not report.ok:
            return "damaged"  # another file is named, which contradicts this one
        return "noted" if any(name in note for note in report.notes) else ""

    def _is_harmless(self, name: str) -> bool:
        """Tell whether the readers see the very run that they saw before."""
        if name in self._logs and name.removeprefix("outputs/").partition(".")[0] not in self._completed:
            return True  # of an attempt that nobody saw end: it runs again, and nobody can know its log
        return self.small.said().completed == self._completed and name not in (JOURNAL, *self._logs)

    def _is_earlier(self, name: str) -> bool:
        """Tell whether the journal ends between two records, behind what is known to be on disk.

        Nothing can tell that from a power cut, which may leave just this; the tasks run again.
        """
        if name != JOURNAL:
            return False
        data = (self.small.run / name).read_bytes()
        known = json.loads(self.files["metadata.json"])["journal_seq"]
        said = read_journal(data)
        return data.endswith(b"\n") and self.files[name].startswith(data) and said.records >= max(known, said.synced)

    def _resume(self, result: Result, *, repair: bool, count: bool) -> None:
        face = Face()
        try:
            build(
                BuildRequest(cwd=self.small.folder, resume=self.small.run.name, dry_run=True, repair=repair), face, {}
            )
        except SpecularError as error:
            expect(bool(error.message), "a refusal says why")
            result.refused += count
            return
        lost = self._completed - {"@tests"} - face.reused
        result.reran += bool(lost) and count
        if not face.known:
            expect("nothing to resume" in " ".join(face.told), "it says why nothing is done", face.told)
            return
        expect(not lost or bool(face.told) or bool(face.reasons.keys() & lost), "it says what is lost", lost, face.told)
        self._check_reused(face.reused)

    def _repair(self, zygote: Zygote, result: Result) -> None:
        result.repaired += 1
        done = zygote.run(self.small.folder, "build", "--resume", self.small.run.name, "--repair")
        expect(done.calm and done.code in (0, 4), "a repair is calm", done)
        if done.code == 0:
            valid = zygote.run(self.small.folder, "checkpoint", "validate", self.small.run.name)
            expect(valid.calm and valid.code == 0, "a repaired checkpoint is valid", valid, done)
            expect(self.small.said().completed >= self.small.tasks(), "everything is done", done)
        else:
            expect(bool(done.err), "a refusal says why", done)

    def _check_reused(self, reused: set[str]) -> None:
        """A result that is reused is the one that was made."""
        for task in reused:
            name = f"outputs/{task}.log"
            there = self.small.run / name
            expect(not there.exists() or there.read_bytes() == self.files.get(name, b""), f"the log of {task} is right")
            expect(task in self._completed, f"{task} had been completed")


def targets(damaged: Damaged, step: int) -> Iterator[tuple[str, str, int]]:
    """Yield every `step`-th damage: the file, the kind, the byte."""
    every = (
        (name, kind, at)
        for name, data in damaged.files.items()
        for kind in (*DAMAGES, *([CUT] if name == JOURNAL else []))
        for at in range(len(data))
    )
    return itertools.islice(every, 0, None, step)


def prepare(base: Path, which: str) -> Damaged:
    """Build a run that is completed, or that was killed on its way."""
    from tests.crash.scenario import SCENARIOS

    small = at(base, which)
    with borrowed() as zygote:
        if which == "killed":
            (abandon,) = (known for known in SCENARIOS if known.name == "abandon")
            abandon.prepare(small, zygote)
        else:
            small.clear()
            # Without the last task's dependents being done: a run that can be gone on with.
            done = zygote.run(small.folder, *BUILD, hook="stop_before_pack")
            expect(done.code != 0, "the build was interrupted", done)
    return Damaged(small)


def run(
    base: Path, which: str, step: int = 1, part: int = 0, parts: int = 1, repair_every: int = 20
) -> dict[str, Result]:
    """Damage every `step`-th byte; of `parts` of the work do `part`. Return what came of each file."""
    damaged = prepare(base, which)
    results: dict[str, Result] = {}
    with borrowed() as zygote:
        for number, (name, kind, byte) in enumerate(itertools.islice(targets(damaged, step), part, None, parts)):
            what = name.replace("outputs/", "").rpartition(".")[2] if name.startswith("outputs/") else name
            result = results.setdefault(what if what == name else f"outputs/*.{what}", Result())
            damaged.strike(name, kind, byte, result, zygote if number % repair_every == 0 else None)
    return results


def _run(given: tuple[str, str, int, int]) -> dict[str, Result]:
    base, which, step, part = given
    folder = Path(base, f"{which}-{part}")
    folder.mkdir()
    return run(folder, which, step, part, 2, repair_every=20 if step > 1 else 50)


def main() -> int:
    """Print a table of what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="every byte, not one in fifty")
    given = parser.parse_args()
    began = time.monotonic()
    total: dict[str, Result] = {}
    with tempfile.TemporaryDirectory() as base, multiprocessing.get_context("spawn").Pool(2) as pool:
        work = [(base, which, 1 if given.all else 50, part) for which in ("paused", "killed") for part in (0, 1)]
        for results in pool.imap_unordered(_run, work, chunksize=1):
            for name, result in results.items():
                total.setdefault(name, Result()).add(result)
    rows = [f"{'file':18}  damages   named   noted  harmless  refused   reran repaired  broken"]
    everything = Result()
    for result in total.values():
        everything.add(result)
    for name, result in [*total.items(), ("all", everything)]:
        numbers = f"{result.damages:8} {result.named:7} {result.noted:7} {result.harmless:9} {result.refused:8}"
        rows.append(f"{name:18} {numbers} {result.reran:7} {result.repaired:8} {len(result.broken):7}")
    sys.stdout.write("\n".join(rows) + f"\n{time.monotonic() - began:.0f} s\n")
    for text, times in Counter(text.partition(": ")[2][:160] for text in everything.broken).most_common(20):
        sys.stderr.write(f"{times} times: {text}\n")
    sys.stderr.write("".join(f"{text}\n" for text in everything.broken[:40]))
    return 1 if everything.broken else 0


if __name__ == "__main__":
    sys.exit(main())
