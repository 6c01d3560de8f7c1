"""Which stored runs go, decided without touching anything. Removing them is `store.keeping.removal`'s work.

Protected from every rule of the policy are live runs and, of each plan, the newest run that could still be resumed
(repaired first, where it is damaged). What the user names on the command line protects live runs only. A run of which
it cannot be told whether it is live counts as live. A pinned run is
protected from both; its bytes count towards `max_size_mb`, and it does not count towards `max_count`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct

from specular_tui.model import duration
from specular_tui.model.policy import RetentionPolicy
from specular_tui.model.run import RunStatus
from specular_tui.store import checkpoint
from specular_tui.store.checkpoint import RunSummary, SizedRun

_MIB = 1 << 20


class Named(Struct, frozen=True, kw_only=True):
    """What a user names to be removed; of several conditions a run must meet all."""

    #: Not updated for so many milliseconds.
    older_than_ms: int | None = None
    failed: bool = False
    #: Not among the newest so many.
    keep_last: int | None = None

    def __bool__(self) -> bool:
        """Whether anything is named."""
        return self.failed or self.older_than_ms is not None or self.keep_last is not None


class Removal(Struct, frozen=True, kw_only=True):
    """A run that goes, and why."""

    run_id: str
    reason: str
    #: What removing it frees.
    size: int
    status: str = ""

    @property
    def unfinished(self) -> bool:
        """Whether work is lost that could be gone on with."""
        return self.status not in (RunStatus.COMPLETED, RunStatus.ABANDONED, "damaged")


def decide(
    runs: Sequence[SizedRun],
    policy: RetentionPolicy,
    max_size_mb: float,
    now: int,
    *,
    named: Named | None = None,
    cleaning: bool = False,
    pinned: Collection[str] = (),
) -> list[Removal]:
    """Return which of `runs` go, oldest first.

    Args:
        runs: every run of the checkpoint directory, in any order.
        policy: the retention rules that hold where nothing is `named`.
        max_size_mb: the bound of the whole directory, in MiB.
        now: milliseconds since the epoch.
        named: what the user names; `policy` and `max_size_mb` count for nothing then.
        cleaning: the user has asked for it, so that `keep_completed: false` spares not even a plan's last result.
        pinned: the runs that stay whatever the rules say.
    """
    sizes = {run.run_id: size for run, size in runs}
    ordered = [SizedRun(run, sizes[run.run_id]) for run in checkpoint.newest_first(run for run, _ in runs)]
    if named:
        return _by_name(ordered, named, now, pinned)
    return _by_policy(ordered, policy, max_size_mb, now, cleaning, pinned)


def _by_name(ordered: Sequence[SizedRun], named: Named, now: int, pinned: Collection[str]) -> list[Removal]:
    removals = []
    for place, (run, size) in enumerate(ordered):
        if run.live or run.in_doubt or run.run_id in pinned:
            continue
        reasons = []
        if named.failed:
            if run.status != RunStatus.FAILED:
                continue
            reasons.append("failed")
        if named.older_than_ms is not None:
            if not run.updated_at or now - run.updated_at < named.older_than_ms:
                continue
            reasons.append(f"not updated for {duration.humanise(now - run.updated_at)}")
        if named.keep_last is not None:
            if place < named.keep_last:
                continue
            reasons.append(f"not among the newest {named.keep_last}")
        removals.append(_removal(run, size, ", ".join(reasons)))
    return removals[::-1]


def _by_policy(
    ordered: Sequence[SizedRun],
    policy: RetentionPolicy,
    max_size_mb: float,
    now: int,
    cleaning: bool,
    pinned: Collection[str],
) -> list[Removal]:
    protected = _protected(run for run, _ in ordered).union(pinned)
    oldest_first = [(run, size) for run, size in reversed(ordered) if run.run_id not in protected]
    removals: dict[str, Removal] = {}
    superseded = _superseded(run for run, _ in ordered)
    for run, size in oldest_first:
        if run.status == RunStatus.COMPLETED and not policy.keep_completed and (cleaning or run.run_id in superseded):
            removals[run.run_id] = _removal(run, size, "completed, and keep_completed is false")
        elif run.status == RunStatus.FAILED and not policy.keep_failed:
            removals[run.run_id] = _removal(run, size, "failed, and keep_failed is false")
        elif run.updated_at and now - run.updated_at > policy.max_age_days * duration.DAY_MS:
            age = duration.humanise(now - run.updated_at)
            removals[run.run_id] = _removal(run, size, f"not updated for {age} (max_age_days: {policy.max_age_days:g})")
    left = sum(run.run_id not in pinned for run, _ in ordered) - len(removals)
    total = sum(size for _, size in ordered) - sum(removal.size for removal in removals.values())
    for run, size in oldest_first:
        if run.run_id in removals:
            continue
        if left > policy.max_count:
            reason = f"{left} runs are there (max_count: {policy.max_count})"
        elif total > max_size_mb * _MIB:
            reason = f"the runs take {total / _MIB:.1f} MiB (max_size_mb: {max_size_mb:g})"
        else:
            break
        removals[run.run_id] = _removal(run, size, reason)
        left -= 1
        total -= size
    return list(removals.values())


def _removal(run: RunSummary, size: int, reason: str) -> Removal:
    return Removal(run_id=run.run_id, reason=reason, size=size, status=run.status)


def plan_of(run: RunSummary) -> str:
    """Return what two runs of one plan have in common; a run that does not say is of a plan of its own."""
    plan = run.metadata.get("plan_path") or run.metadata.get("plan_file")
    return plan if isinstance(plan, str) else f"\0{run.run_id}"


def _protected(newest_first: Iterable[RunSummary]) -> set[str]:
    protected: set[str] = set()
    plans: set[str] = set()
    for run in newest_first:
        if run.live or run.in_doubt:
            protected.add(run.run_id)
        if (run.resumable or run.damage is not None) and plan_of(run) not in plans:
            protected.add(run.run_id)
            plans.add(plan_of(run))
    return protected


def _superseded(newest_first: Iterable[RunSummary]) -> set[str]:
    """Return the completed runs that are not the last one of their plan."""
    plans: set[str] = set()
    superseded: set[str] = set()
    for run in newest_first:
        if run.status == RunStatus.COMPLETED:
            if plan_of(run) in plans:
                superseded.add(run.run_id)
            plans.add(plan_of(run))
    return superseded
