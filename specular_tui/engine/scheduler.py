"""What runs next. Pure: events in, instructions out; no clock, no I/O, nothing that waits.

The cost of an event grows with the number of dependents of its task, not with the size of the plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from heapq import heapify, heappop, heappush
from typing import NamedTuple

from specular_tui.model.graph import Graph
from specular_tui.model.run import RunStatus, TaskState, TaskStatus


class Start(NamedTuple):
    """Start the next attempt of a task."""

    task: str


class Skip(NamedTuple):
    """A task will not run."""

    task: str
    reason: str


class End(NamedTuple):
    """Nothing runs and nothing more can start: the tasks' part of the build is over."""

    status: RunStatus


Instruction = Start | Skip | End


class Scheduler:
    """Decides what starts, for one session of a build.

    Every method returns the instructions that follow from what it was told; they must all be carried out.
    A task is *satisfied* when its dependents may run: completed, skipped, or failed where the plan allows that.
    """

    def __init__(
        self,
        graph: Graph,
        tasks: Mapping[str, TaskState],
        *,
        jobs: int,
        remaining: Mapping[str, float],
        keep_going: bool = False,
        only: Iterable[str] | None = None,
        run_dependents: bool = False,
    ) -> None:
        """Begin with the states that `tasks` are in.

        `remaining` is the longest path from each task to the end: among ready tasks of one priority the longest starts
        first. `only` names the pending tasks that may run at all (None: every one). `run_dependents` lets tasks run
        whose dependencies were skipped.
        """
        self._graph = graph
        self._jobs = max(1, jobs)
        self._keep_going = keep_going
        self._run_dependents = run_dependents
        self._only = None if only is None else set(only)
        tasks_of_plan = graph.tasks
        #: All tasks, in the order in which they start where all of them could.
        self._by_rank = sorted(graph.tasks, key=lambda i: (tasks_of_plan[i].priority.value, -remaining[i]))
        self._rank = {task_id: rank for rank, task_id in enumerate(self._by_rank)}
        self._status = {task_id: tasks[task_id].status for task_id in graph.tasks}
        self._allowed = {task_id for task_id in graph.tasks if tasks[task_id].allowed}
        #: How many of its needs each task still waits for; nothing for one that waits for none.
        self._unmet: dict[str, int] = {}
        for task_id, task in graph.tasks.items():
            if unmet := sum(not self._satisfied(need) for need in task.depends_on):
                self._unmet[task_id] = unmet
        self._failed = {i for i, status in self._status.items() if status is TaskStatus.FAILED} - self._allowed
        #: Failures of before do not keep this session from working on what is pending; its own do.
        self._halted_by: set[str] = set()
        #: Tasks that somebody has asked to be run again: they start although another one has failed.
        self._asked: set[str] = set()
        #: The ranks of tasks that could start; a sorted list is a heap.
        self._ready = [self._rank[i] for i in self._by_rank if self._is_startable(i) and self._may_run(i)]
        self._running: set[str] = set()
        self._delayed: set[str] = set()
        self._held = False
        self._stopped = False
        self._ended = False

    @property
    def running(self) -> int:
        """How many tasks run."""
        return len(self._running)

    def begin(self) -> list[Instruction]:
        """Start the session."""
        return self._next()

    def completed(self, task: str) -> list[Instruction]:
        """An attempt has succeeded."""
        self._running.discard(task)
        self._asked.discard(task)
        self._settle(task, TaskStatus.COMPLETED)
        return self._next()

    def failed(self, task: str, *, allowed: bool = False) -> list[Instruction]:
        """The last attempt of a task has failed; `allowed`: the plan lets its dependents run all the same."""
        self._running.discard(task)
        self._asked.discard(task)
        if allowed:
            self._allowed.add(task)
            self._settle(task, TaskStatus.FAILED)
        else:
            self._status[task] = TaskStatus.FAILED
            self._failed.add(task)
            self._halted_by.add(task)
        return self._next()

    def interrupted(self, task: str) -> list[Instruction]:
        """An attempt was ended from outside; the task is pending, and does not start again in this session."""
        self._running.discard(task)
        self._asked.discard(task)
        self._status[task] = TaskStatus.PENDING
        return self._next()

    def delayed(self, task: str) -> list[Instruction]:
        """An attempt has failed and another one follows once `delay_over` is told."""
        self._running.discard(task)
        self._status[task] = TaskStatus.PENDING
        self._delayed.add(task)
        return self._next()

    def delay_over(self, task: str) -> list[Instruction]:
        """The next attempt of a task may start."""
        if task in self._delayed:
            self._delayed.discard(task)
            if self._status[task] is TaskStatus.PENDING:
                heappush(self._ready, self._rank[task])
        return self._next()

    def hold(self) -> list[Instruction]:
        """Start nothing new until `release`; the build does not end meanwhile."""
        self._held = True
        return []

    def release(self) -> list[Instruction]:
        """Go on after `hold`."""
        self._held = False
        return self._next()

    def stop(self) -> list[Instruction]:
        """Start nothing any more; the build ends when the running tasks have."""
        self._stopped = True
        return self._next()

    def retry(self, task: str) -> list[Instruction]:
        """Run a failed or skipped task again, and what waits for it."""
        if self._status[task] in (TaskStatus.FAILED, TaskStatus.SKIPPED):
            if self._only is not None:
                self._only |= {task} | self._graph.descendants([task])
            was_satisfied = self._satisfied(task)
            self._failed.discard(task)
            self._halted_by.discard(task)
            self._allowed.discard(task)
            self._asked.add(task)
            self._status[task] = TaskStatus.PENDING
            if was_satisfied:
                for dependent in self._graph.dependents[task]:
                    self._unmet[dependent] = self._unmet.get(dependent, 0) + 1
            self._make_ready(task)
        return self._next()

    def skip(self, task: str, reason: str, *, run_dependents: bool = False) -> list[Instruction]:
        """Leave out a task that is not running or completed; pending tasks that need it are left out with it."""
        if self._status[task] not in (TaskStatus.PENDING, TaskStatus.FAILED):
            return []
        was_satisfied = self._satisfied(task)
        self._failed.discard(task)
        self._halted_by.discard(task)
        self._delayed.discard(task)
        self._asked.discard(task)
        skips: list[Instruction] = [Skip(task, reason)]
        if not (run_dependents or self._run_dependents):
            # Marked first, so that settling the task itself makes none of them ready.
            for dependent in self._ordered(self._graph.descendants([task])):
                if self._status[dependent] is TaskStatus.PENDING and dependent not in self._running:
                    self._status[dependent] = TaskStatus.SKIPPED
                    self._delayed.discard(dependent)
                    skips.append(Skip(dependent, f"needs {task}, which was skipped"))
        if was_satisfied:
            self._status[task] = TaskStatus.SKIPPED
        else:
            self._settle(task, TaskStatus.SKIPPED)
        for skipped in skips[1:]:
            assert isinstance(skipped, Skip)
            self._settle(skipped.task, TaskStatus.SKIPPED)
        return skips + self._next()

    def _ordered(self, tasks: set[str]) -> list[str]:
        return [task for task in self._graph.order if task in tasks] if tasks else []

    def _satisfied(self, task: str) -> bool:
        status = self._status[task]
        return status in (TaskStatus.COMPLETED, TaskStatus.SKIPPED) or (
            status is TaskStatus.FAILED and task in self._allowed
        )

    def _may_run(self, task: str) -> bool:
        return self._only is None or task in self._only

    def _make_ready(self, task: str) -> None:
        if self._is_startable(task) and self._may_run(task):
            heappush(self._ready, self._rank[task])

    def _settle(self, task: str, status: TaskStatus) -> None:
        """A task is satisfied from now on."""
        self._status[task] = status
        for dependent in self._graph.dependents[task]:
            left = self._unmet.pop(dependent) - 1
            if left:
                self._unmet[dependent] = left
            else:
                self._make_ready(dependent)

    def _next(self) -> list[Instruction]:
        if self._ended:
            return []
        instructions: list[Instruction] = []
        halted = self._stopped or (bool(self._halted_by) and not self._keep_going)
        if not (self._held or self._stopped):
            while len(self._running) < self._jobs and (task := self._take(halted)) is not None:
                self._status[task] = TaskStatus.IN_PROGRESS
                self._running.add(task)
                instructions.append(Start(task))
        if not self._running and self._is_over(halted):
            self._ended = True
            instructions.append(End(self._outcome()))
        return instructions

    def _take(self, halted: bool) -> str | None:
        """Take the first of the ready tasks that may start; None where there is none."""
        if halted:
            asked = [i for i in self._asked if self._may_start(i)]
            if not asked:
                return None
            rank = min(map(self._rank.__getitem__, asked))
            self._ready = [other for other in self._ready if other != rank]
            heapify(self._ready)
            return self._by_rank[rank]
        while self._ready:
            task = self._by_rank[heappop(self._ready)]
            if self._may_start(task):
                return task
        return None

    def _may_start(self, task: str) -> bool:
        """Tell whether a task could start at this moment; one that was left out and asked for again is ready twice."""
        return self._is_startable(task) and task not in self._delayed and self._may_run(task)

    def _is_over(self, halted: bool) -> bool:
        if self._stopped:
            return True
        unfinished = bool(self._delayed) or any(self._is_startable(self._by_rank[rank]) for rank in self._ready)
        if self._held:
            # A held build ends only where there is nothing left to hold back.
            return not unfinished and not self._halted_by
        asked = any(task in self._delayed or self._may_start(task) for task in self._asked)
        return not unfinished or (halted and not asked)

    def _is_startable(self, task: str) -> bool:
        return self._status[task] is TaskStatus.PENDING and task not in self._unmet

    def _outcome(self) -> RunStatus:
        unfinished = any(status is TaskStatus.PENDING for status in self._status.values())
        if self._failed and not self._stopped:
            return RunStatus.FAILED
        return RunStatus.PAUSED if unfinished or self._failed else RunStatus.COMPLETED
