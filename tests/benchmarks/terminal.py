"""A program on a terminal of its own, 160x48, as a user has it: when it paints, what a key brings, what it costs."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final, Self

COLUMNS: Final = 160
LINES: Final = 48
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class Terminal:
    """Runs `command` until it is left."""

    def __init__(self, command: Sequence[str | Path], cwd: Path, env: Mapping[str, str] | None = None) -> None:
        leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", LINES, COLUMNS, 0, 0))
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SPECULAR_")}
        environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"} | dict(env or {})
        self.started = time.perf_counter()
        self._process = subprocess.Popen(
            command, cwd=cwd, env=environment, stdin=follower, stdout=follower, stderr=follower, start_new_session=True
        )
        os.close(follower)
        os.set_blocking(leader, False)
        self._leader = leader
        #: All that was painted, and of each write that was read: when, and up to which byte.
        self.seen = bytearray()
        self.writes: list[tuple[float, int]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the program, as a terminal that is closed does; then for certain."""
        for number in (signal.SIGHUP, signal.SIGKILL):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=5)
                break
        os.close(self._leader)

    def read(self, seconds: float) -> bool:
        """Read what comes within `seconds`, at most one write; tell whether anything came."""
        ready, _, _ = select.select([self._leader], [], [], max(0.0, seconds))
        if not ready:
            return False
        try:
            data = os.read(self._leader, 1 << 20)
        except OSError:
            data = b""
        if not data:
            raise EOFError(f"it ended: {self.text()[-2000:]}")
        self.seen += data
        self.writes.append((time.perf_counter(), len(self.seen)))
        # What a terminal would answer: it is one that has none of the newer modes.
        if b"\x1b[c" in data or b"\x1b[0c" in data:
            os.write(self._leader, b"\x1b[?1;2c")
        return True

    def until(self, found: Callable[[bytes], object], since: int = 0, seconds: float = 30) -> float:
        """Read until what was painted from the byte `since` on satisfies `found`; return the ms since the start.

        Raises:
            TimeoutError: it did not come to be.
        """
        deadline = time.perf_counter() + seconds
        while not found(bytes(self.seen[since:])):
            if time.perf_counter() > deadline:
                raise TimeoutError(self.text()[-3000:])
            self.read(0.5)
        return (self.writes[-1][0] - self.started) * 1000

    def rest(self, seconds: float) -> None:
        """Read whatever comes for so long."""
        deadline = time.perf_counter() + seconds
        while (left := deadline - time.perf_counter()) > 0:
            self.read(left)

    def key(self, typed: bytes, found: Callable[[bytes], object], seconds: float = 2) -> float:
        """Type a key, read until what is painted from then on satisfies `found`, and return how long that took in ms.

        Raises:
            TimeoutError: it did not come to be.
        """
        while self.read(0):
            pass
        since = len(self.seen)
        began = time.perf_counter()
        os.write(self._leader, typed)
        deadline = began + seconds
        while not found(bytes(self.seen[since:])):
            left = deadline - time.perf_counter()
            if left < 0:
                raise TimeoutError(repr(bytes(self.seen[since:])[-3000:]))
            self.read(left)
        return (self.writes[-1][0] - began) * 1000

    def cpu(self) -> float:
        """Return the seconds of processor time that the program and its children have had."""
        return sum(_cpu(pid) for pid in self._pids())

    def memory(self) -> float:
        """Return the MB that the program, without its children, has in memory."""
        return int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1]) * _PAGE / 2**20

    def text(self) -> str:
        """Return the words that were painted."""
        return re.sub(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])", " ", self.seen.decode("utf-8", "replace"))

    def _pids(self) -> list[int]:
        found = [self._process.pid]
        for pid in found:
            with contextlib.suppress(OSError):
                found += [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
        return found


def _cpu(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / _TICKS
