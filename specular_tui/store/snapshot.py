"""The files that people and other programs read, as pure functions of the state of a run.

metadata.json, state.json and progress.json hold what the fold says at one record of the journal; metadata.json names
that record (`journal_seq`, `journal_chain`), which is also how far the journal is known to reach. The record of a task
(`outputs/<task>.json`) is a function of the task's state and of its place in the plan, so that `output_hash` in
progress.json can be proved, and the file made anew from the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from itertools import islice
from typing import Any, Final

import msgspec

from specular_tui.model.plan import Task
from specular_tui.model.run import ENDING, RunState, TaskState, TaskStatus
from specular_tui.model.secret import mask_env
from specular_tui.store import digest, layout
from specular_tui.store.seal import sealed

#: So many tasks are rendered as one piece.
_AT_A_TIME: Final = 2_000
#: The last millisecond that a time of four-digit years can name.
_LAST_MS: Final = 253_402_300_799_999


def timestamp(ms: int | None) -> str | None:
    """Return milliseconds since the epoch as `2024-01-15T10:30:45Z`, or None for None.

    What no clock can have said (a checkpoint from elsewhere may hold anything) becomes the nearest time that can be
    written.
    """
    if ms is None:
        return None
    return _stamp(ms // 1000 if 0 <= ms <= _LAST_MS else _LAST_MS // 1000 if ms > 0 else 0)


@lru_cache(maxsize=1024)
def _stamp(seconds: int) -> str:
    # Many tasks of a large plan start and end in the same second.
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def encode(data: Any) -> bytes:
    """Return `data` as the indented JSON that the files of a run are written in."""
    return msgspec.json.format(msgspec.json.encode(data), indent=2) + b"\n"


def metadata(state: RunState, *, now: int, journal_bytes: int, control: str | None = None) -> dict[str, Any]:
    """Return metadata.json: the specification's fields first, then this program's own.

    `now` is the time up to which the working time of a live session counts, `journal_bytes` the length of the journal
    up to the last record, `control` the path of the socket that a live run listens on. The fields `ENDING` are there
    where they are so: of a live run they say that it starts nothing new.
    """
    return sealed(
        {
            "run_id": state.run_id,
            "created_at": timestamp(state.created_at),
            "updated_at": timestamp(state.updated_at),
            "plan_file": state.plan_file,
            "plan_hash": state.plan_hash,
            "policy_file": state.policy_file,
            "status": state.status.value,
            "total_tasks": state.total,
            "completed_tasks": state.count(TaskStatus.COMPLETED),
            "failed_tasks": state.count(TaskStatus.FAILED),
            "skipped_tasks": state.count(TaskStatus.SKIPPED),
            "format": layout.FORMAT,
            "host": state.host,
            "plan_name": state.plan_name,
            "plan_path": _plan_path(state),
            "policy_hash": state.policy_hash,
            "interrupted": state.interrupted,
            "imported": state.imported,
            "reason": state.reason,
            **{name: True for name in ENDING if getattr(state, name)},
            "elapsed_ms": state.elapsed_until(now),
            "frozen_ms": state.frozen_until(now),
            "created_at_ms": state.created_at,
            "updated_at_ms": state.updated_at,
            "control": control,
            "journal_seq": state.seq,
            "journal_chain": state.chain,
            "journal_bytes": journal_bytes,
        }
    )


def _plan_path(state: RunState) -> str:
    name = state.plan_file.rsplit("/", 1)[-1]
    return f"{state.plan_folder.rstrip('/')}/{name}" if name else ""


def states(state: RunState) -> dict[str, Any]:
    """Return state.json: the ids of the tasks by state, in the order of the plan, and the executors' context.

    `pending` holds all that is still to be done, running tasks included, as the specification shows it; `running` says
    which of them run now, longest-running first.
    """
    return {
        "current_task": state.current_task,
        "completed": state.in_status(TaskStatus.COMPLETED),
        "failed": state.in_status(TaskStatus.FAILED),
        "skipped": state.in_status(TaskStatus.SKIPPED),
        "pending": [
            task_id
            for task_id, task in state.tasks.items()
            if task.status in (TaskStatus.PENDING, TaskStatus.IN_PROGRESS)
        ],
        "running": list(state.running),
        "context": state.context,
        "journal_seq": state.seq,
    }


def task_progress(task: TaskState, output_hash: str | None) -> dict[str, Any]:
    """Return one entry of progress.json."""
    entry: dict[str, Any] = {
        "status": task.status,
        "started_at": timestamp(task.started_at),
        "completed_at": timestamp(task.completed_at),
        "duration_ms": task.duration_ms,
        "exit_code": task.exit_code,
    }
    if output_hash is not None:
        entry["output_hash"] = output_hash
    if task.signal is not None:
        entry["signal"] = task.signal
    if task.attempt:
        entry["attempt"] = task.attempt
    if task.reason is not None:
        entry["reason"] = task.reason
    return entry


def progress(state: RunState, output_hashes: Mapping[str, str]) -> dict[str, Any]:
    """Return progress.json; `output_hashes` has the digest of each record that is in `outputs/`."""
    return {
        "tasks": {i: task_progress(t, output_hashes.get(i)) for i, t in state.tasks.items()},
        "gates": {i: task_progress(t, output_hashes.get(i)) for i, t in state.gates.items()},
        "journal_seq": state.seq,
    }


class _Entry(msgspec.Struct, gc=False):
    output_hash: str | None = None


class _Progress(msgspec.Struct):
    tasks: dict[str, _Entry] = {}
    gates: dict[str, _Entry] = {}


def stored_hashes(data: bytes) -> dict[str, bytes]:
    """Return the digests of records, raw, by task, as a progress.json says; nothing where it cannot be read."""
    try:
        found = msgspec.json.decode(data, type=_Progress)
        pairs = [*found.tasks.items(), *found.gates.items()]
        return {i: digest.unshown(entry.output_hash) for i, entry in pairs if entry.output_hash is not None}
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError, ValueError):
        return {}


def progress_file(state: RunState, output_hash: Callable[[str], str | None]) -> Iterator[bytes]:
    """Yield progress.json in pieces, whose bytes are those of `encode(progress(…))`.

    Made of a few thousand tasks at a time: the whole as one value would take several times the memory of the state.
    """
    yield b"{\n"
    for name, tasks in (("tasks", state.tasks), ("gates", state.gates)):
        yield b'  "%b": {' % name.encode()
        behind = b"\n"
        items = iter(tasks.items())
        while some := {i: task_progress(task, output_hash(i)) for i, task in islice(items, _AT_A_TIME)}:
            # Without the braces and the line feed, and one level further in; no line feed is part of a text.
            yield behind + b"  " + encode(some)[2:-3].replace(b"\n", b"\n  ")
            behind = b",\n"
        yield b"\n  },\n" if tasks else b"},\n"
    yield b'  "journal_seq": %d\n}\n' % state.seq


def has_record(task: TaskState) -> bool:
    """Tell whether a task in this state has a record: one of its attempts has ended, and none runs."""
    return bool(task.outcome) and task.status is not TaskStatus.IN_PROGRESS


def record(task_id: str, task: TaskState, definition: Task | None) -> bytes:
    """Return the bytes of `outputs/<task>.json`.

    `definition` is the task as the run's plan has it, or None for a gate and for a task that the plan has lost.
    """
    data: dict[str, Any] = {"task": task_id}
    if definition is not None:
        data["title"] = definition.label
        data["command"] = definition.command
        data["workdir"] = definition.workdir
        if definition.image is not None:
            data["image"] = definition.image
        if definition.env:
            data["env"] = mask_env(definition.env)
    data |= {
        "status": task.status,
        "outcome": task.outcome,
        "attempt": task.attempt,
        "started_at": timestamp(task.started_at),
        "completed_at": timestamp(task.completed_at),
        "duration_ms": task.duration_ms,
        "exit_code": task.exit_code,
        "signal": task.signal,
        "reason": task.attempt_reason,
        "log": {
            "file": layout.log_name(task_id),
            "size": task.log_size,
            "hash": task.log_hash or None,
        },
        "outputs": [{"path": o.path, "size": o.size, "hash": o.hash} for o in task.outputs],
        "key": task.key or None,
        "inputs_hash": task.inputs_hash or None,
        "cpu_ms": task.cpu_ms,
        "max_rss_kb": task.max_rss_kb,
        "attempts": [
            {
                "attempt": a.attempt,
                "outcome": a.outcome,
                "started_at": timestamp(a.started_at),
                "completed_at": timestamp(a.completed_at),
                "duration_ms": a.duration_ms,
                "exit_code": a.exit_code,
                "signal": a.signal,
                "reason": a.reason,
                "log": {
                    "file": layout.log_name(task_id, a.attempt),
                    "size": a.log_size,
                    "hash": a.log_hash or None,
                },
            }
            for a in task.earlier
        ],
    }
    return encode(data)
