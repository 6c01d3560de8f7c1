"""Building: a new run, or one that goes on."""

from __future__ import annotations

import contextlib
import os
import socket
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from specular_tui.engine import artifacts, open_files
from specular_tui.engine.clock import Clock
from specular_tui.engine.container.engine import Engine, find_engine
from specular_tui.engine.guard import Guard
from specular_tui.engine.runner import RunOptions
from specular_tui.errors import (
    CheckpointError,
    RunHeldError,
    SpecularError,
    StorageError,
    UsageError,
)
from specular_tui.model import event as ev
from specular_tui.model.compliance import violations
from specular_tui.model.graph import Graph
from specular_tui.model.plan import RUN_ID, Plan, Task
from specular_tui.model.policy import Policy
from specular_tui.model.resume import Action, Facts, ResumeOptions, ResumePlan, plan_resume
from specular_tui.model.run import RunState, RunStatus, TaskState, TaskStatus
from specular_tui.spec.settings import Settings, checkpoint_directory, resolve
from specular_tui.store import checkpoint, digest, layout, logs
from specular_tui.store.effort import Effort
from specular_tui.store.folder import Folder
from specular_tui.store.recorder import Recorder, RunRecorder, create_run, open_run
from specular_tui.store.report import Report
from specular_tui.store.unrecorded import Unrecorded
from specular_tui.workspace import plans, session
from specular_tui.workspace.abandoning import abandon, abandon_expired, expired_runs
from specular_tui.workspace.face import BuildInfo, BuildResult, Face
from specular_tui.workspace.history import past_durations, usual_durations
from specular_tui.workspace.recovery import finish_exited
from specular_tui.workspace.request import BuildRequest

#: What checks a run, as `store.check.check` does.
Prove = Callable[[Path, str], Report]

#: A task that nobody has timed or estimated counts as long as this.
_UNKNOWN_MS = 1_000.0


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
        return _build_new(replace(request, resume=None, **_NOT_RESUMING), face, environ)
    return _resume(request, run_id, face, environ, prove)


_NOT_RESUMING = {
    "from_task": None,
    "skip_failed": False,
    "run_dependents": False,
    "retry_failed": False,
    "validate": False,
    "revalidate": False,
    "repair": False,
    "trust_plan": False,
}


def _root(request: BuildRequest, environ: Mapping[str, str]) -> Path:
    """Return the checkpoint directory: of the policy that is named, else as every other command finds it."""
    if request.policy is not None:
        policy, _, _ = plans.read_policy(request.policy, request.cwd)
        return resolve(policy, environ=environ, cwd=request.cwd).checkpoint_dir
    return checkpoint_directory(None, environ, request.cwd)


def _settings(request: BuildRequest, policy: Policy, environ: Mapping[str, str], face: Face) -> Settings:
    settings = resolve(
        policy,
        environ=environ,
        cwd=request.cwd,
        interval_ms=request.checkpoint_interval_ms,
        task_interval=request.checkpoint_every,
        jobs=request.jobs,
    )
    jobs = open_files.affordable(settings.jobs)
    if jobs < settings.jobs and not request.dry_run:
        face.notice(f"{jobs} tasks at once and not {settings.jobs}: more open files are not allowed here (ulimit -Hn)")
    return replace(settings, jobs=jobs)


# Which run -----------------------------------------------------------------------------------------------------------


def _choose(request: BuildRequest, face: Face, environ: Mapping[str, str]) -> str | None:
    """Return the run to go on with; "" where a new build is to start, None where nothing is to be done."""
    root = _root(request, environ)
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
    if newest.status == RunStatus.COMPLETED and request.from_task is not None:
        return newest.run_id
    if newest.status == RunStatus.COMPLETED:
        face.notice(f"nothing to resume: {newest.run_id} is completed")
        return None
    face.notice(f"there is nothing to resume ({newest.run_id} is {newest.status}): starting a new build")
    return ""


# A new run -----------------------------------------------------------------------------------------------------------


def _build_new(request: BuildRequest, face: Face, environ: Mapping[str, str]) -> BuildResult | None:
    plan, plan_bytes = plans.read_plan(request.plan, request.cwd)
    policy, policy_bytes, warnings = plans.read_policy(request.policy, request.cwd)
    for warning in warnings:
        face.warning(warning)
    settings = _settings(request, policy, environ, face)
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
    engine = _engine_for(plan.tasks, settings)
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
        started = session.session_started(settings, clock, RunStatus.IN_PROGRESS)
        work = _Work(
            recorder=recorder,
            plan=plan,
            graph=graph,
            settings=settings,
            clock=clock,
            started=started,
            guard=guard,
            engine=engine,
        )
        return _run(request, work, face)


def _engine_for(tasks: Iterable[Task], settings: Settings) -> Engine | None:
    """Return the container engine that `tasks` need, or None where they need none."""
    docker = settings.policy.execution.docker
    if not docker.required and not any(task.image is not None for task in tasks):
        return None
    return find_engine(docker)


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


# A run that goes on --------------------------------------------------------------------------------------------------


class _Sources(Struct, frozen=True, kw_only=True):
    """The plan and the policy that a run goes on with, and the plan that it had."""

    plan: Plan
    plan_bytes: bytes
    old: Plan | None
    policy: Policy
    policy_bytes: bytes | None
    #: The workspace has this plan, and this policy, too: they are not the checkpoint's word alone.
    own_plan: bool
    own_policy: bool


def _resume(
    request: BuildRequest, run_id: str, face: Face, environ: Mapping[str, str], prove: Prove | None
) -> BuildResult | None:
    root = _root(request, environ)
    repaired = request.repair and not request.dry_run and _repair(request, root, run_id, face)
    found = checkpoint.load(root, run_id)
    if found.state.status is RunStatus.ABANDONED:
        raise SpecularError(
            f"{run_id} is abandoned: it cannot be resumed", hint="start a new build: specular build --plan plan.json"
        )
    if found.state.status is RunStatus.COMPLETED and request.from_task is None and not repaired:
        face.notice(f"nothing to resume: {run_id} is completed")
        return None
    with checkpoint.open_run(root, run_id) as folder:
        sources = _sources(request, folder, found.state, face)
    settings = _settings(request, sources.policy, environ, face)
    if not settings.checkpoints_enabled:
        raise UsageError("checkpoints are disabled, and without them there is nothing to resume")
    _check_trust(request, found.state, sources, face)
    damaged = _validate(request, settings, root, run_id, prove)
    if sources.plan.hash != found.state.plan_hash and settings.strict_hash_check:
        raise CheckpointError(
            f"{sources.plan.file} has changed since checkpoint {run_id}, and strict_hash_check is true",
            hint=f"start fresh (specular build --plan {sources.plan.file} --force), or set strict_hash_check: false, "
            f"and resume with --policy {sources.policy.file or 'FILE'}",
        )
    if request.dry_run:
        resume = _decide(request, found, sources, settings, damaged, crashed=found.state.interrupted)
        face.planned(sources.plan, resume, run_id)
        return None
    graph = Graph(sources.plan.tasks)
    clock = Clock(not_before=found.state.updated_at)
    engine = _engine_for(sources.plan.tasks, settings)
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
            resume = _decide(request, current, sources, settings, damaged, crashed=opened.crashed)
            _warn_of_changes(resume, recorder.state, sources, face)
            started = _start_resumed(recorder, resume, sources, settings, clock)
        except BaseException:
            recorder.release()
            raise
        work = _Work(
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
        return _run(request, work, face)


def _sources(request: BuildRequest, folder: Folder, state: RunState, face: Face) -> _Sources:
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
    return _Sources(
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


def _check_trust(request: BuildRequest, state: RunState, sources: _Sources, face: Face) -> None:
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
    what = "policy" if sources.own_plan else "plan"
    answer = face.confirm(
        f"{state.run_id} was imported from {state.host or 'another machine'}, and its {what} is not in this folder. "
        "Run its commands?",
        shown,
    )
    if not answer:
        name = "" if sources.own_plan else f" '{state.plan_name}'"
        raise SpecularError(
            f"{state.run_id} was imported, and its {what}{name} is not in this folder",
            details=shown if answer is None else (),
            hint=f"look at its commands (specular plan show --run {state.run_id}), then resume with --trust-plan",
        )


def _repair(request: BuildRequest, root: Path, run_id: str, face: Face) -> bool:
    """Mend the run where it is damaged; tell whether tasks run again for that."""
    from specular_tui.store.check import check
    from specular_tui.store.repair import repair

    report = check(root, run_id)
    if report.ok:
        return False

    def copies(state: RunState) -> Iterator[bytes]:
        """What may be the very plan and policy that the run had."""
        names = [request.plan, state.plan_file, request.policy, state.policy_file, str(plans.DEFAULT_POLICY)]
        for path in (
            Path(state.plan_folder, os.path.basename(state.plan_file)),
            *(request.cwd / n for n in names if n),
        ):
            with contextlib.suppress(OSError):
                yield path.read_bytes()

    again = repair(root, run_id, report, Clock().now(), copies=copies)
    face.notice(f"{run_id} is repaired; {'1 task runs' if len(again) == 1 else f'{len(again)} tasks run'} again for it")
    return bool(again)


def _validate(
    request: BuildRequest, settings: Settings, root: Path, run_id: str, prove: Prove | None
) -> frozenset[str]:
    """Check the run first where that is wanted; return the tasks whose results are damaged and to be made again."""
    if not (request.validate or request.repair or settings.validate_on_resume):
        return frozenset()
    if prove is None:
        from specular_tui.store.check import check

        prove = check
    report = prove(root, run_id)
    if report.ok:
        return frozenset()
    details = [f"{name}: {line}" for name, ok, lines in report.checks if not ok for line in lines]
    if not request.repair:
        raise CheckpointError(
            f"checkpoint validation failed: {details[0] if details else run_id}",
            details=details[1:21],
            hint=f"run the damaged tasks again (specular build --resume {run_id} --repair), or start afresh (--force)",
        )
    return frozenset(report.damaged_tasks)


def _facts(found: checkpoint.StoredRun, sources: _Sources, damaged: frozenset[str], *, crashed: bool) -> dict[str, str]:
    """Return the completed tasks whose results cannot be relied on, with the reason."""
    broken: dict[str, str] = dict.fromkeys(damaged, "its result is damaged")
    state, folder = found.state, sources.plan.folder
    unproven = set(found.unproven)
    unsure = crashed or state.imported or _rebooted(state)
    with checkpoint.open_run(Path(found.path).parent, found.run_id) as run:
        for task in sources.plan.tasks:
            known = state.tasks.get(task.id)
            if known is None or known.status is not TaskStatus.COMPLETED or task.id in broken:
                continue
            if task.id in unproven and not _log_is_there(run, task.id, known):
                broken[task.id] = "its log did not reach the disk"
                continue
            flaw = artifacts.changed_output(folder, known.outputs, content=unsure)
            if flaw is None and known.inputs_hash and artifacts.inputs_digest(folder, task.inputs) != known.inputs_hash:
                flaw = "its inputs changed"
            if flaw is not None:
                broken[task.id] = flaw
    return broken


def _log_is_there(run: Folder, task_id: str, known: TaskState) -> bool:
    latest = [log for log in logs.expected({task_id: known}) if log.attempt == known.attempt]
    try:
        with run.folder(layout.OUTPUTS) as outputs:
            there = logs.listing(outputs)
            return all(logs.prove(outputs, there, log, Effort()) is None for log in latest)
    except OSError:
        return not known.log_size


def _rebooted(state: RunState) -> bool:
    """Tell whether this is another machine than that of the last session, or another boot of it."""
    if not state.sessions:
        return False
    last = state.sessions[-1]
    return last.host != socket.gethostname() or last.boot_id != session.boot_id()


def _decide(
    request: BuildRequest,
    found: checkpoint.StoredRun,
    sources: _Sources,
    settings: Settings,
    damaged: frozenset[str],
    *,
    crashed: bool,
) -> ResumePlan:
    resume = plan_resume(
        found.state,
        sources.old,
        sources.plan,
        Graph(sources.plan.tasks),
        ResumeOptions(
            from_task=request.from_task,
            skip_failed=request.skip_failed,
            run_dependents=request.run_dependents,
            retry_failed=request.retry_failed,
            revalidate=request.revalidate,
        ),
        Facts(
            broken=_facts(found, sources, damaged, crashed=crashed),
            keys={task.id: artifacts.cache_key(task) for task in sources.plan.tasks},
            disallowed=violations(sources.plan.tasks, sources.policy) if request.revalidate else {},
            gates={id_: artifacts.cache_key(gate) for id_, gate in session.gate_tasks(sources.policy).tasks.items()},
        ),
    )
    runs = {decision.task for decision in resume.decisions if decision.action is Action.RUN}
    plans.refuse_violations([task for task in sources.plan.tasks if task.id in runs], settings.policy)
    return resume


def _warn_of_changes(resume: ResumePlan, state: RunState, sources: _Sources, face: Face) -> None:
    if sources.plan.hash != state.plan_hash:
        lines = resume.changes.lines() or ["nothing that a result depends on"]
        face.warning(f"{sources.plan.file} has changed since checkpoint", lines)


def _start_resumed(
    recorder: RunRecorder,
    resume: ResumePlan,
    sources: _Sources,
    settings: Settings,
    clock: Clock,
) -> ev.SessionStarted:
    """Return the first event of the session: what is reset, skipped, and which plan is in force from now on."""
    state = recorder.state
    failed = state.status in (RunStatus.FAILED, RunStatus.COMPLETED)
    started = session.session_started(settings, clock, RunStatus.RETRYING if failed else RunStatus.IN_PROGRESS)
    started = replace(started, reset=resume.reset, skipped=resume.skipped)
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


# Both ----------------------------------------------------------------------------------------------------------------


class _Work(Struct, kw_only=True):
    """A run that is ready to go."""

    recorder: RunRecorder | Unrecorded
    plan: Plan
    graph: Graph
    settings: Settings
    clock: Clock
    started: ev.SessionStarted
    guard: Guard
    engine: Engine | None = None
    sources: _Sources | None = None
    resume: ResumePlan | None = None


def _run(request: BuildRequest, work: _Work, face: Face) -> BuildResult:
    recorder = work.recorder
    stored = isinstance(recorder, RunRecorder)
    info = BuildInfo(
        run_id=recorder.state.run_id,
        plan=work.plan,
        recorder=recorder,
        jobs=work.settings.jobs,
        path=str(recorder.path) if stored else None,
        resume=work.resume,
        keep_going=request.keep_going,
    )
    error: StorageError | None = None
    try:
        work.guard.mark(str(recorder.path), work.engine.name if work.engine is not None else "")
        _begin(recorder, work)
        face.starting(info)
        face.event(work.started, recorder.state)
        only = work.resume.only if work.resume is not None else None
        ending = session.run_session(
            recorder,
            work.plan,
            work.graph,
            work.settings,
            remaining=work.graph.remaining_path(_durations(work)),
            options=RunOptions(
                jobs=work.settings.jobs,
                grace_ms=request.grace_ms,
                keep_going=request.keep_going,
                run_dependents=request.run_dependents,
                only=only,
            ),
            clock=work.clock,
            marker=str(recorder.path),
            guard=work.guard,
            engine=work.engine,
            face=face,
        )
        error = ending.error
        result = BuildResult(
            run_id=recorder.state.run_id,
            status=ending.status,
            reason=ending.reason,
            state=recorder.state,
            resumable=stored,
        )
        if error is None:
            error = _save(recorder, work.clock.now())
        face.finished(result, info)
    finally:
        work.guard.close()
        error = _let_go(recorder, work.clock.now()) or error
    if error is not None:
        raise error
    if stored:
        _tidy_up(work.settings, result.run_id, face)
    return result


def _tidy_up(settings: Settings, run_id: str, face: Face) -> None:
    """Let the policy have its way with what is stored. The build is over, and nothing here can make it fail."""
    from specular_tui.workspace.keeping import apply_retention, compress_run

    try:
        if settings.compress:
            compress_run(settings.checkpoint_dir, run_id)
        for gone in apply_retention(settings.checkpoint_dir, settings, run_id):
            face.notice(f"removed {gone.run_id}: {gone.reason}")
        for given_up in abandon_expired(settings.checkpoint_dir, expired_runs(settings.checkpoint_dir, settings)):
            face.notice(f"{given_up.run_id} is abandoned: {given_up.reason}")
    except SpecularError as error:
        face.warning(f"the stored runs could not be tidied up: {error.message}")


def _begin(recorder: Recorder, work: _Work) -> None:
    started, sources = work.started, work.sources
    if isinstance(recorder, RunRecorder) and sources is not None and started.plan_hash is not None:
        recorder.publish_plan(sources.plan_bytes, sources.policy_bytes, started)
    else:
        recorder.append(started)
    recorder.append(
        ev.ContextSet(
            at=started.at,
            values={
                "docker_images_pulled": recorder.state.context.get("docker_images_pulled", []),
                "env_setup": True,
                "dependencies_installed": True,
            },
        )
    )


def _save(recorder: Recorder, now: int) -> StorageError | None:
    try:
        recorder.publish_all(now)
    except StorageError as error:
        return error
    return None


def _let_go(recorder: RunRecorder | Unrecorded, now: int) -> StorageError | None:
    try:
        recorder.close(now)
    except StorageError as error:
        return error
    return None


def _durations(work: _Work) -> Callable[[Task], float]:
    """Return how long each task will probably take, in ms: as before, else as the plan says, else as is usual."""
    known: dict[str, float] = {}
    if isinstance(work.recorder, RunRecorder):
        path = work.recorder.path
        plan_path = os.path.join(work.plan.folder, os.path.basename(work.plan.file))
        known = past_durations(path.parent, plan_path, but=path.name)
    known |= usual_durations([work.recorder.state])
    usual = statistics.median(known.values()) if known else _UNKNOWN_MS

    def duration(task: Task) -> float:
        if task.id in known:
            return known[task.id]
        return task.estimate * 1000 if task.estimate is not None else usual

    return duration
