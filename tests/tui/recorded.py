"""Checkpoints made by code, with no engine: what a build would have left at some moment."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from specular_tui.model import event as ev
from specular_tui.model.plan import Task
from specular_tui.store import digest
from specular_tui.store.creating import create_run
from specular_tui.store.recorder import RunRecorder

#: 2024-01-15 10:30:45 UTC.
START = 1_705_314_645_000

#: Where the recorded builds were started.
FOLDER = "/home/ada/orbit"

#: The plan of the recorded builds: id, title, what it needs, seconds that it takes.
STEPS: tuple[tuple[str, str, tuple[str, ...], int], ...] = (
    ("deps/install", "Install the toolchain", (), 31),
    ("deps/fetch", "Fetch third-party sources", (), 44),
    ("gen/version", "Write version.h", ("deps/install",), 1),
    ("gen/parser", "Generate the parser", ("deps/install",), 7),
    ("compile/core", "Compile core", ("gen/version", "gen/parser"), 95),
    ("compile/net", "Compile net", ("gen/version", "deps/fetch"), 71),
    ("compile/ui", "Compile ui", ("gen/version",), 64),
    ("compile/plugins", "Compile plugins", ("compile/core",), 52),
    ("link/app", "Link the application", ("compile/core", "compile/net", "compile/ui"), 12),
    ("link/plugins", "Link the plugins", ("compile/plugins",), 9),
    ("test/unit", "Unit tests", ("link/app",), 120),
    ("test/net", "Network tests", ("compile/net",), 80),
    ("test/ui", "Screen tests", ("link/app",), 140),
    ("test/plugins", "Plugin tests", ("link/plugins", "link/app"), 33),
    ("docs/html", "Documentation", ("gen/parser",), 26),
    ("pack/deb", "Debian package", ("test/unit", "test/net"), 18),
    ("pack/rpm", "RPM package", ("test/unit", "test/net"), 17),
    ("pack/sign", "Sign the packages", ("pack/deb", "pack/rpm"), 3),
)


class RecordedRun:
    """A run that is written event by event. It is live, to readers, until it is closed."""

    def __init__(
        self,
        root: Path,
        run_id: str = "build-2024-01-15T10-30-45",
        *,
        at: int = START,
        name: str = "orbit",
        steps: tuple[tuple[str, str, tuple[str, ...], int], ...] = STEPS,
        jobs: int = 4,
        gates: tuple[str, ...] = (),
        folder: str = FOLDER,
    ) -> None:
        self.root = root
        self.now = at
        self.jobs = jobs
        self.ended = False
        raw = msgspec.json.encode(
            {
                "version": 1,
                "name": name,
                "tasks": [
                    {"id": i, "title": title, "command": f"make {i}", "depends_on": needs, "estimate": seconds}
                    for i, title, needs, seconds in steps
                ],
            }
        )
        tasks = {i: Task(id=i, title=title, command=f"make {i}", depends_on=needs) for i, title, needs, _ in steps}
        created = ev.RunCreated(
            at=at,
            run_id=run_id,
            plan_file="plan.json",
            plan_folder=folder,
            plan_name=name,
            plan_hash=digest.of_bytes(raw),
            host="workbench",
            tasks=tuple(tasks),
            gates=gates,
        )
        self.recorder: RunRecorder = create_run(root, created, plan=raw, policy=None, tasks=tasks)
        self.run_id = self.recorder.state.run_id

    def begin(self, status: str = "in_progress", *, keep_going: bool = False) -> None:
        self.add(
            ev.SessionStarted(
                at=self.now, pid=4711, host="workbench", jobs=self.jobs, keep_going=keep_going, status=status
            )
        )

    def add(self, event: ev.AnyEvent) -> None:
        self.recorder.append(event)

    def wait(self, seconds: float) -> None:
        self.now += int(seconds * 1000)

    def start(self, *ids: str) -> None:
        for task_id in ids:
            attempt = self.recorder.state.task(task_id).attempt + 1
            self.add(ev.TaskStarted(at=self.now, task=task_id, attempt=attempt, pid=5000))

    def end(
        self,
        task_id: str,
        outcome: str = "completed",
        *,
        exit_code: int | None = 0,
        log: str = "",
        signal: str | None = None,
        reason: str | None = None,
    ) -> None:
        task = self.recorder.state.task(task_id)
        if log:
            self.write(task_id, log)
        duration = self.recorder.state.task_elapsed_until(task, self.now) or 0
        self.add(
            ev.TaskEnded(
                at=self.now,
                task=task_id,
                attempt=task.attempt,
                outcome=outcome,
                duration_ms=duration,
                exit_code=exit_code,
                signal=signal,
                reason=reason,
                log_size=len(log.encode()),
                log_hash=digest.of_bytes(log.encode()) if log else "",
            )
        )

    def write(self, task_id: str, log: str) -> None:
        """Write to the log of the task."""
        opened = self.recorder.open_log(task_id)
        os.write(opened.writer, log.encode())
        self.recorder.name_log(opened)
        self.recorder.end_log(opened, printed=False)

    def finish(self, status: str, reason: str = "") -> None:
        """The session's last word; the run is no longer live."""
        elapsed = self.recorder.state.elapsed_until(self.now)
        self.add(ev.SessionEnded(at=self.now, status=status, reason=reason, elapsed_ms=elapsed))
        self.close()

    def close(self) -> None:
        """End as a process that is done: everything on disk, the lock let go."""
        self.ended = True
        self.recorder.close(self.now)

    def vanish(self) -> None:
        """End as a process that is killed, unless it has ended already."""
        if not self.ended:
            self.ended = True
            self.recorder.flush()
            self.recorder.release()


COMPILER = """\
cc -O2 -Wall -c net/socket.c -o net/socket.o
cc -O2 -Wall -c net/tls.c -o net/tls.o
\x1b[1mnet/tls.c:218:14:\x1b[0m \x1b[1;31merror:\x1b[0m too few arguments to function 'tls_handshake'
  218 |     return tls_handshake(session);
      |            \x1b[1;32m^~~~~~~~~~~~~\x1b[0m
make: *** [net/tls.o] Error 1
"""

TESTS = "".join(f"tests/test_{name}.py ... ok\n" for name in ("scanner", "lexer", "tree", "types", "flow", "emit"))


def half_way(
    root: Path, run_id: str = "build-2024-01-15T10-30-45", *, at: int = START, folder: str = FOLDER
) -> RecordedRun:
    """A live build half way: eight tasks done, one failed, two running."""
    run = RecordedRun(root, run_id, at=at, folder=folder)
    run.begin(keep_going=True)
    run.wait(0.2)
    run.start("deps/install", "deps/fetch")
    run.wait(31)
    run.end("deps/install", log="toolchain 14.2 installed\n")
    run.start("gen/version", "gen/parser")
    run.wait(1)
    run.end("gen/version")
    run.start("compile/ui")
    run.wait(6)
    run.end("gen/parser", log="parser.c: 214 states\n")
    run.start("compile/core")
    run.wait(7)
    run.end("deps/fetch", log="fetched 12 archives\n")
    run.start("compile/net")
    run.wait(22)
    run.end("compile/net", "failed", exit_code=2, log=COMPILER)
    run.start("docs/html")
    run.wait(26)
    run.end("docs/html", log="wrote 64 pages\n")
    run.wait(9)
    run.end("compile/ui", log="cc ui/*.c\n")
    run.wait(40)
    run.end("compile/core", log="cc core/*.c\n")
    run.start("compile/plugins")
    run.wait(14)
    run.write("compile/plugins", "cc plugins/alpha.c\ncc plugins/beta.c\ncc plugins/gamma.c\n")
    return run


def finished(
    root: Path,
    run_id: str,
    *,
    at: int,
    fail: str = "",
    name: str = "orbit",
    gates: tuple[str, ...] = (),
    folder: str = FOLDER,
) -> RecordedRun:
    """A stored run: completed, or failed at the task `fail` with the rest still pending; the last gate fails."""
    run = RecordedRun(root, run_id, at=at, name=name, gates=gates, folder=folder)
    run.begin()
    for task_id, _, _, seconds in STEPS:
        run.start(task_id)
        run.wait(seconds / 3)
        if task_id == fail:
            run.end(task_id, "failed", exit_code=1, log=COMPILER)
            run.finish("failed", "a task failed")
            return run
        run.end(task_id, log=TESTS)
    for gate in gates:
        run.start(gate)
        run.wait(4)
        if gate == gates[-1]:
            run.end(gate, "failed", exit_code=1, log=COMPILER)
        else:
            run.end(gate, log=TESTS)
    run.finish("failed" if gates else "completed", "a gate failed" if gates else "")
    return run
