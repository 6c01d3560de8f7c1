"""The live table of a run's tasks: fluent with 100,000 rows that change 1,000 times a second.

It draws only the lines on screen. What changes is marked, and at most twenty times a second the lines that now say
something else are drawn again; the cursor moves at once. With nothing running there is no timer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import ClassVar, Final

from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from specular_tui.model.graph import Graph
from specular_tui.model.run import RunState, TaskStatus
from specular_tui.tui.frames import to_beat
from specular_tui.tui.widgets.scrolling import ScrollActions, share, thumb
from specular_tui.tui.widgets.task_paint import RowPainter
from specular_tui.tui.widgets.task_rows import SORTS, Cells, Filter, Rows, Sort

#: A cursor that keeps moving says where it is this often at most.
ANNOUNCE: Final = 0.1
_WHEEL: Final = 3


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class TaskTable(ScrollActions, Widget, can_focus=True):
    """Every task of a run, one line each. `show` gives it a run, `touch` says which tasks have changed."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "task-table--header",
        "task-table--note",
        "task-table--pending",
        "task-table--running",
        "task-table--completed",
        "task-table--failed",
        "task-table--skipped",
        "task-table--frozen",
        "task-table--id",
        "task-table--id-active",
        "task-table--id-failed",
        "task-table--muted",
        "task-table--faint",
        "task-table--over",
        "task-table--cursor",
        "task-table--thumb",
    }

    class Selected(Message):
        """The cursor has come to another task."""

        def __init__(self, table: TaskTable, task_id: str) -> None:
            super().__init__()
            self.table = table
            self.task_id = task_id

        @property
        def control(self) -> TaskTable:
            """The table that it is about."""
            return self.table

    class Opened(Message):
        """The user wants more of a task: Enter, or a double click."""

        def __init__(self, table: TaskTable, task_id: str) -> None:
            super().__init__()
            self.table = table
            self.task_id = task_id

        @property
        def control(self) -> TaskTable:
            """The table that it is about."""
            return self.table

    def __init__(
        self,
        *,
        clock: Callable[[], int] = _wall_ms,
        name: str | None = None,
        id: str | None = None,  # noqa: A002  as every widget has it
        classes: str | None = None,
    ) -> None:
        """`clock` answers in milliseconds since the epoch."""
        super().__init__(name=name, id=id, classes=classes)
        self._clock = clock
        self._now = clock()
        self._rows = Rows()
        self._top = 0
        self._cursor: int | None = None  # a position, not a row
        self._touched: set[str] = set()
        self._frame: Timer | None = None
        self._announcing: Timer | None = None
        self._announced: str | None = None
        self._announced_at = 0.0
        self._dragging = False
        self._painted: dict[int, tuple[int, Cells] | None] = {}
        self._painter = RowPainter(self._style)
        self._thumb: range | None = None
        self._style_key: object = None

    # What it shows ---------------------------------------------------------------------------------------------------

    def show(
        self, state: RunState, graph: Graph | None = None, *, estimates: Mapping[str, float] | None = None
    ) -> None:
        """Show a run, or the same run whose tasks are no longer the same; the cursor stays on its task if it can.

        `estimates` are milliseconds by task id, known better than the plan's own.
        """
        selected, away = self.selected, (self._cursor_row() or 0) - self._top
        self._rows.load(state, graph, estimates)
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

    @property
    def selected(self) -> str | None:
        """The id of the task under the cursor."""
        return self._rows.ids[self._cursor] if self._cursor is not None else None

    def select(self, task_id: str) -> bool:
        """Move the cursor to a task; return whether it is there to be selected."""
        row = self._rows.row(self._rows.positions.get(task_id))
        if row is None:
            return False
        self._move_to(row)
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

    @property
    def row_count(self) -> int:
        """How many rows the filter lets through."""
        return len(self._rows)

    @property
    def count_text(self) -> str:
        """`12 of 100,000` under a filter, else `100,000`."""
        shown, total = len(self._rows), self._rows.total
        return f"{shown:,} of {total:,}" if self._rows.filter else f"{total:,}"

    # Order and cursor ------------------------------------------------------------------------------------------------

    def _cursor_row(self) -> int | None:
        return self._rows.row(self._cursor)

    @property
    def _body(self) -> int:
        """How many rows there is room for."""
        return max(0, self.size.height - 1)

    def _clamp(self, top: int) -> int:
        return max(0, min(top, len(self._rows) - self._body))

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

    def _keep_visible(self) -> bool:
        """Scroll as little as it takes to see the cursor; return whether it took anything."""
        row = self._cursor_row()
        if row is None or not self._body:
            return False
        top = self._clamp(min(max(self._top, row - self._body + 1), row))
        moved, self._top = top != self._top, top
        return moved

    def _move_to(self, row: int, *, centre: bool = False) -> None:
        rows = len(self._rows)
        if not rows:
            return
        before = self._cursor_row()
        row = max(0, min(row, rows - 1))
        position = self._rows.position(row)
        if position == self._cursor and self._top <= row < self._top + self._body:
            return
        self._cursor = position
        if self._rows.kept is not None and self._rows.kept != position:
            kept, self._rows.kept = self._rows.kept, None
            if self._rows.moved([self._rows.ids[kept]], self._now):
                self._keep_visible()
                self.refresh()
                self._announce()
                return
        if centre and not self._top <= row < self._top + self._body:
            self._top = self._clamp(row - self._body // 2)
            self.refresh()
        elif self._keep_visible():
            self.refresh()
        else:
            self._refresh_rows(before, row)
        self._announce()

    def _refresh_rows(self, *rows: int | None) -> None:
        lines = [row - self._top + 1 for row in rows if row is not None and 0 <= row - self._top < self._body]
        if lines:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in lines))

    def _announce(self) -> None:
        if self._announcing is not None or not self.is_mounted:
            return
        wait = self._announced_at + ANNOUNCE - time.monotonic()
        if wait <= 0:
            self._announce_now()
        else:
            self._announcing = self.set_timer(wait, self._announce_now, name="task-table-announce")

    def _announce_now(self) -> None:
        self._announcing = None
        self._announced_at = time.monotonic()
        if self.selected is not None and self.selected != self._announced:
            self.post_message(self.Selected(self, self.selected))
        self._announced = self.selected

    # Changes ---------------------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        """Draw again what says something else than on screen."""
        self._frame = None
        self._now = self._clock()
        touched, self._touched = self._touched, set()
        rows = self._rows
        if rows.filter.statuses:
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
            self._refresh_changed()

    def _refresh_changed(self) -> None:
        changed = [y for y, shown in self._painted.items() if shown != self._line(y)]
        if changed:
            self.refresh(*(Region(0, y, self.size.width, 1) for y in changed))

    def tick(self) -> None:
        """A second has gone by: count the time of what runs."""
        state = self._rows.state
        if state.running and state.frozen_since is None and self._frame is None:
            if self._rows.sort == "duration":
                self._touched.update(state.running)
            self._flush()

    def on_mount(self) -> None:
        """Catch up with what came before there was a screen."""
        self._announce()

    # Painting --------------------------------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        """Share the width out anew, and keep the cursor on screen."""
        self._painted.clear()
        self._painter.lay_out(self.size.width, self._rows)
        self._top = self._clamp(self._top)
        self._keep_visible()
        self.refresh()

    def notify_style_update(self) -> None:
        """Forget the styles that are no longer in force."""
        super().notify_style_update()
        self._style_key = None

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"task-table--{name}") if name else self.rich_style

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the lines of `crop`."""
        key = (self.background_colors, self.has_focus, self.app.theme)
        if key != self._style_key:
            self._style_key = key
            self._painter.forget()
        fits = len(self._rows) <= self._body
        self._thumb = None if fits else thumb(self._top, self._body, len(self._rows), self._body)
        return super().render_lines(crop)

    def _line(self, y: int) -> tuple[int, Cells] | None:
        row = self._top + y - 1
        if row >= len(self._rows):
            return None
        position = self._rows.position(row)
        return position, self._rows.cells(position, self._now)

    def render_line(self, y: int) -> Strip:
        """Draw one line: the header, a task, or nothing."""
        if y == 0:
            return self._painter.header(self._note())
        line = self._painted[y] = self._line(y)
        if line is not None:
            position, cells = line
            beside = None if self._thumb is None else y - 1 in self._thumb
            return self._painter.row(position, cells, cursor=position == self._cursor, thumb=beside)
        if y == 2 and not self._rows:
            filtered = self._rows.filter and self._rows.total
            return self._painter.words("nothing matches the filter" if filtered else "no tasks")
        return self._painter.blank()

    def _note(self) -> str:
        notes = [f"by {self.sort}"] if self.sort != "plan" else []
        if self._rows.filter:
            notes.append(self.count_text)
        return ", ".join(notes)

    # Mouse -----------------------------------------------------------------------------------------------------------

    def _scroll(self, lines: int) -> None:
        top = self._clamp(self._top + lines)
        if top != self._top:
            self._top = top
            self.refresh()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll; the cursor stays on its task."""
        event.stop()
        self._scroll(_WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll; the cursor stays on its task."""
        event.stop()
        self._scroll(-_WHEEL)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the scroll indicator."""
        if event.x >= self.size.width - 1 and len(self._rows) > self._body:
            self._dragging = True
            self.capture_mouse()
            self._drag_to(event.y)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Scroll as the indicator is dragged."""
        if self._dragging:
            self._drag_to(event.y)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let go of the scroll indicator."""
        if self._dragging:
            self._dragging = False
            self.release_mouse()

    def _drag_to(self, y: int) -> None:
        self._scroll(round(share(y - 1, self._body) * (len(self._rows) - self._body)) - self._top)

    def on_click(self, event: events.Click) -> None:
        """Select the task that is clicked on; open it with the second click."""
        row = self._top + event.y - 1
        if event.y < 1 or row >= len(self._rows) or event.x >= self.size.width - 1:
            return
        self._move_to(row)
        if event.chain == 2 and self.selected is not None:
            self.action_open()

    # Actions ---------------------------------------------------------------------------------------------------------

    def _page(self) -> int:
        return self._body

    def _step(self, rows: int) -> None:
        row = self._cursor_row()
        self._move_to(0 if row is None else row + rows)

    def action_go_top(self) -> None:
        """Move to the first task."""
        self._move_to(0)

    def action_go_bottom(self) -> None:
        """Move to the last task."""
        self._move_to(len(self._rows) - 1)

    def action_open(self) -> None:
        """Open the task under the cursor."""
        if self.selected is not None:
            if self._announced != self.selected:
                self._announce_now()
            self.post_message(self.Opened(self, self.selected))

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
        """Move to the next running task, round the end; return whether there is one."""
        return self._find(TaskStatus.IN_PROGRESS, 1)

    def action_next_failure(self) -> None:
        """Move to the next failed task."""
        self.next_failure()

    def action_previous_failure(self) -> None:
        """Move to the failed task before."""
        self.previous_failure()

    def action_next_running(self) -> None:
        """Move to the next running task."""
        self.next_running()
