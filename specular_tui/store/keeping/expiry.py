"""Which unfinished runs have expired: nobody is going to go on with them. Abandoning them is the workspace's work.

The retention policy never removes the newest run of a plan that could be resumed. Left alone for `max_age_days` while
another run has completed the same plan since, it expires instead: it becomes `abandoned`, is no longer what `--resume`
goes on with, and is removed like any other run once it is old.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from specular_tui.model import duration
from specular_tui.model.policy import RetentionPolicy
from specular_tui.model.run import RunStatus
from specular_tui.store.checkpoint import RunSummary
from specular_tui.store.keeping.retention import plan_of


class Expired(Struct, frozen=True, kw_only=True):
    """A run that has expired, and why."""

    run_id: str
    reason: str


def expired(runs: Iterable[RunSummary], policy: RetentionPolicy, now: int) -> list[Expired]:
    """Return which of `runs` have expired at `now` (milliseconds since the epoch).

    A run younger than a day never has, however short a time the policy keeps runs.
    """
    runs = list(runs)
    completed: dict[str, int] = {}
    for run in runs:
        if run.status == RunStatus.COMPLETED:
            completed[plan_of(run)] = max(completed.get(plan_of(run), 0), run.updated_at)
    limit = max(policy.max_age_days, 1) * duration.DAY_MS
    return [
        Expired(
            run_id=run.run_id,
            reason=f"expired: not updated for {duration.humanise(now - run.updated_at)} "
            f"(max_age_days: {policy.max_age_days:g}), and another run has completed its plan since",
        )
        for run in runs
        if run.resumable
        and not run.live
        and run.updated_at
        and now - run.updated_at > limit
        and completed.get(plan_of(run), 0) > run.updated_at
    ]
