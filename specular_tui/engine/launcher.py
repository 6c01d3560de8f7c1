"""Starts attempts: a log for each, and its command with the environment and the folder that the plan gives it."""

from __future__ import annotations

import os
from collections.abc import Callable

from specular_tui.engine.executor import Executor, Exit, Job, Work
from specular_tui.engine.open_files import OpenFiles
from specular_tui.engine.processes import MARKER, TASK
from specular_tui.model.plan import Task
from specular_tui.store.logs.live import LiveLog
from specular_tui.store.recorder import Recorder


class Launcher:
    """Starts the attempts of one session."""

    def __init__(self, recorder: Recorder, executor: Executor, files: OpenFiles, folder: str, marker: str) -> None:
        """`folder` is the plan's, `marker` names the run in the environment of its tasks, and `files` moves open
        logs to where they are in nobody's way.
        """
        self._recorder = recorder
        self._executor = executor
        self._files = files
        self._folder = folder
        #: What every task finds in its environment.
        self._env = {MARKER: marker, "SPECULAR_RUN_ID": recorder.state.run_id}
        self._workdirs: dict[str, str] = {}

    def open_log(self, task_id: str) -> LiveLog:
        """Return a log for the next attempt of a task.

        Raises:
            StorageError: there is no room for one.
        """
        log = self._recorder.open_log(task_id)
        log.fd, log.writer = self._files.put_away(log.fd), self._files.put_away(log.writer)
        return log

    def start(self, task: Task, attempt: int, log: LiveLog, on_exit: Callable[[Exit], None]) -> Job:
        """Start an attempt that prints into `log`; `on_exit` is called when nothing of it is left.

        Raises:
            StartError: it could not be started.
        """
        work = Work(
            task=task.id,
            attempt=attempt,
            command=task.command,
            env={**task.env, **self._env, TASK: task.id, "SPECULAR_ATTEMPT": str(attempt)},
            workdir=self._workdir(task.workdir),
            image=task.image,
            log_fd=log.writer,
        )
        return self._executor.start(work, on_exit)

    def _workdir(self, name: str) -> str:
        found = self._workdirs.get(name)
        if found is None:
            found = self._workdirs[name] = os.path.join(self._folder, name)
        return found
