"""Which unfinished runs have expired."""

from __future__ import annotations

import pytest

from specular_tui.model.policy import RetentionPolicy
from specular_tui.store.checkpoint import SizedRun
from specular_tui.store.keeping.expiry import expired
from tests.unit.store.keeping.test_retention import NOW, stored

DONE = stored("done", "completed", age=10)


def ids(*runs: SizedRun, max_age_days: float = 30) -> list[str]:
    found = expired([run for run, _ in runs], RetentionPolicy(max_age_days=max_age_days), NOW)
    assert all(run.reason.startswith("expired: not updated for ") for run in found)
    return [run.run_id for run in found]


@pytest.mark.parametrize("status", ["created", "paused", "failed", "retrying"])
def test_an_unfinished_run_expires_when_its_plan_was_completed_since(status: str) -> None:
    assert ids(stored("left", status, age=40), DONE) == ["left"]


@pytest.mark.parametrize("status", ["completed", "abandoned"])
def test_a_finished_run_does_not(status: str) -> None:
    assert ids(stored("left", status, age=40), DONE) == []


def test_what_may_still_be_gone_on_with_does_not() -> None:
    assert ids(stored("alone", "failed", age=400)) == []
    assert ids(stored("young", "failed", age=29), DONE) == []
    assert ids(stored("revived", "failed", age=400, updated=29), DONE) == []
    assert ids(stored("live", "in_progress", age=40, live=True), DONE) == []
    assert ids(stored("unreadable", "failed", age=40, damaged=True), DONE) == []
    assert ids(stored("other", "failed", age=40, plan="/q/plan.json"), DONE) == []
    assert ids(stored("newer", "failed", age=40), stored("done before", "completed", age=50)) == []


def test_the_policy_says_when_but_never_within_a_day() -> None:
    run, done = stored("left", "failed", age=3), stored("done", "completed", age=0.1)
    assert ids(run, done) == []
    assert ids(run, done, max_age_days=2) == ["left"]
    assert ids(stored("today", "failed", age=0.5), done, max_age_days=0.001) == []
