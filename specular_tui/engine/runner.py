"""The runner: carries out what the scheduler says, on the event loop, and what the build is told from outside."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from specular_tui.engine.attempts import Attempts
from specular_tui.engine.background import Background
from specular_tui.engine.cadence import Cadence
from specular_tui.engine.clock import Clock
from specular_tui.engine.executor import Executor
from specular_tui.engine.inputs import Inputs
from specular_tui.engine.launcher import Launcher
from specular_tui.engine.open_files import OpenFiles
from specular_tui.engine.recording import Observer, Recording
from specular_tui.engine.retries import Retries
from specular_tui.engine.scheduler import End, Instruction, Scheduler, Skip, Start
from specular_tui.engine.sleep import Sleep
from specular_tui.engine.snapshots import Snapshots
from specular_tui.engine.steering import steer
from specular_tui.errors import NotLiveError, StorageError, UsageError
from specular_tui.model import event as ev
from specular_tui.model.graph import Graph
from specular_tui.model.plan import Plan, Task
from specular_tui.model.run import RunState, RunStatus, TaskState, TaskStatus
from specular_tui.store.recorder import Recorder


class RunOptions(Struct, frozen=True, kw_only=True):
    """How one session runs."""

    jobs: int = 1
    grace_ms: int = 10_000
    keep_going: bool = False
    run_dependents: bool = False
    #: The pending tasks that may run; None: all.
    only: frozenset[str] | None = None


class Ending(Struct, frozen=True, kw_only=True):
    """How a session ended."""

    status: RunStatus
    #: `SIGINT`, `SIGTERM`, `SIGHUP`, `stopped`, or "" where the build ended by itself.
    reason: str = ""
    #: The checkpoint could not be written; the build was stopped for it.
    error: StorageError | None = None


class Runner:
    """One session of a build. Make it on the loop, then `await run(...)` once."""

    def __init__(
        self,
        *,
        recorder: Recorder,
        plan: Plan,
        graph: Graph,
        gates: Graph,
        remaining: Mapping[str, float],
        executor: Executor,
        clock: Clock,
        cadence: Cadence,
        options: RunOptions,
        marker: str,
        observer: Observer,
        files: OpenFiles | None = None,
    ) -> None:
        """`gates` holds the policy's gates as tasks without dependencies; `marker` names the run in the environment."""
        self._recorder = recorder
        self._graph = graph
        self._gates = gates
        self._remaining = remaining
        self._clock = clock
        self._options = options
        self._loop = asyncio.get_running_loop()
        self._done: asyncio.Future[RunStatus] = self._loop.create_future()
        self._recording = Recording(recorder, observer, self._cannot_record)
        self._record = self._recording.record
        self._background = Background(self._crash)
        self._snapshots = Snapshots(recorder, cadence, clock, self._background, self.storage_failed)
        self._retries = Retries()
        self._sleep = Sleep(self._recording, lambda: recorder.state, clock)
        but = (recorder.path, recorder.path.parent)
        self._inputs = Inputs(plan.folder, but, self._background, self._launch)
        self._attempts = Attempts(
            recorder=recorder,
            recording=self._recording,
            launcher=Launcher(recorder, executor, files or OpenFiles(), plan.folder, marker),
            clock=clock,
            sleep=self._sleep,
            background=self._background,
            folder=plan.folder,
            grace_ms=options.grace_ms,
            takes_retry=self._takes_retry,
            on_end=self._ended,
        )
        self._queue: deque[Instruction] = deque()
        self._performing = False
        self._stopping = ""
        self._frozen = False
        self._gates_phase = False
        #: One that has been made since the last task ended.
        self._mistake: BaseException | None = None

    @property
    def state(self) -> RunState:
        """The state of the run."""
        return self._recorder.state

    @property
    def stopping(self) -> bool:
        """Whether the session has been told to stop."""
        return bool(self._stopping)

    @property
    def _over(self) -> bool:
        """Whether nothing is to be started any more, because the last task has ended."""
        return self._done.done()

    async def run(self, control: str | None = None) -> Ending:
        """Run the session behind its first event, already recorded, to its last. `control` is the socket's path."""
        self._snapshots.start(control)
        self._sleep.start()
        self._scheduler = self._make_scheduler(self._graph)
        self._remaining = {}
        # What is there now stays to the end: the collector need not walk a large plan again and again.
        gc.collect()
        gc.freeze()
        self._perform(self._scheduler.begin())
        status = await self._done
        self._snapshots.close()
        self._sleep.close()
        self._attempts.close()
        await self._background.settle()
        if self._mistake is not None:
            raise self._mistake
        ending = self._close(status)
        # It is a third of what a large plan takes, and the last snapshots need room.
        del self._scheduler
        return ending

    def _make_scheduler(self, graph: Graph) -> Scheduler:
        gates = graph is self._gates
        return Scheduler(
            graph,
            self.state.gates if gates else self.state.tasks,
            jobs=self._options.jobs,
            remaining=dict.fromkeys(graph.tasks, 0.0) if gates else self._remaining,
            keep_going=gates or self._options.keep_going,
            only=None if gates else self._options.only,
            run_dependents=self._options.run_dependents,
        )

    def _close(self, status: RunStatus) -> Ending:
        self._sleep.notice()
        now = self._clock.now()
        if self._stopping and status is RunStatus.COMPLETED:
            self._stopping = ""
        if self.state.frozen_since is not None and status is not RunStatus.PAUSED:
            # The last task ended in the moment in which it was frozen: a frozen run is paused, and cannot end.
            self._record(ev.Thawed(at=now, frozen_ms=now - self.state.frozen_since))
        elapsed = self.state.elapsed_until(now)
        self._record(ev.SessionEnded(at=now, status=status, reason=self._stopping, elapsed_ms=elapsed))
        self._recording.finish(self._clock.now())
        if self.state.status is RunStatus.PAUSED:
            status = RunStatus.PAUSED  # also where the last results were lost
        return Ending(status=status, reason=self._stopping, error=self._recording.error)

    def storage_failed(self, error: StorageError) -> None:
        """The checkpoint cannot be written any more: stop."""
        self._recording.fail(error)

    def _cannot_record(self) -> None:
        self._snapshots.close()
        self._loop.call_soon(self.stop, "storage")

    def _crash(self, error: BaseException) -> None:
        """A mistake in this program: end the session with it, instead of waiting for what will never come."""
        self.kill()
        if self._over:
            self._mistake = self._mistake or error
        else:
            self._done.set_exception(error)

    # Carrying out -------------------------------------------------------------------------------------------------

    def _perform(self, instructions: Iterable[Instruction]) -> None:
        """Carry out instructions, and those that follow from them, one after the other."""
        self._queue.extend(instructions)
        if self._performing:
            return
        self._performing = True
        try:
            while self._queue:
                instruction = self._queue.popleft()
                match instruction:
                    case Start(task):
                        self._start(task)
                    case Skip(task, reason):
                        self._record(ev.TaskSkipped(at=self._clock.now(), task=task, reason=reason))
                    case End(status):
                        self._end(status)
        finally:
            self._performing = False

    def _end(self, status: RunStatus) -> None:
        waiting = any(gate.status is TaskStatus.PENDING for gate in self.state.gates.values())
        if status is RunStatus.COMPLETED and waiting and self._stopping:
            status = RunStatus.PAUSED
        elif status is RunStatus.COMPLETED and waiting and not self._gates_phase:
            self._gates_phase = True
            self._scheduler = self._make_scheduler(self._gates)
            if self._frozen or self.state.draining:
                self._scheduler.hold()
            self._perform(self._scheduler.begin())
            return
        if status is RunStatus.COMPLETED and self.state.failed_for_good():
            status = RunStatus.FAILED
        if not self._over:
            self._done.set_result(status)

    def _task(self, task_id: str) -> Task:
        return (self._gates if self._gates_phase else self._graph).tasks[task_id]

    def _start(self, task_id: str) -> None:
        task = self._task(task_id)
        if task.inputs:
            self._inputs.read(task)
        else:
            self._launch(task, "")

    def _launch(self, task: Task, inputs_hash: str | None) -> None:
        if inputs_hash is None or self._stopping or self._recording.error is not None:
            self._perform(self._scheduler.interrupted(task.id))
            return
        if self._frozen or self.state.draining:
            # While its inputs were read: nothing new starts now.
            self._perform([*self._scheduler.delayed(task.id), *self._scheduler.delay_over(task.id)])
            return
        self._attempts.start(task, inputs_hash)

    def _takes_retry(self, task: Task) -> bool:
        return not self._stopping and self._retries.take(task)

    def _ended(self, task: Task, outcome: str, retry: bool) -> None:
        """An attempt has ended: go on with what follows from it."""
        if retry:
            self._perform(self._scheduler.delayed(task.id))
            self._loop.call_later(task.retry_delay_ms / 1000, self._delay_over, task.id)
        elif outcome == "completed":
            self._perform(self._scheduler.completed(task.id))
        elif outcome == "failed":
            self._perform(self._scheduler.failed(task.id, allowed=task.allow_failure))
        else:
            self._perform(self._scheduler.interrupted(task.id))
        self._snapshots.task_ended(self._clock.now())

    def _delay_over(self, task_id: str) -> None:
        if not self._over:
            self._perform(self._scheduler.delay_over(task_id))

    # Steering -----------------------------------------------------------------------------------------------------

    def freeze(self, by: str = "user") -> None:
        """Make every running task stand still and start nothing new."""
        if self._frozen or self._stopping or self._over:
            return
        self._sleep.notice()
        self._frozen = True
        self._scheduler.hold()
        self._attempts.freeze()
        self._record(ev.Frozen(at=self._clock.now(), by=by))
        self._snapshots.make()

    def thaw(self) -> None:
        """Go on after `freeze` or `drain`."""
        if self._stopping or self._over:
            return
        self._thaw_tasks()
        if self.state.draining:
            self._record(ev.Draining(at=self._clock.now(), on=False))
        self._snapshots.make()
        self._perform(self._scheduler.release())

    def _thaw_tasks(self) -> None:
        if not self._frozen:
            return
        now = self._clock.now()
        since = self.state.frozen_since
        self._record(ev.Thawed(at=now, frozen_ms=now - since if since is not None else 0))
        self._frozen = False
        self._attempts.thaw()

    def drain(self) -> None:
        """Let running tasks end and start nothing new."""
        if self._stopping or self._over or self.state.draining:
            return
        self._scheduler.hold()
        self._record(ev.Draining(at=self._clock.now()))
        self._snapshots.make()

    def stop(self, reason: str) -> None:
        """End the session: first politely, at the second call by force."""
        if self._stopping and reason != "storage":
            self.stop_by_force(reason)
            return
        self._begin_to_stop(reason)
        self._attempts.end_all()
        self._perform(self._scheduler.stop())

    def _begin_to_stop(self, reason: str) -> None:
        if self._stopping:
            return
        self._stopping = reason
        self._inputs.cancel()
        # Behind the session's last event there is none; and what the disk refuses need not be tried again.
        if not self._over and self._recording.error is None:
            self._record(ev.Stopping(at=self._clock.now(), reason=reason))

    def kill(self) -> None:
        """End every running task at once."""
        self._attempts.kill()

    def image_provided(self, image: str) -> None:
        """A container image is there now."""
        known = self.state.context.get("docker_images_pulled", [])
        if image not in known:
            self._record(ev.ContextSet(at=self._clock.now(), values={"docker_images_pulled": [*known, image]}))

    def checkpoint(self) -> None:
        """Rewrite the three JSON files as soon as that can be done."""
        self._snapshots.make()

    def retry(self, task_id: str) -> None:
        """Run a failed or skipped task again in this session."""
        task = self._known(task_id)
        if task.status not in (TaskStatus.FAILED, TaskStatus.SKIPPED):
            raise UsageError(f"task {task_id} is {task.status.value}: only a failed or skipped one can be run again")
        self._retries.renew(task_id)
        self._record(ev.TaskReset(at=self._clock.now(), task=task_id, reason="retried by the user"))
        self._perform(self._scheduler.retry(task_id))

    def retry_failed(self) -> int:
        """Run every failed task again; return how many."""
        failed = self.state.in_status(TaskStatus.FAILED)
        for task_id in failed:
            self.retry(task_id)
        return len(failed)

    def skip(self, task_id: str, *, run_dependents: bool = False) -> None:
        """Leave out a pending or failed task, and what needs it."""
        task = self._known(task_id)
        if task.status not in (TaskStatus.PENDING, TaskStatus.FAILED):
            raise UsageError(f"task {task_id} is {task.status.value}: only a pending or failed one can be skipped")
        skips = self._scheduler.skip(task_id, "skipped by the user", run_dependents=run_dependents)
        if not skips:
            raise UsageError(f"task {task_id} is starting")
        self._perform(skips)

    def stop_task(self, task_id: str) -> None:
        """End a running task; it counts as failed."""
        self._known(task_id)
        if not self._attempts.end(task_id):
            raise UsageError(f"task {task_id} is not running")

    def _known(self, task_id: str) -> TaskState:
        if task_id not in self.state.tasks:
            raise UsageError(f"the run has no task '{task_id[:128]}'")
        return self.state.tasks[task_id]

    def stop_by_force(self, reason: str) -> None:
        """End the session at once."""
        self._begin_to_stop(reason)
        self.kill()
        self._perform(self._scheduler.stop())

    def control(self, command: str, request: Mapping[str, Any]) -> str:
        """Carry out a steering command that came through the socket and return what to tell whoever sent it."""
        if self._over:
            raise NotLiveError("the build has just ended")
        if self._stopping and command not in ("stop", "kill"):
            raise UsageError("the build is stopping: resume the run for anything else")
        if self._gates_phase and command in ("retry", "skip"):
            raise UsageError("every task is done, and the gates run: resume the run to change that")
        return steer(self, command, request)

    def stop_self(self) -> None:
        """Ctrl+Z: freeze the tasks, stop this process, and go on with both, as they were, when it is continued."""
        was_frozen = self._frozen
        self.freeze("terminal")
        os.kill(os.getpid(), signal.SIGSTOP)
        if was_frozen or self._stopping or self._over:
            return
        self._thaw_tasks()
        self._snapshots.make()
        if not self.state.draining:
            self._perform(self._scheduler.release())
