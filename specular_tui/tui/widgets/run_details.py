"""The side pane of the list of runs: what there is to know of the run under the cursor."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from specular_tui.model.run import RunState
from specular_tui.tui import present, present_check
from specular_tui.tui.present import Line
from specular_tui.tui.theme import paint_lines
from specular_tui.tui.views import Desk, RunRow


class RunDetails(VerticalScroll, can_focus=False):
    """Shows a run's summary; what must be read from its journal is filled in when it has been read."""

    def __init__(self, desk: Desk) -> None:
        """`desk` has the clock."""
        super().__init__()
        self._desk = desk
        self._text = Static(markup=False)

    def compose(self) -> ComposeResult:
        """Yield the text."""
        yield self._text

    def show(self, row: RunRow | None, state: RunState | None = None, problem: str = "") -> None:
        """Show a run, or nothing."""
        lines: list[Line] = []
        if row is not None:
            check = self._desk.checks.get(row.run_id)
            checked = present_check.short(check, self._desk.clock) if check is not None else None
            lines = present.details(row, state, problem, self._desk.clock, checked)
        self._text.update(paint_lines(lines))
