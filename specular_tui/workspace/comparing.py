"""A stored run against another one, and against the plan and the policy as they are now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from specular_tui.errors import SpecularError
from specular_tui.model.compare import RunComparison, compare_runs
from specular_tui.model.drift import Drift, Since
from specular_tui.model.plan import Plan
from specular_tui.model.policy import Policy
from specular_tui.model.resume import PlanChanges, compare_plans
from specular_tui.model.run import RunState
from specular_tui.store import checkpoint, digest
from specular_tui.store.folder import Folder
from specular_tui.workspace import plans


def compare(root: Path, one: str, other: str) -> RunComparison:
    """Compare two stored runs, the older one as what was before.

    Raises:
        RunNotFoundError: one is not there. CheckpointError: one cannot be read.
    """
    first, second = sorted((_load(root, one), _load(root, other)), key=lambda found: found[0].created_at)
    changes = compare_plans(first[1], second[1]) if second[1] is not None else PlanChanges()
    return compare_runs(first[0], second[0], changes.changed)


def _load(root: Path, run_id: str) -> tuple[RunState, Plan | None]:
    with checkpoint.open_run(root, run_id) as folder:
        state = checkpoint.read(folder, run_id).state
        try:
            return state, plans.stored_plan(folder, state)
        except SpecularError:
            # What the tasks did can be compared without knowing what they were to do.
            return state, None


def drift(root: Path, run_id: str, state: RunState, cwd: Path) -> Drift:
    """Return how plan and policy, as seen from the folder `cwd`, differ from those that the run `state` has.

    Raises:
        RunNotFoundError: the run is not there.
    """
    with checkpoint.open_run(root, run_id) as folder:
        problems: list[str] = []
        plan, changes = Since.UNKNOWN, PlanChanges()
        try:
            path = plans.locate_plan(state, cwd, root)
            if path is None:
                plan = Since.GONE
            else:
                plan = Since.SAME
                # Reading a plan takes long where it is long, and most have not changed.
                if digest.of_bytes(path.read_bytes()) != state.plan_hash:
                    changes = compare_plans(plans.stored_plan(folder, state), plans.read_plan(str(path), cwd)[0])
                    plan = Since.CHANGED
        except (SpecularError, OSError) as error:
            plan = Since.UNKNOWN
            problems.append(_why(error))
        policy = Since.UNKNOWN
        lines: tuple[str, ...] = ()
        try:
            policy, lines = _policy_since(folder, state, cwd)
        except (SpecularError, OSError) as error:
            problems.append(_why(error))
    return Drift(
        plan=plan,
        policy=policy,
        plan_changes=changes,
        policy_changes=lines,
        problem="; ".join(problems),
    )


def _why(error: Exception) -> str:
    return error.message if isinstance(error, SpecularError) else str(error)


def _policy_since(folder: Folder, state: RunState, cwd: Path) -> tuple[Since, tuple[str, ...]]:
    typed = state.policy_file
    path = cwd / (typed or plans.DEFAULT_POLICY)
    if not path.is_file():
        return (Since.NONE if state.policy_hash is None else Since.GONE), ()
    now = plans.read_policy(str(path), cwd)[0]
    if now.hash == state.policy_hash:
        return Since.SAME, ()
    if state.policy_hash is None:
        return Since.ADDED, tuple(_differences(Policy(), now))
    return Since.CHANGED, tuple(_differences(plans.stored_policy(folder, state)[0], now))


def _differences(old: Policy, new: Policy) -> Iterator[str]:
    before, after = dict(_flat(msgspec.to_builtins(old))), dict(_flat(msgspec.to_builtins(new)))
    for name in dict.fromkeys((*before, *after)):
        if name not in ("file", "hash") and before.get(name) != after.get(name):
            yield f"{name}: {_said(before.get(name))} -> {_said(after.get(name))}"


def _flat(value: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield from _flat(inner, f"{prefix}{name}.")
        elif name == "gates":
            yield from ((f"gates.{gate['id']}", gate["command"]) for gate in inner)
        else:
            yield f"{prefix}{name}", inner


def _said(value: Any) -> str:
    if value is None:
        return "none"
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
