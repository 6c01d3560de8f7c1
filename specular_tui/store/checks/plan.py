"""A run's copies of its plan and its policy, against the hashes and the tasks that the journal names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from specular_tui.model.quote import plain
from specular_tui.model.run import RunState
from specular_tui.store import digest, layout, strictjson
from specular_tui.store.checks.report import HASHES, METADATA, PRESENT
from specular_tui.store.folder import Folder
from specular_tui.store.logs import kept

_LONGEST: Final = 80 << 20


def flaws(run: Folder, state: RunState) -> Iterator[tuple[str, str, str]]:
    """Yield (line of the report, file, reason) for what is wrong with the plan and the policy of the run `state`."""
    plan = _copy(run, layout.PLAN, layout.NEXT_PLAN, state.plan_hash)
    if isinstance(plan, bytes):
        yield from _tasks(plan, state)
    else:
        yield plan
    if state.policy_hash is not None:
        policy = _copy(run, layout.POLICY, layout.NEXT_POLICY, state.policy_hash)
        if not isinstance(policy, bytes):
            yield policy
    elif (reason := kept.no_file(run, layout.POLICY)) is not None:
        yield PRESENT, layout.POLICY, reason
    elif run.has(layout.POLICY) and not run.has(layout.NEXT_POLICY):
        yield HASHES, layout.POLICY, "is there, and the run has no policy"


def _copy(run: Folder, name: str, waiting: str, expected: str) -> bytes | tuple[str, str, str]:
    """Return the file in force, or what is wrong with it; after a crash it may still wait under another name."""
    line, reason = PRESENT, "is missing"
    for there in (name, waiting):
        try:
            data = run.read(there, _LONGEST)
        except FileNotFoundError:
            continue
        except OSError as error:
            if there == name:
                reason = kept.fault(error).reason
            continue
        found = digest.of_bytes(data)
        if found == expected:
            return data
        if there == name:
            line, reason = HASHES, f"expected {expected}, found {found}"
    return line, name, reason


def _tasks(plan: bytes, state: RunState) -> Iterator[tuple[str, str, str]]:
    try:
        tasks = {str(task["id"]) for task in strictjson.read(plan)["tasks"]}
    except (strictjson.NotJson, KeyError, TypeError):
        return  # a plan in YAML, whose hash has just proved it
    if tasks != set(state.tasks):
        name = plain(min(tasks ^ set(state.tasks)))[:128]
        yield METADATA, layout.PLAN, f"does not have the tasks of the journal: {name} is in one of them only"
