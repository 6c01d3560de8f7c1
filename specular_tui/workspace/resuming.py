"""Going on with a run."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from msgspec.structs import replace

from specular_tui.engine.clock import Clock
from specular_tui.engine.guard import Guard
from specular_tui.errors import CheckpointError, RunHeldError, SpecularError, UsageError
from specular_tui.model import event as ev
from specular_tui.model.graph import Graph
from specular_tui.model.quantity import plural
from specular_tui.model.resume import ResumePlan
from specular_tui.model.run import RunState, RunStatus, TaskStatus
from specular_tui.spec.settings import Settings
from specular_tui.store import checkpoint
from specular_tui.store.recorder import RunRecorder
from specular_tui.store.reopening import open_run
from specular_tui.workspace import session
from specular_tui.workspace.deciding import Prove, decide, prove_first
from specular_tui.workspace.face import BuildResult, Face
from specular_tui.workspace.means import engine_for, root_of, settings_for
from specular_tui.workspace.mending import Mending, foresee_repair, repair_first
from specular_tui.workspace.recovery import finish_exited
from specular_tui.workspace.request import BuildRequest
from specular_tui.workspace.sources import Sources, check_trust, find_sources
from specular_tui.workspace.work import Work, perform


def resume_run(
    request: BuildRequest, run_id: str, face: Face, environ: Mapping[str, str], prove: Prove | None
) -> BuildResult | None:
    """Go on with the run `run_id`, to its end; None where nothing had to be run. Raises as `building.build`."""
    root = root_of(request, environ)
    mending: Mending | None = None
    repaired = False
    if request.repair and request.dry_run:
        mending = foresee_repair(root, run_id, face, prove)
    elif request.repair:
        repaired = repair_first(request, root, run_id, face)
    found = mending.run if mending is not None else checkpoint.load(root, run_id)
    repaired = repaired or (mending is not None and bool(mending.again))
    if found.state.status is RunStatus.ABANDONED:
        raise SpecularError(
            f"{run_id} is abandoned: it cannot be resumed", hint="start a new build: specular build --plan plan.json"
        )
    if found.state.status is RunStatus.COMPLETED and request.from_task is None and not repaired:
        prove_first(request, None, root, run_id, prove)
        face.notice(nothing_to_resume(run_id, found.state.count(TaskStatus.SKIPPED)))
        return None
    with checkpoint.open_run(root, run_id) as folder:
        sources = find_sources(request, folder, found.state, face)
    # The directory is where the run is, whatever its copy of a policy says: that may have been written elsewhere.
    settings = replace(settings_for(request, sources.policy, environ, face), checkpoint_dir=root)
    if not settings.checkpoints_enabled:
        raise UsageError("checkpoints are disabled, and without them there is nothing to resume")
    check_trust(request, found.state, sources, face)
    again = frozenset(mending.again) if mending is not None else None
    damaged = prove_first(request, settings, root, run_id, prove) if again is None else again
    if sources.plan.hash != found.state.plan_hash and settings.strict_hash_check:
        policy = () if request.policy is None else ("--policy", request.policy)
        fresh = shlex.join(["specular", "build", "--plan", sources.plan.file, *policy, "--force"])
        raise CheckpointError(
            f"{sources.plan.file} has changed since checkpoint {run_id}, and strict_hash_check is true",
            hint=f"start fresh ({fresh}), or set strict_hash_check: false, "
            f"and resume with --policy {shlex.quote(sources.policy.file or 'FILE')}",
        )
    if request.dry_run:
        resume = decide(request, found, sources, settings, damaged, crashed=found.state.interrupted)
        # What has changed is part of the plan that is shown.
        _warn_of_changes(resume, found.state, sources, face, listed=bool(resume.changes))
        face.planned(sources.plan, resume, run_id)
        return None
    graph = Graph(sources.plan.tasks)
    clock = Clock(not_before=found.state.updated_at)
    engine = engine_for(sources.plan.tasks, settings)
    with Guard() as guard:
        opened = open_run(root, run_id, tasks=graph.tasks, now=clock.now())
        recorder = opened.recorder
        try:
            if opened.found.journal_bytes != found.journal_bytes:
                raise RunHeldError(
                    f"{run_id} has just been worked on by another process",
                    hint=f"look at it again: specular checkpoint show {run_id}",
                )
            if opened.crashed:
                ended = session.end_leftovers(recorder.state, str(recorder.path), engine)
                if ended:
                    what = "process" if ended == 1 else "processes"
                    face.notice(f"ended {ended} {what} that the last session had left")
                if session.is_same_boot(recorder.state):
                    finish_exited(recorder, sources.old, clock.now())
            for notice in opened.found.notices:
                face.notice(notice)
            current = replace(opened.found, state=recorder.state)
            resume = decide(request, current, sources, settings, damaged, crashed=opened.crashed)
            _warn_of_changes(resume, recorder.state, sources, face)
            started = _start_resumed(recorder, resume, sources, settings, clock)
        except BaseException:
            recorder.release()
            raise
        work = Work(
            recorder=recorder,
            plan=sources.plan,
            graph=graph,
            settings=settings,
            clock=clock,
            started=started,
            guard=guard,
            engine=engine,
            sources=sources,
            resume=resume,
        )
        return perform(request, work, face)


def _warn_of_changes(
    resume: ResumePlan, state: RunState, sources: Sources, face: Face, *, listed: bool = False
) -> None:
    """Warn where the plan is another one than before, and say what that means, unless it is `listed` elsewhere."""
    if sources.plan.hash != state.plan_hash:
        lines = resume.changes.lines() or ["nothing that a result depends on"]
        face.warning(f"{sources.plan.file} has changed since checkpoint", () if listed else lines)


def _start_resumed(
    recorder: RunRecorder,
    resume: ResumePlan,
    sources: Sources,
    settings: Settings,
    clock: Clock,
) -> ev.SessionStarted:
    """Return the first event of the session: what is reset, skipped, and which plan is in force from now on."""
    state = recorder.state
    failed = state.status in (RunStatus.FAILED, RunStatus.COMPLETED)
    status = RunStatus.RETRYING if failed else RunStatus.IN_PROGRESS
    started = session.session_started(settings, clock, status, keep_going=resume.keep_going)
    only = tuple(sorted(resume.only)) if resume.only is not None else None
    started = replace(started, only=only, reset=resume.reset, skipped=resume.skipped)
    had = (state.plan_hash, state.policy_hash, state.plan_folder, state.plan_file)
    if had != (sources.plan.hash, sources.policy.hash, sources.plan.folder, sources.plan.file):
        started = replace(
            started,
            plan_file=sources.plan.file,
            plan_folder=sources.plan.folder,
            plan_name=sources.plan.name,
            plan_hash=sources.plan.hash,
            policy_file=sources.policy.file,
            policy_hash=sources.policy.hash,
            tasks=tuple(task.id for task in sources.plan.tasks),
            gates=tuple(gate.task for gate in resume.gates),
        )
    return started


def nothing_to_resume(run_id: str, skipped: int) -> str:
    """Return what is said of a run that is completed, of which so many tasks were skipped."""
    more = f"; {plural(skipped, 'task')} skipped: --from-task TASK runs one, and what depends on it" if skipped else ""
    return f"nothing to resume: {run_id} is completed{more}"
