"""The tasks of a run as they lie on the screen: the rows in view, and the cursor on one of them.

It draws only the lines on screen, and of those the ones that now say something else.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import ClassVar, Final

from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from specular_tui.tui.widgets.scrolling import ScrollActions, thumb
from specular_tui.tui.widgets.task.cells import Cells
from specular_tui.tui.widgets.task.paint import RowPainter
from specular_tui.tui.widgets.task.rows import Rows

#: A cursor that keeps moving says where it is this often at most.
ANNOUNCE: Final = 0.1
#: What is looked at is told to who finds nothing.
_NOTHING: Final = "nothing matches, neither id, title nor state (failed, blocked, running, done)"


def wall_ms() -> int:
    """Return milliseconds since the epoch."""
    return time.time_ns() // 1_000_000


class TaskSheet(ScrollActions, Widget):
    """Paints and scrolls the rows, and moves the cursor; what brings the tasks there is `TaskTable`."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "task-table--header",
        "task-table--note",
        "task-table--pending",
        "task-table--blocked",
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

    class _OfTask(Message):
        def __init__(self, table: TaskSheet, task_id: str) -> None:
            super().__init__()
            self.table = table
            self.task_id = task_id

        @property
        def control(self) -> TaskSheet:
            """The table that it is about."""
            return self.table

    class Selected(_OfTask, namespace="task_table"):
        """The cursor has come to another task."""

    class Opened(_OfTask, namespace="task_table"):
        """The user wants more of a task: Enter, or a double click."""

    def __init__(
        self,
        clock: Callable[[], int],
        *,
        name: str | None,
        id: str | None,  # noqa: A002  as every widget has it
        classes: str | None,
    ) -> None:
        """`clock` answers in milliseconds since the epoch."""
        super().__init__(name=name, id=id, classes=classes)
        self._clock = clock
        self._now = clock()
        self._rows = Rows()
        self._top = 0
        self._cursor: int | None = None  # a position, not a row
        #: The cursor goes with what runs; ends as soon as somebody moves it, or scrolls.
        self.trails = False
        #: Somebody has moved it, or scrolled.
        self.moved = False
        self._announcing: Timer | None = None
        self._announced: str | None = None
        self._announced_at = 0.0
        self._painted: dict[int, tuple[int, Cells] | None] = {}
        self._painter = RowPainter(self._style)
        self._thumb: range | None = None
        self._style_key: object = None

    @property
    def selected(self) -> str | None:
        """The id of the task under the cursor."""
        return self._rows.ids[self._cursor] if self._cursor is not None else None

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

    def _keep_visible(self) -> bool:
        """Scroll as little as it takes to see the cursor; return whether it took anything."""
        row = self._cursor_row()
        if row is None or not self._body:
            return False
        top = self._clamp(min(max(self._top, row - self._body + 1), row))
        moved, self._top = top != self._top, top
        return moved

    def _centre(self, row: int) -> bool:
        """Scroll so that a row is in the middle, if it is not on the screen; return whether that took anything."""
        if not self._body or self._top <= row < self._top + self._body:
            return False
        self._top = self._clamp(row - self._body // 2)
        return True

    def show_top(self) -> None:
        """Show the first rows, if the cursor is seen there; else scroll only as far as the cursor takes."""
        self._top = 0
        self._keep_visible()
        self.refresh()

    def _take_over(self) -> None:
        """Somebody moves the cursor, or scrolls: it goes with nothing any more."""
        self.moved = True
        if self.trails:
            self.trails = False
            self.screen.refresh_bindings()  # there is a key that has it do so again

    def _move_to(self, row: int, *, centre: bool = False, by_hand: bool = True) -> None:
        if by_hand:
            self._take_over()
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
        if (centre and self._centre(row)) or self._keep_visible():
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

    # Painting --------------------------------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        """Share the width out anew, and keep the cursor on screen."""
        self._painted.clear()
        self._painter.lay_out(self.size.width, self._rows)
        self._top = self._clamp(self._top)
        row = self._cursor_row()
        if self.moved or row is None or not self._centre(row):
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
            return self._painter.words(_NOTHING if filtered else "no tasks")
        return self._painter.blank()

    def _note(self) -> str:
        notes = [f"by {self._rows.sort}"] if self._rows.sort != "plan" else []
        if self._rows.filter:
            notes.append(self.count_text)
        return ", ".join(notes)
