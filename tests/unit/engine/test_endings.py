"""What is recorded of an attempt's end."""

from __future__ import annotations

from pathlib import Path

import pytest

from specular_tui.engine import endings
from specular_tui.engine.executor import Exit, StartError
from specular_tui.engine.verdict import Verdict
from specular_tui.model.event import OutputFile
from specular_tui.model.plan import Task
from tests.unit.engine.test_verdict import running

OUT = OutputFile(path="out", size=3, hash="blake3:abc")


def test_what_completed_can_be_reused_and_what_did_not_cannot(tmp_path: Path) -> None:
    attempt = running(tmp_path)
    attempt.inputs_hash = "inputs"
    good = Verdict(outcome="completed", log_size=5, log_hash="log", outputs=(OUT,))
    event = endings.ended(attempt, Exit(0, None, 7, 9), good, at=50, ran_ms=40, retry=False)
    assert (event.at, event.duration_ms, event.exit_code, event.outputs) == (50, 40, 0, (OUT,))
    assert (event.cpu_ms, event.max_rss_kb, event.log_size, event.log_hash) == (7, 9, 5, "log")
    assert event.key
    assert event.inputs_hash == "inputs"
    bad = endings.ended(attempt, Exit(2, None), Verdict(outcome="failed"), at=50, ran_ms=40, retry=True)
    assert (bad.exit_code, bad.key, bad.inputs_hash, bad.will_retry) == (2, "", "", True)
    before = endings.exited(attempt, Exit(0, None, 7, 9), at=45, ran_ms=35)
    assert (before.key, before.inputs_hash, before.cpu_ms) == (event.key, "inputs", 7)


@pytest.mark.parametrize(
    ("outcome", "retry", "allowed"), [("failed", False, True), ("failed", True, False), ("interrupted", False, False)]
)
def test_a_failure_is_allowed_once_no_retry_follows(tmp_path: Path, outcome: str, retry: bool, allowed: bool) -> None:
    attempt = running(tmp_path, allow_failure=True)
    event = endings.ended(attempt, Exit(1, None), Verdict(outcome=outcome), at=1, ran_ms=1, retry=retry)
    assert event.allowed is allowed


def test_one_that_was_told_to_end_has_no_exit_code_of_its_own(tmp_path: Path) -> None:
    attempt = running(tmp_path, ended_by="timeout")
    event = endings.ended(attempt, Exit(143, None), Verdict(outcome="failed"), at=1, ran_ms=1, retry=False)
    assert event.exit_code is None


def test_one_that_could_not_be_started_says_what_a_shell_would(tmp_path: Path) -> None:
    task = Task(id="t", command="nothing", retries=3)
    error = StartError("program not found: nothing")
    event = endings.not_started(task, 1, error, at=3, log_size=9, log_hash="h", retry=False)
    assert (event.outcome, event.exit_code, event.reason) == ("failed", 127, "program not found: nothing")
    assert (event.will_retry, event.duration_ms, event.log_size) == (False, 0, 9)
