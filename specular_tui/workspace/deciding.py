"""What a resume will do, found out: what holds of the stored results, and what follows for each task."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

from specular_tui.engine import artifacts
from specular_tui.engine.inputs import inputs_digest
from specular_tui.errors import CheckpointError
from specular_tui.model.compliance import violations
from specular_tui.model.graph import Graph
from specular_tui.model.resume import Action, Facts, ResumeOptions, ResumePlan, plan_resume
from specular_tui.model.run import RunState, TaskState, TaskStatus
from specular_tui.spec.settings import Settings
from specular_tui.store import checkpoint, layout
from specular_tui.store.checks.report import Report
from specular_tui.store.effort import Effort
from specular_tui.store.folder import Folder
from specular_tui.store.logs import kept
from specular_tui.workspace import plans, session
from specular_tui.workspace.request import BuildRequest
from specular_tui.workspace.sources import Sources

#: What checks a run, as `store.checks.check.check` does.
Prove = Callable[[Path, str], Report]


def prove_first(
    request: BuildRequest, settings: Settings | None, root: Path, run_id: str, prove: Prove | None
) -> frozenset[str]:
    """Check the run first where that is wanted; return the tasks whose results are damaged and to be made again.

    `settings` None leaves it to `request` alone.

    Raises:
        CheckpointError: it is damaged, and not to be repaired.
    """
    wanted = request.validate or request.repair or (settings is not None and settings.validate_on_resume)
    if not wanted:
        return frozenset()
    if prove is None:
        from specular_tui.store.checks.check import check

        prove = check
    report = prove(root, run_id)
    if report.ok:
        return frozenset()
    if not request.repair:
        details = report.problems()
        raise CheckpointError(
            f"checkpoint validation failed: {details[0] if details else run_id}",
            details=details[1:21],
            hint=f"run the damaged tasks again (specular build --resume {run_id} --repair), or start afresh (--force)",
        )
    return frozenset(report.damaged_tasks)


def _facts(found: checkpoint.StoredRun, sources: Sources, damaged: frozenset[str], *, crashed: bool) -> dict[str, str]:
    """Return the completed tasks whose results cannot be relied on, with the reason."""
    broken: dict[str, str] = dict.fromkeys(damaged, "its result is damaged")
    state, folder = found.state, sources.plan.folder
    unproven = set(found.unproven)
    unsure = crashed or state.imported or _rebooted(state)
    own = (Path(found.path), Path(found.path).parent)
    with checkpoint.open_run(Path(found.path).parent, found.run_id) as run:
        for task in sources.plan.tasks:
            known = state.tasks.get(task.id)
            if known is None or known.status is not TaskStatus.COMPLETED or task.id in broken:
                continue
            if task.id in unproven and not _log_is_there(run, task.id, known):
                broken[task.id] = "its log did not reach the disk"
                continue
            flaw = artifacts.changed_output(folder, known.outputs, content=unsure)
            if flaw is None and known.inputs_hash and inputs_digest(folder, task.inputs, own) != known.inputs_hash:
                flaw = "its inputs changed"
            if flaw is not None:
                broken[task.id] = flaw
    return broken


def _log_is_there(run: Folder, task_id: str, known: TaskState) -> bool:
    latest = [log for log in kept.expected({task_id: known}) if log.attempt == known.attempt]
    try:
        with run.folder(layout.OUTPUTS) as outputs:
            there = kept.listing(outputs)
            return all(kept.prove(outputs, there, log, Effort()) is None for log in latest)
    except OSError:
        return not known.log_size


def _rebooted(state: RunState) -> bool:
    """Tell whether this is another machine than that of the last session, or another boot of it."""
    if not state.sessions:
        return False
    last = state.sessions[-1]
    return last.host != socket.gethostname() or last.boot_id != session.boot_id()


def decide(
    request: BuildRequest,
    found: checkpoint.StoredRun,
    sources: Sources,
    settings: Settings,
    damaged: frozenset[str],
    *,
    crashed: bool,
) -> ResumePlan:
    """Return what the resume that `request` asks for does with each task and gate; `damaged` are to be made again.

    Raises:
        UsageError: `request` names a task that cannot start. PolicyViolationError: a task that would run may not.
    """
    resume = plan_resume(
        found.state,
        sources.old,
        sources.plan,
        Graph(sources.plan.tasks),
        ResumeOptions(
            from_task=request.from_task,
            alone=request.alone,
            skip_failed=request.skip_failed,
            run_dependents=request.run_dependents,
            retry_failed=request.retry_failed,
            revalidate=request.revalidate,
            keep_going=found.state.keeps_going if request.keep_going is None else request.keep_going,
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
