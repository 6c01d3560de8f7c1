"""How long a task usually takes: what its past runs took, in the middle and at both ends."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from specular_tui.model.run import RunState

#: A task is slow from this share over its median on, and this many milliseconds, where no past run took as long.
_SHARE = 1.25
_LEAST_MS = 1_000


class Usual(Struct, frozen=True, gc=False):
    """What a task took in past runs, in milliseconds, frozen time not counted."""

    median: float
    low: float
    high: float
    #: How many runs that says.
    runs: int


def usual(states: Iterable[RunState]) -> dict[str, Usual]:
    """Return what each task and gate took over `states`; only completed attempts count."""
    found: dict[str, list[int]] = {}
    for state in states:
        for tasks in (state.tasks, state.gates):
            for task_id, task in tasks.items():
                if task.outcome == "completed" and task.duration_ms is not None:
                    found.setdefault(task_id, []).append(task.duration_ms)
    return {task_id: _of(sorted(times)) for task_id, times in found.items()}


def _of(times: list[int]) -> Usual:
    half, odd = divmod(len(times), 2)
    # `statistics` takes longer to import than all the rest.
    median = times[half] if odd else (times[half - 1] + times[half]) / 2
    return Usual(float(median), float(times[0]), float(times[-1]), len(times))


def is_slow(took_ms: float, expected: Usual) -> bool:
    """Tell whether a task took longer than it ever did, and so much longer than usual that it is worth a look."""
    return took_ms > max(expected.high, expected.median * _SHARE + _LEAST_MS)
