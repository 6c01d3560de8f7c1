"""Mode 3: whether a checkpoint is as it was written, and what came of the gates."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.content import Content
from textual.widgets import OptionList, Static

from specular_tui.model.run import GATE_PREFIX, RunState
from specular_tui.tui import glyphs, keys
from specular_tui.tui.keys import Key
from specular_tui.tui.messages import (
    CancelCheck,
    CheckMoved,
    Inspect,
    PlanResume,
    RunInspected,
    RunMoved,
    RunShown,
    RunsListed,
    ShowTask,
    Ticked,
)
from specular_tui.tui.screens.keeping import KeepingScreen
from specular_tui.tui.styling import sheets
from specular_tui.tui.theme import paint_lines
from specular_tui.tui.views import Desk, RunCheck, RunRow
from specular_tui.tui.widgets.check_pane import CheckPane, GateList
from specular_tui.tui.wish import Wish


class Checks(CheckPane):
    """The checks with the keys of this application."""

    BINDINGS = keys.bindings("list")


class Gates(GateList):
    """The gates with the keys of this application."""

    BINDINGS = keys.bindings("list", "gates")


class ValidationScreen(KeepingScreen):
    """The five checks of a run beside, or above, its gates."""

    CSS_PATH: ClassVar = sheets("validation")
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
        yield self.chore_line

    def on_mount(self) -> None:
        """Show the run that it is about."""
        self._show()
        self.checks.focus()

    def on_screen_resume(self) -> None:
        """It may be about another run, and more may be known of it."""
        self._asked = ""
        if self.checks.is_mounted:
            self._show()
            self._on_chore_moved()

    def moments(self) -> Iterable[int]:
        """Return when the run that it is about was written to last."""
        row = self.run_at_hand()
        return (row.updated_at,) if row is not None and row.updated_at else ()

    def say_ages(self) -> None:
        """Show its age anew."""
        if (row := self.run_at_hand()) is not None:
            self.checks.show(row)

    def run_at_hand(self) -> RunRow | None:
        """Return the run that it is about."""
        subject, view = self.desk.subject, self.desk.view
        row = self.desk.row(subject)
        if row is None and view is not None and view.run_id == subject and not view.gone:
            row = view.row()
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
        self.ages.look()
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
        if self.is_current and (message.changed is None or self.desk.subject in message.changed):
            self._show()

    def _on_run_shown(self, message: RunShown) -> None:
        if self.is_current:
            self._show()

    def _on_run_moved(self, message: RunMoved) -> None:
        if self.is_current and any(task.startswith(GATE_PREFIX) for task in message.touched):
            self._show()

    def _on_ticked(self, message: Ticked) -> None:
        row = self.run_at_hand()
        if self.is_current and row is not None and row.live:
            self._show()

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Only what is under way can be given up, and only what is damaged be mended."""
        check = self.desk.checks.get(self.desk.subject)
        if action == "cancel":
            return self.desk.chore is not None or (check is not None and check.running)
        if action in ("repair", "restore"):
            row = self.run_at_hand()
            return row is not None and not row.live and (bool(row.damage) or is_damaged(check))
        return super().check_action(action, parameters)

    def offers(self, key: Key) -> bool:
        """Tell which keys make sense for the run that it is about."""
        row = self.run_at_hand()
        match key.id:
            case "validation.undo":
                return self.desk.trash[0] > 0
            case "validation.delete" | "validation.export":
                return row is not None and not row.live
            case "validation.validate":
                return row is not None
            case _:
                return super().offers(key)

    def action_cancel(self) -> None:
        """Give the check up, or the chore that is under way."""
        check = self.desk.checks.get(self.desk.subject)
        if check is not None and check.running:
            self.post_message(CancelCheck(self.desk.subject))
        else:
            self.action_give_up()

    def action_repair(self) -> None:
        """Show what going on with what is damaged run again would do."""
        if (row := self.run_at_hand()) is not None:
            self.post_message(PlanResume(Wish(row.run_id, repair=True)))

    def action_restore(self) -> None:
        """Ask for an archive that the damaged run shall be taken from again."""
        if (row := self.run_at_hand()) is not None:
            self._ask_import(row.run_id)

    def action_switch_pane(self) -> None:
        """Go between checks and gates."""
        (self.gates if self.checks.has_focus and self.gates.gates else self.checks).focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Show the log of a gate."""
        event.stop()
        if self.gates.chosen is not None:
            self.post_message(ShowTask(self.desk.subject, self.gates.chosen))


def is_damaged(check: RunCheck | None) -> bool:
    """Tell whether a check has found damage."""
    return check is not None and check.proven and not check.sound


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
