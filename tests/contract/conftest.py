"""Command lines, run as a shell runs them."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

BIN = Path(sys.executable).parent


class Result(NamedTuple):
    """What came of a command line."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


class Shell:
    """A shell in a folder of its own, with `specular` on its PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._started: list[subprocess.Popen[str]] = []
        self.env = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SPECULAR_", "GITHUB_", "PYTEST_", "COV_"))
            and name not in ("CI", "NO_COLOR", "FORCE_COLOR", "TERM", "COLUMNS")
        }
        self.env |= {"PATH": f"{BIN}:{os.environ['PATH']}", "LC_ALL": "C.UTF-8"}

    def __call__(self, line: str, **env: str) -> Result:
        """Run a line with bash and return what came of it; the output must be text without control characters."""
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        for text in (done.stdout, done.stderr):
            strange = {char for char in text if not (char.isprintable() or char in "\n\t")}
            assert not strange, f"{strange!r} in the output of {line}"
            assert "Traceback" not in text, text
        return Result(done.returncode, done.stdout, done.stderr)

    def start(self, line: str, **env: str) -> subprocess.Popen[str]:
        """Start a line in the background; what is left of it goes with the test."""
        child = subprocess.Popen(
            ["bash", "-c", f"exec {line}"],
            cwd=self.folder,
            env=self.env | env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._started.append(child)
        return child

    def close(self) -> None:
        """End what was started."""
        for child in self._started:
            if child.poll() is None:
                child.kill()
            if child.stdout is not None and not child.stdout.closed:
                child.stdout.close()
            child.wait()

    def on_terminal(
        self, line: str, *, keys: str = "", size: tuple[int, int] = (24, 80), env: Mapping[str, str] | None = None
    ) -> Result:
        """Run a line on a terminal that types `keys` as soon as it has been asked something."""
        leader, follower = pty.openpty()
        os.set_blocking(leader, False)
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", *size, 0, 0))
        child = subprocess.Popen(
            ["bash", "-c", line],
            cwd=self.folder,
            env=self.env | {"TERM": "xterm-256color"} | dict(env or {}),
            stdin=follower,
            stdout=follower,
            stderr=follower,
            start_new_session=True,
        )
        os.close(follower)
        seen = b""
        typed = not keys
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            ready, _, _ = select.select([leader], [], [], 0.1)
            if ready:
                try:
                    data = os.read(leader, 65536)
                except OSError:
                    break
                if not data:
                    break
                seen += data
            if not typed and b"[y/N]" in seen:
                os.write(leader, keys.encode())
                typed = True
            if not ready and child.poll() is not None:
                break
        os.close(leader)
        return Result(child.wait(10), seen.decode(), "")

    # What most tests need --------------------------------------------------------------------------------------

    def plan(self, *tasks: dict[str, Any], file: str = "plan.json", **more: Any) -> None:
        """Write a plan."""
        (self.folder / file).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / file).write_text(json.dumps({"version": 1, "tasks": list(tasks), **more}))

    def policy(self, text: str) -> None:
        """Write the default policy."""
        (self.folder / ".specular").mkdir(exist_ok=True)
        (self.folder / ".specular" / "policy.yaml").write_text(text)

    @property
    def checkpoints(self) -> Path:
        return self.folder / ".specular" / "checkpoints"

    def runs(self) -> list[str]:
        """The ids of the stored runs, oldest first."""
        return sorted(path.name for path in self.checkpoints.iterdir() if not path.name.startswith("."))

    def wait_for(self, condition: str, seconds: float = 60) -> None:
        """Return when a shell condition holds."""
        deadline = time.monotonic() + seconds
        while subprocess.run(
            ["bash", "-c", condition], cwd=self.folder, env=self.env, stderr=subprocess.DEVNULL, check=False
        ).returncode:
            assert time.monotonic() < deadline, f"never: {condition}"
            time.sleep(0.05)


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    shell = Shell(tmp_path)
    yield shell
    shell.close()


def task(task_id: str, command: str | list[str] = "true", *needs: str, **more: Any) -> dict[str, Any]:
    """Return a task of a plan."""
    return {"id": task_id, "command": command, "depends_on": list(needs), **more}


def interrupt(build: subprocess.Popen[str], number: signal.Signals = signal.SIGINT) -> str:
    """Interrupt a build that runs in the background and return what it printed."""
    build.send_signal(number)
    out, _ = build.communicate(timeout=30)
    return out
