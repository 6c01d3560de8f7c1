"""A container that outlives a task: what keeps it, and what clears it up for the next one.

Its one process of its own is a shell that reads commands from this process's pipe. The pipe ends with this process,
however that ends, the shell with the pipe, and the container with the shell. The shell uses nothing that is not built
into every shell, but for `rm`.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import select
import subprocess
import threading
import time
from collections.abc import Mapping
from typing import IO, Final, NamedTuple

from specular_tui.engine.container.engine import PATIENCE
from specular_tui.engine.guard import Guard
from specular_tui.errors import SpecularError

#: Seconds for an answer of the shell; it is killing processes and emptying folders meanwhile.
_ANSWER: Final = 10.0
#: The engine's client answers so where there is no such program in the image, or none that can be run.
_NO_SHELL: Final = (126, 127)

#: What the shell is told first. `seen` names everything a task may leave: files in memory, and System V's IPC.
#: The shell is one of a container's first processes. Anywhere else it must not go on: it kills all that it can.
_SCRIPT: Final = r"""
exec 2>/dev/null
case $$ in [1-9] | [1-9][0-9]) ;; *) exit 1 ;; esac
trap '' HUP INT QUIT TERM USR1 USR2 ALRM
lines() { while read -r line; do echo "$line"; done; }
seen() {
    echo /tmp/* /tmp/.[!.]* /tmp/..?* /dev/* /dev/.[!.]* /dev/..?*
    echo /dev/shm/* /dev/shm/.[!.]* /dev/shm/..?* /dev/mqueue/* /dev/mqueue/.[!.]* /dev/mqueue/..?*
    for kind in msg sem shm; do [ -r /proc/sysvipc/$kind ] && lines </proc/sysvipc/$kind; done
}
killed() {
    for file in /sys/fs/cgroup/memory.events /sys/fs/cgroup/memory/memory.oom_control; do
        [ -r $file ] && while read -r key value; do [ "$key" = oom_kill ] && echo "$value"; done <$file
    done
}
sweep() {
    while kill -KILL -1; do :; done
    rm -rf /tmp/* /tmp/.[!.]* /tmp/..?* /dev/shm/* /dev/shm/.[!.]* /dev/shm/..?* </dev/null
    rm -rf /dev/mqueue/* /dev/mqueue/.[!.]* /dev/mqueue/..?* </dev/null
    if [ "$(seen)" = "$clean" ]; then state=clean; else state=dirty; fi
    echo "$1 $state" $(killed)
}
term() { if kill -TERM -1; then echo "$1 yes"; else echo "$1 no"; fi; }
alive() { if kill -0 -1; then echo "$1 yes"; else echo "$1 no"; fi; }
clean=$(seen)
"""


class NoShellError(Exception):
    """The image has no shell that could keep the container."""


class KeeperGoneError(Exception):
    """The container has ended, or its shell does not answer."""


class Swept(NamedTuple):
    """What was found behind a task, whose processes are gone now."""

    #: Nothing of it is left that the next task could see.
    clean: bool
    #: The kernel has killed a process of it because memory ran out; None where the container does not tell.
    out_of_memory: bool | None


class Keeper:
    """One kept container. Its methods block, and may be called from any thread."""

    def __init__(self, name: str, argv: list[str], env: Mapping[str, str], guard: Guard | None) -> None:
        """Nothing is started yet; `argv` starts the container `name`, and `guard` ends the client with this process."""
        self.name = name
        self._argv = argv
        self._env = env
        self._guard = guard
        self._lock = threading.Lock()
        self._numbers = itertools.count(1)
        self._client: subprocess.Popen[bytes] | None = None
        self._killed = 0
        self._read = b""

    def start(self) -> None:
        """Start the container, once, and return when tasks can be run in it.

        Raises:
            NoShellError: its image has no shell. SpecularError: it could not be started.
        """
        with self._lock:
            if self._client is not None:
                return
            self._client = subprocess.Popen(
                self._argv,
                env=self._env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            if self._guard is not None:
                self._guard.add(self._client.pid)
            try:
                _, *counts = self._ask("sweep", script=_SCRIPT, patience=PATIENCE)
            except KeeperGoneError:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self._client.wait(_ANSWER)
                self._client.kill()
                _, told = self._client.communicate()
                if self._client.returncode in _NO_SHELL:
                    raise NoShellError from None
                said = told.decode(errors="replace").strip().splitlines() or ["the engine does not say why"]
                raise SpecularError(f"the container could not be started: {said[0][:300]}") from None
            self._killed = sum(map(int, counts))

    def terminate(self) -> bool:
        """Send SIGTERM to all that runs in the container; False where nothing does."""
        return self._say("term") == ["yes"]

    def is_busy(self) -> bool:
        """Tell whether anything runs in the container."""
        return self._say("alive") == ["yes"]

    def sweep(self) -> Swept:
        """Kill what a task has left running, and remove what it has left in memory."""
        state, *counts = self._say("sweep")
        killed = sum(map(int, counts))
        more, self._killed = killed > self._killed, killed
        return Swept(state == "clean", more if counts else None)

    def _say(self, word: str) -> list[str]:
        with self._lock:
            return self._ask(word)

    def _ask(self, word: str, *, script: str = "", patience: float = _ANSWER) -> list[str]:
        client = self._client
        if client is None or client.stdin is None or client.stdout is None:
            raise KeeperGoneError
        number = str(next(self._numbers))
        try:
            client.stdin.write(f"{script}{word} {number}\n".encode())
            client.stdin.flush()
            answered, *answer = self._line(client.stdout, time.monotonic() + patience).decode("ascii").split()
            if answered != number or not all(count.isdigit() for count in answer[1:]):
                raise KeeperGoneError
        except (OSError, ValueError) as error:
            raise KeeperGoneError from error
        return answer

    def _line(self, stream: IO[bytes], deadline: float) -> bytes:
        poll = select.poll()
        poll.register(stream, select.POLLIN)
        while b"\n" not in self._read:
            left = deadline - time.monotonic()
            if left <= 0 or not poll.poll(left * 1000):
                raise KeeperGoneError
            data = os.read(stream.fileno(), 4096)
            if not data:
                raise KeeperGoneError
            self._read += data
        line, _, self._read = self._read.partition(b"\n")
        return line

    def close(self) -> None:
        """Let the shell end, and its container with it; the engine removes that."""
        client = self._client
        if client is None:
            return
        for stream in (client.stdin, client.stdout, client.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        client.kill()
        if self._guard is not None:
            self._guard.remove(client.pid)
        client.wait()
