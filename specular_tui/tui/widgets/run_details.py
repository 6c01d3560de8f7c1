"""The side pane of the list of runs: what there is to know of the run under the cursor."""

from __future__ import annotations

from specular_tui.model.drift import Drift
from specular_tui.model.run import RunState
from specular_tui.tui import present_check, present_run
from specular_tui.tui.views import Desk, RunRow
from specular_tui.tui.widgets.text_pane import TextPane


class RunDetails(TextPane):
    """Shows a run's summary; what must be read from its journal is filled in when it has been read."""

    def __init__(self, desk: Desk) -> None:
        """`desk` has the clock."""
        super().__init__()
        self._desk = desk
        self._shown = ""

    def show(
        self, row: RunRow | None, state: RunState | None = None, problem: str = "", drift: Drift | None = None
    ) -> None:
        """Show a run, from its start where it is another one; or nothing."""
        if row is None:
            self.update([])
            return
        if row.run_id != self._shown:
            self._shown = row.run_id
            self.scroll_home(animate=False)
        check = self._desk.checks.get(row.run_id)
        checked = present_check.short(check, self._desk.clock) if check is not None else None
        self.update(present_run.details(row, state, problem, self._desk.clock, checked, drift))
