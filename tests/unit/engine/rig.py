"""A runner with real processes and a real journal, for the tests of the runner."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from specular_tui.engine.cadence import Cadence
from specular_tui.engine.clock import Clock
from specular_tui.engine.exits import Exits
from specular_tui.engine.process import ProcessExecutor
from specular_tui.engine.runner import Ending, Runner, RunOptions
from specular_tui.model import event as ev
from specular_tui.model.graph import Graph
from specular_tui.model.plan import Plan, Task
from specular_tui.model.run import RunState, TaskState
from specular_tui.store.creating import create_run
from specular_tui.store.recorder import RunRecorder
from tests.recorded import plan_bytes


class Rig:
    """One session of a build of `tasks` in `folder`."""

    def __init__(
        self,
        folder: Path,
        tasks: Sequence[Task],
        *,
        gates: Sequence[Task] = (),
        every_tasks: int = 10,
        recorder: Callable[..., RunRecorder] = create_run,
        **options: Any,
    ) -> None:
        self.folder = folder
        self.graph = Graph(tasks)
        self.clock = Clock()
        #: Every event of the session, in the order in which it was recorded.
        self.events: list[ev.AnyEvent] = []
        #: What is done when an event has been recorded.
        self.on_event: Callable[[ev.AnyEvent], None] = lambda event: None
        created = ev.RunCreated(
            at=self.clock.now(),
            run_id="run",
            plan_file="plan.json",
            plan_folder=str(folder),
            plan_name="p",
            plan_hash="h",
            tasks=tuple(self.graph.tasks),
            gates=tuple(gate.id for gate in gates),
        )
        self.recorder = recorder(
            folder / "checkpoints", created, plan=plan_bytes(tasks), policy=None, tasks=self.graph.tasks
        )
        self.recorder.append(ev.SessionStarted(at=self.clock.now(), pid=1, jobs=options.get("jobs", 1)))
        plan = Plan(name="p", tasks=tuple(tasks), hash="h", file="plan.json", folder=str(folder))
        self.exits = Exits(asyncio.get_running_loop())
        self.executor = ProcessExecutor(self.exits)
        self.runner = Runner(
            recorder=self.recorder,
            plan=plan,
            graph=self.graph,
            gates=Graph(gates),
            remaining=self.graph.remaining_path(lambda task: 1.0),
            executor=self.executor,
            clock=self.clock,
            cadence=Cadence(every_tasks=every_tasks, every_ms=300_000),
            options=RunOptions(**options),
            marker=str(self.recorder.path),
            observer=self._note,
        )

    def _note(self, event: ev.AnyEvent, state: RunState) -> None:
        self.events.append(event)
        self.on_event(event)

    async def run(self, seconds: float = 20) -> Ending:
        """Run the session to its end."""
        try:
            return await asyncio.wait_for(self.runner.run(), seconds)
        finally:
            self.runner.kill()
            self.recorder.close(self.clock.now())
            self.exits.close()
            self.executor.close()

    def start(self) -> asyncio.Task[Ending]:
        """Begin to run the session."""
        return asyncio.get_running_loop().create_task(self.run())

    @property
    def state(self) -> RunState:
        return self.recorder.state

    def task(self, task_id: str) -> TaskState:
        return self.state.task(task_id)

    def started(self) -> list[str]:
        """The ids of the tasks in the order in which their attempts started."""
        return [event.task for event in self.events if isinstance(event, ev.TaskStarted)]

    def log(self, task_id: str, attempt: int | None = None) -> bytes:
        name = f"{task_id}.log" if attempt is None else f"{task_id}.{attempt}.log"
        path = self.recorder.path / "outputs" / name
        # A task that has printed nothing yet need not have one.
        return path.read_bytes() if path.exists() else b""

    def most_at_once(self) -> int:
        """How many attempts ran at the same time, at most."""
        most = now = 0
        for event in self.events:
            now += isinstance(event, ev.TaskStarted) - isinstance(event, ev.TaskEnded)
            most = max(most, now)
        return most


async def until(holds: Callable[[], object], seconds: float = 10) -> None:
    """Wait until `holds` says something true."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it never came to be"
        await asyncio.sleep(0.005)
