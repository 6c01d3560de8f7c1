"""The graph of a plan's tasks: who needs whom, in what order, and what is the longest way to the end."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from specular_tui.model.plan import Task


class _Needs(Mapping[str, tuple[str, ...]]):
    """What each task needs, without saying again what the tasks say."""

    def __init__(self, tasks: dict[str, Task]) -> None:
        self._tasks = tasks

    def __getitem__(self, task_id: str) -> tuple[str, ...]:
        return self._tasks[task_id].depends_on

    def __iter__(self) -> Iterator[str]:
        return iter(self._tasks)

    def __len__(self) -> int:
        return len(self._tasks)


class _Dependents(Mapping[str, Sequence[str]]):
    """Who needs each task; most tasks of a wide plan are needed by none, and cost nothing here."""

    def __init__(self, tasks: dict[str, Task], found: dict[str, list[str]]) -> None:
        self._tasks = tasks
        self._found = found

    def __getitem__(self, task_id: str) -> Sequence[str]:
        found = self._found.get(task_id)
        if found is None and task_id not in self._tasks:
            raise KeyError(task_id)
        return found or ()

    def __iter__(self) -> Iterator[str]:
        return iter(self._tasks)

    def __len__(self) -> int:
        return len(self._tasks)


class Graph:
    """Dependencies of a checked plan, by task id.

    `needs[id]` and `dependents[id]` are direct neighbours; `order` lists every task behind all it needs,
    ties in the order of the plan.
    """

    def __init__(self, tasks: Sequence[Task]) -> None:
        """Build the graph; every dependency must exist and no cycle may be there (`spec.plan_file` checks)."""
        self.tasks: dict[str, Task] = {task.id: task for task in tasks}
        self.needs: Mapping[str, tuple[str, ...]] = _Needs(self.tasks)
        dependents: dict[str, list[str]] = {}
        for task in tasks:
            for need in task.depends_on:
                dependents.setdefault(need, []).append(task.id)
        self.dependents: Mapping[str, Sequence[str]] = _Dependents(self.tasks, dependents)
        self.order: tuple[str, ...] = self._order()

    def _order(self) -> tuple[str, ...]:
        waiting = {task_id: len(needs) for task_id, needs in self.needs.items()}
        ready = deque(task_id for task_id, count in waiting.items() if count == 0)
        order: list[str] = []
        while ready:
            task_id = ready.popleft()
            order.append(task_id)
            for dependent in self.dependents[task_id]:
                waiting[dependent] -= 1
                if waiting[dependent] == 0:
                    ready.append(dependent)
        return tuple(order)

    def remaining_path(self, duration: Callable[[Task], float]) -> dict[str, float]:
        """Return for each task the length of the longest way from its start to the end of the build.

        `duration` gives one task's own length; the unit of the result is the unit that it answers in.
        """
        length: dict[str, float] = {}
        tasks, dependents = self.tasks, self.dependents
        for task_id in reversed(self.order):
            after = 0.0
            for dependent in dependents[task_id]:
                after = max(after, length[dependent])
            length[task_id] = duration(tasks[task_id]) + after
        return length

    def critical_path(self, duration: Callable[[Task], float]) -> list[str]:
        """Return the ids on one longest way through the plan, first to last."""
        if not self.order:
            return []
        length = self.remaining_path(duration)
        path = [max((i for i in self.order if not self.needs[i]), key=length.__getitem__)]
        while self.dependents[path[-1]]:
            path.append(max(self.dependents[path[-1]], key=length.__getitem__))
        return path

    def levels(self) -> dict[str, int]:
        """Return for each task how many tasks stand before it on the way with most steps (0: none)."""
        level: dict[str, int] = {}
        for task_id in self.order:
            level[task_id] = max((level[need] + 1 for need in self.needs[task_id]), default=0)
        return level

    def descendants(self, roots: Iterable[str]) -> set[str]:
        """Return every task that needs one of `roots`, directly or not; the roots only if they do."""
        return self._reach(roots, self.dependents)

    def ancestors(self, roots: Iterable[str]) -> set[str]:
        """Return every task that one of `roots` needs, directly or not."""
        return self._reach(roots, self.needs)

    @staticmethod
    def _reach(roots: Iterable[str], edges: Mapping[str, Sequence[str]]) -> set[str]:
        seen: set[str] = set()
        stack = [edge for root in roots for edge in edges[root]]
        while stack:
            task_id = stack.pop()
            if task_id not in seen:
                seen.add(task_id)
                stack.extend(edges[task_id])
        return seen
