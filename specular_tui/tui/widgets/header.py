"""The two lines at the top: what is built, how it stands, for how long, and a bar of its tasks."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from specular_tui.tui import present, present_header
from specular_tui.tui.present import Line
from specular_tui.tui.safe import plain
from specular_tui.tui.theme import rich_style
from specular_tui.tui.views import Desk


class RunHeader(Widget):
    """Shows the run in view, or, where none is, what lies in the directory.

    It changes every second: only the line that says something else is drawn, and not by way of a layout.
    """

    def __init__(self, desk: Desk) -> None:
        """`desk` is read whenever something may have changed, and where there is more or less room."""
        super().__init__()
        self._desk = desk
        self._lines: list[Line] = []
        self._room = -1
        self._styles: dict[str, Style] = {}

    def lines(self, width: int) -> list[Line]:
        """Return both lines, as wide as there is room."""
        view = self._desk.view
        return present_header.lines(view, self._desk.clock, width) if view else _of_directory(self._desk, width)

    def update(self) -> None:
        """Draw the lines that say something else by now."""
        if self._room != self.content_size.width:
            return  # both are drawn before long
        before, self._lines = self._lines, self.lines(self._room)
        for y in range(max(len(before), len(self._lines))):
            if before[y : y + 1] != self._lines[y : y + 1]:
                self.refresh(Region(0, y, self.outer_size.width, 1))

    def notify_style_update(self) -> None:
        """Forget the styles that are no longer in force."""
        super().notify_style_update()
        self._styles.clear()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the lines of `crop`."""
        if self._room != self.content_size.width:
            self._room = self.content_size.width
            self._lines = self.lines(self._room)
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Draw a line."""
        line = self._lines[y] if y < len(self._lines) else []
        strip = Strip([Segment(plain(text), self._style(role)) for text, role in line if text]).simplify()
        return strip.adjust_cell_length(self._room, self._style("plain"))

    def _style(self, role: str) -> Style:
        style = self._styles.get(role)
        if style is None:
            style = self._styles[role] = rich_style(role, self)
        return style


def _of_directory(desk: Desk, width: int) -> list[Line]:
    left: list[Line] = [[(" SPECULAR ", "badge-muted")], [(desk.root, "muted")]]
    return [present.spread(left, [], width), present.cut(present.directory(desk), width)]
