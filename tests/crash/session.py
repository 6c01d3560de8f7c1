"""A `specular` that is followed line by line, and may be interrupted."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

SPECULAR = (sys.executable, "-m", "specular_tui")


class Session:
    """One process of `specular` that runs a build, without a terminal."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        #: Tasks that it said to have started, and to be done.
        self.started: list[str] = []
        self.done: list[str] = []
        self._lines: list[str] = []
        self._child = subprocess.Popen(
            [*SPECULAR, *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    @property
    def output(self) -> str:
        """All that it printed so far."""
        return "".join(self._lines)

    def follow(self, until_done: int | None = None, then: signal.Signals | None = None) -> int:
        """Read to the end; once `until_done` tasks are done, send the signal `then`. Return the exit code."""
        with self._child:
            assert self._child.stdout is not None
            for line in self._child.stdout:
                self._lines.append(line)
                _, event, task, *_ = [*line.split(), "", "", ""]
                if event == "START":
                    self.started.append(task)
                elif event == "DONE":
                    self.done.append(task)
                    if then is not None and len(self.done) == until_done:
                        self._child.send_signal(then)
        return self._child.returncode
