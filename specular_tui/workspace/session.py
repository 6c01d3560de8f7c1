"""One session of a build: the event loop, the signals and the socket around the runner."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import functools
import os
import signal
import socket
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from specular_tui.engine import control, processes
from specular_tui.engine.cadence import Cadence
from specular_tui.engine.clock import Clock
from specular_tui.engine.container.engine import Engine
from specular_tui.engine.executor import Executor
from specular_tui.engine.exits import Exits
from specular_tui.engine.guard import Guard
from specular_tui.engine.open_files import OpenFiles
from specular_tui.engine.process import ProcessExecutor
from specular_tui.engine.runner import Ending, Runner, RunOptions
from specular_tui.model import event as ev
from specular_tui.model.graph import Graph
from specular_tui.model.plan import Plan, Task
from specular_tui.model.policy import Policy
from specular_tui.model.run import GATE_PREFIX, INTERRUPTED, RunState
from specular_tui.spec.settings import Settings
from specular_tui.store.explaining import explain
from specular_tui.store.recorder import Recorder, RunRecorder
from specular_tui.workspace.face import Face

#: `timeout`, `npm` and others pass a signal on that the terminal sends as well: so soon it is the same one.
_ECHO_S: Final = 0.05
_STOPPING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def boot_id() -> str:
    """Return what tells one boot of this machine from the next, or "" where nothing does."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def session_started(settings: Settings, clock: Clock, status: str, *, keep_going: bool) -> ev.SessionStarted:
    """Return the first event of a session of this process."""
    return ev.SessionStarted(
        at=clock.now(),
        pid=os.getpid(),
        boot_id=boot_id(),
        host=socket.gethostname(),
        jobs=settings.jobs,
        keep_going=keep_going,
        status=status,
    )


def gate_tasks(policy: Policy) -> Graph:
    """Return the gates of a policy as tasks without dependencies."""
    return Graph(
        [
            Task(id=GATE_PREFIX + gate.id, title=gate.id, command=gate.command, allow_failure=not gate.must_pass)
            for gate in policy.gates
        ]
    )


def is_same_boot(state: RunState) -> bool:
    """Tell whether this machine has been up since the last session: what that wrote is there as it was written."""
    last = state.sessions[-1] if state.sessions else None
    return last is not None and last.boot_id == boot_id() != "" and last.host == socket.gethostname()


def end_leftovers(state: RunState, marker: str, engine: Engine | None) -> int:
    """End what a killed engine has left of the run `state`; return how many processes, groups and containers."""
    groups = [
        (task.pid, task.pid_start)
        for tasks in (state.tasks, state.gates)
        for task in tasks.values()
        if task.pid is not None and task.outcome in ("", INTERRUPTED)
    ]
    ended = processes.end_leftovers(marker, groups if is_same_boot(state) else [])
    return ended + (engine.remove_all(marker) if engine is not None else 0)


def run_session(
    recorder: Recorder,
    plan: Plan,
    graph: Graph,
    settings: Settings,
    *,
    remaining: Mapping[str, float],
    options: RunOptions,
    clock: Clock,
    marker: str,
    guard: Guard,
    engine: Engine | None,
    face: Face,
) -> Ending:
    """Run a session whose first event has been recorded, until it ends or is stopped."""

    async def work() -> Ending:
        loop = asyncio.get_running_loop()
        files = OpenFiles(options.jobs)
        exits = Exits(loop, files)
        local = ProcessExecutor(exits, guard, files)
        executor: Executor = local
        if engine is not None:
            from specular_tui.engine.container.executor import ContainerExecutor, Dispatcher

            containers = ContainerExecutor(
                engine,
                settings.policy.execution.docker,
                local,
                folder=plan.folder,
                marker=marker,
                jobs=options.jobs,
                guard=guard,
                on_image=lambda image: runner.image_provided(image),
            )
            executor = Dispatcher(local, containers)

        stored = recorder if isinstance(recorder, RunRecorder) else None

        def observe(event: ev.AnyEvent, state: RunState) -> None:
            face.event(event, state)
            if stored is not None and stored.full:
                # The event has just fitted into what was put aside; what is left of that is for the last words.
                full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                runner.storage_failed(explain(full, "write checkpoint", stored.path))

        runner = Runner(
            recorder=recorder,
            plan=plan,
            graph=graph,
            gates=gate_tasks(settings.policy),
            remaining=remaining,
            executor=executor,
            files=files,
            clock=clock,
            cadence=Cadence(every_tasks=settings.task_interval, every_ms=settings.interval_ms),
            options=options,
            marker=marker,
            observer=observe,
        )
        if stored is not None:
            stored.on_error = lambda error: _disk_failed(loop, runner, stored)
        server = await _listen(recorder, runner, face)
        try:
            with _signals(loop, runner, face):
                return await runner.run(str(server.path) if server is not None else None)
        finally:
            runner.kill()
            if server is not None:
                server.close()
            exits.close()
            executor.close()
            files.close()

    return asyncio.run(work())


def _disk_failed(loop: asyncio.AbstractEventLoop, runner: Runner, recorder: RunRecorder) -> None:
    """The thread that syncs has met an error: let the loop know."""
    with contextlib.suppress(RuntimeError):  # the loop is closed: the session is over, and `flush` will tell
        loop.call_soon_threadsafe(lambda: runner.storage_failed(recorder.failure()))


async def _listen(recorder: Recorder, runner: Runner, face: Face) -> control.ControlServer | None:
    """Open the control socket; without one the build runs all the same, and signals alone steer it."""
    if not isinstance(recorder, RunRecorder):
        return None
    try:
        server = control.ControlServer(control.socket_path(recorder.path), runner.control)
        await server.start()
    except OSError as error:
        face.warning(f"only signals can steer this build, and no other terminal: {error.strerror or error}")
        return None
    return server


@contextlib.contextmanager
def _signals(loop: asyncio.AbstractEventLoop, runner: Runner, face: Face) -> Iterator[None]:
    """Have signals steer the build."""

    last = -1.0

    def stop(name: str) -> None:
        nonlocal last
        now = loop.time()
        if 0 <= now - last < _ECHO_S:
            return
        last = now
        forced = runner.stopping
        runner.stop(name)
        face.stopping(runner.state, name, forced=forced)

    handlers: dict[signal.Signals, Callable[[], None]] = {n: functools.partial(stop, n.name) for n in _STOPPING}
    handlers[signal.SIGUSR1] = runner.checkpoint
    handlers[signal.SIGTSTP] = runner.stop_self
    installed = []
    for number, handler in handlers.items():
        # nohup is obeyed; an interrupt that somebody sends on purpose is not to be ignored.
        if number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN:
            continue
        loop.add_signal_handler(number, handler)
        installed.append(number)
    try:
        yield
    finally:
        for number in installed:
            loop.remove_signal_handler(number)
