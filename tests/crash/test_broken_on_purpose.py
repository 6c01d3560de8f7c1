"""Killed, refused by the disk, cut off from power, damaged: a bounded part of what the commands beside this do in full.

python -m tests.crash.killpoints --all      kill -9 at every call
python -m tests.crash.faults --all          EIO and ENOSPC from every call
python -m tests.crash.powerloss --all       every state that a power cut may leave
python -m tests.crash.flips --all           every byte of every file damaged
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import pytest

from tests.crash import faults, flips, killpoints, powerloss, scenario

needs_strace = pytest.mark.skipif(
    not sys.platform.startswith("linux") or shutil.which("strace") is None, reason="needs strace"
)
needs_namespaces = pytest.mark.skipif(
    not sys.platform.startswith("linux")
    or os.geteuid() != 0
    or shutil.which("unshare") is None
    or subprocess.run(["unshare", "-m", "true"], capture_output=True).returncode != 0,
    reason="mounts file systems",
)

RECORD = "write journal.jsonl"


class Counted(Protocol):
    broken: list[str]


def assert_none_broken(results: Mapping[str, Counted]) -> None:
    broken = [text for result in results.values() for text in result.broken]
    assert not broken, f"{len(broken)} promises broken:\n" + "\n".join(broken[:5])


@needs_strace
def test_kill_9_at_system_calls(tmp_path: Path) -> None:
    names = [known.name for known in scenario.SCENARIOS]
    outcomes = killpoints.each(names, tmp_path, killpoints.kill_at, sample=4)
    assert_none_broken(outcomes)
    assert sum(outcome.hit for outcome in outcomes.values()) > len(names)


@needs_strace
def test_errors_of_system_calls(tmp_path: Path) -> None:
    outcomes = killpoints.each(faults.SCENARIOS, tmp_path, faults.strike_in_turn(), sample=16)
    assert_none_broken(outcomes)
    assert sum(outcome.hit for outcome in outcomes.values()) > 10


@needs_strace
@pytest.mark.parametrize("command", [*powerloss.RECORDED])
def test_power_cuts(tmp_path: Path, command: str) -> None:
    result = powerloss.run(command, tmp_path, sample=40, resumes=3)
    assert_none_broken({command: result})
    assert result.states == 40


@pytest.mark.parametrize("which", ["paused", "killed"])
def test_damaged_bytes(tmp_path: Path, which: str) -> None:
    results = flips.run(tmp_path, which, step=211)
    assert_none_broken(results)
    assert sum(result.named for result in results.values()) > 20


@needs_namespaces
def test_full_disks(tmp_path: Path) -> None:
    done = subprocess.run(
        ["unshare", "-m", sys.executable, "-m", "tests.crash.fulldisk"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, (answers, done.stderr)
    assert [answer for answer in answers if "broken" in answer] == []
    assert len(answers) == 6


# That these tests find what they look for: the same, with mistakes made on purpose.


@needs_strace
@pytest.mark.parametrize(
    ("mistake", "first"),
    [
        ("wrong_no_file_syncs", None),
        ("wrong_said_before_synced", None),
        ("wrong_logs_not_synced", None),
        ("wrong_run_seen_too_early", 40),
    ],
)
def test_power_cuts_find_mistakes(tmp_path: Path, mistake: str, first: int | None) -> None:
    result = powerloss.run("build", tmp_path, sample=30, first=first, resumes=0, hook=mistake)
    assert result.broken


@needs_strace
def test_power_cuts_find_outputs_of_a_killed_process(tmp_path: Path) -> None:
    result = powerloss.run("late kill and resume", tmp_path, sample=150, resumes=0, hook="wrong_outputs_not_saved")
    assert result.broken


@needs_strace
@pytest.mark.parametrize("mistake", ["wrong_done_before_recorded"])
def test_kills_find_mistakes(tmp_path: Path, mistake: str) -> None:
    outcomes = killpoints.each(["build"], tmp_path, killpoints.killer(mistake), sample=10, only=RECORD)
    assert outcomes["build"].broken


@needs_strace
def test_errors_find_mistakes(tmp_path: Path) -> None:
    fault = faults.Fault("EIO", forever=False, mistake="wrong_errors_are_warnings")
    assert killpoints.each(["build"], tmp_path, fault.strike, sample=2, only=RECORD)["build"].broken
