"""Mode 3: whether a checkpoint is as it was written, and what came of the gates."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widgets import OptionList, Static

from specular_tui.model.run import GATE_PREFIX, RunState
from specular_tui.tui import glyphs, keys
from specular_tui.tui.messages import (
    CancelCheck,
    CheckMoved,
    Inspect,
    RunInspected,
    RunMoved,
    RunShown,
    RunsListed,
    ShowTask,
    Ticked,
)
from specular_tui.tui.screens.mode import ModeScreen
from specular_tui.tui.theme import paint_lines
from specular_tui.tui.views import Desk, RunRow
from specular_tui.tui.widgets.check_pane import CheckPane, GateList


class Checks(CheckPane):
    """The checks with the keys of this application."""

    BINDINGS = keys.bindings("list")


class Gates(GateList):
    """The gates with the keys of this application."""

    BINDINGS = keys.bindings("list", "gates")


class ValidationScreen(ModeScreen):
    """The five checks of a run beside, or above, its gates."""

    MODE: ClassVar[str] = "validation"
    BINDINGS = keys.bindings("run", "validation")

    def __init__(self, desk: Desk) -> None:
        """`desk` says which run it is about, and what is known of it."""
        super().__init__(desk)
        self.checks = Checks(desk)
        self.gates = Gates(desk)
        self._read: RunInspected | None = None
        self._asked = ""

    def body(self) -> ComposeResult:
        """Yield checks and gates, or a word where there is no run."""
        with Container(id="panes"):
            yield self.checks
            with Vertical(id="gates"):
                yield Static(paint_lines([[("Gates", "strong")]]), id="gates-title")
                yield self.gates
                yield Static(id="no-gates", markup=False)
        yield Static(_empty(), id="empty")

    def on_mount(self) -> None:
        """Show the run that it is about."""
        self._show()
        self.checks.focus()

    def on_screen_resume(self) -> None:
        """It may be about another run, and more may be known of it."""
        super().on_screen_resume()
        self._asked = ""
        if self.checks.is_mounted:
            self._show()

    def run_at_hand(self) -> RunRow | None:
        """Return the run that it is about."""
        subject, view = self.desk.subject, self.desk.view
        row = self.desk.row(subject)
        if row is None and view is not None and view.run_id == subject and not view.gone:
            row = RunRow(subject, view.state.status, live=view.live)
        return row

    def _state(self) -> RunState | None:
        subject, view = self.desk.subject, self.desk.view
        if view is not None and view.run_id == subject:
            return view.state
        return self._read.state if self._read is not None and self._read.run_id == subject else None

    def _show(self) -> None:
        row = self.run_at_hand()
        self.query_one("#empty").display = row is None
        self.query_one("#panes").display = row is not None
        self.refresh_bindings()
        if row is None:
            return
        self.checks.show(row)
        self._show_gates(row)

    def _show_gates(self, row: RunRow) -> None:
        state = self._state()
        if state is None and self._asked != row.run_id:
            self._asked = row.run_id
            self.post_message(Inspect(row.run_id))
        self.gates.show(state)
        self.gates.display = bool(self.gates.gates)
        word = self.query_one("#no-gates", Static)
        word.display = not self.gates.gates
        known = state is not None or (self._read is not None and self._read.run_id == row.run_id)
        unknown = "They cannot be read." if known else f"reading {glyphs.ELLIPSIS}"
        said = "The run has none." if state is not None else unknown
        word.update(paint_lines([[(said, "muted")]]))

    def _on_check_moved(self, message: CheckMoved) -> None:
        if message.run_id == self.desk.subject:
            self._show()

    def _on_run_inspected(self, message: RunInspected) -> None:
        self._read = message
        if message.run_id == self.desk.subject:
            self._show()

    def _on_runs_listed(self, message: RunsListed) -> None:
        super()._on_runs_listed(message)
        if self.is_current and (message.changed is None or self.desk.subject in message.changed):
            self._show()

    def _on_run_shown(self, message: RunShown) -> None:
        super()._on_run_shown(message)
        if self.is_current:
            self._show()

    def _on_run_moved(self, message: RunMoved) -> None:
        super()._on_run_moved(message)
        if self.is_current and any(task.startswith(GATE_PREFIX) for task in message.touched):
            self._show()

    def _on_ticked(self, message: Ticked) -> None:
        super()._on_ticked(message)
        row = self.run_at_hand()
        if self.is_current and row is not None and row.live:
            self._show()

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only a check that is under way can be given up."""
        if action == "cancel":
            check = self.desk.checks.get(self.desk.subject)
            return check is not None and check.running
        return super().check_action(action, parameters)

    def action_cancel(self) -> None:
        """Give the check up."""
        self.post_message(CancelCheck(self.desk.subject))

    def action_switch_pane(self) -> None:
        """Go between checks and gates."""
        (self.gates if self.checks.has_focus and self.gates.gates else self.checks).focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Show the log of a gate."""
        event.stop()
        if self.gates.chosen is not None:
            self.post_message(ShowTask(self.desk.subject, self.gates.chosen))


def _empty() -> Content:
    return paint_lines(
        [
            [("There is no run to check.", "strong")],
            [],
            [
                keys.cap("app.mode.checkpoints"),
                (" lists the runs of this directory; ", "muted"),
                keys.cap("checkpoints.validate"),
                (" checks one.", "muted"),
            ],
        ]
    )
