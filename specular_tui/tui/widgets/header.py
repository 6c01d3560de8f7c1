"""The two lines at the top: what is built, how it stands, for how long, and a bar of its tasks."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from specular_tui.tui import present, present_header
from specular_tui.tui.present import Line
from specular_tui.tui.theme import paint_lines
from specular_tui.tui.views import Desk


class RunHeader(Widget):
    """Shows the run in view, or, where none is, what lies in the directory."""

    def __init__(self, desk: Desk) -> None:
        """`desk` is read at every paint."""
        super().__init__()
        self._desk = desk

    def render(self) -> Content:
        """Return both lines, as wide as there is room."""
        width = self.content_size.width
        view = self._desk.view
        return paint_lines(
            present_header.lines(view, self._desk.clock, width) if view else _of_directory(self._desk, width)
        )


def _of_directory(desk: Desk, width: int) -> list[Line]:
    left: list[Line] = [[(" SPECULAR ", "badge-muted")], [(desk.root, "muted")]]
    return [present.spread(left, [], width), present.cut(present.directory(desk), width)]
