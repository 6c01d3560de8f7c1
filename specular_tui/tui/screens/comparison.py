"""Two runs side by side, task by task; in front of the list of runs until it is closed."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container
from textual.widgets import Static

from specular_tui.model.compare import RunComparison
from specular_tui.tui import keys, present_keeping
from specular_tui.tui.messages import ShowTask
from specular_tui.tui.present import Line
from specular_tui.tui.screens.mode import ModeScreen
from specular_tui.tui.styling import sheets
from specular_tui.tui.theme import paint_lines
from specular_tui.tui.views import Desk
from specular_tui.tui.widgets.compare_table import ORDERS, CompareTable
from specular_tui.tui.widgets.header import RunHeader


class ComparisonHeader(RunHeader):
    """Says which runs these are, and how they differ as a whole."""

    def __init__(self, desk: Desk, comparison: RunComparison) -> None:
        """`comparison` does not change."""
        super().__init__(desk)
        self._comparison = comparison

    def lines(self, width: int) -> list[Line]:
        """Return both lines."""
        return present_keeping.comparison_head(self._comparison, width)


class ComparisonScreen(ModeScreen):
    """The table of differences, and what there is to say of the task under the cursor."""

    CSS_PATH: ClassVar = sheets("comparison", "line_list")
    MODE: ClassVar[str] = "checkpoints"
    BINDINGS = keys.bindings("compare")

    def __init__(self, desk: Desk, comparison: RunComparison) -> None:
        """`comparison` is what is shown."""
        super().__init__(desk)
        self.comparison = comparison
        self.header = ComparisonHeader(desk, comparison)
        self.table = CompareTable(comparison)

    def body(self) -> ComposeResult:
        """Yield table and details."""
        with Container(id="panes"):
            yield self.table
            yield Static(id="task", markup=False)

    def on_mount(self) -> None:
        """Begin at what differs most."""
        self.table.focus()
        self._say()

    def _on_line_list_selected(self, message: CompareTable.Selected) -> None:
        message.stop()
        self._say()

    def _on_line_list_opened(self, message: CompareTable.Opened) -> None:
        message.stop()
        self.action_open()

    def _say(self) -> None:
        lines = present_keeping.comparison_details(self.table.task_at, self.comparison, all_tasks=self.table.all_tasks)
        self.query_one("#task", Static).update(paint_lines(lines))

    # Keys

    def action_open(self) -> None:
        """Show the task in the run that has it, the newer one before the older."""
        task = self.table.task_at
        if task is not None:
            run_id = self.comparison.after if task.after is not None else self.comparison.before
            self.app.pop_screen()
            self.app.post_message(ShowTask(run_id, task.task))

    def action_order(self) -> None:
        """Order the tasks in the next way."""
        names = list(ORDERS)
        self.table.order = names[(names.index(self.table.order) + 1) % len(names)]
        self.table.fill()
        self.table.move_to(0)
        said = {"difference": "what differs most first", "slower": "what got slower first", "plan": "as in the plan"}
        self.say(said[self.table.order])

    def action_all(self) -> None:
        """Show also what does not differ, or leave it out."""
        self.table.all_tasks = not self.table.all_tasks
        self.table.fill()
        self._say()

    def action_next(self) -> None:
        """Go to the next task that ended otherwise."""
        self._next(1)

    def action_previous(self) -> None:
        """Go to the one before."""
        self._next(-1)

    def _next(self, step: int) -> None:
        if not self.table.next_difference(step):
            self.say("no other task ended otherwise")

    def action_back(self) -> None:
        """Close it."""
        self.app.pop_screen()
