"""Results that a failed sync has left uncertain: brought to disk in new files, or given up.

Pages that a failed sync was to write may never reach the disk, whatever later syncs answer; a new file's do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from specular_tui.model.event import LogLost, TaskReset
from specular_tui.model.run import RunState, TaskState, TaskStatus
from specular_tui.store import declared
from specular_tui.store.effort import Effort
from specular_tui.store.folder import Folder
from specular_tui.store.logs import kept


def renew(
    outputs: Folder, state: RunState, tasks: Iterable[str], failed: Collection[tuple[int, int]]
) -> list[LogLost | TaskReset]:
    """Bring to disk what records vouch for of `tasks`, and return the events that say what of it is lost.

    The logs are in the folder `outputs`, whose names are on disk too when this returns. A declared output belongs to
    its task and is not replaced: where its own sync is among the `failed` ones, as (device, inode), the task must run
    again.
    """
    known = {task_id: task for task_id in tasks if (task := state.find(task_id)) is not None}
    if not known:
        return []
    lost = _renew_logs(outputs, known)
    found: list[LogLost | TaskReset] = []
    at = state.updated_at
    for task_id, task in known.items():
        reason = None
        for attempt in lost.get(task_id, ()):
            found.append(LogLost(at=at, task=task_id, attempt=attempt))
            reason = "its log did not reach the disk" if attempt == task.attempt else reason
        if not declared.bring_to_disk(state.plan_folder, task.outputs, failed):
            reason = "its outputs did not reach the disk"
        if reason is not None and task.status in (TaskStatus.COMPLETED, TaskStatus.FAILED):
            found.append(TaskReset(at=at, task=task_id, reason=reason))
    return found


def _renew_logs(outputs: Folder, tasks: dict[str, TaskState]) -> dict[str, list[int]]:
    """Write the logs of `tasks` anew; return the attempts whose logs may not be on disk, by task."""
    there = kept.listing(outputs)
    lost: dict[str, list[int]] = {}
    whole: dict[str, list[int]] = {}
    for log in kept.expected(tasks):
        if log.size:
            into = whole if _is_renewed(outputs, there, log) else lost
            into.setdefault(log.task, []).append(log.attempt)
    try:
        # Before any journal vouches for them: a power cut could take the new names otherwise, and leave the old files.
        outputs.sync()
    except OSError:
        for task_id, attempts in whole.items():
            lost[task_id] = sorted(lost.get(task_id, []) + attempts)
    return lost


def _is_renewed(outputs: Folder, there: dict[str, bool], log: kept.Log) -> bool:
    try:
        if kept.prove(outputs, there, log, Effort()) is not None:
            return False
        name = kept.file_of(there, log)
        # A packed one is of a session before, and has long been on disk.
        if there[name]:
            outputs.renew(name)
    except OSError:
        return False
    return True
