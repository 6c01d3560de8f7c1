"""Plans and policies: those of the workspace, and the copies in a checkpoint."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from specular_tui.errors import CheckpointError, PolicyViolationError
from specular_tui.model.compliance import violations
from specular_tui.model.plan import Plan, Task
from specular_tui.model.policy import Policy
from specular_tui.model.run import RunState
from specular_tui.store import checkpoint, digest, layout
from specular_tui.store.folder import Folder

#: Where a policy is looked for when none is named, from the current folder on.
DEFAULT_POLICY = Path(".specular", "policy.yaml")
DEFAULT_PLAN = "plan.json"


def read_plan(typed: str | None, cwd: Path) -> tuple[Plan, bytes]:
    """Return the plan that the command line names, and its exact bytes."""
    from specular_tui.spec.plan_file import load_plan

    name = typed if typed is not None else DEFAULT_PLAN
    return load_plan(cwd / name, name)


def read_policy(typed: str | None, cwd: Path) -> tuple[Policy, bytes | None, list[str]]:
    """Return the policy that the command line names, or the default one; its exact bytes; and warnings."""
    from specular_tui.spec.policy_file import load_policy

    return load_policy(
        cwd / typed if typed is not None else None, typed=typed or str(DEFAULT_POLICY), default=cwd / DEFAULT_POLICY
    )


def plan_schema() -> dict[str, Any]:
    """Return the JSON Schema of plan files."""
    from specular_tui.spec.plan_file import plan_schema as schema

    return schema()


def refuse_violations(tasks: Iterable[Task], policy: Policy) -> None:
    """Refuse tasks that the policy does not allow.

    Raises:
        PolicyViolationError: which tasks, and by which rules.
    """
    found = violations(tasks, policy)
    if found:
        first, *others = [f"task {task}: {rule}" for task, rule in found.items()]
        raise PolicyViolationError(
            f"policy violation: {first}",
            details=others[:20] + ([f"… and {len(others) - 20} more"] if len(others) > 20 else []),
            hint=f"change the plan or {policy.file or 'the policy'}; nothing was started",
        )


def stored_plan_bytes(folder: Folder, state: RunState) -> bytes:
    """Return the exact bytes of the plan in force of the run in `folder`.

    Raises:
        CheckpointError: the copy is gone, or is not the plan that the journal names.
    """
    found = b""
    for name in (layout.PLAN, layout.NEXT_PLAN):
        try:
            found = checkpoint.read_plain(folder, name, 64 << 20)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise CheckpointError(f"the plan of {state.run_id} cannot be read: {error.strerror}") from None
        if digest.of_bytes(found) == state.plan_hash:
            return found
    raise CheckpointError(
        f"checkpoint validation failed: hash mismatch: {folder.path / layout.PLAN} "
        + ("is not the plan of this run" if found else "is gone"),
        hint=f"see what is damaged: specular checkpoint validate {state.run_id}",
    )


def stored_plan(folder: Folder, state: RunState, at: Path | None = None) -> Plan:
    """Return the plan in force of the run in `folder`, from its copy; its paths start from `at`, or as recorded."""
    from specular_tui.spec.plan_file import YAML_SUFFIXES, parse_plan

    data = stored_plan_bytes(folder, state)
    yaml = state.plan_file.lower().endswith(YAML_SUFFIXES)
    plan = parse_plan(data, file=state.plan_file, folder=at or Path(state.plan_folder), yaml=yaml)
    if plan.name != state.plan_name and state.plan_name and at is not None:
        # A plan without a name is called like its folder; that is another one here.
        from msgspec.structs import replace

        return replace(plan, name=state.plan_name)
    return plan


def stored_policy(folder: Folder, state: RunState) -> tuple[Policy, bytes | None]:
    """Return the policy in force of the run in `folder` and its exact bytes; the defaults where it had none."""
    from specular_tui.spec.policy_file import parse_policy

    if state.policy_hash is None:
        return Policy(), None
    for name in (layout.POLICY, layout.NEXT_POLICY):
        try:
            data = checkpoint.read_plain(folder, name, 16 << 20)
        except OSError:
            continue
        if digest.of_bytes(data) == state.policy_hash:
            policy, _ = parse_policy(data, file=state.policy_file or name)
            return policy, data
    raise CheckpointError(
        f"checkpoint validation failed: hash mismatch: {folder.path / layout.POLICY} is not the policy of this run",
        hint="name a policy to go on with: --policy FILE",
    )


def locate_plan(state: RunState, cwd: Path, root: Path) -> Path | None:
    """Return the file that a checkpoint names as its plan, if it is still there.

    Where the checkpoint directory `root` lies in the same workspace as the file that is seen from here, it is that one:
    a workspace that was copied or moved goes on in itself, and not in the one that it came from. Elsewhere it is the
    very file that the run was made from, on the machine that it was made on. Of an imported run it is only a file in
    this folder, wherever it came from.
    """
    name = os.path.basename(state.plan_file)
    recorded = Path(state.plan_folder, name)
    here = cwd / state.plan_file
    if state.imported:
        return here if here.is_file() else None
    at_home = root.resolve().is_relative_to(here.parent.resolve())
    made_here = state.host == socket.gethostname()
    candidates = [recorded, here] if made_here and not at_home else [here, recorded]
    return next((path for path in candidates if path.is_file()), None)
