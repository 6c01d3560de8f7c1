"""The live table of a run's tasks: fluent with 100,000 rows that change 1,000 times a second.

What changes is marked, and at most twenty times a second the lines that now say something else are drawn again; the
cursor moves at once. With nothing running there is no timer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from textual.geometry import Region
from textual.timer import Timer

from specular_tui.model.graph import Graph
from specular_tui.model.run import RunState, TaskStatus
from specular_tui.tui.terminal.frames import to_beat
from specular_tui.tui.widgets.task.filter import Filter
from specular_tui.tui.widgets.task.mouse import TaskMouse
from specular_tui.tui.widgets.task.rows import SORTS, Sort
from specular_tui.tui.widgets.task.sheet import wall_ms

#: A cursor that goes with what runs stays on a task for so many seconds at least; and where nothing that runs is on
#: the screen.
DWELL: Final = 1.0
DWELL_BLIND: Final = 0.1


class TaskTable(TaskMouse, can_focus=True):
    """Every task of a run, one line each. `show` gives it a run, `touch` says which tasks have changed."""

    def __init__(
        self,
        *,
        clock: Callable[[], int] = wall_ms,
        name: str | None = None,
        id: str | None = None,  # noqa: A002  as every widget has it
        classes: str | None = None,
    ) -> None:
        """`clock` answers in milliseconds since the epoch."""
        super().__init__(clock, name=name, id=id, classes=classes)
        self._touched: set[str] = set()
        self._frame: Timer | None = None
        self._trailed_at = 0.0
        self._trailing: Timer | None = None
        #: Tells whether the cursor has to stay where it is for now, although it goes with what runs.
        self.held: Callable[[], bool] = lambda: False

    # What it shows ---------------------------------------------------------------------------------------------------

    def show(
        self,
        state: RunState,
        graph: Graph | None = None,
        *,
        estimates: Mapping[str, float] | None = None,
        blocked: Collection[str] = (),
    ) -> None:
        """Show a run, or the same run whose tasks are no longer the same; the cursor stays on its task if it can.

        `estimates` are milliseconds by task id, known better than the plan's own; `blocked` are the tasks that cannot
        run because of a failed one, kept up to date by whoever gives them.
        """
        selected, away = self.selected, (self._cursor_row() or 0) - self._top
        self._rows.load(state, graph, estimates, blocked)
        self._now = self._clock()
        self._cursor = self._rows.positions.get(selected) if selected is not None else None
        self._painter.forget()
        self._rearrange()
        if self._cursor is None and self._rows:
            self._cursor = self._rows.position(0)
        row = self._cursor_row()
        self._top = self._clamp(row - away if row is not None and selected is not None else 0)
        self._painter.lay_out(self.size.width, self._rows)
        self._keep_visible()
        self.refresh()
        self._announce()

    def touch(self, ids: Iterable[str], state: RunState | None = None) -> None:
        """Mark tasks as changed; `state` is the run's state where it is another object now."""
        if state is not None:
            self._rows.state = state
        self._touched.update(ids)
        if self._frame is None and self.is_mounted:
            self._frame = self.set_timer(to_beat(), self._flush, name="task-table-frame")

    def select(self, task_id: str, *, by_hand: bool = True) -> bool:
        """Move the cursor to a task; return whether it is there to be selected.

        Where nobody has asked for it (not `by_hand`), the cursor goes on to go with what runs.
        """
        row = self._rows.row(self._rows.positions.get(task_id))
        if row is None:
            return False
        # Where it goes by itself, what runs beside it is most likely to be seen around it.
        self._move_to(row, centre=not by_hand, by_hand=by_hand)
        return True

    @property
    def filter_text(self) -> str:
        """Words that id or title must contain, and states such as `:failed`."""
        return self._rows.filter.text

    @filter_text.setter
    def filter_text(self, text: str) -> None:
        if text != self._rows.filter.text:
            self._rows.filter = Filter(text)
            self._rows.kept = None
            self._reorder()

    @property
    def sort(self) -> Sort:
        """What rows are sorted by: `plan`, `state` or `duration`."""
        return self._rows.sort

    @sort.setter
    def sort(self, sort: Sort) -> None:
        if sort != self._rows.sort:
            self._rows.sort = sort
            self._reorder()

    def _rearrange(self) -> None:
        self._rows.arrange(self._now)

    def _reorder(self) -> None:
        """Filter or sort as the user has just asked; the cursor stays on its task, or goes to the first row."""
        away = (self._cursor_row() or 0) - self._top
        self._rearrange()
        row = self._cursor_row()
        if row is None and self._rows:
            self._cursor, row = self._rows.position(0), 0
        self._top = self._clamp((row or 0) - max(0, min(away, self._body - 1)))
        self.refresh()
        self._announce()

    # Changes ---------------------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        """Draw again what says something else than on screen."""
        self._frame = None
        self._now = self._clock()
        touched, self._touched = self._touched, set()
        rows = self._rows
        if rows.filter.by_state:
            rows.kept = self._cursor
        if not rows.retries and any(rows.state.tasks[i].attempt > 1 for i in touched if i in rows.state.tasks):
            rows.retries = True
            if self._painter.lay_out(self.size.width, rows):
                self.refresh()
        cursor, seen = self._cursor_row(), len(rows)
        anchored = cursor is not None and self._top <= cursor < self._top + self._body
        anchor = self._cursor if anchored else rows.position(self._top) if self._top < seen else None
        away = (rows.row(anchor) or 0) - self._top
        if rows.moved(touched, self._now):
            row = rows.row(anchor)
            self._top = self._clamp(self._top if row is None else row - away)
            if self._cursor is None and len(rows):
                self._cursor = rows.position(0)
                self._announce()
            self.refresh()
        else:
            self._refresh_changed(self._painted)
        self._trail()

    def _trail(self) -> None:
        """Go on to what has run longest once the task under the cursor runs no more, and could be looked at."""
        state, now = self._rows.state, time.monotonic()
        if not self.trails or state.current_task is None or self.selected in state.running or self.held():
            return
        wait = self._trailed_at + (DWELL if self._any_in_view(state.running) else DWELL_BLIND) - now
        if wait > 0:
            # It may be that nothing happens until then: quick tasks may all stand frozen.
            if self._trailing is None:
                self._trailing = self.set_timer(wait, self._trail_late, name="task-table-trail")
        elif self.select(state.current_task, by_hand=False):
            self._trailed_at = now

    def _trail_late(self) -> None:
        self._trailing = None
        self._trail()

    def _any_in_view(self, ids: Iterable[str]) -> bool:
        rows = (self._rows.row(self._rows.positions.get(task_id)) for task_id in ids)
        return any(row is not None and self._top <= row < self._top + self._body for row in rows)

    def _refresh_changed(self, lines: Iterable[int]) -> None:
        changed = [y for y in lines if self._painted[y] != self._line(y)]
        if changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def tick(self) -> None:
        """A second has gone by: count the time of what runs."""
        state = self._rows.state
        if not state.running or state.frozen_since is not None or self._frame is not None:
            return
        if self._rows.sort == "duration":
            self._touched.update(state.running)
            self._flush()
            return
        # Nothing else can have changed: it is not looked at.
        self._now = self._clock()
        self._refresh_changed([y for y, shown in self._painted.items() if shown and shown[1].kind == "running"])
        self._trail()

    def on_mount(self) -> None:
        """Catch up with what came before there was a screen."""
        self._announce()

    # Actions ---------------------------------------------------------------------------------------------------------

    def action_go_top(self) -> None:
        """Move to the first task."""
        self._move_to(0)

    def action_go_bottom(self) -> None:
        """Move to the last task."""
        self._move_to(len(self._rows) - 1)

    def action_cycle_sort(self) -> None:
        """Sort by the next thing: plan, state, duration."""
        self.sort = SORTS[(SORTS.index(self.sort) + 1) % len(SORTS)]

    def _find(self, status: TaskStatus, step: int) -> bool:
        row = self._rows.find(status, self._cursor_row() or 0, step)
        if row is None:
            return False
        self._move_to(row, centre=True)
        return True

    def next_failure(self) -> bool:
        """Move to the next failed task, round the end; return whether there is one."""
        return self._find(TaskStatus.FAILED, 1)

    def previous_failure(self) -> bool:
        """Move to the failed task before, round the start; return whether there is one."""
        return self._find(TaskStatus.FAILED, -1)

    def next_running(self) -> bool:
        """Move to the next running task, round the end, and then go with what runs; return whether there is one."""
        self.trails = self._find(TaskStatus.IN_PROGRESS, 1)
        self.moved = not self.trails
        return self.trails

    def action_next_failure(self) -> None:
        """Move to the next failed task."""
        self.next_failure()

    def action_previous_failure(self) -> None:
        """Move to the failed task before."""
        self.previous_failure()

    def action_next_running(self) -> None:
        """Move to the next running task."""
        self.next_running()
