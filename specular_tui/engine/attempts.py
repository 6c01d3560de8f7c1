"""The attempts of a session: each is started, watched, judged and recorded here, and what came of it is told."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable

from specular_tui.engine import endings, verdict
from specular_tui.engine.background import Background
from specular_tui.engine.clock import Clock
from specular_tui.engine.deadlines import Deadlines
from specular_tui.engine.executor import Exit, StartError
from specular_tui.engine.launcher import Launcher
from specular_tui.engine.naming import Naming
from specular_tui.engine.recording import Recording
from specular_tui.engine.running import Running
from specular_tui.engine.sleep import Sleep
from specular_tui.engine.verdict import Verdict
from specular_tui.errors import StorageError
from specular_tui.model import event as ev
from specular_tui.model.plan import Task
from specular_tui.model.run import INTERRUPTED
from specular_tui.store.explaining import explain
from specular_tui.store.logs.live import LiveLog
from specular_tui.store.recorder import Recorder

#: Told of an attempt that has ended and been recorded: the task, what came of it (`completed`, `failed` or
#: `interrupted`), and whether another attempt follows after the task's delay.
OnEnd = Callable[[Task, str, bool], None]


class Attempts:
    """The running attempts, by task. Only for use on the session's loop."""

    def __init__(
        self,
        *,
        recorder: Recorder,
        recording: Recording,
        launcher: Launcher,
        clock: Clock,
        sleep: Sleep,
        background: Background,
        folder: str,
        grace_ms: int,
        takes_retry: Callable[[Task], bool],
        on_end: OnEnd,
    ) -> None:
        """`folder` is the plan's; attempts that are told to end have `grace_ms` for it.

        `takes_retry` is asked whether another attempt follows one that has failed by itself; it counts them.
        """
        self._recorder = recorder
        self._recording = recording
        self._record = recording.record
        self._launcher = launcher
        self._clock = clock
        self._sleep = sleep
        self._background = background
        self._folder = folder
        self._takes_retry = takes_retry
        self._on_end = on_end
        self._running: dict[str, Running] = {}
        self._deadlines = Deadlines(grace_ms, self._ran_for)
        self._naming = Naming(self._running.values, recorder, clock, recording.fail)

    def start(self, task: Task, inputs_hash: str) -> None:
        """Start the next attempt of a task, whose inputs have the digest `inputs_hash`.

        One that cannot be started has failed; one that there is no room for a log for is interrupted.
        """
        state = self._recorder.state
        number = state.task(task.id).attempt + 1
        try:
            log = self._launcher.open_log(task.id)
        except StorageError as error:
            self._recording.fail(error)
            self._on_end(task, INTERRUPTED, False)
            return
        try:
            job = self._launcher.start(task, number, log, lambda end: self._exited(task.id, end))
        except StartError as error:
            self._not_started(task, number, log, error)
            return
        now = self._clock.now()
        running = self._running[task.id] = Running(
            task=task,
            attempt=number,
            job=job,
            log=log,
            started_at=now,
            frozen_before_ms=state.frozen_ms,
            inputs_hash=inputs_hash,
        )
        self._record(
            ev.TaskStarted(
                at=now, task=task.id, attempt=number, pid=job.pid, pid_start=job.pid_start, container=job.container
            )
        )
        if task.timeout_ms is not None:
            self._deadlines.start(running)
        if log.temporary:
            self._naming.soon()
        self._recorder.prepare_log()

    def _not_started(self, task: Task, number: int, log: LiveLog, error: StartError) -> None:
        now = self._clock.now()
        with contextlib.suppress(OSError):
            os.write(log.writer, f"specular: {error}\n".encode(errors="replace"))
        with contextlib.suppress(StorageError):
            self._recorder.name_log(log)
        size, log_hash = verdict.hash_log(log)
        self._record(ev.TaskStarted(at=now, task=task.id, attempt=number))
        # A program or folder that is missing is missing a moment later too: not worth the plan's retries.
        retry = error.passing and self._takes_retry(task)
        event = endings.not_started(task, number, error, at=now, log_size=size, log_hash=log_hash, retry=retry)
        log_fd = self._recorder.end_log(log, printed=size > 0)
        self._record(event, *(() if log_fd is None else (log_fd,)))
        self._on_end(task, "failed", retry)

    def _exited(self, task_id: str, end: Exit) -> None:
        self._sleep.notice()
        running = self._running[task_id]
        running.ended = True
        if running.ended_by or running.task.timeout_ms is not None:
            self._deadlines.stop(running)
        size = os.fstat(running.log.fd).st_size
        if size:
            # Before anything is recorded: what recovers a killed engine's work finds the log by its name.
            self._naming.name(running)
        if verdict.needs_thread(running, end, size):
            if end.exit_code == 0 and end.reason is None and not running.ended_by:
                self._record_exit(running, end)
            self._background.start(self._judge_in_thread(running, end))
        else:
            self._ended(running, end, verdict.judge(running, end, self._folder))

    def _record_exit(self, running: Running, end: Exit) -> None:
        self._record(endings.exited(running, end, at=self._clock.now(), ran_ms=self._ran_for(running)))

    async def _judge_in_thread(self, running: Running, end: Exit) -> None:
        self._ended(running, end, await asyncio.to_thread(verdict.judge, running, end, self._folder))

    def _ended(self, running: Running, end: Exit, found: Verdict) -> None:
        task = running.task
        if found.failure is not None:
            path = self._recorder.log_path(task.id)
            self._recording.fail(explain(found.failure, "write checkpoint", path))
        del self._running[task.id]
        now = self._clock.now()
        ran_ms = running.ran_for(now, self._recorder.state.frozen_until(now))
        retry = found.outcome == "failed" and running.ended_by != "user" and self._takes_retry(task)
        log_fd = self._recorder.end_log(running.log, printed=found.log_size > 0)
        files = found.files if log_fd is None else (log_fd, *found.files)
        self._record(endings.ended(running, end, found, at=now, ran_ms=ran_ms, retry=retry), *files)
        self._on_end(task, found.outcome, retry)

    def _ran_for(self, running: Running) -> int:
        now = self._clock.now()
        return running.ran_for(now, self._recorder.state.frozen_until(now))

    def freeze(self) -> None:
        """Make all of them stand still, and their deadlines with them."""
        for running in self._running.values():
            self._deadlines.stop(running)
            running.job.freeze()

    def thaw(self) -> None:
        """Let all of them go on."""
        for running in self._running.values():
            running.job.thaw()
            self._deadlines.start(running)

    def end(self, task_id: str) -> bool:
        """End the attempt of a task, which has failed then; False where none runs."""
        running = self._running.get(task_id)
        if running is None:
            return False
        self._deadlines.end(running, "user")
        return True

    def end_all(self) -> None:
        """Ask all of them to end, because the session does; what has not ended after the grace period is killed."""
        for running in tuple(self._running.values()):
            self._deadlines.end(running, "stop")

    def kill(self) -> None:
        """End all of them at once."""
        for running in self._running.values():
            if not running.ended:
                running.ended_by = running.ended_by or "stop"
                running.job.kill()

    def close(self) -> None:
        """Give logs names no more: none runs."""
        self._naming.close()
