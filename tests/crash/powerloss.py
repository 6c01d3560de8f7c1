"""Power cuts, by the ALICE method: every state that one may leave of a build or a resume is made, and recovered from.

One run is recorded: every write, sync, rename, unlink and mkdir, with the bytes. For a cut before each change these
states are made, equal ones once: what is durable alone; everything; everything but one change that is not durable; what
is durable and one that is not; what is durable and the first ones that are not; and with the last write of each file
torn, or full of zeros. In each of them every task whose record had been brought to disk is done and reused, every
result that is reused is the one that was made, and nothing is called damaged.

    python -m tests.crash.powerloss --all [--resumes N]
"""

from __future__ import annotations

import argparse
import itertools
import json
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from blake3 import blake3
from msgspec import Struct, field

from specular_tui.errors import SpecularError
from specular_tui.store import checkpoint
from specular_tui.store.checks.check import check
from specular_tui.workspace.building import build
from specular_tui.workspace.request import BuildRequest
from tests.crash import strace
from tests.crash.diskmodel import Change, Recording, Tree
from tests.crash.face import Face
from tests.crash.scenario import BUILD, RESUME, SCENARIOS, SELDOM, Broken, at, expect
from tests.crash.small import CHANGED, Said, Small, lines, read_journal
from tests.crash.zygote import Zygote, borrowed

_CALLS = strace.CHANGING.replace(",fchmod,chmod,fchmodat", "")
#: A command line, and a function of `tests.crash.hooks`.
Command = tuple[tuple[str, ...], str]
#: What is recorded, and what is there before. In the last one a killed process leaves what was never brought to disk.
RECORDED: dict[str, tuple[str, tuple[Command, ...]]] = {
    "build": ("build", ((BUILD, ""),)),
    "resume": ("resume", ((RESUME, ""),)),
    "kill and resume": ("build", ((BUILD, "die_at_pack"), (RESUME, ""))),
    "late kill and resume": (
        "build",
        ((SELDOM, "sync_late die_at_pack"), (RESUME, "")),
    ),
}
#: A disk writes so many bytes or none of them.
_BLOCK = 512


class State(Struct, frozen=True):
    """One state of the disk after a cut."""

    at: int
    how: str
    tree: Tree


class Result(Struct):
    """What came of the states of one recording."""

    calls: int = 0
    states: int = 0
    resumed: int = 0
    broken: list[str] = field(default_factory=list)
    seconds: float = 0


def record(small: Small, zygote: Zygote, commands: Sequence[Command], mistake: str = "") -> Recording:
    """Run commands, one after the other, in the folder as it is and return what they change there."""
    log = small.folder.parent / "record.strace"
    calls: list[strace.Call] = []
    options = ["-f", "-y", "-s", "1000000", "-o", str(log), "-e", f"trace={_CALLS}"]
    for args, hook in commands:
        zygote.run(small.folder, *args, trace=options, hook=f"{mistake} {hook}")
        calls += strace.read(log, after=calls[-1].ended + 1 if calls else 0)
    small.restore()
    return Recording(small.folder, calls)


def states(recording: Recording) -> Iterator[State]:
    """Yield the states of the disk after a cut before each change, equal ones once."""
    seen: set[int] = set()
    for moment in range(len(recording.changes) + 1):
        for how, changes in _choices(recording, moment):
            tree = recording.tree(changes)
            same = hash(tuple(tree.items()))
            if same not in seen:
                seen.add(same)
                yield State(moment, how, tree)


def _choices(recording: Recording, moment: int) -> Iterator[tuple[str, list[Change]]]:
    made = recording.changes[:moment]
    durable = recording.durable(moment)
    waiting = [change for change in made if change.number not in durable]
    safe = [change for change in made if change.number in durable]
    yield "what is durable", safe
    yield "everything", made
    for one in waiting:
        yield f"all but {one.number}", [change for change in made if change is not one]
        yield f"durable and {one.number}", [c for c in made if c.number in durable or c is one]
    for count in range(1, len(waiting)):
        first = {change.number for change in waiting[:count]}
        yield f"durable and {count} more", [c for c in made if c.number in durable or c.number in first]
    last = {change.inode: change for change in waiting if change.kind == "write"}
    for write in last.values():
        size = len(write.data)
        for cut in {1, size // 2, size - 1, _BLOCK, size // _BLOCK * _BLOCK}:
            if 0 < cut < size:
                yield f"{write.number} torn at {cut}", [c.torn(cut) if c is write else c for c in made]
        yield f"{write.number} as zeros", [c.zeroed() if c is write else c for c in made]


def promises(small: Small, recording: Recording) -> list[set[str]]:
    """Return, for a cut before each change, the tasks whose results must be there.

    That is what the journal and metadata.json themselves had said by then to be on disk, and what a second sync of the
    journal had followed: only of the first one it is not known which logs it waited for.
    """
    at_first = read_journal(_find(recording.first)[0])
    found = [_kept(small, at_first)]
    synced: dict[str, int] = {}
    tree, known = recording.first.copy(), at_first.records
    syncs = {s.number: s for s in recording.syncs}
    for moment, change in enumerate(recording.changes, 1):
        tree.apply(change)
        journal, metadata, inode = _find(tree)
        sync = syncs.get(moment)
        known = max(known, read_journal(journal).synced, _seq(metadata))
        if sync is not None and sync.inode == inode:
            known = max(known, synced.get(sync.pid, 0))
            synced[sync.pid] = read_journal(recording.tree(recording.changes[: sync.number]).files[inode]).records
        found.append(_kept(small, read_journal(journal, until=known)))
    return found


def _kept(small: Small, said: Said) -> set[str]:
    gone = CHANGED if said.plan_hash != small.plan_hash() else set()
    return (said.completed - gone) & small.tasks()


def _find(tree: Tree) -> tuple[bytes, bytes, int]:
    """Return journal and metadata of the one run that can be seen, and the journal's inode."""
    root = tree.find(".specular/checkpoints")
    for name, run in tree.folders.get(root or -1, {}).items():
        if not name.startswith("."):
            names = tree.folders[run]
            journal, metadata = names.get("journal.jsonl", -1), names.get("metadata.json", -1)
            return tree.files.get(journal, b""), tree.files.get(metadata, b""), journal
    return b"", b"", -1


def _seq(metadata: bytes) -> int:
    try:
        return int(json.loads(metadata)["journal_seq"])
    except (ValueError, KeyError):
        return 0


def check_state(small: Small, promised: set[str]) -> set[str]:
    """Look at the folder as the readers do; return the tasks that a resume would reuse."""
    for summary in checkpoint.summaries(small.root):
        expect(summary.damage is None, "the list finds nothing damaged", summary.damage)
        report = check(small.root, summary.run_id)
        expect(report.ok, "the check finds nothing damaged", report.checks)
    face = Face()
    try:
        build(BuildRequest(cwd=small.folder, resume="", dry_run=True), face, {})
    except SpecularError as error:
        raise Broken(f"a resume refuses: {error.message} {error.details}") from None
    done = small.said().status == "completed"
    expect(done or promised <= face.reused, "what was on disk is reused", promised, face.reused)
    _check_results(small, face.reused)
    return face.reused


def _check_results(small: Small, reused: set[str]) -> None:
    if not reused:
        return
    (run,) = checkpoint.summaries(small.root)
    with checkpoint.open_run(small.root, run.run_id) as folder:
        state = checkpoint.read(folder, run.run_id).state
    for task in reused:
        known = state.tasks[task]
        log = small.run / "outputs" / f"{task}.log"
        data = log.read_bytes() if log.exists() else b""
        found = "blake3:" + blake3(data).hexdigest()
        expect(len(data) == known.log_size and found == known.log_hash, f"the log of {task} is intact", data)
        for output in known.outputs:
            made = (small.folder / output.path).read_bytes()
            expect("blake3:" + blake3(made).hexdigest() == output.hash, f"{output.path} is as it was made", made)


def resume_really(small: Small, zygote: Zygote, promised: set[str]) -> None:
    """Go on with `specular` itself."""
    said, completed = small.said(), small.said().status == "completed"
    again = zygote.run(small.folder, "build", "--resume")
    expect(again.calm and again.code == 0, "the resume comes to its end", again)
    expect(not promised & lines(again, "START"), "what was on disk is not run again", promised, again)
    expect(completed or small.said().completed >= small.tasks(), "everything is done", again, said)
    valid = zygote.run(small.folder, "checkpoint", "validate", "--last")
    expect(valid.code == 0 and valid.calm, "the checkpoint is valid in the end", valid)


def run(
    name: str,
    base: Path,
    *,
    sample: int | None = None,
    first: int | None = None,
    seed: int = 0,
    resumes: int | None = None,
    hook: str = "",
) -> Result:
    """Go through the states that a cut may leave of what is `RECORDED`.

    `sample` bounds the states, and `first` takes the first ones of all; `resumes` bounds those of them that `specular`
    itself goes on from. `hook` makes the recorded process wrong on purpose.
    """
    began, result = time.monotonic(), Result()
    start, commands = RECORDED[name]
    (scenario,) = (known for known in SCENARIOS if known.name == start)
    small = at(base, name)
    with borrowed() as zygote:
        scenario.prepare(small, zygote)
        small.save()
        recording = record(small, zygote, commands, hook)
        result.calls = len(recording.changes) + len(recording.syncs)
        found, kept = list(itertools.islice(states(recording), first)), promises(small, recording)
        if sample is not None and len(found) > sample:
            found = random.Random(seed).sample(found, sample)
        every = len(found) // resumes + 1 if resumes else 1
        for number, state in enumerate(found):
            result.states += 1
            try:
                promised = kept[state.at]
                _put(small, state.tree)
                check_state(small, promised)
                if resumes is None or (resumes and number % every == 0):
                    result.resumed += 1
                    resume_really(small, zygote, promised)
            except Broken as broken:
                near = recording.changes[max(0, state.at - 1)] if recording.changes else ""
                result.broken.append(f"{name}: cut before {state.at}, {state.how} (after {near!r:.200}): {broken}")
    result.seconds = time.monotonic() - began
    return result


def _put(small: Small, tree: Tree) -> None:
    shutil.rmtree(small.folder)
    os.mkdir(small.folder)
    tree.write_to(small.folder)


def _run(given: tuple[str, str, int | None, int | None]) -> tuple[str, Result]:
    name, base, sample, resumes = given
    return name, run(name, Path(base), sample=sample, resumes=resumes)


def main() -> int:
    """Print a table of what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="every state, and a real resume in each")
    parser.add_argument("--resumes", type=int, metavar="N", help="a real resume in about N states of each")
    parser.add_argument("--only", action="append", choices=[*RECORDED])
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as base, multiprocessing.get_context("spawn").Pool(2) as pool:
        sample, resumes = (None, given.resumes) if given.all else (150, given.resumes or 10)
        jobs = [(name, base, sample, resumes) for name in given.only or RECORDED]
        results = dict(pool.map(_run, jobs, chunksize=1))
    rows = [f"{'power cut in':20} {'calls':>6} {'states':>7} {'resumed':>8} {'broken':>7} {'seconds':>8}"]
    for name, result in results.items():
        numbers = f"{result.calls:6} {result.states:7} {result.resumed:8} {len(result.broken):7}"
        rows.append(f"{name:20} {numbers} {result.seconds:8.1f}")
    sys.stdout.write("\n".join(rows) + "\n")
    broken = [text for result in results.values() for text in result.broken]
    sys.stderr.write("".join(f"{text}\n" for text in broken))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
