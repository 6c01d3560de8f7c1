"""metadata.json, state.json and progress.json against the journal: pure functions from bytes to what is wrong.

Each of the three says at which record of the journal it was written, and is a function of the state at that record. So
a file that is byte for byte what that function gives is proved at once; one that is not is read strictly, to say what
differs. Where the journal cannot say any more (it was folded, or is damaged in front of that record), types and sums
are all that can be proved.

Every function returns what is wrong as ends of `it …`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from specular_tui.model.quote import plain
from specular_tui.model.run import ENDING, RunState, RunStatus, TaskStatus
from specular_tui.store import layout, seal, snapshot, strictjson

#: More differences of one file than this are not listed.
_SHOWN = 8
_LATER = frozenset(ENDING)


class _Metadata(msgspec.Struct):
    run_id: str
    created_at: str | None
    updated_at: str | None
    plan_file: str
    plan_hash: str
    policy_file: str | None
    status: RunStatus
    total_tasks: int
    completed_tasks: int
    failed_tasks: int
    skipped_tasks: int
    format: int
    host: str
    plan_name: str
    plan_path: str
    policy_hash: str | None
    interrupted: bool
    imported: bool
    reason: str
    elapsed_ms: int
    frozen_ms: int
    created_at_ms: int
    updated_at_ms: int
    control: str | None
    journal_seq: int
    journal_chain: str
    journal_bytes: int
    #: Checkpoints of before have none of these.
    draining: bool = False
    stopping: bool = False
    metadata_hash: str = ""


class _State(msgspec.Struct):
    current_task: str | None
    completed: list[str]
    failed: list[str]
    skipped: list[str]
    pending: list[str]
    running: list[str]
    context: dict[str, Any]
    journal_seq: int


class _Entry(msgspec.Struct):
    status: TaskStatus
    started_at: str | None
    completed_at: str | None
    duration_ms: int | None
    exit_code: int | None
    output_hash: str | None = None
    signal: str | None = None
    attempt: int = 0
    reason: str | None = None


class _Progress(msgspec.Struct):
    tasks: dict[str, _Entry]
    gates: dict[str, _Entry]
    journal_seq: int


class _Seq(msgspec.Struct):
    journal_seq: int


class _Hash(msgspec.Struct):
    output_hash: str | None = None


class _Hashes(msgspec.Struct):
    tasks: dict[str, _Hash]
    gates: dict[str, _Hash]


def seq_of(data: bytes) -> int | None:
    """Return the record that a snapshot says it was written at, or None where it says none."""
    try:
        return msgspec.json.decode(data, type=_Seq).journal_seq
    except (ValueError, RecursionError):
        return None


def output_hashes(data: bytes) -> dict[str, str]:
    """Return the `output_hash` of each task and gate in progress.json; none where it cannot be read."""
    try:
        found = msgspec.json.decode(data, type=_Hashes)
    except (ValueError, RecursionError):
        return {}
    entries = (found.tasks | found.gates).items()
    return {task: entry.output_hash for task, entry in entries if entry.output_hash is not None}


def metadata(data: bytes, state: RunState | None, journal_bytes: int | None) -> list[str]:
    """Return what is wrong with metadata.json.

    `state` is the journal's at the record that the file names, None where the journal cannot say; `journal_bytes` the
    offset behind that record, None where it is not in the journal any more.
    """
    try:
        found = _read(data, _Metadata)
    except strictjson.NotJson as error:
        return [str(error)]
    if found["format"] != layout.FORMAT:
        return [f"has format {found['format']}, and this version of specular reads format {layout.FORMAT}"]
    if state is None:
        return []
    expected = snapshot.metadata(state, now=state.updated_at, journal_bytes=journal_bytes or found["journal_bytes"])
    # The working time of a session that goes on depends on the moment of writing; a live run names its socket.
    if state.session is not None:
        if found["elapsed_ms"] >= expected["elapsed_ms"]:
            expected["elapsed_ms"] = found["elapsed_ms"]
        if state.frozen_since is not None and found["frozen_ms"] >= expected["frozen_ms"]:
            expected["frozen_ms"] = found["frozen_ms"]
        expected["control"] = found["control"]
    # Checkpoints of before do not say that a session starts nothing new.
    expected = seal.sealed({name: value for name, value in expected.items() if name in found or name not in _LATER})
    if seal.FIELD not in found:
        del expected[seal.FIELD]
    return _differences(found, expected) or _rewritten(data, expected)


def states(data: bytes, state: RunState | None) -> list[str]:
    """Return what is wrong with state.json; `state` as for `metadata`."""
    expected = snapshot.states(state) if state is not None else None
    if expected is not None and data == snapshot.encode(expected):
        return []
    try:
        found = _read(data, _State)
    except strictjson.NotJson as error:
        return [str(error)]
    if expected is None:
        return _contradictions(found)
    return _differences(found, expected) or _rewritten(data, expected)


def progress(data: bytes, state: RunState | None) -> list[str]:
    """Return what is wrong with progress.json but for its hashes; `state` as for `metadata`."""
    hashes = output_hashes(data)
    expected = snapshot.progress(state, hashes) if state is not None else None
    if expected is not None and data == snapshot.encode(expected):
        return _unhashed(state, hashes)
    try:
        found = _read(data, _Progress)
    except strictjson.NotJson as error:
        return [str(error)]
    if expected is None:
        return []
    if found["journal_seq"] != expected["journal_seq"]:
        return [_differs("journal_seq", found["journal_seq"], expected["journal_seq"])]
    problems: list[str] = []
    for group in ("tasks", "gates"):
        kind, there, known = group[:-1], found[group], expected[group]
        problems += [f"has no {kind} {plain(i)}, and the journal has" for i in known if i not in there]
        problems += [f"has a {kind} {plain(i)}, and the journal has not" for i in there if i not in known]
        problems += [
            f"{kind} {plain(i)}: {difference}"
            for i, entry in known.items()
            for difference in _differences(there.get(i, entry), entry)
        ]
        if list(found[group]) != list(expected[group]) and not problems:
            problems.append(f"its {group} are not in the order of the plan")
    return _few(problems) or _unhashed(state, hashes) or _rewritten(data, expected)


class Rewritten(str):
    """Says that a file holds what it should hold, in other bytes than Specular's: no damage, but worth a note."""

    __slots__ = ()


def _rewritten(data: bytes, expected: Mapping[str, Any]) -> list[str]:
    if data == snapshot.encode(expected):
        return []
    return [Rewritten("holds what it should, but not in the bytes that Specular writes")]


def _unhashed(state: RunState | None, hashes: Mapping[str, str]) -> list[str]:
    """Every result has its hash, but for those of attempts that were interrupted."""
    if state is None:
        return []
    return _few(
        [
            f"task {plain(task_id)}: has no output_hash"
            for task_id, task in (state.tasks | state.gates).items()
            if task_id not in hashes and snapshot.has_record(task) and task.outcome in ("completed", "failed")
        ]
    )


def _read(data: bytes, schema: Any) -> dict[str, Any]:
    """Return the object in `data`, of the right types.

    Raises:
        NotJson: it is not that.
    """
    found: dict[str, Any] = strictjson.read(data)
    try:
        msgspec.convert(found, schema)
    except msgspec.ValidationError as error:
        raise strictjson.NotJson(f"is not as it was written: {plain(str(error))[:200]}") from None
    return found


def _contradictions(found: Mapping[str, Any]) -> list[str]:
    """Return what in state.json cannot be, whatever the journal says."""
    groups = [found[name] for name in ("completed", "failed", "skipped", "pending")]
    if sum(map(len, groups)) != len(set().union(*groups)):
        return ["lists a task twice"]
    if not set(found["running"]) <= set(found["pending"]) | {i for i in found["running"] if i.startswith("@")}:
        return ["lists a running task that is not pending"]
    if found["current_task"] != (found["running"][0] if found["running"] else None):
        return ["names a current task that is not the first of the running ones"]
    return []


def _differences(found: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    return _few(
        [
            _differs(key, found[key], value) if key in found else f"has no '{key}'"
            for key, value in expected.items()
            if key not in found or _canonical(found[key]) != _canonical(value)
        ]
    )


def _canonical(value: Any) -> bytes:
    return msgspec.json.encode(value, order="sorted")


def _differs(key: str, found: Any, expected: Any) -> str:
    if isinstance(found, list) and isinstance(expected, list):
        there, known = set(found), set(expected)
        extra, missing = [i for i in found if i not in known], [i for i in expected if i not in there]
        if extra or missing:
            words = [f"has {_name(extra)}, and the journal has not"] if extra else []
            words += [f"lacks {_name(missing)}"] if missing else []
            return f"{key} {' and '.join(words)}"
        return f"{key} is not in the order of the plan"
    return f"{key} is {_short(found)}, and the journal says {_short(expected)}"


def _name(tasks: list[Any]) -> str:
    more = f" and {len(tasks) - 1} more" if len(tasks) > 1 else ""
    return f"{_short(tasks[0])}{more}"


def _short(value: Any) -> str:
    text = plain(msgspec.json.encode(value).decode())
    return text if len(text) <= 90 else text[:90] + "…"


def _few(problems: list[str]) -> list[str]:
    if len(problems) <= _SHOWN:
        return problems
    return [*problems[:_SHOWN], f"… and {len(problems) - _SHOWN} more differences"]
