"""The plan: what is to be built, as values. Reading it from a file is `spec.plan_file`'s work."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final

from msgspec import Struct

TASK_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,127}")
RUN_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class Priority(StrEnum):
    """How urgent a task is among those that could start now; P0 starts first."""

    P0 = "P0"
    P1 = "P1"
    P2 = "P2"


class Task(Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One command of the plan. Paths are as the plan writes them: relative to the plan's folder."""

    id: str
    #: A string runs under `sh -c`; a tuple is an argument vector and runs as it is.
    command: str | tuple[str, ...]
    title: str = ""
    depends_on: tuple[str, ...] = ()
    image: str | None = None
    env: dict[str, str] = {}
    workdir: str = "."
    timeout_ms: int | None = None
    #: Further attempts after the first one fails.
    retries: int = 0
    retry_delay_ms: int = 0
    #: Glob patterns of the files that the task reads; their content decides about reuse.
    inputs: tuple[str, ...] = ()
    #: Paths that exist once the task has completed.
    outputs: tuple[str, ...] = ()
    priority: Priority = Priority.P2
    #: Expected duration in seconds, as the plan says.
    estimate: float | None = None
    #: A failure of this task lets its dependents run and does not fail the build.
    allow_failure: bool = False
    feature_id: str | None = None
    expected_hash: str | None = None
    skill: str | None = None
    model_hint: str | None = None

    @property
    def label(self) -> str:
        """The title, or the id where the plan gives none."""
        return self.title or self.id


class Plan(Struct, frozen=True, kw_only=True):
    """A checked plan: ids are unique, dependencies exist, and there is no cycle."""

    name: str
    tasks: tuple[Task, ...]
    #: `blake3:` and what `b3sum` prints for the plan's bytes.
    hash: str
    #: The plan as typed on the command line, or None for one that came from a checkpoint's copy alone.
    file: str
    #: Absolute folder that relative paths of the plan start from.
    folder: str
