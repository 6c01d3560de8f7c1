"""Tasks as processes of this machine, each with a process group of its own.

A task's stdout and stderr are its log's descriptor, so that no byte of them passes through Python; stdin is /dev/null.
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import Final

from specular_tui.engine import processes
from specular_tui.engine.executor import Exit, StartError, Work
from specular_tui.engine.exits import Exits, has_ended
from specular_tui.engine.guard import Guard
from specular_tui.engine.open_files import OpenFiles
from specular_tui.engine.processes import Process

#: Python ignores these for itself; a task gets them as a shell would give them.
_DEFAULT_SIGNALS: Final = [signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP]
_SHELL: Final = "/bin/sh"
#: Seconds to wait for the killed rest of a group to be gone before the log is read.
_PATIENCE: Final = 0.2


class ProcessJob:
    """A running process group."""

    container: str | None = None

    def __init__(self, pid: int) -> None:
        """The group's leader is `pid`."""
        self.pid = pid
        self.pid_start = processes.start_time(pid)
        #: Its leader has been reaped: the number of the group may be somebody else's from now on.
        self._over = False
        self._stopped: list[Process] = []
        #: Descendants outside of the group that were asked to end with it.
        self._asked: list[Process] = []

    def freeze(self) -> None:
        """Stop the group, and descendants that have left it."""
        if self._over:
            return
        processes.send_group(self.pid, signal.SIGSTOP)
        # A stopped parent starts nothing more, so that looking again ends.
        while outside := [p for p in self._outside() if p not in self._stopped]:
            processes.send(outside, signal.SIGSTOP)
            self._stopped += outside

    def thaw(self) -> None:
        """Let the group go on, and what was stopped with it."""
        processes.send(self._stopped, signal.SIGCONT)
        self._stopped = []
        if not self._over:
            processes.send_group(self.pid, signal.SIGCONT)

    def _outside(self) -> list[Process]:
        found = []
        for process in processes.descendants(self.pid):
            try:
                if os.getpgid(process.pid) != self.pid:
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
        self.freeze()  # so that none of them starts another one meanwhile
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
        code = os.waitstatus_to_exitcode(status)
        return Exit(
            exit_code=code if code >= 0 else None,
            signal=signal_name(-code) if code < 0 else None,
            cpu_ms=round((usage.ru_utime + usage.ru_stime) * 1000),
            max_rss_kb=_peak(usage.ru_maxrss),
        )


class ProcessExecutor:
    """Runs tasks on this machine."""

    def __init__(self, exits: Exits, guard: Guard | None = None, files: OpenFiles | None = None) -> None:
        """Be told of ended processes by `exits`; `guard` ends the tasks if this process is killed.

        `files` is the limit that this process has raised, and that no task is to see.
        """
        self._exits = exits
        self._guard = guard
        self._files = files if files is not None else OpenFiles()
        self._home = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)

    def start(self, work: Work, on_exit: Callable[[Exit], None]) -> ProcessJob:
        """Start a process group for `work`."""
        if isinstance(work.command, str):
            program, argv = _SHELL, ["sh", "-c", work.command]
        else:
            argv = list(work.command)
            program = argv[0]
            if "/" not in program and work.env.get("PATH") != os.environ.get("PATH"):
                program = _find(program, work.env)
        pid = self._spawn(program, argv, work)
        if self._guard is not None:
            self._guard.add(pid)
        job = ProcessJob(pid)
        try:
            self._exits.watch(pid, lambda: on_exit(job.reap(self._guard)))
        except OSError as error:  # there is no descriptor left to watch it with
            job.kill()
            job.reap(self._guard)
            raise StartError(f"cannot watch {program}: {(error.strerror or '').lower()}", 126) from None
        return job

    def _spawn(self, program: str, argv: list[str], work: Work) -> int:
        # posix_spawn has no working directory: the engine stands in the task's for a moment. Nothing else of it
        # depends on where it stands, because all its paths are absolute.
        try:
            os.chdir(work.workdir)
        except OSError as error:
            reason = (error.strerror or "").lower()
            raise StartError(f"cannot enter the working directory: {reason}: {work.workdir}", 126) from None
        # The descriptor was opened so that nothing planted could block it; a task is to find nothing odd about it.
        os.set_blocking(work.log_fd, True)
        try:
            # It looks where this process's PATH says, and for each task anew: one task may install another's program.
            with self._files.lowered(work.log_fd) as log_fd:
                return os.posix_spawnp(
                    program,
                    # As UTF-8, as the plan has it, and not as a locale that may lack the characters would write it.
                    [argument.encode("utf-8", "surrogateescape") for argument in argv],
                    work.env,
                    file_actions=[
                        (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                        (os.POSIX_SPAWN_DUP2, log_fd, 1),
                        (os.POSIX_SPAWN_DUP2, log_fd, 2),
                    ],
                    setpgroup=0,
                    setsigmask=[],
                    setsigdef=_DEFAULT_SIGNALS,
                )
        except FileNotFoundError:
            raise StartError(f"program not found: {program}") from None
        except OSError as error:
            reason = (error.strerror or "").lower()
            raise StartError(f"cannot run {program}: {reason}", 126) from None
        except ValueError as error:
            raise StartError(f"cannot run {program}: {error}", 126) from None
        finally:
            os.fchdir(self._home)

    def close(self) -> None:
        """Let go of the folder that the engine was started in."""
        os.close(self._home)


def _find(name: str, env: Mapping[str, str]) -> str:
    """Return the program that `name` means for a task with a PATH of its own."""
    found = shutil.which(name, path=env.get("PATH", os.defpath))
    if found is None:
        raise StartError(f"program not found: {name}")
    return found


def _await_group(group: int) -> None:
    """Wait a moment for the killed rest of a group to be gone, so that it writes no more to the log."""
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


def _peak(max_rss: int) -> int | None:
    """Return the peak memory of a child in KiB; None where the number may be this process's own.

    A spawned child shares the engine's memory until it runs its program, and the kernel counts that.
    """
    if sys.platform == "darwin":
        max_rss //= 1024
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return max_rss if max_rss > own else None
