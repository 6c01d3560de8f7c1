"""What a build has: where its checkpoints are, its settings, and a container engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec.structs import replace

from specular_tui.engine import open_files
from specular_tui.engine.container.engine import Engine, find_engine
from specular_tui.model.plan import Task
from specular_tui.model.policy import Policy
from specular_tui.spec.settings import Settings, checkpoint_directory, resolve
from specular_tui.workspace import plans
from specular_tui.workspace.face import Face
from specular_tui.workspace.request import BuildRequest


def root_of(request: BuildRequest, environ: Mapping[str, str]) -> Path:
    """Return the checkpoint directory: of the policy that is named, else as every other command finds it."""
    if request.policy is not None:
        policy, _, _ = plans.read_policy(request.policy, request.cwd)
        return resolve(policy, environ=environ, cwd=request.cwd).checkpoint_dir
    return checkpoint_directory(None, environ, request.cwd)


def settings_for(request: BuildRequest, policy: Policy, environ: Mapping[str, str], face: Face) -> Settings:
    """Return the settings that hold under `policy`, with no more tasks at once than files may be open."""
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


def engine_for(tasks: Iterable[Task], settings: Settings) -> Engine | None:
    """Return the container engine that `tasks` need, or None where they need none."""
    docker = settings.policy.execution.docker
    if not docker.required and not any(task.image is not None for task in tasks):
        return None
    return find_engine(docker)
