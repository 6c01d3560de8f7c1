"""The plan and the policy that a run goes on with, and whether they may be trusted."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from specular_tui.errors import CheckpointError, SpecularError
from specular_tui.model.plan import Plan
from specular_tui.model.policy import Policy
from specular_tui.model.run import RunState
from specular_tui.store import digest
from specular_tui.store.folder import Folder
from specular_tui.workspace import plans, session
from specular_tui.workspace.face import Face
from specular_tui.workspace.request import BuildRequest


class Sources(Struct, frozen=True, kw_only=True):
    """The plan and the policy that a run goes on with, and the plan that it had."""

    plan: Plan
    plan_bytes: bytes
    old: Plan | None
    policy: Policy
    policy_bytes: bytes | None
    #: The workspace has this plan, and this policy, too: they are not the checkpoint's word alone.
    own_plan: bool
    own_policy: bool


def find_sources(request: BuildRequest, folder: Folder, state: RunState, face: Face) -> Sources:
    """Return the plan and the policy that the run in `folder` goes on with: those that are named, else its own."""
    old: Plan | None
    try:
        copy: bytes | None = plans.stored_plan_bytes(folder, state)
        old = plans.stored_plan(folder, state)
    except CheckpointError:
        copy, old = None, None
    located = plans.locate_plan(state, request.cwd, folder.path.parent) if request.plan is None else None
    if request.plan is not None:
        plan, plan_bytes = plans.read_plan(request.plan, request.cwd)
    elif located is not None:
        from specular_tui.spec.plan_file import load_plan

        plan, plan_bytes = load_plan(located, state.plan_file)
    elif old is not None and copy is not None:
        at = Path(state.plan_folder)
        if state.imported or not at.is_dir():
            # What an archive says of folders on another machine, or of this one, has no meaning here.
            at = request.cwd
            if str(at) != state.plan_folder:
                face.notice(f"relative paths of the plan start from {at}, not from {state.plan_folder}")
        plan, plan_bytes = plans.stored_plan(folder, state, at), copy
    else:
        plans.stored_plan_bytes(folder, state)  # raises what is wrong with the copy
        raise AssertionError
    if request.policy is not None:
        policy, policy_bytes, warnings = plans.read_policy(request.policy, request.cwd)
        for warning in warnings:
            face.warning(warning)
    else:
        policy, policy_bytes = plans.stored_policy(folder, state)
    own_plan = request.plan is not None or (
        located is not None and plan.hash == state.plan_hash and _is_below(located, request.cwd)
    )
    own_policy = request.policy is not None or _has_policy(request.cwd, policy)
    return Sources(
        plan=plan,
        plan_bytes=plan_bytes,
        old=old,
        policy=policy,
        policy_bytes=policy_bytes,
        own_plan=own_plan,
        own_policy=own_policy,
    )


def _is_below(path: Path, folder: Path) -> bool:
    return path.resolve().is_relative_to(folder.resolve())


def _has_policy(cwd: Path, policy: Policy) -> bool:
    """Tell whether the workspace has the very policy that a checkpoint brings along."""
    for name in {policy.file or "", str(plans.DEFAULT_POLICY)}:
        path = cwd / name
        try:
            if _is_below(path, cwd) and digest.of_bytes(path.read_bytes()) == policy.hash:
                return True
        except OSError:
            continue
    return False


def check_trust(request: BuildRequest, state: RunState, sources: Sources, face: Face) -> None:
    """Run commands of an imported run only where this workspace has its plan and policy too, or somebody says so."""
    if not state.imported or request.trust_plan:
        return
    commands = [] if sources.own_plan else list(sources.plan.tasks)
    if not sources.own_policy:
        commands += session.gate_tasks(sources.policy).tasks.values()
    if not commands:
        return
    shown = [
        f"{task.id}: {task.command if isinstance(task.command, str) else ' '.join(task.command)}"
        for task in commands[:20]
    ]
    if len(commands) > 20:
        shown.append(f"… and {len(commands) - 20} more")
    host = state.host or "another machine"
    if sources.own_plan:
        why = "its policy is not in this folder"
    elif sources.plan.hash == state.plan_hash:
        why = f"its plan '{state.plan_name}' is not in this folder"
    else:
        why = f"{sources.plan.file} of this folder, which it would go on with, is not its plan '{state.plan_name}'"
    answer = face.confirm(f"{state.run_id} was imported from {host}, and {why}. Run its commands?", shown)
    if not answer:
        raise SpecularError(
            f"{state.run_id} was imported from {host}, and {why}",
            details=shown if answer is None else (),
            hint=f"look at the plan that it came with (specular plan show --run {state.run_id}), "
            "then resume with --trust-plan",
        )
