"""Mode 2: every run of the directory, and what there is to know of the one under the cursor."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.containers import Container
from textual.timer import Timer
from textual.widgets import Static

from specular_tui.tui import keys
from specular_tui.tui.messages import Delete, Inspect, Open, RunInspected, RunsListed, Ticked
from specular_tui.tui.screens.mode import ModeScreen
from specular_tui.tui.theme import paint_lines
from specular_tui.tui.views import Desk, RunRow
from specular_tui.tui.widgets.run_details import RunDetails
from specular_tui.tui.widgets.run_table import RunTable

#: A run is read for the side pane once the cursor has rested on it this long, in seconds.
_REST: Final = 0.15


class CheckpointsScreen(ModeScreen):
    """The list of runs beside the summary of one."""

    MODE: ClassVar[str] = "checkpoints"
    BINDINGS = keys.bindings("run", "checkpoints")

    def __init__(self, desk: Desk) -> None:
        """`desk` has the rows."""
        super().__init__(desk)
        self.table = RunTable(desk)
        self.details = RunDetails(desk)
        self._rest: Timer | None = None
        self._read: RunInspected | None = None

    def body(self) -> ComposeResult:
        """Yield the list and the side pane, or a word where there is no run."""
        with Container(id="panes"):
            yield self.table
            yield self.details
        yield Static(_EMPTY, id="empty")

    def on_mount(self) -> None:
        """Show what has been listed so far."""
        self._show_all()
        self.table.focus()

    def on_screen_resume(self) -> None:
        """Ages have changed meanwhile."""
        super().on_screen_resume()
        if self.table.is_mounted:
            self.table.forget()

    def run_at_hand(self) -> RunRow | None:
        """Return the run under the cursor."""
        return self.table.row

    def _show_all(self) -> None:
        empty = self.desk.listed and not self.desk.runs
        self.query_one("#empty").display = empty
        self.query_one("#panes").display = not empty
        self.table.show(self.desk.runs)

    def _on_runs_listed(self, message: RunsListed) -> None:
        super()._on_runs_listed(message)
        if message.changed is None:
            self._show_all()
        else:
            self.table.touch(self.desk.runs, message.changed)
        row = self.table.row
        if row is not None and (message.changed is None or row.run_id in message.changed):
            self._show_details(row)

    def _on_ticked(self, message: Ticked) -> None:
        super()._on_ticked(message)
        if self.is_current and (row := self.table.row) is not None and row.live:
            self._inspect_later()

    def _on_run_inspected(self, message: RunInspected) -> None:
        self._read = message
        if (row := self.table.row) is not None and row.run_id == message.run_id:
            self._show_details(row)

    def _on_run_table_selected(self, message: RunTable.Selected) -> None:
        message.stop()
        if (row := self.table.row) is not None:
            self._show_details(row)
            self._inspect_later()
        self.footer.update()

    def _on_run_table_opened(self, message: RunTable.Opened) -> None:
        message.stop()
        self.action_open()

    def _inspect_later(self) -> None:
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(_REST, self._inspect)

    def _inspect(self) -> None:
        if (row := self.table.row) is not None and not row.damage:
            self.post_message(Inspect(row.run_id))

    def _show_details(self, row: RunRow) -> None:
        read = self._read if self._read is not None and self._read.run_id == row.run_id else None
        self.details.show(row, read.state if read else None, read.problem if read else "")

    def action_open(self) -> None:
        """Show the run under the cursor in Build."""
        row = self.table.row
        if row is None:
            return
        if row.damage:
            self.say(f"{row.run_id} cannot be read: {row.damage}")
        else:
            self.post_message(Open(row.run_id))

    def action_delete(self) -> None:
        """Ask whether the run under the cursor shall go."""
        row = self.table.row
        if row is None:
            return
        if row.live:
            self.say(f"{row.run_id} is being built: stop it before you delete it")
        else:
            self.post_message(Delete(row.run_id))


_EMPTY = paint_lines(
    [
        [("No runs here yet.", "strong")],
        [],
        [("A build leaves one here, and shows up by itself:", "muted")],
        [],
        [("  specular build      ", "accent"), ("runs plan.json of this folder", "muted")],
        [("  specular init       ", "accent"), ("writes a plan.json to start from", "muted")],
        [("  specular demo       ", "accent"), ("runs a real build that comes with Specular", "muted")],
    ]
)
