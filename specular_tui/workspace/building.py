"""Building: a new run, or one that goes on."""

from __future__ import annotations

import os
import shlex
import socket
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from msgspec.structs import replace

from specular_tui.engine.clock import Clock
from specular_tui.engine.guard import Guard
from specular_tui.errors import CheckpointError, StorageError, UsageError
from specular_tui.model import event as ev
from specular_tui.model.graph import Graph
from specular_tui.model.plan import RUN_ID, Plan
from specular_tui.model.resume import known_task
from specular_tui.model.run import RunStatus
from specular_tui.store import checkpoint
from specular_tui.store.creating import create_run
from specular_tui.store.recorder import RunRecorder
from specular_tui.store.unrecorded import Unrecorded
from specular_tui.workspace import plans, session
from specular_tui.workspace.abandoning import abandon
from specular_tui.workspace.deciding import Prove
from specular_tui.workspace.face import BuildResult, Face
from specular_tui.workspace.means import engine_for, root_of, settings_for
from specular_tui.workspace.request import BuildRequest
from specular_tui.workspace.resuming import nothing_to_resume, resume_run
from specular_tui.workspace.work import Work, perform


def build(
    request: BuildRequest, face: Face, environ: Mapping[str, str] | None = None, prove: Prove | None = None
) -> BuildResult | None:
    """Run the build that `request` asks for, to its end; None where nothing had to be run.

    `prove` checks a run that is gone on with, where that is wanted; None: by reading it all.

    Raises:
        SpecularError: it could not be started, or its checkpoint could not be written.
    """
    environ = os.environ if environ is None else environ
    request.check()
    if request.resume is None:
        return _build_new(request, face, environ)
    run_id = _choose(request, face, environ)
    if run_id is None:
        return None
    if run_id == "":
        _prove_task(request)
        return _build_new(replace(request, resume=None, **_NOT_RESUMING), face, environ)
    return resume_run(request, run_id, face, environ, prove)


_NOT_RESUMING = {
    "from_task": None,
    "alone": False,
    "skip_failed": False,
    "run_dependents": False,
    "retry_failed": False,
    "validate": False,
    "revalidate": False,
    "repair": False,
    "trust_plan": False,
}

# Which run -----------------------------------------------------------------------------------------------------------


def _choose(request: BuildRequest, face: Face, environ: Mapping[str, str]) -> str | None:
    """Return the run to go on with; "" where a new build is to start, None where nothing is to be done."""
    root = root_of(request, environ)
    if request.resume:
        return checkpoint.find(root, request.resume)
    runs = checkpoint.summaries(root)
    if not runs:
        face.notice("there is no checkpoint to resume: starting a new build")
        return ""
    if runs[0].damage is not None and request.repair:
        return runs[0].run_id
    if runs[0].damage is not None:
        raise CheckpointError(
            f"checkpoint validation failed: the newest run, {runs[0].run_id}, is damaged: {runs[0].damage.reason}",
            hint=f"see what is damaged: specular checkpoint validate {runs[0].run_id}",
        )
    resumable = next((run for run in runs if run.resumable), None)
    if resumable is not None:
        return resumable.run_id
    newest = runs[0]
    if newest.status == RunStatus.COMPLETED and (request.from_task is not None or request.validate or request.repair):
        return newest.run_id
    if newest.status == RunStatus.COMPLETED:
        skipped = newest.metadata.get("skipped_tasks")
        face.notice(nothing_to_resume(newest.run_id, skipped if isinstance(skipped, int) else 0))
        return None
    face.notice(f"there is nothing to resume ({newest.run_id} is {newest.status}): starting a new build")
    return ""


def _prove_task(request: BuildRequest) -> None:
    """Refuse a task to start from that is in no plan, although a build that is new starts from all of them."""
    if request.from_task is not None:
        plan, _ = plans.read_plan(request.plan, request.cwd)
        file = "" if request.plan is None else f" {shlex.quote(request.plan)}"
        known_task(request.from_task, Graph(plan.tasks), f"specular plan show{file}")


# A new run -----------------------------------------------------------------------------------------------------------


def _build_new(request: BuildRequest, face: Face, environ: Mapping[str, str]) -> BuildResult | None:
    plan, plan_bytes = plans.read_plan(request.plan, request.cwd)
    policy, policy_bytes, warnings = plans.read_policy(request.policy, request.cwd)
    for warning in warnings:
        face.warning(warning)
    settings = settings_for(request, policy, environ, face)
    if request.run_id is not None and not RUN_ID.fullmatch(request.run_id):
        raise UsageError(
            f"'{request.run_id[:120]}' is no run id: 1 to 100 of A-Z a-z 0-9 . _ -, a letter or digit first"
        )
    plans.refuse_violations(plan.tasks, settings.policy)
    if request.dry_run:
        face.planned(plan, None, None)
        return None
    if request.force and settings.checkpoints_enabled:
        _abandon_unfinished(settings.checkpoint_dir, plan, face)
    elif settings.checkpoints_enabled:
        _tell_of_unfinished(settings.checkpoint_dir, plan, face)
    graph = Graph(plan.tasks)
    clock = Clock()
    created = ev.RunCreated(
        at=clock.now(),
        run_id=request.run_id or datetime.now(UTC).strftime("build-%Y-%m-%dT%H-%M-%S"),
        plan_file=plan.file,
        plan_folder=plan.folder,
        plan_name=plan.name,
        plan_hash=plan.hash,
        policy_file=policy.file,
        policy_hash=policy.hash,
        host=socket.gethostname(),
        tasks=tuple(graph.tasks),
        gates=tuple(session.gate_tasks(policy).tasks),
    )
    engine = engine_for(plan.tasks, settings)
    with Guard() as guard:
        recorder: RunRecorder | Unrecorded
        if settings.checkpoints_enabled:
            recorder = create_run(
                settings.checkpoint_dir,
                created,
                plan=plan_bytes,
                policy=policy_bytes,
                tasks=graph.tasks,
                named=request.run_id is not None,
            )
        else:
            face.warning("checkpoints are disabled: this build cannot be resumed")
            recorder = Unrecorded(created, graph.tasks)
        started = session.session_started(settings, clock, RunStatus.IN_PROGRESS, keep_going=bool(request.keep_going))
        work = Work(
            recorder=recorder,
            plan=plan,
            graph=graph,
            settings=settings,
            clock=clock,
            started=started,
            guard=guard,
            engine=engine,
        )
        return perform(request, work, face)


def _unfinished(root: Path, plan: Plan) -> list[checkpoint.RunSummary]:
    """Return the runs of the same plan that somebody could go on with, newest first."""
    own = os.path.join(plan.folder, os.path.basename(plan.file))
    return [run for run in checkpoint.summaries(root) if run.resumable and run.metadata.get("plan_path") == own]


def _abandon_unfinished(root: Path, plan: Plan, face: Face) -> None:
    for run in _unfinished(root, plan):
        try:
            abandon(root, run.run_id, "a fresh build was forced")
        except CheckpointError as error:
            face.warning(f"{run.run_id} cannot be abandoned: {error.message}")
        else:
            face.notice(f"{run.run_id} is abandoned")


def _tell_of_unfinished(root: Path, plan: Plan, face: Face) -> None:
    """Say that there is something to go on with; two builds of one plan at once may write the same files."""
    try:
        runs = _unfinished(root, plan)
    except StorageError:
        return  # the run cannot be made there either, and that is said next
    live = next((run for run in runs if run.live), None)
    if live is not None:
        face.warning(f"{live.run_id} is building the same plan right now")
    elif runs:
        face.notice(f"{runs[0].run_id} is unfinished: --resume goes on with it, --force abandons it")
