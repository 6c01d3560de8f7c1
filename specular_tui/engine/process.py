"""Tasks as processes of this machine, each with a process group of its own.

A task's stdout and stderr are its log's descriptor, so that no byte of them passes through Python; stdin is /dev/null.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from specular_tui.engine import freezer, processes
from specular_tui.engine.executor import PASSING, Exit, StartError, Work
from specular_tui.engine.exits import Exits, has_ended
from specular_tui.engine.freezer import FrozenGroup
from specular_tui.engine.guard import Guard
from specular_tui.engine.open_files import OpenFiles
from specular_tui.engine.processes import MARKER, Process
from specular_tui.engine.shell import plain_words
from specular_tui.engine.spawn import cannot_run, make_spawner
from specular_tui.engine.strays import Marks, Strays

_SHELL: Final = "/bin/sh"
#: Seconds to wait for the killed rest of a group to be gone before the log is read.
_PATIENCE: Final = 0.2


class ProcessJob:
    """A running process group."""

    container: str | None = None

    def __init__(self, pid: int, pid_start: int | None, marks: Marks, strays: Strays) -> None:
        """The group's leader is `pid`, which started at `pid_start`, in clock ticks since boot.

        By its `marks`, `strays` finds what belongs to the attempt and may not descend from the leader any more.
        """
        self.pid = pid
        self.pid_start = pid_start
        self._marks = marks
        self._strays = strays
        self._frozen: FrozenGroup | None = None
        #: Its leader has been reaped: the number of the group may be somebody else's from now on.
        self._over = False
        self._stopped: list[Process] = []
        #: Descendants outside of the group that were asked to end with it.
        self._asked: list[Process] = []

    def freeze(self) -> None:
        """Make the group stand still, and what has left it."""
        if self._over:
            return
        self._stop()
        if self._frozen is None and self._marks.run:
            everything = [*processes.members(self.pid), *self._stopped]
            self._frozen = freezer.freeze(self._marks.run, self.pid, [process.pid for process in everything])

    def _stop(self) -> None:
        if self._over:
            return
        processes.send_group(self.pid, signal.SIGSTOP)
        # A stopped parent starts nothing more, so that looking again ends.
        while outside := [p for p in self._outside() if p not in self._stopped]:
            processes.send(outside, signal.SIGSTOP)
            self._stopped += outside

    def thaw(self) -> None:
        """Let the group go on, and what was stopped with it."""
        if self._frozen is not None:
            self._frozen.thaw()
            self._frozen = None
        processes.send(self._stopped, signal.SIGCONT)
        self._stopped = []
        if not self._over:
            processes.send_group(self.pid, signal.SIGCONT)

    def _outside(self) -> list[Process]:
        found = []
        strays = self._strays.of(self._marks)
        known = [*processes.descendants(self.pid), *strays, *itertools.chain(*map(_descendants, strays))]
        for process in dict.fromkeys(known):
            try:
                if os.getpgid(process.pid) != self.pid and not processes.is_guard(process):
                    found.append(process)
            except ProcessLookupError:
                continue
        return found

    def terminate(self) -> bool:
        """Send SIGTERM to the group and to descendants that have left it; False where the leader has ended."""
        if self._over or has_ended(self.pid):
            return False
        self._asked = self._outside()
        processes.send_group(self.pid, signal.SIGTERM)
        processes.send(self._asked, signal.SIGTERM)
        self.thaw()
        processes.send(self._asked, signal.SIGCONT)
        return True

    def kill(self) -> None:
        """Send SIGKILL to the group and to descendants that have left it."""
        self._stop()  # so that none of them starts another one meanwhile
        processes.send(self._stopped, signal.SIGKILL)
        if not self._over:
            processes.send_group(self.pid, signal.SIGKILL)

    def reap(self, guard: Guard | None) -> Exit:
        """Say how the ended leader ended, when nothing that belongs to the attempt is left."""
        # The zombie keeps the group's number from being used again, so that nobody else's group is hit.
        processes.send_group(self.pid, signal.SIGKILL)
        processes.send(self._asked, signal.SIGKILL)
        if guard is not None:
            guard.remove(self.pid)
        self._over = True
        _, status, usage = os.wait4(self.pid, 0)
        _await_group(self.pid)
        if self._frozen is not None or self._stopped:
            self.thaw()  # what has left the group, and was frozen with it, goes on
        code = os.waitstatus_to_exitcode(status)
        return Exit(
            exit_code=code if code >= 0 else None,
            signal=signal_name(-code) if code < 0 else None,
            cpu_ms=round((usage.ru_utime + usage.ru_stime) * 1000),
            max_rss_kb=_PEAKS.of(usage.ru_maxrss),
        )


def _descendants(process: Process) -> list[Process]:
    return processes.descendants(process.pid)


class ProcessExecutor:
    """Runs tasks on this machine."""

    def __init__(
        self,
        exits: Exits,
        guard: Guard | None = None,
        files: OpenFiles | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        """Be told of ended processes by `exits`; `guard` ends the tasks if this process is killed.

        `files` is the limit that this process has raised, and that no task is to see. Every task inherits `environ` as
        it is now.
        """
        self._exits = exits
        self._guard = guard
        self._files = files if files is not None else OpenFiles()
        self._home = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        inherited = {os.fsencode(name): os.fsencode(value) for name, value in environ.items()}
        self._spawner = make_spawner(inherited)
        #: Where the spawner looks.
        self._path = os.environb.get(b"PATH", b"")
        self._inherited_path = inherited.get(b"PATH", b"")
        self._start_times = StartTimes()
        self._strays = Strays()
        # bash, where that is the shell, takes functions from the environment: any word may be one.
        self._direct = not any(name.startswith(b"BASH_FUNC_") for name in inherited)

    def start(self, work: Work, on_exit: Callable[[Exit], None]) -> ProcessJob:
        """Start a process group for `work`, which never is a task that wants a container."""
        if work.image is not None:
            raise StartError("no container engine", 125)
        # posix_spawn has no working directory: the engine stands in the task's for a moment. Nothing else of it
        # depends on where it stands, because all its paths are absolute.
        try:
            os.chdir(work.workdir)
        except OSError as error:
            reason = (error.strerror or "").lower()
            raise StartError(f"cannot enter the working directory: {reason}: {work.workdir}", 126) from None
        guard = self._guard
        if guard is not None:
            guard.expect()
        try:
            began = self._start_times.tick()
            with self._files.lowered(work.log_fd) as log_fd:
                pid = self._spawn(work, log_fd)
            if guard is not None:
                guard.add(pid)
            pid_start = self._start_times.of(pid, began)
        finally:
            if guard is not None:
                guard.settle()
            os.fchdir(self._home)
        job = ProcessJob(pid, pid_start, Marks(work.env.get(MARKER, ""), work.task), self._strays)
        try:
            self._exits.watch(pid, lambda: on_exit(job.reap(self._guard)))
        except OSError as error:  # there is no descriptor left to watch it with
            job.kill()
            job.reap(self._guard)
            reason = (error.strerror or "").lower()
            raise StartError(f"cannot watch the process: {reason}", 126, passing=error.errno in PASSING) from None
        return job

    def _spawn(self, work: Work, log_fd: int) -> int:
        """Spawn what `work` says; a command string that needs no shell without one."""
        env = {b"PWD": _normal(work.workdir)}
        for name, value in work.env.items():
            env[_encode(name)] = _encode(value)
        if not isinstance(work.command, str):
            return self._spawn_program(work.command[0], work.command, log_fd, env)
        words = plain_words(work.command) if self._direct else None
        if words is not None:
            # What cannot be run so, the shell tells in its own words.
            with contextlib.suppress(StartError):
                return self._spawn_program(words[0], words, log_fd, env)
        return self._spawn_program(_SHELL, ("sh", "-c", work.command), log_fd, env)

    def _spawn_program(self, program: str, argv: Sequence[str], log_fd: int, env: Mapping[bytes, bytes]) -> int:
        found = program
        if "/" not in program and (path := env.get(b"PATH", self._inherited_path)) != self._path:
            found = _find(program, os.fsdecode(path) or os.defpath)
        try:
            return self._spawner.spawn(_encode(found), [_encode(word) for word in argv], env, log_fd)
        except (OSError, ValueError) as error:
            raise cannot_run(program, error) from None

    def close(self) -> None:
        """Let go of the folder that the engine was started in."""
        os.close(self._home)


class StartTimes:
    """Start times of processes that this one starts, in clock ticks since boot.

    Asking the kernel takes longer than anything else in starting a process but the start itself; that the tick was the
    same before and after says it too.
    """

    def __init__(self) -> None:
        """Trust the clock once it has said what the kernel says."""
        self._ticks = os.sysconf("SC_CLK_TCK")
        self._clock: int | None = getattr(time, "CLOCK_BOOTTIME", None)
        self._proved = False

    def tick(self) -> int:
        """Return the clock's present tick, to be read before a process is started."""
        return 0 if self._clock is None else time.clock_gettime_ns(self._clock) * self._ticks // 1_000_000_000

    def of(self, pid: int, began: int) -> int | None:
        """Return the start of the process `pid`, which has been started at the tick `began` or later."""
        if self._clock is None or began != self.tick():
            return processes.start_time(pid)
        if not self._proved:
            known = processes.start_time(pid)
            self._proved = known == began
            if not self._proved:
                self._clock = None
            return known
        return began


def _encode(text: str) -> bytes:
    """Return `text` as UTF-8, as the plan has it, and not as a locale that may lack the characters would write it."""
    return text.encode("utf-8", "surrogateescape")


@lru_cache
def _normal(path: str) -> bytes:
    return os.fsencode(os.path.normpath(path))


def _find(name: str, path: str) -> str:
    """Return the program that `name` means for a task with a PATH of its own."""
    found = shutil.which(name, path=path)
    if found is None:
        raise StartError(f"program not found: {name}")
    return found


def _await_group(group: int) -> None:
    """Wait a moment for the killed rest of a group to be gone, so that it writes no more to the log.

    The loop stands still meanwhile: nearly always nothing is left, or is gone within a millisecond.
    """
    deadline = time.monotonic() + _PATIENCE
    # Its number stays taken as long as one of the group is left; then it may be anybody's, so it is only looked at.
    while processes.group_exists(group) and processes.group_lives(group) and time.monotonic() < deadline:
        time.sleep(0.001)


def signal_name(number: int) -> str:
    """Return `SIGKILL` for 9; real-time signals count from `SIGRTMIN` on, as `kill -l` lists them."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIGRTMIN{number - signal.SIGRTMIN:+d}"


class _Peaks:
    """The peak memory of ended children.

    A spawned child shares the engine's memory until it runs its program, and the kernel counts that: a figure that is
    not above the engine's own peak says nothing.
    """

    def __init__(self) -> None:
        self._own = 0

    def of(self, max_rss: int) -> int | None:
        """Return a child's peak in KiB, or None where it may be this process's own."""
        if sys.platform == "darwin":
            max_rss //= 1024
        if max_rss > self._own:  # as it was when last looked at; it only grows
            self._own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return max_rss if max_rss > self._own else None


_PEAKS: Final = _Peaks()
