"""What Validation shows: the five checks of a run with their details, and its gates."""

from __future__ import annotations

from textual.events import Resize
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from specular_tui.model.run import RunState
from specular_tui.tui import present_check
from specular_tui.tui.present import Line
from specular_tui.tui.theme import paint
from specular_tui.tui.views import Desk, RunRow
from specular_tui.tui.widgets.text_pane import TextPane


class CheckPane(TextPane):
    """What is known of a run's checkpoint: the verdict, the five checks, and what can be done."""

    def __init__(self, desk: Desk) -> None:
        """`desk` has the checks and the clock."""
        super().__init__()
        self._desk = desk
        self._row: RunRow | None = None

    def show(self, row: RunRow) -> None:
        """Show what is known of a run; another one from its start."""
        if self._row is None or self._row.run_id != row.run_id:
            self.scroll_home(animate=False)
        self._row = row
        self._paint()

    def on_resize(self, event: Resize) -> None:
        """Digests are cut to what there is room for."""
        self._paint()

    def _paint(self) -> None:
        row = self._row
        if row is None:
            return
        check = self._desk.checks.get(row.run_id)
        clock, room = self._desk.clock, max(20, self.content_size.width - 1)
        view = self._desk.view
        other = view is not None and view.run_id != row.run_id
        lines: list[Line] = [
            present_check.heading(row, clock, room, other=other),
            *present_check.verdict(check, row, clock, room),
            [],
            *present_check.checks(check, room),
        ]
        for more in (present_check.ways_on(check, row), present_check.notes(check)):
            if more:
                lines += more if not lines[-1] else [[], *more]
        if not lines[-1]:
            lines.pop()
        self.update(lines)


class GateList(OptionList):
    """The gates of a run; Enter on one asks for its log."""

    def __init__(self, desk: Desk) -> None:
        """`desk` has the clock."""
        super().__init__(markup=False, compact=True)
        self._desk = desk
        self._shown: list[Line] = []
        self.gates: list[str] = []

    def show(self, state: RunState | None) -> None:
        """Show the gates of a run; none where it could not be read."""
        gates = list(state.gates) if state is not None else []
        lines = present_check.gates(state, self._desk.clock.now()) if state is not None else []
        if (lines, gates) == (self._shown, self.gates):
            return
        at = self.highlighted
        self._shown, self.gates = lines, gates
        self.set_options(Option(paint(line)) for line in lines)
        if lines:
            self.highlighted = min(at or 0, len(lines) - 1)

    @property
    def chosen(self) -> str | None:
        """The gate under the cursor."""
        at = self.highlighted
        return self.gates[at] if at is not None and at < len(self.gates) else None

    def action_go_top(self) -> None:
        """Go to the first gate."""
        self.action_first()

    def action_go_bottom(self) -> None:
        """Go to the last gate."""
        self.action_last()

    def action_half_page_down(self) -> None:
        """Go half a page down."""
        self._move(max(1, self.size.height // 2))

    def action_half_page_up(self) -> None:
        """Go half a page up."""
        self._move(-max(1, self.size.height // 2))

    def _move(self, rows: int) -> None:
        if self.gates:
            self.highlighted = max(0, min((self.highlighted or 0) + rows, len(self.gates) - 1))
