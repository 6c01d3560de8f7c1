"""What can be said of a plan before it is built: its order, its levels, its longest way, and how long it may take."""

from __future__ import annotations

from heapq import heappop, heappush

from msgspec import Struct

from specular_tui.engine.scheduler import End, Instruction, Scheduler, Start
from specular_tui.model.graph import Graph
from specular_tui.model.plan import Plan, Task
from specular_tui.model.run import TaskState

#: A task that the plan does not estimate counts as long as this, in seconds.
UNKNOWN = 1.0


class Outline(Struct, frozen=True, kw_only=True):
    """A plan as the scheduler sees it. Times are seconds."""

    #: The order in which tasks start, with so many at once.
    order: tuple[str, ...]
    jobs: int
    #: How many tasks stand before each one on the way with most steps.
    levels: dict[str, int]
    critical_path: tuple[str, ...]
    critical_seconds: float
    #: All tasks one after the other, and with so many at once.
    work_seconds: float
    expected_seconds: float
    #: Tasks that the plan does not estimate.
    unknown: int


def outline(plan: Plan, jobs: int) -> Outline:
    """Return what a build of `plan` would do with `jobs` tasks at once, if every task took what the plan expects."""
    graph = Graph(plan.tasks)
    remaining = graph.remaining_path(_duration)
    order, end = _rehearse(graph, remaining, jobs)
    critical = graph.critical_path(_duration)
    return Outline(
        order=tuple(order),
        jobs=jobs,
        levels=graph.levels(),
        critical_path=tuple(critical),
        critical_seconds=round(sum(_duration(graph.tasks[i]) for i in critical), 3),
        work_seconds=round(sum(_duration(task) for task in plan.tasks), 3),
        expected_seconds=round(end, 3),
        unknown=sum(task.estimate is None for task in plan.tasks),
    )


def _duration(task: Task) -> float:
    return UNKNOWN if task.estimate is None else task.estimate


def _rehearse(graph: Graph, remaining: dict[str, float], jobs: int) -> tuple[list[str], float]:
    """Let the scheduler run the plan by a clock that only this knows; return the order of starts, and the time."""
    scheduler = Scheduler(graph, {i: TaskState() for i in graph.tasks}, jobs=jobs, remaining=remaining)
    order: list[str] = []
    ending: list[tuple[float, int, str]] = []
    now = 0.0
    instructions: list[Instruction] = scheduler.begin()
    while True:
        for instruction in instructions:
            match instruction:
                case Start(task=task):
                    order.append(task)
                    heappush(ending, (now + _duration(graph.tasks[task]), len(order), task))
                case End():
                    return order, now
                case _:
                    pass
        if not ending:
            return order, now
        now, _, task = heappop(ending)
        instructions = scheduler.completed(task)
