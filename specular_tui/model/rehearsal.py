"""How long tasks will take together: so many at once, each when what it needs has ended. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from heapq import heapify, heappop, heappush

from specular_tui.model.graph import Graph
from specular_tui.model.plan import Task

#: So many tasks are played through; of more, only the bounds are looked at.
MOST = 20_000


def together_ms(
    graph: Graph, left: Mapping[str, float], jobs: int, running: Collection[str] = (), most: int = MOST
) -> float:
    """Return the milliseconds until all tasks of `left` have ended, each of which takes as long as `left` says.

    Tasks that are not in `left` have ended. Those `running` have begun; the rest begin as the scheduler would let them:
    the most urgent first, then the one with the longest way to the end before it.
    """
    jobs = max(1, jobs)
    after = _remaining(graph, left)
    chain = max((after[task_id] for task_id in left if task_id in after), default=0.0)
    work = sum(left.values()) / min(jobs, max(1, len(left)))
    if jobs >= len(left) or len(left) > most:
        return max(chain, work) if jobs < len(left) else chain
    return _played(graph, left, jobs, running, after)


def _remaining(graph: Graph, left: Mapping[str, float]) -> dict[str, float]:
    duration: Callable[[Task], float] = lambda task: left.get(task.id, 0.0)  # noqa: E731  it is called for each task
    return graph.remaining_path(duration)


def _played(
    graph: Graph, left: Mapping[str, float], jobs: int, running: Collection[str], after: Mapping[str, float]
) -> float:
    order = {task_id: (graph.tasks[task_id].priority, -after[task_id], task_id) for task_id in left}
    waiting = {task_id: sum(need in left for need in graph.needs[task_id]) for task_id in left}
    busy = [(left[task_id], task_id) for task_id in running if task_id in left]
    begun = {task_id for _, task_id in busy}
    ready = [order[task_id] for task_id, needs in waiting.items() if not needs and task_id not in begun]
    heapify(busy)
    heapify(ready)
    now = 0.0
    while busy or ready:
        while ready and len(busy) < jobs:
            task_id = heappop(ready)[2]
            heappush(busy, (now + left[task_id], task_id))
        now, ended = heappop(busy)
        for dependent in graph.dependents[ended]:
            if dependent in waiting:
                waiting[dependent] -= 1
                if not waiting[dependent] and dependent not in begun:
                    heappush(ready, order[dependent])
    return now
