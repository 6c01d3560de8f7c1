"""The drawing of the task table's lines: what a row says, in the styles of its state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from specular_tui.tui import glyphs
from specular_tui.tui.widgets.task.cells import SHAPES, Cells
from specular_tui.tui.widgets.task.columns import Columns, columns, fit, heading, pieces
from specular_tui.tui.widgets.task.rows import Rows

_KEPT: Final = 2000


class RowPainter:
    """Draws with the styles that `look_up` answers for a name ("" for the widget's own), and keeps what it has drawn.

    A row that says the same as before is the same strip as before, so that nothing behind it is worked out again.
    """

    def __init__(self, look_up: Callable[[str], Style]) -> None:
        """Nothing has been drawn yet."""
        self._look_up = look_up
        self._width = 0
        self._columns = Columns(0, 0, 0, 0, 0, 0)
        self._styles: dict[tuple[str, bool], Style] = {}
        self._strips: dict[tuple[int, bool, bool | None], tuple[Cells, Strip]] = {}

    def forget(self) -> None:
        """Draw all anew: the styles, or the tasks, are others."""
        self._styles.clear()
        self._strips.clear()

    def lay_out(self, width: int, rows: Rows) -> bool:
        """Share `width` cells out among the columns; return whether anything is where it was not."""
        layout = columns(
            width - 1,
            ids=rows.id_width,
            titles=rows.title_width,
            estimates=rows.estimated,
            attempts=rows.retries,
        )
        if (layout, width) == (self._columns, self._width):
            return False
        self._columns, self._width = layout, width
        self._strips.clear()
        return True

    def style(self, name: str, cursor: bool = False) -> Style:
        """Return the style of a part, under the cursor or not."""
        style = self._styles.get((name, cursor))
        if style is None:
            style = self._look_up(name)
            if cursor:
                over = self._look_up("cursor")
                style = style + Style(bgcolor=over.bgcolor, bold=over.bold or None, reverse=over.reverse or None)
            self._styles[name, cursor] = style
        return style

    def row(self, position: int, cells: Cells, *, cursor: bool, thumb: bool | None) -> Strip:
        """Return the line of a task; `thumb`: whether the scroll indicator is beside it, None where there is none."""
        known = self._strips.get((position, cursor, thumb))
        if known is None or known[0] != cells:
            if len(self._strips) > _KEPT:
                self._strips.clear()
            known = self._strips[position, cursor, thumb] = (cells, self._draw(cells, cursor, thumb))
        return known[1]

    def _draw(self, cells: Cells, cursor: bool, thumb: bool | None) -> Strip:
        kind = cells.kind
        active, waiting = kind in ("running", "frozen"), kind in ("pending", "blocked", "skipped")
        quiet = "faint" if waiting else "muted"
        roles = {
            "shape": kind,
            "id": "id-failed" if kind == "failed" else "id-active" if active else "muted" if waiting else "id",
            "title": "id" if active or kind == "failed" else quiet,
            "time": "over" if cells.over else "id" if active else "muted",
            "estimate": "faint",
            "attempt": "muted",
            "detail": "failed" if kind == "failed" else quiet,
            "gap": "",
        }
        segments = [
            Segment(text, self.style(roles[role], cursor))
            for role, text in pieces(cells, SHAPES[kind], self._columns, self._width - 1)
        ]
        if thumb:
            segments.append(Segment(glyphs.THUMB, self.style("thumb")))
        else:
            segments.append(Segment(" ", self.style("", cursor and thumb is None)))
        return Strip(segments).adjust_cell_length(self._width, self.style("", cursor))

    def header(self, note: str) -> Strip:
        """Return the line above the rows, with `note` at its end."""
        names, note = heading(self._columns, self._width, note)
        return Strip([Segment(names, self.style("header")), Segment(note, self.style("note"))], self._width)

    def words(self, text: str) -> Strip:
        """Return a line that says `text` in place of rows."""
        return Strip([Segment(fit(f"   {text}", self._width), self.style("muted"))], self._width)

    def blank(self) -> Strip:
        """Return an empty line."""
        return Strip.blank(self._width, self.style(""))
