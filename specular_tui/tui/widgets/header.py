"""The two lines at the top: what is built, how it stands, for how long, and a bar of its tasks."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from specular_tui.tui import present
from specular_tui.tui.clock import Clock
from specular_tui.tui.present import Line
from specular_tui.tui.theme import paint
from specular_tui.tui.views import Desk, RunView


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
        lines = _of_run(view, self._desk.clock, width) if view else _of_directory(self._desk, width)
        return Content("\n").join([paint(line) for line in lines])


def _of_run(view: RunView, clock: Clock, width: int) -> list[Line]:
    state = view.state
    left = [
        present.badge(view, clock),
        [(state.plan_name or state.plan_file or "plan", "strong")],
        [(view.run_id, "muted")],
    ]
    top = present.spread(left, present.header_right(view, clock), width)
    numbers = present.counts(state)
    room = width - present.width(numbers) - 3
    if room < 12:
        return [top, present.state_bar(state, width)] if width < 40 else [top, present.cut(numbers, width)]
    return [top, [*present.state_bar(state, room), ("   ", "plain"), *numbers]]


def _of_directory(desk: Desk, width: int) -> list[Line]:
    left: list[Line] = [[(" SPECULAR ", "badge-muted")], [(desk.root, "muted")]]
    return [present.spread(left, [], width), present.cut(present.directory(desk), width)]
