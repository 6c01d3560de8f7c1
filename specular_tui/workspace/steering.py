"""Steering a live build, and starting one that outlives whoever starts it."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from specular_tui.engine import control
from specular_tui.errors import ExitCode, NotLiveError, SpecularError
from specular_tui.spec.settings import DIRECTORY, checkpoint_directory
from specular_tui.store import checkpoint


def steer(root: Path, run_id: str, command: str, task: str | None = None, **options: Any) -> str:
    """Send a steering command to a live run and return what it answers.

    `command` is one of pause, unpause, drain, stop and kill; or one of retry, skip and stop_task, which take a `task`
    (`retry` without one: every failed task).

    Raises:
        NotLiveError: no process works on the run. SpecularError: the build refuses, and says why.
    """
    run = checkpoint.summarise(root, run_id)
    path = run.metadata.get("control")
    if not run.live:
        raise NotLiveError(
            f"{run_id} is not running: it is {run.status}",
            hint=f"go on with it: specular build --resume {run_id}" if run.resumable else None,
        )
    if not isinstance(path, str):
        raise SpecularError(f"{run_id} is starting, or has no control socket", hint="try again in a moment")
    request = {"command": command, **options}
    if task is not None:
        request["task"] = task
    return control.send(path, request)


class StartFailedError(SpecularError):
    """A build that was started in the background ended before it began; what it says is that build's own."""

    def __init__(self, told: str, code: int) -> None:
        """`told` is what it printed to stderr, `code` what it answered."""
        lines = [line for line in told.splitlines() if line.strip()] or [f"the build ended with exit code {code}"]
        hint = lines.pop().partition(" ")[2] if len(lines) > 1 and lines[-1].startswith(("→ ", "-> ")) else None
        at = next((i for i, line in enumerate(lines) if line.startswith("Error: ")), 0)
        message = lines.pop(at).removeprefix("Error: ")
        super().__init__(message, details=[line.strip() for line in lines], hint=hint)
        with contextlib.suppress(ValueError):
            self.exit_code = ExitCode(code)


def start_build(args: list[str], cwd: Path, root: Path | None = None) -> str:
    """Start `specular build ARGS…` in a session of its own and return the run's id once it has begun.

    Its checkpoint directory is `root` where that is given, and else what it finds from `cwd` on.

    Raises:
        StartFailedError: it ended before it began; or, with exit code 0, there was nothing to do.
    """
    reading, writing = os.pipe()
    try:
        with tempfile.TemporaryFile() as errors:
            child = subprocess.Popen(
                # -P: no module that lies in the folder of the build is to stand in for one of Python's.
                [sys.executable, "-P", "-m", "specular_tui", "build", *args, "--quiet", "--announce-fd", str(writing)],
                cwd=cwd,
                env=_environ(cwd, root),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                pass_fds=[writing],
                start_new_session=True,
            )
            os.close(writing)
            writing = -1
            with os.fdopen(reading, "rb") as announced:
                reading = -1
                run_id = announced.readline().decode().strip()
            if run_id:
                # It is not waited for; the kernel must not keep it as a zombie of a face that lives for days.
                _forget(child)
                return run_id
            code = child.wait()
            errors.seek(0)
            text = errors.read(64 << 10).decode(errors="replace").strip()
    finally:
        for fd in (reading, writing):
            if fd >= 0:
                os.close(fd)
    raise StartFailedError(text, code)


def _environ(cwd: Path, root: Path | None) -> dict[str, str] | None:
    """Return an environment that names the directory `root`, or None where it is found without: tasks get it too."""
    if root is None or checkpoint_directory(None, os.environ, cwd).resolve() == root.resolve():
        return None
    return {**os.environ, DIRECTORY: str(root.absolute())}


def _forget(child: subprocess.Popen[bytes]) -> None:
    """Have the child reaped whenever it ends."""
    import threading

    threading.Thread(target=child.wait, name=f"build-{child.pid}", daemon=True).start()
