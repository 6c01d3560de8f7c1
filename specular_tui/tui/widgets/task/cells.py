"""What one row of the task table says: its shape, and the words in its cells. Pure."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from specular_tui.model.duration import humanise
from specular_tui.model.run import TaskStatus
from specular_tui.tui import glyphs

#: What a row looks like: the states of a task, a running one that stands frozen, and a pending one that cannot run
#: because one that it needs has failed.
Kind = Literal["pending", "blocked", "running", "completed", "failed", "skipped", "frozen"]

SHAPES: Final[dict[Kind, str]] = {
    "pending": glyphs.PENDING,
    "blocked": glyphs.BLOCKED,
    "running": glyphs.RUNNING,
    "completed": glyphs.DONE,
    "failed": glyphs.FAILED,
    "skipped": glyphs.SKIPPED,
    "frozen": glyphs.FROZEN,
}

KINDS: Final[dict[TaskStatus, Kind]] = {
    TaskStatus.PENDING: "pending",
    TaskStatus.IN_PROGRESS: "running",
    TaskStatus.COMPLETED: "completed",
    TaskStatus.FAILED: "failed",
    TaskStatus.SKIPPED: "skipped",
}


class Cells(NamedTuple):
    """What one row says."""

    kind: Kind
    id: str
    title: str
    elapsed: str
    estimate: str
    #: It takes longer than expected.
    over: bool
    attempt: str
    #: How it ended, or what it waits for.
    detail: str
    #: How many more it waits for: ` +3`.
    more: str = ""


def ended(exit_code: int | None, signal: str | None, reason: str | None) -> str:
    """Return how an attempt ended, in short: `exit 2`, `SIGKILL`, or the recorded reason where that says more.

    A task that timed out was killed, and one whose output is missing has exit code 0: neither says why it failed.
    """
    if reason and reason != f"exit code {exit_code}" and not reason.startswith(f"killed by {signal}"):
        return reason
    return f"exit {exit_code}" if exit_code is not None else signal or ""


def running_time(ms: float) -> str:
    """Return the time of a task that still runs, in whole seconds."""
    return f"{int(ms // 1000)}s" if ms < 60_000 else humanise(ms // 1000 * 1000)
