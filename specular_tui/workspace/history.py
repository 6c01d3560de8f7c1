"""What the tasks of a plan took in its past runs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from specular_tui.errors import SpecularError
from specular_tui.model.run import RunState
from specular_tui.model.usual import Usual, usual
from specular_tui.store import checkpoint

#: So many of the newest runs are looked at; fewer where their journals are longer than `_LONG` together.
_RUNS = 5
_LONG = 16 << 20


def past(root: Path, plan_path: str, *, but: str | None = None) -> dict[str, Usual]:
    """Return what each task of the plan `plan_path` took in its newest past runs.

    The run `but` is left out; runs that cannot be read are passed over. Tasks that never completed are not in it.
    """
    return usual(_past_states(root, plan_path, but))


def past_durations(root: Path, plan_path: str, *, but: str | None = None) -> dict[str, float]:
    """Return the usual milliseconds of each task of the plan `plan_path`: the median of `past`."""
    return {task_id: known.median for task_id, known in past(root, plan_path, but=but).items()}


def usual_durations(states: Iterable[RunState]) -> dict[str, float]:
    """Return the median milliseconds of each task over `states`, of its completed attempts alone."""
    return {task_id: known.median for task_id, known in usual(states).items()}


def _past_states(root: Path, plan_path: str, but: str | None) -> list[RunState]:
    states = []
    read = 0
    for run in checkpoint.summaries(root):
        if run.run_id == but or run.live or run.damage is not None or run.metadata.get("plan_path") != plan_path:
            continue
        try:
            stored = checkpoint.load(root, run.run_id)
        except SpecularError:
            continue
        states.append(stored.state)
        read += stored.journal_bytes
        if len(states) == _RUNS or read > _LONG:
            break
    return states
