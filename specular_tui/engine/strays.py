"""Processes that a running task has let go of: a daemon descends from nobody, but carries the task's marks.

Every process that a task starts inherits two variables, the run's and the task's. Reading them means opening a file for
each process of this user, so what was found is good for a moment: long enough to freeze all tasks of a build.
"""

from __future__ import annotations

import os
import time
from typing import Final, NamedTuple

from specular_tui.engine import processes
from specular_tui.engine.processes import MARKER, TASK, Process

#: Seconds for which a look at all processes is good.
_GOOD_FOR: Final = 0.2
_RUN: Final = MARKER.encode()
_TASK: Final = TASK.encode()


class Marks(NamedTuple):
    """What every process of a task inherits in its environment."""

    #: The run's folder.
    run: str
    task: str


class Strays:
    """Finds processes by the marks in their environment."""

    def __init__(self) -> None:
        """Nobody has been looked for yet."""
        self._looked = float("-inf")
        self._found: dict[tuple[bytes, bytes], list[Process]] = {}

    def of(self, marks: Marks) -> list[Process]:
        """Return the living processes of this user that carry `marks`; none for empty ones, which all others carry."""
        if not (marks.run and marks.task):
            return []
        if time.monotonic() - self._looked > _GOOD_FOR:
            self._found = {}
            for process, environment in processes.environments():
                found = {name: value for name, _, value in (variable.partition(b"=") for variable in environment)}
                carried = (found.get(_RUN, b""), found.get(_TASK, b""))
                self._found.setdefault(carried, []).append(process)
            self._looked = time.monotonic()
        return self._found.get((os.fsencode(marks.run), os.fsencode(marks.task)), [])
