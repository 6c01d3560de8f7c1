"""How long a build will still take: an estimate from what its tasks took before, and from what the plan expects."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from msgspec import Struct

from specular_tui.model.graph import Graph
from specular_tui.model.rehearsal import together_ms
from specular_tui.model.run import RunState, TaskStatus
from specular_tui.model.usual import Usual


class Forecast(Struct, frozen=True):
    """When a build will have ended, from now on, in milliseconds without frozen time."""

    low_ms: int
    likely_ms: int
    high_ms: int

    def __add__(self, more_ms: int) -> Forecast:
        """Return the same with so much more time before it; never less than nothing."""
        low, likely, high = (max(0, ms + more_ms) for ms in (self.low_ms, self.likely_ms, self.high_ms))
        return Forecast(low, likely, high)


#: How far a task may be from what the plan says of it, from what it took the one time it ran, and from what the other
#: tasks of the run take where nothing else is known.
_PLANNED: Final = (0.7, 1.5)
_ONCE: Final = (0.8, 1.25)
_UNKNOWN: Final = (0.3, 2.0)
#: How much longer, in shares of what it has taken so far, a task may take that takes longer than all others: where long
#: times are as much rarer as they are longer, three in five end in between.
_LONGEST: Final = (0.3, 1.0, 4.0)
#: Of so many tasks it must be known how long they take before others are likened to them: of this share of both, but of
#: no fewer than the first number, and the second is always enough.
_SHARE: Final = 0.1
_FEWEST: Final = (3, 20)
#: Of fewer than these nothing is known where a task takes so many times as long as the longest of them.
_WEAK: Final = 10
_BEYOND: Final = 2.0
#: A task that takes longer than ever may take this share of its time on top.
_OVERDUE: Final = 0.2
#: Until so much of what is known of all tasks has ended, how long they took says less than what was known.
_FIRST: Final = 0.1


def expected_ms(graph: Graph, usual: Mapping[str, Usual]) -> dict[str, float]:
    """Return what each task will probably take: as in past runs, else as the plan says; others are left out."""
    known = {task.id: task.estimate * 1000 for task in graph.tasks.values() if task.estimate is not None}
    return known | {task_id: past.median for task_id, past in usual.items()}


def forecast(
    state: RunState,
    graph: Graph,
    now: int,
    usual: Mapping[str, Usual],
    left: Iterable[str] | None = None,
    jobs: int | None = None,
    gates_left: Collection[str] | None = None,
) -> Forecast | None:
    """Return when all tasks and gates that can still end will have ended; None where nothing is known yet.

    What needs a task that has failed for good waits for somebody, and is not counted; nor is anything that has not
    started, where the session does not keep going after a failure. `left` and
    `gates_left` name the tasks and gates that are to run where that is not what `state` says; `jobs` how many at once.
    """
    spans = _spans(state, graph, now, usual, left)
    if spans is None:
        return None
    jobs = jobs or (state.sessions[-1].jobs if state.sessions else 1)
    running = [task_id for task_id in state.running if task_id in graph.tasks] if left is None else []
    gates = _gates(state, usual, now, gates_left)
    gate_jobs = max(1, min(jobs, len(state.gates if gates_left is None else gates_left)))
    found = []
    for end in range(3):
        tasks = {task_id: span[end] for task_id, span in spans.items()}
        found.append(together_ms(graph, tasks, jobs, running) + gates[end] / gate_jobs)
    # Tasks that take longer can end earlier together, because they are then put into another order.
    return Forecast(round(min(found)), round(found[1]), round(max(found)))


_Span = tuple[float, float, float]


def _spans(
    state: RunState, graph: Graph, now: int, usual: Mapping[str, Usual], left: Iterable[str] | None
) -> dict[str, _Span] | None:
    """Return for each task that is still to end how long that takes: at least, probably, at most."""
    ended = {
        i: float(t.duration_ms) for i, t in state.tasks.items() if t.status is TaskStatus.COMPLETED and t.duration_ms
    }
    pace = _pace(ended, {i: past.median for i, past in usual.items() if i in graph.tasks})
    planned = {task.id: task.estimate * 1000 for task in graph.tasks.values() if task.estimate}
    planned_pace = _pace({i: took for i, took in ended.items() if i not in usual}, planned)
    tasks = list(_open(state, graph) if left is None else left)
    # A task that never ran before is likened to those that have, in this run or in others.
    timed = sorted(({i: past.median for i, past in usual.items() if i in graph.tasks} | ended).values())
    new = sum(task_id not in usual and task_id not in planned for task_id in tasks)
    enough = len(timed) >= min(_FEWEST[1], max(_FEWEST[0], _SHARE * (len(timed) + new)))
    middle, longest = (timed[len(timed) // 2], timed[-1]) if timed and enough else (None, 0.0)
    spans: dict[str, _Span] = {}
    for task_id in tasks:
        likened = False
        if (past := usual.get(task_id)) is not None:
            low, high = (past.median * _ONCE[0], past.median * _ONCE[1]) if past.runs == 1 else (past.low, past.high)
            span = (low * min(1.0, pace), past.median * pace, high * max(1.0, pace))
        elif (guess := planned.get(task_id)) is not None:
            span = _stretched(guess * planned_pace, _PLANNED)
        elif middle is not None:
            span = _stretched(middle, _UNKNOWN)
            likened = True
        else:
            return None
        task = state.tasks.get(task_id)
        if left is None and task is not None and task.status is TaskStatus.IN_PROGRESS:
            elapsed = state.task_elapsed_until(task, now) or 0
            if likened and elapsed > _BEYOND * longest and len(timed) < _WEAK:
                return None
            if likened and elapsed > longest:
                # Of one that takes longer than all others nothing is known but that: it may be half done.
                span = (_LONGEST[0] * elapsed, _LONGEST[1] * elapsed, _LONGEST[2] * elapsed)
            elif likened and elapsed > span[1]:
                span = _stretched(elapsed, _UNKNOWN)
            else:
                span = _rest(span, elapsed)
        spans[task_id] = span
    return spans


def _open(state: RunState, graph: Graph) -> list[str]:
    failed = [i for i in state.in_status(TaskStatus.FAILED) if not state.tasks[i].allowed and i in graph.dependents]
    if failed and not state.keeps_going:
        # What had failed before is pending again, or skipped: this has failed in the session that runs.
        return [i for i in state.running if i in graph.tasks]
    blocked = graph.descendants(failed) if failed else set()
    unfinished = (TaskStatus.PENDING, TaskStatus.IN_PROGRESS)
    if state.only is not None:
        # What the session is not to run waits for another one.
        wanted = {*state.only, *state.running}
        return [i for i in state.tasks if i in wanted and state.tasks[i].status in unfinished and i in graph.tasks]
    return [i for i, t in state.tasks.items() if t.status in unfinished and i not in blocked and i in graph.tasks]


def _stretched(middle: float, ends: tuple[float, float]) -> _Span:
    return middle * ends[0], middle, middle * ends[1]


def _rest(span: _Span, elapsed: int) -> _Span:
    low, likely, high = (max(0.0, whole - elapsed) for whole in span)
    return low, likely, high or _OVERDUE * elapsed


def _pace(ended: Mapping[str, float], known: Mapping[str, float]) -> float:
    """Return how much longer tasks take in this run than was known of them; a few short ones say little."""
    pairs = [(took, known[task_id]) for task_id, took in ended.items() if known.get(task_id)]
    if not pairs:
        return 1.0
    took, guess = sum(took for took, _ in pairs), sum(guess for _, guess in pairs)
    # As if some more had taken what was known of it: one more task, and in the first seconds, in which nothing is in
    # memory yet, as much as a part of them all.
    usual = max(guess / len(pairs), _FIRST * sum(known.values()))
    return (took + usual) / (guess + usual)


def _gates(state: RunState, usual: Mapping[str, Usual], now: int, left: Iterable[str] | None) -> _Span:
    """Return what the gates that are to come, or run, will take one after the other."""
    low = likely = high = 0.0
    unfinished = (TaskStatus.PENDING, TaskStatus.IN_PROGRESS)
    for gate_id in left if left is not None else [i for i, gate in state.gates.items() if gate.status in unfinished]:
        if (past := usual.get(gate_id)) is None:
            continue
        gate = state.gates.get(gate_id)
        runs = left is None and gate is not None and gate.status is TaskStatus.IN_PROGRESS
        elapsed = (state.task_elapsed_until(gate, now) or 0) if gate is not None and runs else 0
        low += max(0.0, past.low - elapsed)
        likely += max(0.0, past.median - elapsed)
        high += max(0.0, past.high - elapsed)
    return low, likely, high
