"""Mode 2: every run of the directory, and what there is to know of the one under the cursor."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Static

from specular_tui.tui import keys
from specular_tui.tui.deeds import (
    Abandon,
    Check,
    Compare,
    Compared,
    Compress,
    Do,
    Pin,
    Preview,
    Rules,
)
from specular_tui.tui.keys import Key
from specular_tui.tui.messages import CheckMoved, Inspect, Open, RunInspected, RunsListed, Ticked
from specular_tui.tui.screens.cleaning import CleaningScreen
from specular_tui.tui.styling import sheets
from specular_tui.tui.theme import paint_lines
from specular_tui.tui.views import Desk, RunRow
from specular_tui.tui.widgets.run_table import RunTable

_ACTIONS: Final = frozenset(key.action for key in keys.rows("checkpoints", "run"))
#: A run is read for the side pane once the cursor has rested on it this long, in seconds.
_REST: Final = 0.15


class CheckpointsScreen(CleaningScreen):
    """The list of runs beside the summary of one, or beside the rules of a clean-up."""

    CSS_PATH: ClassVar = sheets("checkpoints", "line_list", "toggle")
    MODE: ClassVar[str] = "checkpoints"
    BINDINGS = keys.bindings("run", "checkpoints")

    def __init__(self, desk: Desk) -> None:
        """`desk` has the rows."""
        super().__init__(desk)
        self._rest: Timer | None = None
        self._read: RunInspected | None = None
        #: The run that was read for the side pane, as the list had it then.
        self._asked: RunRow | None = None

    def body(self) -> ComposeResult:
        """Yield the list and the side pane, or a word where there is no run."""
        with Container(id="panes"):
            yield self.table
            yield self.details
        yield Static(_empty(), id="empty")
        yield self.chore_line

    def on_mount(self) -> None:
        """Show what has been listed so far."""
        self._show_all()
        self.table.focus()

    def on_screen_resume(self) -> None:
        """Ages have changed meanwhile."""
        if self.table.is_mounted:
            self.table.forget()
            self._on_chore_moved()
            self._read_if_stale()

    def moments(self) -> Iterable[int]:
        """Return when runs were written to last, and checked."""
        yield from self._moments_of(self.desk.runs)

    def _moments_of(self, rows: Iterable[RunRow]) -> Iterator[int]:
        for row in rows:
            if row.updated_at and not row.live:
                yield row.updated_at
            check = self.desk.checks.get(row.run_id)
            if check is not None and check.ended_at is not None:
                yield check.ended_at

    def say_ages(self) -> None:
        """Show all ages anew."""
        self.table.forget()
        if (row := self.table.row) is not None and row.run_id in self.desk.checks:
            self._show_details(row)

    def run_at_hand(self) -> RunRow | None:
        """Return the run under the cursor."""
        return self.table.row

    def _show_all(self) -> None:
        empty = self.desk.listed and not self.desk.runs
        self.query_one("#empty").display = empty
        self.query_one("#panes").display = not empty
        self.table.show(self.desk.runs)
        self._fit()
        self._say_chore()
        self.ages.look()

    def _on_runs_listed(self, message: RunsListed) -> None:
        if message.changed is None:
            self._show_all()
        else:
            self.table.touch(self.desk.runs, message.changed)
            self.ages.look(self._moments_of(row for row in self.desk.runs if row.run_id in (message.changed or ())))
        if self.cleaning and self.desk.listed and not self.desk.runs:
            self._close_cleaner()
        elif message.changed is None and self.cleaning:
            self.post_message(Do(Preview(self.cleaner.rules or Rules(), anew=True)))
        row = self.table.row
        if row is not None and (message.changed is None or row.run_id in message.changed):
            self._show_details(row)
        if self.is_current:
            self._read_if_stale()

    def _read_if_stale(self) -> None:
        """Read the run under the cursor once more where the list now knows better: its build has ended, say."""
        row, asked = self.table.row, self._asked
        if row is not None and asked is not None and row.run_id == asked.run_id and _moved(row, asked):
            self._inspect_later()

    def _on_ticked(self, message: Ticked) -> None:
        if self.is_current and (row := self.table.row) is not None and row.live:
            self._inspect_later()

    def _on_run_inspected(self, message: RunInspected) -> None:
        if message.drift is None and self._read is not None and self._read.run_id == message.run_id:
            message.drift = self._read.drift
        self._read = message
        if (row := self.table.row) is not None and row.run_id == message.run_id:
            self._show_details(row)

    def _on_line_list_selected(self, message: RunTable.Selected) -> None:
        message.stop()
        if (row := self.table.row) is not None:
            self._show_details(row)
            self._inspect_later()
        self.footer.update()

    def _on_line_list_opened(self, message: RunTable.Opened) -> None:
        message.stop()
        self.action_open()

    def _inspect_later(self) -> None:
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(_REST, self._inspect)

    def _inspect(self) -> None:
        if (row := self.table.row) is not None and not row.damage:
            self._asked = row
            self.post_message(Inspect(row.run_id))

    def _show_details(self, row: RunRow) -> None:
        read = self._read if self._read is not None and self._read.run_id == row.run_id else None
        self.details.show(row, read.state if read else None, read.problem if read else "", read.drift if read else None)

    def action_open(self) -> None:
        """Show the run under the cursor in Build."""
        row = self.table.row
        if row is None:
            return
        if row.damage:
            self.say(f"{row.run_id} cannot be read: {row.damage}")
        else:
            self.post_message(Open(row.run_id))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a clean-up is looked at, keys do nothing to single runs."""
        if self.cleaning and action in _ACTIONS and action not in ("back", "switch_pane"):
            return False
        return super().check_action(action, parameters)

    def offers(self, key: Key) -> bool:
        """Tell which keys make sense for the run under the cursor."""
        row = self.table.row
        if key.where == "checkpoints" and row is None:
            return key.action == "import" or (key.action == "undo" and self.desk.trash[0] > 0)
        if self.cleaning and key.id == "app.new_build":
            return False
        match key.id:
            case "clean.confirm":
                return bool(self._going)
            case "checkpoints.undo":
                return self.desk.trash[0] > 0
            case "checkpoints.abandon":
                return row is not None and row.resumable
            case "checkpoints.compress" | "checkpoints.export" | "checkpoints.delete":
                return bool(self.table.marked) or (row is not None and not row.live)
            case _:
                return super().offers(key)

    # What is done with several

    def chosen(self) -> list[RunRow]:
        """Return the marked runs, or the one under the cursor."""
        return self.table.chosen()

    def action_mark(self) -> None:
        """Mark the run under the cursor, or take its mark away."""
        self.table.mark()
        self._say_chore()

    def _say_chore(self) -> None:
        self.chore_line.update(self.table.chosen() if self.table.marked else ())

    def action_back(self) -> None:
        """Give up the chore that is under way; else take all marks away; else go back to the list."""
        if self.cleaning:
            self._close_cleaner()
        elif self.desk.chore is not None:
            self.action_give_up()
        elif self.table.marked:
            self.table.unmark()
            self._say_chore()
        else:
            self.table.focus()

    def action_switch_pane(self) -> None:
        """Go between the list and the side pane."""
        if self.cleaning:
            self.cleaner.keep_last.focus()
        else:
            (self.details if self.table.has_focus else self.table).focus()

    def action_pin(self) -> None:
        """Have clean-up never take what is chosen; where all of it is pinned already, let it again."""
        rows = self.chosen()
        on = not all(row.pinned for row in rows)
        for row in rows:
            if row.pinned is not on:
                self.post_message(Do(Pin(row.run_id, on)))

    def action_compress(self) -> None:
        """Ask whether what is chosen shall be packed."""
        rows = [row for row in self.chosen() if not row.live]
        if not rows:
            if (row := self.table.row) is not None:
                self.say(f"{row.run_id} is being built: it can be compressed when it has ended")
            return

        from specular_tui.tui.screens.dialogs import keeping

        def answered(answer: str | None) -> None:
            if answer is not None:
                self.post_message(Do(Compress(tuple(row.run_id for row in rows))))

        self.app.push_screen(keeping.compress(rows), answered)

    def action_validate(self) -> None:
        """Prove the run under the cursor and show how that goes, or all marked ones in the background."""
        if self.table.marked:
            self.post_message(Do(Check(tuple(row.run_id for row in self.chosen()))))
        else:
            super().action_validate()

    def action_abandon(self) -> None:
        """Ask whether the run under the cursor shall be given up."""
        row = self.table.row
        if row is None:
            return
        if row.live:
            self.say(f"{row.run_id} is being built: stop it before you give it up")
        elif row.damage:
            self.say(f"{row.run_id} cannot be read: {row.damage}")
        elif not row.resumable:
            self.say(f"{row.run_id} is {row.status}: there is nothing to give up")
        else:
            from specular_tui.tui.screens.dialogs import keeping

            run_id = row.run_id

            def answered(answer: str | None) -> None:
                if answer is not None:
                    self.post_message(Do(Abandon(run_id)))

            self.app.push_screen(keeping.abandon(row), answered)

    def action_compare(self) -> None:
        """Put the run under the cursor beside the marked one, or beside the one before of the same plan."""
        row = self.table.row
        if row is None:
            return
        if len(self.table.marked) > 2:
            self.say("two runs can be compared: mark one or two")
            return
        marked = [each for each in self.table.chosen() if each.run_id in self.table.marked]
        if len(marked) == 2:
            row, other = marked[0], marked[1]
        else:
            found = next((each for each in marked if each.run_id != row.run_id), None) or self._run_before(row)
            if found is None:
                self.say("there is no older run of this plan: mark the run to compare with (space)")
                return
            other = found
        for each in (row, other):
            if each.damage:
                self.say(f"{each.run_id} cannot be read: {each.damage}")
                return
        self.post_message(Do(Compare(row.run_id, other.run_id)))

    def _run_before(self, row: RunRow) -> RunRow | None:
        # By its id: the list may know better by now than the row under the cursor.
        runs = iter(self.desk.runs)
        next((each for each in runs if each.run_id == row.run_id), None)
        return next((each for each in runs if each.plan_name == row.plan_name and not each.damage), None)

    def _on_compared(self, message: Compared) -> None:
        if self.is_current:
            from specular_tui.tui.screens.comparison import ComparisonScreen

            self.app.push_screen(ComparisonScreen(self.desk, message.comparison))

    def _on_check_moved(self, message: CheckMoved) -> None:
        self.table.repaint(message.run_id)
        self.ages.look(self._moments_of(row for row in self.desk.runs if row.run_id == message.run_id))
        if (row := self.table.row) is not None and row.run_id == message.run_id:
            self._show_details(row)


def _moved(row: RunRow, before: RunRow) -> bool:
    """Tell whether more is written of a run than there was before."""
    return (row.updated_at, row.status, row.live) != (before.updated_at, before.status, before.live)


def _empty() -> Content:
    """Return what stands where there is no run; keys as they are, which may be others than usual."""
    return paint_lines(
        [
            [("No runs here yet.", "strong")],
            [],
            [keys.cap("app.new_build"), (" starts a build of this folder's plan.json.", "muted")],
            [],
            [("In a shell, beside or before this:", "muted")],
            [],
            [("  specular build      ", "accent"), ("the same; it shows up here by itself", "muted")],
            [("  specular init       ", "accent"), ("writes a plan.json to start from", "muted")],
            [("  specular demo       ", "accent"), ("runs a real build that comes with Specular", "muted")],
        ]
    )
