"""Which runs go."""

from __future__ import annotations

import random
from collections.abc import Collection

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specular_tui.model.policy import RetentionPolicy
from specular_tui.store.checkpoint import Damage, RunSummary, SizedRun
from specular_tui.store.keeping.retention import Named, decide

DAY = 86_400_000
NOW = 1_000 * DAY
MIB = 1 << 20


def stored(
    name: str,
    status: str = "completed",
    *,
    age: float = 0,
    plan: str = "/p/plan.json",
    size: int = MIB,
    live: bool = False,
    damaged: bool = False,
    updated: float | None = None,
) -> SizedRun:
    """A run created `age` days ago."""
    metadata = {
        "status": status,
        "created_at_ms": int(NOW - age * DAY),
        "updated_at_ms": int(NOW - (age if updated is None else updated) * DAY),
        "plan_path": plan,
    }
    damage = Damage("journal.jsonl", "it is damaged") if damaged else None
    return SizedRun(RunSummary(run_id=name, path=name, live=live, metadata=metadata, damage=damage), size)


def gone(
    *runs: SizedRun,
    named: Named | None = None,
    cleaning: bool = False,
    max_size_mb: float = 500,
    pinned: Collection[str] = (),
    **policy: float,
) -> list[str]:
    shuffled = list(runs)
    random.Random(4).shuffle(shuffled)
    rules = RetentionPolicy(**policy)  # type: ignore[arg-type]
    found = decide(shuffled, rules, max_size_mb, NOW, named=named, cleaning=cleaning, pinned=pinned)
    assert all(removal.reason for removal in found)
    return [removal.run_id for removal in found]


def test_nothing_goes_that_no_rule_names() -> None:
    assert gone() == []
    assert gone(*(stored(f"r{i}", age=i) for i in range(20))) == []


def test_age_counts_from_the_last_update() -> None:
    runs = [stored("old", age=40), stored("revived", age=40, updated=2), stored("new", age=1)]
    assert gone(*runs) == ["old"]
    assert gone(*runs, max_age_days=1.5) == ["old", "revived"]


def test_count_takes_the_oldest() -> None:
    assert gone(*(stored(f"r{i}", age=i) for i in range(5)), max_count=3) == ["r4", "r3"]


def test_size_takes_the_oldest_until_it_fits() -> None:
    runs = [stored(f"r{i}", age=i, size=100 * MIB) for i in range(7)]
    assert gone(*runs) == ["r6", "r5"]
    assert gone(*runs, max_size_mb=50) == ["r6", "r5", "r4", "r3", "r2", "r1", "r0"]


def test_completed_runs_go_once_the_next_one_of_the_plan_completes_or_clean_runs() -> None:
    runs = [stored("old", age=2), stored("last", age=1), stored("of-another", age=3, plan="/q/plan.json")]
    assert gone(*runs, keep_completed=False) == ["old"]
    assert gone(*runs, keep_completed=False, cleaning=True) == ["of-another", "old", "last"]


def test_failed_runs_go_but_for_the_one_to_resume() -> None:
    runs = [stored("old", "failed", age=2), stored("new", "failed", age=1)]
    assert gone(*runs, keep_failed=False) == ["old"]
    assert gone(*runs) == []


def test_the_newest_resumable_run_of_each_plan_is_protected_from_every_rule() -> None:
    runs = [
        stored("a", "paused", age=90),
        stored("b", "failed", age=80),
        stored("c", "paused", age=70, plan="/q/plan.json"),
        stored("d", "completed", age=60),
        stored("e", "abandoned", age=50),
    ]
    everything = {"max_count": 0, "max_age_days": 0, "max_size_mb": 0, "keep_failed": False, "keep_completed": False}
    assert gone(*runs, cleaning=True, **everything) == ["a", "d", "e"]  # type: ignore[arg-type]


def test_a_damaged_run_may_be_the_one_to_repair_and_resume() -> None:
    runs = [stored("a", "paused", age=90), stored("b", age=80, damaged=True)]
    assert gone(*runs) == ["a"]


def test_a_live_run_is_protected_from_the_user_too() -> None:
    runs = [stored("live", "in_progress", age=90, live=True), stored("old", "paused", age=95)]
    assert gone(*runs, max_count=0, max_size_mb=0) == ["old"]
    for named in (Named(older_than_ms=0), Named(keep_last=0)):
        assert gone(*runs, named=named) == ["old"]


def test_a_pinned_run_is_protected_from_every_rule_and_from_the_user() -> None:
    runs = [stored(f"r{i}", age=i, size=100 * MIB) for i in range(7)]
    everything = {"max_count": 0, "max_age_days": 0, "max_size_mb": 0, "keep_completed": False}
    assert gone(*runs, pinned={"r6", "r2"}, cleaning=True, **everything) == ["r5", "r4", "r3", "r1", "r0"]  # type: ignore[arg-type]
    assert gone(*runs, pinned={"r6", "r2"}, named=Named(keep_last=1)) == ["r5", "r4", "r3", "r1"]
    assert gone(*runs, pinned={"r6", "r5", "r4"}, max_count=4, max_size_mb=10_000) == [], "they do not count"
    assert gone(*runs, pinned={"r6", "r5"}, max_size_mb=600) == ["r4"], "their bytes do"


def test_what_the_user_names_goes_whatever_the_policy_keeps() -> None:
    runs = [stored("f", "failed", age=3), stored("p", "paused", age=9), stored("c", age=1)]
    assert gone(*runs, named=Named(failed=True)) == ["f"]
    assert gone(*runs, named=Named(older_than_ms=2 * DAY)) == ["p", "f"]
    assert gone(*runs, named=Named(keep_last=1)) == ["p", "f"]
    assert gone(*runs, named=Named(keep_last=0)) == ["p", "f", "c"]


def test_of_several_conditions_all_must_hold() -> None:
    runs = [stored("f1", "failed", age=9), stored("f2", "failed", age=3), stored("c", age=12)]
    assert gone(*runs, named=Named(failed=True, older_than_ms=5 * DAY)) == ["f1"]
    assert gone(*runs, named=Named(failed=True, keep_last=1)) == ["f1"]


def test_a_run_of_unknown_age_is_not_old() -> None:
    run = SizedRun(RunSummary(run_id="x", path="x", live=False, metadata={}, damage=Damage("a", "b")), 1)
    assert gone(run, named=Named(older_than_ms=0)) == []
    assert gone(run, named=Named(keep_last=0)) == ["x"]


def test_naming_nothing_is_no_naming() -> None:
    assert not Named()
    assert gone(stored("old", age=40), named=Named()) == ["old"]


def test_reasons_say_which_rule() -> None:
    (found,) = decide([stored("old", "abandoned", age=40)], RetentionPolicy(), 500, NOW)
    assert found.reason == "not updated for 40d00h (max_age_days: 30)"
    assert not found.unfinished
    (found,) = decide([stored("p", "paused")], RetentionPolicy(), 500, NOW, named=Named(keep_last=0))
    assert (found.reason, found.unfinished, found.size) == ("not among the newest 0", True, MIB)


RUNS = st.lists(
    st.builds(
        stored,
        name=st.uuids().map(str),
        status=st.sampled_from(["created", "paused", "completed", "failed", "abandoned"]),
        age=st.floats(0, 100),
        plan=st.sampled_from(["/p", "/q"]),
        size=st.integers(0, 200 * MIB),
        live=st.booleans(),
        damaged=st.booleans(),
    ),
    max_size=12,
)


@given(RUNS, st.integers(0, 10), st.floats(0, 100), st.booleans(), st.booleans(), st.booleans())
def test_the_policy_never_takes_what_could_go_on(
    runs: list[SizedRun], max_count: int, max_age: float, keep_failed: bool, keep_completed: bool, cleaning: bool
) -> None:
    policy = RetentionPolicy(
        max_age_days=max_age, max_count=max_count, keep_failed=keep_failed, keep_completed=keep_completed
    )
    removals = {removal.run_id for removal in decide(runs, policy, 100, NOW, cleaning=cleaning)}
    left = [run for run in runs if run.run.run_id not in removals]
    for plan in ("/p", "/q"):
        resumable = [run for run, _ in runs if run.resumable and run.metadata["plan_path"] == plan]
        if resumable:
            newest = max(resumable, key=lambda run: run.created_at)
            damaged = [r for r, _ in runs if r.damage and r.metadata["plan_path"] == plan]
            if not any(run.created_at >= newest.created_at for run in damaged):
                kept = {run.run_id for run, _ in left}
                same = {run.run_id for run in resumable if run.created_at == newest.created_at}
                assert kept & same
    assert all(run.run_id not in removals for run, _ in runs if run.live)


@pytest.mark.parametrize("bound", [0, 0.5, 3])
def test_unprotected_runs_never_exceed_the_bounds(bound: float) -> None:
    runs = [stored(f"r{i}", age=i) for i in range(9)]
    left = [run for run in runs if run.run.run_id not in gone(*runs, max_size_mb=bound)]
    assert sum(size for _, size in left) <= bound * MIB
