"""Which tasks cannot run because one that they need has failed, kept up to date as tasks fail and run again."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from specular_tui.model.graph import Graph
from specular_tui.model.run import RunState, TaskStatus


class Blocked(set[str]):
    """The ids of pending tasks downstream of a failed one.

    What it costs to keep up grows with what is downstream of the failures, each looked at once, and not with the plan.
    """

    def __init__(self) -> None:
        """Nothing has failed yet."""
        super().__init__()
        self._failed: set[str] = set()
        self._reached: set[str] = set()

    def update_for(
        self, state: RunState, graph: Graph | None, failed: Collection[str], touched: Iterable[str] = ()
    ) -> None:
        """Bring it up to date: `failed` are all that have, `touched` the tasks that may stand otherwise than before."""
        if self._failed and not self._failed <= set(failed):
            # One runs again: who knows what else leads to what it blocked.
            self.forget()
        if graph is not None:
            for task_id in failed:
                if task_id not in self._failed and task_id in graph.tasks:
                    self._failed.add(task_id)
                    self._reach(task_id, state, graph)
        for task_id in touched:
            if task_id in self._reached:
                (self.add if _pending(state, task_id) else self.discard)(task_id)

    def forget(self) -> None:
        """Begin anew: tasks, plan or failures are others."""
        self.clear()
        self._failed.clear()
        self._reached.clear()

    def _reach(self, root: str, state: RunState, graph: Graph) -> None:
        stack = [root]
        while stack:
            for task_id in graph.dependents[stack.pop()]:
                if task_id not in self._reached:
                    self._reached.add(task_id)
                    stack.append(task_id)
                    if _pending(state, task_id):
                        self.add(task_id)


def blocked(state: RunState, graph: Graph) -> Blocked:
    """Return what is blocked in a run of the plan `graph`, from scratch."""
    found = Blocked()
    found.update_for(state, graph, state.failed_for_good())
    return found


def _pending(state: RunState, task_id: str) -> bool:
    task = state.tasks.get(task_id)
    return task is not None and task.status is TaskStatus.PENDING
