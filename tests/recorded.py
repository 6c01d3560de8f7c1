"""Checkpoints made by code, with no engine: what a build would have left at some moment, logs and hashes included."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import msgspec
import pytest

from specular_tui.model import event as ev
from specular_tui.model.plan import Task
from specular_tui.store import commit, digest, layout, reopening
from specular_tui.store.creating import create_run
from specular_tui.store.journal import JournalDamage, JournalReader
from specular_tui.store.logs.live import LiveLog
from specular_tui.store.recorder import RunRecorder

#: 2024-01-15 10:30:45 UTC.
START = 1_705_314_645_000
RUN = "build-2024-01-15T10-30-45"

TASKS = (
    Task(id="fetch", title="Fetch", command="curl -O https://example.org/a.tar"),
    Task(id="src/Compile.c", command=("cc", "-c", "a.c"), depends_on=("fetch",), env={"API_TOKEN": "hunter2"}),
    Task(id="test", title="Tests", command="make test", depends_on=("src/Compile.c",)),
    Task(id="docs", command="make docs"),
)


def plan_bytes(tasks: Sequence[Task]) -> bytes:
    """Return a plan.json that defines `tasks`."""
    return msgspec.json.encode(
        {"version": 1, "name": "webapp", "tasks": [msgspec.to_builtins(task) for task in tasks]},
    )


def no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let records reach the disk only when they are flushed, so that a test knows which have."""
    monkeypatch.setattr(commit, "WINDOW", 3600)


def events_in(run: Path) -> list[ev.AnyEvent]:
    """Return the events that the journal in the folder `run` still holds, oldest first; damage ends the list."""
    reader = JournalReader()
    try:
        return reader.feed((run / layout.JOURNAL).read_bytes())
    except JournalDamage:
        return reader.recovered


class Recorded:
    """A run that is written event by event, as an engine writes it. It is live, to readers, until it is left."""

    def __init__(
        self,
        root: Path,
        run_id: str = RUN,
        *,
        tasks: Sequence[Task] = TASKS,
        policy: bytes | None = None,
        gates: Sequence[str] = (),
        at: int = START,
    ) -> None:
        self.root = root
        self.now = at
        self.tasks: Mapping[str, Task] = {task.id: task for task in tasks}
        self.plan = plan_bytes(tasks)
        self.policy = policy
        created = ev.RunCreated(
            at=at,
            run_id=run_id,
            plan_file="plan.json",
            plan_folder="/home/ada/webapp",
            plan_name="webapp",
            plan_hash=digest.of_bytes(self.plan),
            policy_file=".specular/policy.yaml" if policy is not None else None,
            policy_hash=digest.of_bytes(policy) if policy is not None else None,
            host="workbench",
            tasks=tuple(self.tasks),
            gates=tuple(gates),
        )
        self.recorder: RunRecorder = create_run(root, created, plan=self.plan, policy=policy, tasks=self.tasks)
        self.run_id = self.recorder.state.run_id
        self._logs: dict[str, LiveLog] = {}

    @property
    def path(self) -> Path:
        """The folder of the run."""
        return self.root / self.run_id

    @property
    def outputs(self) -> Path:
        """The folder of its logs and records."""
        return self.path / layout.OUTPUTS

    def add(self, event: ev.AnyEvent, *files: int) -> None:
        """Record an event."""
        self.recorder.append(event, *files)

    def wait(self, seconds: float = 1) -> None:
        """Let time pass."""
        self.now += int(seconds * 1000)

    def begin(self, status: str = "in_progress", **more: object) -> None:
        """Begin a session."""
        self.add(ev.SessionStarted(at=self.now, pid=4711, host="workbench", jobs=2, status=status, **more))  # type: ignore[arg-type]

    def start(self, task: str, log: bytes = b"") -> None:
        """Start the next attempt of a task, which prints `log`."""
        opened = self.recorder.open_log(task)
        os.write(opened.writer, log)
        self.recorder.name_log(opened)
        self._logs[task] = opened
        self.add(ev.TaskStarted(at=self.now, task=task, attempt=self.recorder.state.task(task).attempt + 1, pid=5000))

    def print(self, task: str, log: bytes) -> None:
        """Have a running task print more."""
        os.write(self._logs[task].writer, log)

    def end(self, task: str, outcome: str = "completed", *, will_retry: bool = False) -> None:
        """End the running attempt of a task."""
        log = self._logs.pop(task)
        size, found = digest.of_file(log.fd)
        self.recorder.end_log(log, printed=True)
        known = self.recorder.state.task(task)
        self.add(
            ev.TaskEnded(
                at=self.now,
                task=task,
                attempt=known.attempt,
                outcome=outcome,
                duration_ms=self.now - (known.started_at or self.now),
                will_retry=will_retry,
                exit_code={"completed": 0, "failed": 2}.get(outcome),
                signal="SIGTERM" if outcome == "interrupted" else None,
                reason=None if outcome == "completed" else outcome,
                log_size=size,
                log_hash=found,
            ),
            log.fd,
        )

    def run(self, task: str, outcome: str = "completed", log: bytes | None = None) -> None:
        """Let a task run for two seconds."""
        self.start(task, f"{task}: building\n".encode() * 20 if log is None else log)
        self.wait(2)
        self.end(task, outcome)

    def snapshot(self) -> None:
        """Publish the three files."""
        self.recorder.prepare_snapshot(self.now)()

    def finish(self, status: str, reason: str = "") -> Self:
        """The session's last word; the run is no longer live."""
        elapsed = self.recorder.state.elapsed_until(self.now)
        self.add(ev.SessionEnded(at=self.now, status=status, reason=reason, elapsed_ms=elapsed))
        self.leave()
        return self

    def leave(self) -> None:
        """End as a process that is done."""
        self._close_logs()
        self.recorder.close(self.now)

    def vanish(self) -> Self:
        """End as a process that is killed."""
        self._close_logs()
        self.recorder.release()
        return self

    def reopen(self) -> reopening.OpenedRun:
        """Take the run's lock again, as a resume does; what is found there goes on being written by this."""
        opened = reopening.open_run(self.root, self.run_id, tasks=self.tasks, now=self.now)
        self.recorder = opened.recorder
        return opened

    def _close_logs(self) -> None:
        for log in self._logs.values():
            os.close(log.writer)
            os.close(log.fd)
        self._logs.clear()


def recorder_of(root: Path, run_id: str, tasks: Mapping[str, Task]) -> RunRecorder:
    """Take the lock of any stored run."""
    return reopening.open_run(root, run_id, tasks=tasks, now=START).recorder


def completed(root: Path, run_id: str = RUN, **more: object) -> Recorded:
    """A run in which everything went well; one task needed a second attempt, one printed nothing."""
    run = Recorded(root, run_id, **more)  # type: ignore[arg-type]
    run.begin()
    run.run("fetch")
    run.start("src/Compile.c", b"error: out of memory\n")
    run.wait()
    run.end("src/Compile.c", "failed", will_retry=True)
    run.run("docs", log=b"")
    run.snapshot()
    run.run("src/Compile.c")
    run.run("test", log=b"\x1b[32mok\x1b[0m\n" * 400)
    return run.finish("completed")


def paused(root: Path, run_id: str = RUN, **more: object) -> Recorded:
    """A run that was interrupted by Ctrl+C in its third task."""
    run = Recorded(root, run_id, **more)  # type: ignore[arg-type]
    run.begin()
    run.run("fetch")
    run.run("docs")
    run.start("src/Compile.c", b"compiling\n")
    run.wait()
    run.end("src/Compile.c", "interrupted")
    return run.finish("paused", "SIGINT")


def failed(root: Path, run_id: str = RUN, **more: object) -> Recorded:
    """A run whose second task failed."""
    run = Recorded(root, run_id, **more)  # type: ignore[arg-type]
    run.begin()
    run.run("fetch")
    run.run("src/Compile.c", "failed")
    return run.finish("failed")


def killed(root: Path, run_id: str = RUN, **more: object) -> Recorded:
    """A run whose process was killed while two tasks ran; its last snapshot is older than its journal.

    What came after the snapshot had not been brought to disk yet, if `no_sync` is in force.
    """
    run = Recorded(root, run_id, **more)  # type: ignore[arg-type]
    run.begin()
    run.run("fetch")
    run.snapshot()
    run.run("src/Compile.c")
    run.start("test", b"half a log")
    run.start("docs")
    run.wait()
    return run.vanish()
