"""When the live run in view will probably end: worked out on a thread, now and then."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Mapping
from functools import partial
from typing import Final

import msgspec

from specular_tui.errors import SpecularError
from specular_tui.model.forecast import remaining_ms
from specular_tui.model.graph import Graph
from specular_tui.model.plan import Task
from specular_tui.model.run import RunState, TaskStatus
from specular_tui.tui.bridge.outlet import Outlet
from specular_tui.tui.messages import RunMoved
from specular_tui.tui.views import RunView
from specular_tui.workspace import history

#: It is worked out again after this many seconds at the earliest, and after so many times what that took.
PACE: Final = 2.0
SHARE: Final = 100


class Outlook:
    """Keeps `RunView.left`."""

    def __init__(self, outlet: Outlet) -> None:
        """What is expected is written to the run on the desk."""
        self._outlet = outlet
        self._due = 0.0
        #: The run that was looked at last, and the one whose past is known.
        self._looked: RunView | None = None
        self._view: RunView | None = None
        #: The run that it was last worked out for.
        self.done: RunView | None = None
        self._usual: Mapping[str, float] = {}

    def look(self) -> None:
        """Work it out again if it is time; nothing happens for a run that is not going on."""
        view = self._outlet.desk.view
        if view is not self._looked:
            self._looked, self._due = view, 0.0
        if view is not None and view.moving and view.graph is not None and time.monotonic() >= self._due:
            self._due = float("inf")
            self._outlet.spawn(partial(self._work, view), "outlook", True)

    async def _work(self, view: RunView) -> None:
        began = time.monotonic()
        try:
            if view is not self._view:
                self._view, self._usual = view, await asyncio.to_thread(partial(self._past, view.run_id, view.state))
                began = time.monotonic()
            now = self._outlet.desk.clock.now()
            # Tasks come and go while a session starts: the next time will do.
            with contextlib.suppress(RuntimeError, KeyError):
                left = await asyncio.to_thread(partial(self._left, view, now))
                view.left = (left, now) if left else None
                self._outlet.tell(RunMoved(frozenset()))
                self.done = view
        finally:
            ended = time.monotonic()
            self._due = ended + max(PACE, SHARE * (ended - began))

    def _past(self, run_id: str, state: RunState) -> Mapping[str, float]:
        """Return the usual seconds of each task."""
        path = os.path.join(state.plan_folder, os.path.basename(state.plan_file))
        try:
            found = history.past_durations(self._outlet.root, path, but=run_id)
        except (SpecularError, OSError):
            return {}
        return {task_id: took / 1000 for task_id, took in found.items()}

    def _left(self, view: RunView, now: int) -> int | None:
        """Return the milliseconds until all has ended that can: what needs a failed task waits for somebody."""
        state, graph = view.state, view.graph
        if graph is None:
            return None
        estimates = {task.id: task.estimate for task in graph.tasks.values() if task.estimate is not None}
        blocked = graph.descendants([i for i in tuple(view.failed) if i in graph.dependents])
        if blocked:
            tasks = {task_id: task for task_id, task in state.tasks.items() if task_id not in blocked}
            state = msgspec.structs.replace(state, tasks=tasks)
        expected = {**estimates, **self._usual}
        left = remaining_ms(state, now, expected)
        return None if left is None else max(left, _longest(state, graph, now, expected))


def _longest(state: RunState, graph: Graph, now: int, expected: Mapping[str, float]) -> int:
    """Return the milliseconds of the longest chain of tasks that wait for each other."""

    def duration(task: Task) -> float:
        found = state.tasks.get(task.id)
        if found is None or found.status not in (TaskStatus.PENDING, TaskStatus.IN_PROGRESS):
            return 0.0
        whole = expected.get(task.id, 0.0) * 1000
        running = found.status is TaskStatus.IN_PROGRESS
        return max(0.0, whole - (state.task_elapsed_until(found, now) or 0)) if running else whole

    return round(max(graph.remaining_path(duration).values(), default=0.0))
