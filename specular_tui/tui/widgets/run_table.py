"""The list of runs, drawn line by line: only what is visible costs anything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Final

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual.events import Click, MouseScrollDown, MouseScrollUp, Resize
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget

from specular_tui.model.duration import humanise
from specular_tui.tui import glyphs, keys, present
from specular_tui.tui.present import Line
from specular_tui.tui.theme import paint
from specular_tui.tui.views import Desk, RunRow

#: Heading, width, to the right or not; in the order of the screen. The plan takes what is left.
_COLUMNS: Final = (
    ("state", 11, False),
    ("run", 25, False),
    ("plan", 8, False),
    ("progress", 18, False),
    ("failed", 6, True),
    ("age", 10, True),
    ("took", 7, True),
    ("size", 7, True),
)
#: What goes first where there is no room.
_DROPPED: Final = ("took", "failed", "plan", "size", "progress", "age")
_GAP: Final = 2


class RunTable(Widget, can_focus=True):
    """The runs of the directory, one a line; the cursor stays on its run while others come and go."""

    ALLOW_SELECT = False
    BINDINGS = keys.bindings("list")
    COMPONENT_CLASSES: ClassVar[set[str]] = {"run-table--cursor"}

    class Selected(Message):
        """The cursor stands on another run."""

        def __init__(self, run_id: str) -> None:
            """`run_id` is that run."""
            super().__init__()
            self.run_id = run_id

    class Opened(Message):
        """A run was double-clicked."""

        def __init__(self, run_id: str) -> None:
            """`run_id` is that run."""
            super().__init__()
            self.run_id = run_id

    def __init__(self, desk: Desk) -> None:
        """`desk` has the rows and the clock."""
        super().__init__()
        self._desk = desk
        self._rows: Sequence[RunRow] = ()
        self._place: dict[str, int] = {}
        self._cursor = 0
        self._top = 0
        self._cache: dict[tuple[str, bool], Strip] = {}

    @property
    def row(self) -> RunRow | None:
        """The run under the cursor."""
        return self._rows[self._cursor] if self._rows else None

    def show(self, rows: Sequence[RunRow]) -> None:
        """Show these runs; the cursor stays on its run where that is still there."""
        before = self.row
        self._rows = rows
        self._place = {row.run_id: index for index, row in enumerate(rows)}
        if before is not None and before.run_id in self._place:
            self._cursor = self._place[before.run_id]
        self._cursor = max(0, min(self._cursor, len(rows) - 1))
        self._cache.clear()
        self._scroll()
        self.refresh()
        now = self.row
        if now is not None and (before is None or before.run_id != now.run_id):
            self.post_message(self.Selected(now.run_id))

    def touch(self, rows: Sequence[RunRow], changed: frozenset[str]) -> None:
        """Paint the runs `changed` anew; `rows` has the same runs in the same order as before."""
        self._rows = rows
        for run_id in changed:
            self._cache.pop((run_id, True), None)
            self._cache.pop((run_id, False), None)
            self._refresh_line(self._place.get(run_id, -1))

    def forget(self) -> None:
        """Paint all anew: ages have changed, or colours."""
        self._cache.clear()
        self.refresh()

    def select(self, run_id: str) -> None:
        """Put the cursor on a run."""
        if run_id in self._place:
            self._move_to(self._place[run_id])

    # Moving

    @property
    def _page(self) -> int:
        return max(1, self.size.height - 1)

    def _scroll(self) -> bool:
        top = max(min(self._top, self._cursor), self._cursor - self._page + 1, 0)
        top = max(0, min(top, len(self._rows) - self._page)) if len(self._rows) > self._page else 0
        changed, self._top = top != self._top, top
        return changed

    def _move_to(self, index: int) -> None:
        index = max(0, min(index, len(self._rows) - 1))
        if index == self._cursor or not self._rows:
            return
        before, self._cursor = self._cursor, index
        if self._scroll():
            self.refresh()
        else:
            self._refresh_line(before)
            self._refresh_line(index)
        self.post_message(self.Selected(self._rows[index].run_id))

    def _refresh_line(self, index: int) -> None:
        y = index - self._top + 1
        if 1 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def action_cursor_down(self) -> None:
        """Move to the next run."""
        self._move_to(self._cursor + 1)

    def action_cursor_up(self) -> None:
        """Move to the run before."""
        self._move_to(self._cursor - 1)

    def action_go_top(self) -> None:
        """Go to the newest run."""
        self._move_to(0)

    def action_go_bottom(self) -> None:
        """Go to the oldest run."""
        self._move_to(len(self._rows) - 1)

    def action_page_down(self) -> None:
        """Move a page down."""
        self._move_to(self._cursor + max(1, self._page - 1))

    def action_page_up(self) -> None:
        """Move a page up."""
        self._move_to(self._cursor - max(1, self._page - 1))

    def action_half_page_down(self) -> None:
        """Move half a page down."""
        self._move_to(self._cursor + max(1, self._page // 2))

    def action_half_page_up(self) -> None:
        """Move half a page up."""
        self._move_to(self._cursor - max(1, self._page // 2))

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Move on with the wheel."""
        event.stop()
        self._move_to(self._cursor + 3)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Move back with the wheel."""
        event.stop()
        self._move_to(self._cursor - 3)

    def on_click(self, event: Click) -> None:
        """Select, and open on the second click."""
        index = self._top + event.y - 1
        if event.y >= 1 and index < len(self._rows):
            self._move_to(index)
            if event.chain == 2:
                self.post_message(self.Opened(self._rows[index].run_id))

    def on_resize(self, event: Resize) -> None:
        """Lay the columns out anew."""
        self._cache.clear()
        self._scroll()

    def on_focus(self) -> None:
        """The cursor is drawn stronger."""
        self._cache.clear()
        self._refresh_line(self._cursor)

    def on_blur(self) -> None:
        """The cursor is drawn fainter."""
        self._cache.clear()
        self._refresh_line(self._cursor)

    def notify_style_update(self) -> None:
        """Forget lines in colours that are no longer in force."""
        super().notify_style_update()
        self._cache.clear()

    # Drawing

    def render_line(self, y: int) -> Strip:
        """Draw one line: the heading, or a run."""
        width = self.size.width
        if y == 0:
            return self._draw(self._heading(width), width)
        index = self._top + y - 1
        if index >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        row, cursor = self._rows[index], index == self._cursor
        strip = self._cache.get((row.run_id, cursor))
        if strip is None or strip.cell_length != width:
            if len(self._cache) > 500:
                self._cache.clear()
            strip = self._cache[row.run_id, cursor] = self._draw(self._line(row, width), width, cursor=cursor)
        return strip

    def _draw(self, line: Line, width: int, *, cursor: bool = False) -> Strip:
        content = paint(line)
        style = self.visual_style
        if cursor:
            style += Style.from_rich_style(self.get_component_rich_style("run-table--cursor"))
        segments = [
            Segment(text, (style + part).rich_style)
            for text, part in content.render(style, end="", parse_style=self._parse)
            if text
        ]
        return Strip(segments).adjust_cell_length(width, style.rich_style)

    def _parse(self, style: str | Style) -> Style:
        return Style.parse(style, self.app.theme_variables) if isinstance(style, str) else style

    def _columns(self, width: int) -> list[tuple[str, int, bool]]:
        shown = list(_COLUMNS)
        for dropped in _DROPPED:
            if sum(size + _GAP for _, size, _ in shown) - _GAP <= width:
                break
            shown = [column for column in shown if column[0] != dropped]
        rest = width + _GAP - sum(size + _GAP for _, size, _ in shown)
        # No wider than a name is long, so that the eye finds its way along the line.
        return [(name, size + max(0, min(rest, 16)) if name == "plan" else size, right) for name, size, right in shown]

    def _heading(self, width: int) -> Line:
        line: Line = []
        for name, size, right in self._columns(width):
            line.append(((name.rjust(size) if right else name.ljust(size)) + " " * _GAP, "faint"))
        return line

    def _line(self, row: RunRow, width: int) -> Line:
        line: Line = []
        for name, size, right in self._columns(width):
            cell = present.cut(_cell(name, row, self._desk, size), size)
            pad = (" " * max(0, size - present.width(cell)), "plain")
            line += [pad, *cell] if right else [*cell, pad]
            line.append((" " * _GAP, "plain"))
        return line


def _cell(name: str, row: RunRow, desk: Desk, width: int) -> Line:
    match name:
        case "state":
            return [present.run_badge(row.status, live=row.live)]
        case "run":
            return [(row.run_id, "plain")]
        case "plan":
            return [(row.plan_name, "plain" if row.live else "muted")]
        case "progress":
            if row.damage:
                return [("cannot be read", "muted")]
            text = f" {row.completed:,}/{row.total:,}"
            room = max(4, width - max(9, cell_len(text)))
            return [*present.row_bar(row, room), (set_cell_size(text, max(9, cell_len(text))), "muted")]
        case "failed":
            return [(f"{row.failed:,}", "failed")] if row.failed else []
        case "age":
            if row.live:
                return [("live", "running")]
            return (
                [(present.age(desk.clock.now() - (row.updated_at or row.created_at)), "muted")]
                if row.updated_at
                else []
            )
        case "took":
            return [(humanise(row.elapsed_ms), "muted")] if row.elapsed_ms else []
        case _:
            return [(present.size(row.size) if row.size is not None else glyphs.ELLIPSIS, "muted")]
