"""How the plan and the policy of this folder differ from those that a stored run was made with."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from specular_tui.model.resume import PlanChanges


class Since(StrEnum):
    """How a file that a run was made with stands now."""

    SAME = "same"
    CHANGED = "changed"
    GONE = "gone"
    #: It cannot be read, or the run's own copy cannot.
    UNKNOWN = "unknown"
    #: The run had none, and there is none.
    NONE = "none"
    #: The run had none, and there is one now.
    ADDED = "added"


class Drift(Struct, frozen=True, kw_only=True):
    """What has changed since a run was made."""

    plan: Since
    policy: Since
    plan_changes: PlanChanges = PlanChanges()
    #: A line for each setting of the policy that differs: `execution.jobs: 4 -> 8`.
    policy_changes: tuple[str, ...] = ()
    #: Why something is unknown.
    problem: str = ""
