"""A run that is ready to go, and going through with it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from msgspec import Struct

from specular_tui.engine.clock import Clock
from specular_tui.engine.container.engine import Engine
from specular_tui.engine.guard import Guard
from specular_tui.engine.runner import RunOptions
from specular_tui.errors import SettingsError, SpecularError, StorageError
from specular_tui.model import event as ev
from specular_tui.model.graph import Graph
from specular_tui.model.plan import Plan, Task
from specular_tui.model.resume import ResumePlan
from specular_tui.model.usual import Usual, usual
from specular_tui.spec.settings import Settings, checkpoint_directory
from specular_tui.store.recorder import Recorder, RunRecorder
from specular_tui.store.unrecorded import Unrecorded
from specular_tui.workspace import session
from specular_tui.workspace.abandoning import abandon_expired, expired_runs
from specular_tui.workspace.face import BuildInfo, BuildResult, Face
from specular_tui.workspace.history import past
from specular_tui.workspace.request import BuildRequest
from specular_tui.workspace.sources import Sources

#: A task that nobody has timed or estimated counts as long as this.
_UNKNOWN_MS = 1_000.0


class Work(Struct, kw_only=True):
    """A run that is ready to go."""

    recorder: RunRecorder | Unrecorded
    plan: Plan
    graph: Graph
    settings: Settings
    clock: Clock
    started: ev.SessionStarted
    guard: Guard
    engine: Engine | None = None
    sources: Sources | None = None
    resume: ResumePlan | None = None


def perform(request: BuildRequest, work: Work, face: Face) -> BuildResult:
    """Go through with the session that is ready, tell the face, and tidy up behind it.

    Raises:
        StorageError: the checkpoint could not be written.
    """
    recorder = work.recorder
    stored = isinstance(recorder, RunRecorder)
    known = _usual(work)
    info = BuildInfo(
        run_id=recorder.state.run_id,
        plan=work.plan,
        recorder=recorder,
        jobs=work.settings.jobs,
        path=str(recorder.path) if stored else None,
        resume=work.resume,
        keep_going=work.started.keep_going,
        graph=work.graph,
        usual=known,
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
            remaining=work.graph.remaining_path(_durations(work, known)),
            options=RunOptions(
                jobs=work.settings.jobs,
                grace_ms=request.grace_ms,
                keep_going=work.started.keep_going,
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
            resume_options=request.lasting(found=_is_found(recorder, request)),
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


def _begin(recorder: Recorder, work: Work) -> None:
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


def _is_found(recorder: RunRecorder | Unrecorded, request: BuildRequest) -> bool:
    """Tell whether a command that names no policy looks for checkpoints where this one is."""
    if request.policy is None:
        return True
    try:
        return recorder.path.parent == checkpoint_directory(None, os.environ, request.cwd)
    except SettingsError:
        return False


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


def _usual(work: Work) -> dict[str, Usual]:
    """Return what the tasks took in past runs of the plan."""
    if not isinstance(work.recorder, RunRecorder):
        return {}
    path = work.recorder.path
    return past(path.parent, os.path.join(work.plan.folder, os.path.basename(work.plan.file)), but=path.name)


def _durations(work: Work, past_runs: Mapping[str, Usual]) -> Callable[[Task], float]:
    """Return how long each task will probably take, in ms: as before, else as the plan says, else as is usual."""
    known = {task_id: found.median for task_id, found in {**past_runs, **usual([work.recorder.state])}.items()}
    # The upper one of two in the middle will do; `statistics` takes longer to import than all the rest.
    middle = sorted(known.values())[len(known) // 2] if known else _UNKNOWN_MS

    def duration(task: Task) -> float:
        if task.id in known:
            return known[task.id]
        return task.estimate * 1000 if task.estimate is not None else middle

    return duration
