"""What the screens look at: a run in view, a row of the list of runs, and the desk that both lie on.

The bridge writes these and says so with a message; screens and widgets only read them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from heapq import nsmallest
from typing import Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from specular_tui.model.blocked import Blocked
from specular_tui.model.cause import Cause
from specular_tui.model.forecast import Forecast
from specular_tui.model.graph import Graph
from specular_tui.model.run import RESUMABLE, RunState, TaskStatus
from specular_tui.model.usual import Usual
from specular_tui.tui.clock import Clock
from specular_tui.tui.deeds import Chore
from specular_tui.tui.pace import Pace
from specular_tui.tui.said import Said


class RunRow(Struct, frozen=True):
    """One run as the list shows it."""

    run_id: str
    status: str
    live: bool = False
    interrupted: bool = False
    #: Of a live run: it has been told to end; it starts nothing new.
    stopping: bool = False
    draining: bool = False
    plan_name: str = ""
    total: int = 0
    completed: int = 0
    failed: int = 0
    skipped: int = 0
    created_at: int = 0
    updated_at: int = 0
    elapsed_ms: int = 0
    #: Why it cannot be read; "" for a sound run.
    damage: str = ""
    #: Bytes on disk; None until they have been counted.
    size: int | None = None
    #: What a glance at its files shows to be wrong, the first of it; "" until that has been looked at.
    flaw: str = ""
    #: Clean-up never takes it.
    pinned: bool = False
    #: Its folder has vanished; what was read of it before is still shown.
    gone: bool = False

    @property
    def resumable(self) -> bool:
        """Whether `--resume` can go on from it."""
        return not self.live and not self.gone and not self.damage and self.status in RESUMABLE

    @classmethod
    def of(cls, run_id: str, metadata: Mapping[str, Any], *, live: bool, damage: str) -> RunRow:
        """Make a row of what metadata.json says; what is missing there, or of a wrong type, stays empty."""

        def number(name: str) -> int:
            value = metadata.get(name)
            return value if isinstance(value, int) and not isinstance(value, bool) else 0

        def text(name: str) -> str:
            value = metadata.get(name)
            return value if isinstance(value, str) else ""

        return cls(
            run_id=run_id,
            status="damaged" if damage else text("status"),
            live=live,
            interrupted=metadata.get("interrupted") is True,
            stopping=live and metadata.get("stopping") is True,
            draining=live and metadata.get("draining") is True,
            plan_name=text("plan_name") or text("plan_file"),
            total=number("total_tasks"),
            completed=number("completed_tasks"),
            failed=number("failed_tasks"),
            skipped=number("skipped_tasks"),
            created_at=number("created_at_ms"),
            updated_at=number("updated_at_ms"),
            elapsed_ms=number("elapsed_ms"),
            damage=damage,
        )

    def seen(self, state: RunState, now: int) -> RunRow:
        """Return the row as the state of a live run has it now."""
        return replace(
            self,
            status=state.status,
            stopping=state.stopping,
            draining=state.draining,
            total=state.total,
            completed=state.count(TaskStatus.COMPLETED),
            failed=state.count(TaskStatus.FAILED),
            skipped=state.count(TaskStatus.SKIPPED),
            updated_at=state.updated_at,
            elapsed_ms=state.elapsed_until(now),
        )


#: So many runs are looked at for one that is live.
_NEWEST: Final = 32
#: So many failures are told of one below the other when a build has ended, where there is room.
PINNED: Final = 6


class RunView(Struct):
    """The run that is open. `state` is the fold of its journal and moves with it."""

    run_id: str
    state: RunState
    graph: Graph | None = None
    live: bool = False
    #: This program started the build that is running.
    owned: bool = False
    #: The tasks and gates that have failed, and when; kept, so that nobody has to look through 100,000 tasks.
    failed: dict[str, int] = field(default_factory=dict)
    #: The tasks that cannot run because of those.
    blocked: Blocked = field(default_factory=Blocked)
    #: Of failed tasks whose logs have been looked through the line that most likely says why; None: it says nothing.
    causes: dict[str, Cause | None] = field(default_factory=dict)
    #: When it will have ended, counted from a moment on; None where nobody knows.
    forecast: tuple[Forecast, int] | None = None
    #: That has been looked into.
    foreseen: bool = False
    #: What its tasks and gates took in other runs of the plan.
    usual: Mapping[str, Usual] = field(default_factory=dict)
    #: The tasks of its critical path, first to last; empty until it has been worked out.
    critical: tuple[str, ...] = ()
    #: How fast it gets on.
    pace: Pace = field(default_factory=Pace)
    #: The run's folder has vanished.
    gone: bool = False

    @property
    def moving(self) -> bool:
        """Whether its numbers change by themselves as time goes on."""
        return self.live and self.state.frozen_since is None

    def row(self) -> RunRow:
        """Return as much of its row in the list as keys need that act on it."""
        return RunRow(self.run_id, self.state.status, live=self.live, failed=len(self.failed), gone=self.gone)

    def recount(self) -> None:
        """Look through all tasks for those that have failed; where it is known which have changed, `touch` does."""
        self.failed = {i: self.state.task(i).completed_at or 0 for i in self.state.failed_for_good()}
        self.causes = {i: cause for i, cause in self.causes.items() if i in self.failed}
        self.blocked.forget()
        self.blocked.update_for(self.state, self.graph, self.failed)

    def plan(self, graph: Graph | None) -> None:
        """Take the plan, now that it has been read."""
        self.graph = graph
        self.blocked.forget()
        self.blocked.update_for(self.state, graph, self.failed)

    def touch(self, ids: Collection[str]) -> None:
        """Bring what is known of failures up to date for tasks that have changed."""
        for task_id in ids:
            self.causes.pop(task_id, None)
            task = self.state.tasks.get(task_id) or self.state.gates.get(task_id)
            if task is not None and task.status is TaskStatus.FAILED and not task.allowed:
                self.failed[task_id] = task.completed_at or 0
            else:
                self.failed.pop(task_id, None)
        self.blocked.update_for(self.state, self.graph, self.failed, ids)

    def first_failure(self) -> str | None:
        """Return the failed task (or gate) that ended first, or None."""
        return min(self.failed, key=self.failed.__getitem__, default=None)

    def pinned(self) -> list[str]:
        """Return the failed tasks that are told of above all others: the first, and at the end some more."""
        return nsmallest(1 if self.live else PINNED, self.failed, key=self.failed.__getitem__)


#: The five checks of a checkpoint, as the specification names them.
CHECKS: Final = (
    "Metadata valid",
    "State file valid",
    "Progress tracking valid",
    "All output files present",
    "Hashes match",
)


class RunCheck(Struct, frozen=True):
    """The check of a run: under way, ended, or given up."""

    run_id: str
    #: Bytes that have been read, and that there are; 0 until they have been counted.
    done: int = 0
    total: int = 0
    #: When it ended; None while it is under way.
    ended_at: int | None = None
    #: What is wrong, for each of `CHECKS`.
    found: tuple[tuple[str, ...], ...] = ()
    #: Worth knowing, and no damage.
    notes: tuple[str, ...] = ()
    #: The tasks whose results cannot be relied on.
    damaged: tuple[str, ...] = ()
    #: The files that are not as they were written, or gone, as paths in the run's folder.
    files: tuple[str, ...] = ()
    #: The run was being built meanwhile.
    live: bool = False
    #: The record that it was checked up to.
    updated_at: int = 0
    #: Why it could not be carried through.
    problem: str = ""
    cancelled: bool = False

    @property
    def running(self) -> bool:
        """Whether it is under way."""
        return self.ended_at is None

    @property
    def proven(self) -> bool:
        """Whether it was carried through; only then `found` says anything."""
        return bool(self.found)

    @property
    def sound(self) -> bool:
        """Whether it was carried through and nothing is wrong."""
        return self.proven and not any(self.found)


class Desk(Struct):
    """All that the screens share."""

    clock: Clock
    said: Said = field(default_factory=Said)
    #: The checkpoint directory, as it is shown.
    root: str = ""
    runs: Sequence[RunRow] = ()
    #: Every run has been read at least once.
    listed: bool = False
    #: Deleted runs that can still be taken back, and the bytes that they take.
    trash: tuple[int, int] = (0, 0)
    #: What is being done with stored runs.
    chore: Chore | None = None
    view: RunView | None = None
    #: The run that is being read, to come into view.
    opening: str = ""
    #: Runs whose builds this program started.
    owned: set[str] = field(default_factory=set)
    #: Number the lines of logs from the start; None: where there is room.
    line_numbers: bool | None = None
    #: The run of the demo, if that is what the application was opened for.
    tour: str = ""
    #: The run that was last spoken of because it began, or ended, while it was not in view.
    noticed: str = ""
    #: The run that Validation is about.
    subject: str = ""
    #: The latest check of each run that was checked since the start.
    checks: dict[str, RunCheck] = field(default_factory=dict)

    def newest(self) -> RunRow | None:
        """Return the newest run that goes on or can be resumed, else the newest; None where none can be read."""
        rows = [row for row in self.runs if not row.damage]
        return next((row for row in rows if row.live or row.resumable), rows[0] if rows else None)

    def arrived(self) -> RunRow | None:
        """Return the run that was spoken of last, else a live one of the newest, if it is not in view already.

        It is asked for with every change of the footer: a long list is not looked through.
        """
        here = self.view.run_id if self.view is not None else ""
        if self.noticed not in ("", here) and (row := self.row(self.noticed)) is not None:
            return row
        return next((row for row in self.runs[:_NEWEST] if row.live and row.run_id != here), None)

    def row(self, run_id: str) -> RunRow | None:
        """Return the row of a run, or None where it is not in the list."""
        return next((row for row in self.runs if row.run_id == run_id), None)
