"""Mode 1: the tasks of the open run, and the log of the one under the cursor."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.events import Resize
from textual.widgets import Input, Static

from specular_tui.model.run import GATE_PREFIX, TaskStatus
from specular_tui.tui import glyphs, keys, present
from specular_tui.tui.keys import Key
from specular_tui.tui.messages import (
    Foreseen,
    LogGrew,
    LogRead,
    OpenOutside,
    RunMoved,
    RunShown,
    RunsListed,
    Ticked,
)
from specular_tui.tui.present import Line
from specular_tui.tui.screens.steering import SteeringScreen
from specular_tui.tui.styling import sheets
from specular_tui.tui.theme import paint_lines
from specular_tui.tui.views import Desk, RunRow, RunView
from specular_tui.tui.widgets.log.pane import LogPane
from specular_tui.tui.widgets.log.view import LogView
from specular_tui.tui.widgets.notice import FailureNotice
from specular_tui.tui.widgets.plain_input import PlainInput
from specular_tui.tui.widgets.task.table import TaskTable

_FILTERS: Final = "text, :failed, :blocked, :running, :pending, :skipped, :done, :gates"


class Tasks(TaskTable):
    """The table of tasks with the keys of this application."""

    BINDINGS = keys.bindings("list", "tasks")


class FilterInput(PlainInput):
    """Where is typed which tasks shall be shown."""

    BINDINGS = keys.bindings("filter")


class BuildScreen(SteeringScreen):
    """The task table beside, or above, a log."""

    CSS_PATH: ClassVar = sheets("build", "task_table", "log_view")
    MODE: ClassVar[str] = "build"
    SIGNS: ClassVar = (
        (glyphs.DONE, "completed"),
        (glyphs.FAILED, "failed"),
        (glyphs.RUNNING, "running"),
        (glyphs.FROZEN, "frozen where it was"),
        (glyphs.PENDING, "waits for others, or for a free job slot"),
        (glyphs.BLOCKED, "blocked: what it needs has failed"),
        (glyphs.SKIPPED, "skipped"),
    )
    BINDINGS = keys.bindings("run", "build")

    def __init__(self, desk: Desk) -> None:
        """`desk` has the run in view."""
        super().__init__(desk)
        self.notice = FailureNotice(desk)
        self.table = Tasks(clock=desk.clock.now)
        self.pane = LogPane(desk)
        self.table.held = lambda: self.pane.in_use
        self.filter = FilterInput(placeholder=_FILTERS, compact=True)
        self._shown: str | None = None
        self._was_live = False

    def body(self) -> ComposeResult:
        """Yield tasks and log, or a word where no run is open."""
        yield self.notice
        with Container(id="panes"):
            with Vertical(id="tasks"):
                yield self.table
                yield self.filter
            yield self.pane
        yield Static(id="empty", markup=False)

    def on_mount(self) -> None:
        """Show the run that is open already."""
        self.filter.display = False
        self.filter.cursor_blink = False
        self._show()
        self.set_focus(self.table)

    def on_screen_resume(self) -> None:
        """Show what has changed while another mode was in front."""
        if self.table.is_mounted:
            self._show()

    @property
    def selected(self) -> str | None:
        """The task under the cursor; None where the table does not show the run in view yet."""
        view, task_id = self.view, self.table.selected
        known = view is not None and (task_id in view.state.tasks or task_id in view.state.gates)
        return task_id if known else None

    def on_resize(self, event: Resize) -> None:
        """There may be room for more failures, or for fewer."""
        self.notice.update()
        self._fit()

    def _fit(self) -> None:
        if (view := self.view) is not None:
            self.fit_list(self.query_one("#tasks"), len(view.state.tasks) + len(view.state.gates))

    @property
    def log_view(self) -> LogView:
        """The log on show."""
        return self.pane.log_view

    def run_at_hand(self) -> RunRow | None:
        """Return the run in view."""
        return self.view.row() if self.view is not None else None

    def offers(self, key: Key) -> bool:
        """Tell whether a key makes sense for the run in view and the task under the cursor."""
        view, task_id = self.view, self.selected
        if view is None:
            return key.where == "app" and (key.id != "app.open_newest" or self.desk.newest() is not None)
        failed = task_id is not None and view.state.task(task_id).status is TaskStatus.FAILED
        running = task_id is not None and task_id in view.state.running
        match key.id:
            case "build.retry_all":
                return bool(view.failed) and not view.gone
            case "build.retry_task":
                return failed and len(view.failed) > 1 and not view.gone
            case "build.skip":
                return failed and not view.gone and not (task_id or "").startswith(GATE_PREFIX)
            case "build.stop_task":
                return view.live and running and not view.state.stopping
            case "build.stop_build":
                return view.live and (not running or view.state.stopping)
            case "build.why":
                return bool(view.failed)
            case "tasks.next_running":
                return bool(view.state.running) and not self.table.trails
            case "build.follow" | "build.wrap" | "build.copy" | "build.open_outside.pager":
                return self._in_log and self.log_view.source is not None
            case _:
                return super().offers(key)

    # What the bridge tells

    def _show(self) -> None:
        view = self.view
        empty = self.query_one("#empty", Static)
        empty.display = view is None
        reading: Line = [(f"reading {self.desk.opening} {glyphs.ELLIPSIS}", "muted")]
        empty.update(paint_lines([reading] if self.desk.opening else present.no_run(self.desk.newest())))
        self.query_one("#panes").display = view is not None
        self.notice.update()
        self.header.update()
        if view is None:
            return
        new = view.run_id != self._shown
        self._fit()
        if new:
            self._shown, self._was_live, self.table.moved = view.run_id, view.live, False
            self.table.filter_text = self.filter.value = ""
            self.filter.display = False
            self.table.sort = "plan"
        was_live, self._was_live = self._was_live, view.live
        failures_first = not view.live and (new or was_live) and bool(view.failed)
        if failures_first:
            self.table.sort = "state"
        elif view.live and not was_live and not self.table.moved:
            self.table.sort = "plan"
        self._show_tasks(view)
        if new or (failures_first and not self.table.moved and not self.pane.in_use):
            # A cursor that somebody has moved stays where it is; `n` leads on from there.
            first = view.first_failure() if failures_first else view.state.current_task
            if first is not None:
                self.table.select(first, by_hand=False)
            if failures_first:
                # What failed first need not be the first of them in the order of the plan.
                self.table.show_top()
        self.table.trails = view.live and not self.table.moved
        self._show_log()

    def _show_tasks(self, view: RunView) -> None:
        usual = {task_id: past.median for task_id, past in view.usual.items()}
        self.table.show(view.state, view.graph, estimates=usual, blocked=view.blocked)

    def _on_foreseen(self, message: Foreseen) -> None:
        if message.past and self.view is not None:
            self._show_tasks(self.view)

    def _on_runs_listed(self, message: RunsListed) -> None:
        # The keys here act on the run in view, of which `RunMoved` tells.
        if self.view is None:
            self._show()
        else:
            message.prevent_default()

    def _on_run_shown(self, message: RunShown) -> None:
        self._show()

    def _on_run_moved(self, message: RunMoved) -> None:
        if self.view is None:
            return
        self.table.touch(message.touched, self.view.state)
        self.notice.update()
        if self.pane.waits or self.pane.task_id in message.touched:
            self._show_log()

    def _on_ticked(self, message: Ticked) -> None:
        view, task_id = self.view, self.selected
        if self.is_current and view is not None:
            # With the header, so that a second is one frame.
            self.table.tick()
            if task_id in view.state.running:
                self.pane.look_again()
            self.log_view.tick()

    def _on_log_read(self, message: LogRead) -> None:
        self.pane.take(message)

    def _on_log_grew(self, message: LogGrew) -> None:
        self.log_view.poll()

    # The log

    def _show_log(self) -> None:
        self.pane.show(self.selected)

    def on_log_pane_said(self, message: LogPane.Said) -> None:
        """Say it."""
        message.stop()
        self.say(message.text)

    def action_why(self) -> None:
        """Go to the line that says why the task under the cursor failed, or else the one that failed first."""
        view, task_id = self.view, self.selected
        if view is None:
            return
        failed = task_id if task_id in view.failed else view.first_failure()
        if failed is None:
            self.say("nothing has failed")
            return
        self.go_to(failed)
        self.pane.why(failed)
        self.set_focus(self.log_view)

    def action_earlier_attempt(self) -> None:
        """Show the log of the attempt before."""
        self.pane.switch_attempt(-1)

    def action_later_attempt(self) -> None:
        """Show the log of the attempt after."""
        self.pane.switch_attempt(1)

    def action_search(self) -> None:
        """Ask what shall be searched for in the log."""
        self.pane.ask()

    def action_end_search(self) -> None:
        """End the search."""
        self.pane.back()

    def action_follow(self) -> None:
        """Stay at the end of the log, or do not."""
        self.log_view.action_toggle_follow()

    def action_wrap(self) -> None:
        """Break long lines, or do not."""
        self.log_view.action_toggle_wrap()

    def action_numbers(self) -> None:
        """Number the lines of the log, or do not."""
        self.log_view.action_toggle_numbers()

    def action_copy(self) -> None:
        """Copy what is selected of the log, or the id of the task."""
        if self._in_log:
            self.pane.copy()
        elif self.selected is not None:
            self.app.copy_to_clipboard(self.selected)
            self.say(f"copied {self.selected}")

    def action_open_outside(self, program: str) -> None:
        """Open the log in the user's pager or editor."""
        if self.view is None or self.selected is None:
            self.say("no task is selected")
        elif self.log_view.source is None:
            self.say(f"{self.selected} has no log")
        else:
            self.post_message(OpenOutside(self.view.run_id, self.selected, self.pane.attempt, program))

    def on_task_table_selected(self, message: TaskTable.Selected) -> None:
        """Show the log of the task that the cursor has come to."""
        message.stop()
        self._show_log()
        self.footer.update()

    def on_task_table_opened(self, message: TaskTable.Opened) -> None:
        """Go to the log."""
        message.stop()
        self.set_focus(self.log_view)

    def on_failure_notice_chosen(self, message: FailureNotice.Chosen) -> None:
        """Go to the failure that was clicked."""
        message.stop()
        self.go_to(message.task_id)

    def go_to(self, task_id: str) -> None:
        """Put the cursor on a task, whatever is filtered."""
        self._unfilter()
        self.table.select(task_id)
        self.set_focus(self.table)

    # Filter

    @property
    def _in_log(self) -> bool:
        return self.log_view.has_focus

    def action_filter(self) -> None:
        """Ask for the text that tasks shall have."""
        self.filter.value = self.table.filter_text
        self.filter.display = True
        self.set_focus(self.filter)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as the user types."""
        event.stop()
        if self.filter.display:
            self.table.filter_text = event.value

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to what was found."""
        event.stop()
        self.filter.display = bool(event.value)
        self.set_focus(self.table)

    def _unfilter(self) -> None:
        self.filter.display = False
        self.table.filter_text = ""

    def action_back(self) -> None:
        """End the filter, or the search; else go back to the tasks."""
        if self._in_log:
            if not self.pane.back():
                self.set_focus(self.table)
        else:
            self._unfilter()
            self.set_focus(self.table)

    def action_next(self) -> None:
        """Go to the next match of the log, or the next failure."""
        if self._in_log and self.log_view.searching:
            self.log_view.next_match()
        elif not self.table.next_failure():
            self.say("nothing has failed")

    def action_previous(self) -> None:
        """Go to the match, or the failure, before."""
        if self._in_log and self.log_view.searching:
            self.log_view.previous_match()
        elif not self.table.previous_failure():
            self.say("nothing has failed")

    def action_next_running(self) -> None:
        """Go to the next running task."""
        if not self.table.next_running():
            self.say("nothing is running")

    def action_switch_pane(self) -> None:
        """Go between tasks and log."""
        self.set_focus(self.table if self._in_log else self.log_view)
