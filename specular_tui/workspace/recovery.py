"""Finishing what a killed engine had begun: results that were there, and not recorded yet."""

from __future__ import annotations

from specular_tui.engine import artifacts
from specular_tui.model import event as ev
from specular_tui.model.plan import Plan
from specular_tui.store import declared, digest
from specular_tui.store.recorder import RunRecorder


def finish_exited(recorder: RunRecorder, plan: Plan | None, at: int) -> list[str]:
    """Record the end of every task whose process had ended well when the engine was killed; return their ids.

    `plan` is the one that they ran with. A task whose outputs or log cannot be read stays interrupted, and runs again.

    Raises:
        StorageError: the checkpoint cannot be written.
    """
    definitions = {task.id: task for task in plan.tasks} if plan is not None else {}
    finished = []
    for task_id, state in recorder.state.tasks.items():
        definition = definitions.get(task_id)
        if not state.exited or definition is None or plan is None:
            continue
        try:
            outputs = artifacts.capture(plan.folder, definition.outputs)
            log = _log(recorder, task_id)
        except (OSError, artifacts.MissingOutputError):
            continue
        log_size, log_hash = digest.of_file(log[0]) if log else (0, digest.EMPTY)
        event = ev.TaskEnded(
            at=max(at, recorder.state.updated_at),
            task=task_id,
            attempt=state.attempt,
            outcome="completed",
            duration_ms=state.duration_ms or 0,
            exit_code=0,
            log_size=log_size,
            log_hash=log_hash,
            outputs=outputs,
            key=state.key,
            inputs_hash=state.inputs_hash,
            cpu_ms=state.cpu_ms,
            max_rss_kb=state.max_rss_kb,
        )
        recorder.append(event, *log, *declared.open_all(plan.folder, outputs))
        finished.append(task_id)
    return finished


def _log(recorder: RunRecorder, task_id: str) -> tuple[int, ...]:
    """Return the descriptor of a task's log; nothing where it printed nothing, and so may have none."""
    try:
        return (recorder.reopen_log(task_id),)
    except FileNotFoundError:
        return ()
