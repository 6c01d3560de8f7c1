"""What an attempt is started with."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import cast

from specular_tui.engine.executor import Executor, Exit, Job, Work
from specular_tui.engine.launcher import Launcher
from specular_tui.engine.open_files import OpenFiles
from specular_tui.model.plan import Task
from specular_tui.store.logs.live import LiveLog
from specular_tui.store.recorder import Recorder
from tests.unit.engine.test_deadlines import Job as ToldJob


class Starts:
    """An executor that writes down what it is given."""

    def __init__(self) -> None:
        self.works: list[Work] = []

    def start(self, work: Work, on_exit: Callable[[Exit], None]) -> Job:
        self.works.append(work)
        return ToldJob()

    def close(self) -> None: ...


def test_an_attempt_knows_its_run_and_runs_where_its_plan_says(tmp_path: Path) -> None:
    fd = os.open(os.devnull, os.O_RDWR)
    log = LiveLog("a.log", "", fd, fd)
    recorder = SimpleNamespace(state=SimpleNamespace(run_id="run"), open_log=lambda task_id: log)
    starts = Starts()
    launcher = Launcher(
        cast("Recorder", recorder), cast("Executor", starts), OpenFiles(), str(tmp_path), "/checkpoints/run"
    )
    task = Task(id="a", command="true", env={"OWN": "1", "SPECULAR_TASK_ID": "forged"}, workdir="sub")
    assert launcher.open_log("a") is log
    launcher.start(task, 2, log, lambda end: None)
    (work,) = starts.works
    assert work.workdir == str(tmp_path / "sub")
    assert work.log_fd == log.writer
    assert work.env == {
        "OWN": "1",
        "SPECULAR_RUN": "/checkpoints/run",
        "SPECULAR_RUN_ID": "run",
        "SPECULAR_TASK_ID": "a",
        "SPECULAR_ATTEMPT": "2",
    }
