"""The application on a real terminal: a pty, what came out of it, and how it was left."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

_MODES = re.compile(rb"\x1b\[\?([0-9;]+)([hl])")
_KITTY = re.compile(rb"\x1b\[(>[0-9]+|<)u")
#: How these are without an application: the cursor is shown and lines wrap; everything else is off.
_PLAIN = {25: True, 7: True}


class Terminal:
    """Runs `specular ARGS` in a pty of a session of its own."""

    def __init__(
        self,
        args: list[str],
        cwd: Path,
        *,
        size: tuple[int, int] = (100, 30),
        env: dict[str, str] | None = None,
        program: list[str] | None = None,
        ignore: tuple[int, ...] = (),
    ) -> None:
        self.master, slave = pty.openpty()
        self.output = b""
        self.resize(*size)
        self.before = termios.tcgetattr(slave)
        environ = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TEXTUAL_THEME")}
        environ |= {
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LC_ALL": "C.UTF-8",
            "XDG_CONFIG_HOME": str(cwd / "config"),
            "XDG_STATE_HOME": str(cwd / "state"),
            **(env or {}),
        }

        def own_session() -> None:
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            for number in ignore:
                signal.signal(number, signal.SIG_IGN)

        self.process = subprocess.Popen(
            [*(program or [sys.executable, "-m", "specular_tui"]), *args],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            cwd=cwd,
            env=environ,
            preexec_fn=own_session,
        )
        self.slave = slave

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: Any) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for fd in (self.master, self.slave):
            if fd >= 0:
                os.close(fd)

    def resize(self, width: int, height: int) -> None:
        """Change the size; the kernel tells the program."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self.master, keys.encode())

    def read(self, seconds: float = 0.05) -> bytes:
        """Take what comes until nothing has come for `seconds`; return it."""
        found = b""
        while select.select([self.master], [], [], seconds)[0]:
            try:
                chunk = os.read(self.master, 1 << 16)
            except OSError:
                break
            if not chunk:
                break
            found += chunk
        self.output += found
        return found

    def until(self, wanted: bytes | Callable[[], bool], seconds: float = 20) -> None:
        """Wait until something has been painted, or is so."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.read()
            if wanted in self.output if isinstance(wanted, bytes) else wanted():
                return
        raise AssertionError(f"it did not come to be; at the end: {self.output[-600:]!r}")

    def end(self, seconds: float = 20) -> int:
        """Wait for the program's end, taking what it paints; return its exit code."""
        deadline = time.monotonic() + seconds
        while self.process.poll() is None and time.monotonic() < deadline:
            self.read()
        self.read()
        assert self.process.poll() is not None, "it does not end"
        return self.process.returncode

    @property
    def left_on(self) -> set[str]:
        """What is not as it is without an application."""
        modes: dict[int, bool] = {}
        kitty = 0
        for numbers, how in _MODES.findall(self.output):
            modes |= {int(number): how == b"h" for number in numbers.split(b";")}
        for what in _KITTY.findall(self.output):
            kitty += 1 if what != b"<" else -1
        found = {f"?{mode}" for mode, on in modes.items() if on != _PLAIN.get(mode, False)}
        if kitty > 0:
            found.add("kitty")
        if termios.tcgetattr(self.slave) != self.before:
            found.add("stty")
        return found

    @property
    def last_words(self) -> str:
        """What was printed behind the application's end."""
        return _MODES.sub(b"", self.output.rpartition(b"\x1b[?1004l")[2]).decode().replace("\r\n", "\n")
