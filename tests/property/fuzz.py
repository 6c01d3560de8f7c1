"""Hostile bytes for everything that reads them: the journal, archives, plans and policies.

    python -m tests.property.fuzz [--seconds N] [--only TARGET] [--seed N]

Known files are changed at random, with what is known to be awkward put in, and read. What a reader answers with
anything but its own kind of error, or takes too long for, is a find: it is kept in tests/data/hostile/TARGET/, where
`test_hostile.py` reads it in every run of the suite, with the files that were put there by hand.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from blake3 import blake3

from specular_tui.errors import PlanError, SettingsError, SpecularError
from specular_tui.spec.plan_file import parse_plan
from specular_tui.spec.policy_file import parse_policy
from specular_tui.store import checkpoint, journal, layout
from specular_tui.store.checks.check import check
from tests import recorded
from tests.property.test_archive import archive, outcome
from tests.recorded import RUN

HOSTILE = Path(__file__).parents[1] / "data" / "hostile"
_DATA = HOSTILE.parent
#: Nothing small may take as long to read, on any machine.
_LONG_S = 20.0
TOKENS = (
    b"NaN", b"-Infinity", b"1e999", b"9" * 400, b"-0", b"18446744073709551616", b"null", b"[" * 300, b'{"a":' * 300,
    b'"\\ud800"', b"\xff\xfe", b"\xef\xbb\xbf", b"\0", b"\x1b]52;c;AA==\a", b'"seq":1,', b'"id":"../../x"', b"&a [*a]",
    b"*a", b"<<: *a", b"!!python/object:os.system", b"? ", b"%YAML 9.9\n", b"- " * 200, b"\xe2\x80\xa8",
    b"\xe2\x80\xae", b"1:2:3", b"0o17", b"no", b'""', b"{}", b'"log_size":-1', b'"at":1e3', b'"attempt":9999999999',
    b"\n", b"\r",
)  # fmt: skip


def mutated(chance: random.Random, data: bytes) -> bytes:
    """Return `data` with one to five changes."""
    out = bytearray(data)
    for _ in range(chance.randint(1, 5)):
        at = chance.randrange(len(out) + 1)
        end = min(len(out), at + chance.choice((1, 1, 4, 40, 400)))
        match chance.randrange(6):
            case 0:
                out[at:end] = b""
            case 1:
                out[at:at] = out[at:end] * chance.choice((1, 2, 30))
            case 2:
                out[at:end] = bytes(chance.randrange(256) for _ in range(end - at))
            case 3 if at < len(out):
                out[at] ^= 1 << chance.randrange(8)
            case 4:
                start = chance.randrange(len(out) + 1)
                out[at:end] = out[start : start + chance.randrange(200)]
            case _:
                out[at:end] = chance.choice(TOKENS)
    return bytes(out)


def chained(data: bytes) -> bytes:
    """Return the lines of a journal with chain values that are right, as a forger would."""
    lines, chain = [], ""
    for line in data.split(b"\n")[:-1]:
        body = line.rpartition(b',"chain"')[0] or line
        chain = blake3(chain.encode() + body).hexdigest(length=16)
        lines.append(b'%b,"chain":"%b"}\n' % (body, chain.encode()))
    return b"".join(lines)


def _prove_printable(error: SpecularError) -> None:
    if not all(line.isprintable() and len(line) < 2_000 for line in (error.message, *error.details)):
        raise ValueError(f"this cannot be shown: {error.message!r} {error.details!r}")


def read_journal(data: bytes) -> None:
    """Read a run with this journal in every way; only Specular's own errors may come of it."""
    with contextlib.suppress(journal.JournalDamage):
        journal.JournalReader().feed(data)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        run = root / RUN
        recorded.paused(root)
        (run / layout.JOURNAL).write_bytes(data)
        assert checkpoint.summaries(root)
        assert check(root, RUN).checks
        try:
            checkpoint.load(root, RUN)
            recorded.recorder_of(root, RUN, {}).close(recorded.START)
        except SpecularError as error:
            _prove_printable(error)


def read_archive(data: bytes) -> None:
    """Import; all of it comes in, or nothing does."""
    outcome(data)


def read_plan(data: bytes) -> None:
    """Parse a plan, as JSON and as YAML."""
    for yaml in (False, True):
        try:
            plan = parse_plan(data, file="plan", folder=Path("/home/ada"), yaml=yaml)
        except PlanError as error:
            _prove_printable(error)
        else:
            assert plan.tasks


def read_policy(data: bytes) -> None:
    """Parse a policy."""
    try:
        parse_policy(data, file="policy.yaml")
    except SettingsError as error:
        _prove_printable(error)


def _journals() -> list[bytes]:
    found = []
    for make in (recorded.completed, recorded.paused, recorded.failed, recorded.killed):
        with tempfile.TemporaryDirectory() as folder:
            run = make(Path(folder))
            found.append((run.path / layout.JOURNAL).read_bytes())
    return found


def _archives() -> list[bytes]:
    return [archive()]


def _texts(name: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((_DATA / name).iterdir())]


#: What is read, what it begins with, and what is done to it after it was changed.
TARGETS: dict[str, tuple[Callable[[bytes], None], Callable[[], list[bytes]], Callable[[bytes], bytes] | None]] = {
    "journal": (read_journal, _journals, chained),
    "archive": (read_archive, _archives, lambda data: gzip.compress(data, 1)),
    "plan": (read_plan, lambda: _texts("plans"), None),
    "policy": (read_policy, lambda: _texts("policies"), None),
}


def find(target: str, seconds: float, seed: int) -> tuple[int, int]:
    """Fuzz one target for a while; return how many inputs it read, and how many finds were kept."""
    read, begin, finish = TARGETS[target]
    chance, seeds = random.Random(seed), begin()
    known = [path.read_bytes() for path in sorted((HOSTILE / target).glob("*"))]
    tried, finds, until = 0, 0, time.monotonic() + seconds
    while time.monotonic() < until:
        data = mutated(chance, chance.choice(seeds if finish is not None else seeds + known))
        if finish is not None and chance.random() < 0.9:
            data = finish(data)
        tried += 1
        began = time.monotonic()
        try:
            read(data)
        except Exception:
            reason = traceback.format_exc()
        else:
            reason = "took too long" if time.monotonic() - began > _LONG_S else ""
        if reason:
            finds += 1
            folder = HOSTILE / target
            folder.mkdir(parents=True, exist_ok=True)
            path = folder / f"found-{blake3(data).hexdigest(length=6)}"
            path.write_bytes(data)
            sys.stderr.write(f"{path}: {reason}\n")
    return tried, finds


def main() -> int:
    """Print how many inputs each target has read, and how many it could not cope with."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=time.time_ns() % (1 << 32))
    parser.add_argument("--only", action="append", choices=[*TARGETS])
    given = parser.parse_args()
    sys.stdout.write(f"seed {given.seed}\n{'target':10} {'inputs':>9} {'finds':>6}\n")
    all_finds = 0
    for target in given.only or TARGETS:
        tried, finds = find(target, given.seconds, given.seed)
        sys.stdout.write(f"{target:10} {tried:9} {finds:6}\n")
        sys.stdout.flush()
        all_finds += finds
    return 1 if all_finds else 0


if __name__ == "__main__":
    sys.exit(main())
