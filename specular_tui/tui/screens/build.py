"""Mode 1: the tasks of the open run, and the log of the one under the cursor."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Container, Vertical
from textual.widgets import Input, Static

from specular_tui.model.run import GATE_PREFIX, TaskStatus
from specular_tui.tui import glyphs, keys, present
from specular_tui.tui.keys import Key
from specular_tui.tui.messages import (
    Foreseen,
    LogGrew,
    LogRead,
    ReadLog,
    Resume,
    RunMoved,
    RunShown,
    Steer,
    Ticked,
)
from specular_tui.tui.present import Line
from specular_tui.tui.screens.dialogs import questions
from specular_tui.tui.screens.dialogs.choice import ChoiceDialog
from specular_tui.tui.screens.mode import ModeScreen
from specular_tui.tui.theme import paint_lines
from specular_tui.tui.views import Desk, RunRow, RunView
from specular_tui.tui.widgets.log_text import LogSource
from specular_tui.tui.widgets.log_view import LogView
from specular_tui.tui.widgets.notice import FailureNotice
from specular_tui.tui.widgets.task_table import TaskTable


class Tasks(TaskTable):
    """The table of tasks with the keys of this application."""

    BINDINGS = keys.bindings("list", "tasks")


class Log(LogView):
    """The log with the keys of this application."""

    BINDINGS = keys.bindings("list", "log")


class FilterInput(Input):
    """Where the filter, or what is searched for, is typed."""

    BINDINGS = keys.bindings("filter")


class BuildScreen(ModeScreen):
    """The task table beside, or above, a log."""

    MODE: ClassVar[str] = "build"
    BINDINGS = keys.bindings("run", "build")

    def __init__(self, desk: Desk) -> None:
        """`desk` has the run in view."""
        super().__init__(desk)
        self.notice = FailureNotice(desk)
        self.table = Tasks(clock=desk.clock.now)
        self.log_view = Log()
        self.filter = FilterInput(placeholder="text, :failed, :running, :pending, :completed, :skipped", compact=True)
        self._shown: str | None = None
        self._was_live = False
        self._reading: tuple[object, ...] = ()
        #: The attempt whose log is looked at, where it is not the latest.
        self._attempt: tuple[str, str, int] | None = None

    def body(self) -> ComposeResult:
        """Yield tasks and log, or a word where no run is open."""
        yield self.notice
        with Container(id="panes"):
            with Vertical(id="tasks"):
                yield self.table
                yield self.filter
            yield self.log_view
        yield Static(paint_lines(present.no_run()), id="empty")

    def on_mount(self) -> None:
        """Show the run that is open already."""
        self.filter.display = False
        self.filter.cursor_blink = False
        self._show()
        self.table.focus()

    def on_screen_resume(self) -> None:
        """Show what has changed while another mode was in front."""
        super().on_screen_resume()
        if self.table.is_mounted:
            self._show()

    @property
    def view(self) -> RunView | None:
        """The run in view."""
        return self.desk.view

    def run_at_hand(self) -> RunRow | None:
        """Return the run in view."""
        view = self.view
        if view is None:
            return None
        return RunRow(view.run_id, view.state.status, live=view.live, failed=len(view.failed))

    def offers(self, key: Key) -> bool:
        """Tell whether a key makes sense for the run in view and the task under the cursor."""
        view, task_id = self.view, self.table.selected
        if view is None:
            return key.where in ("app", "filter")
        failed = task_id is not None and view.state.task(task_id).status is TaskStatus.FAILED
        running = task_id is not None and task_id in view.state.running
        match key.id:
            case "build.retry_all":
                return bool(view.failed)
            case "build.retry_task":
                return view.live and failed and len(view.failed) > 1
            case "build.skip":
                return failed and not (task_id or "").startswith(GATE_PREFIX)
            case "build.stop_task":
                return view.live and running
            case "build.stop_build":
                return view.live and not running
            case "build.follow" | "build.wrap" | "build.copy":
                return self._in_log
            case _:
                return super().offers(key)

    # What the bridge tells

    def _show(self) -> None:
        view = self.view
        empty = self.query_one("#empty", Static)
        empty.display = view is None
        reading: Line = [(f"reading {self.desk.opening} {glyphs.ELLIPSIS}", "muted")]
        empty.update(paint_lines([reading] if self.desk.opening else present.no_run()))
        self.query_one("#panes").display = view is not None
        self.notice.update()
        self.header.refresh()
        if view is None:
            return
        new = view.run_id != self._shown
        if new:
            self._shown, self._was_live = view.run_id, view.live
            self.table.filter_text = self.filter.value = ""
            self.filter.display = False
            self.table.sort = "plan"
        failures_first = not view.live and (new or self._was_live) and bool(view.failed)
        self._was_live = view.live
        if failures_first:
            self.table.sort = "state"
        self._show_tasks(view)
        if new:
            first = view.first_failure() if failures_first else view.state.current_task
            if first is not None:
                self.table.select(first)
        self._show_log()

    def _show_tasks(self, view: RunView) -> None:
        usual = {task_id: past.median for task_id, past in view.usual.items()}
        self.table.show(view.state, view.graph, estimates=usual)

    def _on_foreseen(self, message: Foreseen) -> None:
        super()._on_foreseen(message)
        if message.past and self.view is not None:
            self._show_tasks(self.view)

    def _on_run_shown(self, message: RunShown) -> None:
        super()._on_run_shown(message)
        self._show()

    def _on_run_moved(self, message: RunMoved) -> None:
        super()._on_run_moved(message)
        if self.view is None:
            return
        self.table.touch(message.touched, self.view.state)
        self.notice.update()
        if self._reading and (self._reading[1] in message.touched or not self._reading[2]):
            self._show_log()

    def _on_ticked(self, message: Ticked) -> None:
        super()._on_ticked(message)
        view, task_id = self.view, self.table.selected
        if self.is_current and view is not None and task_id in view.state.running:
            self._title_log()
            if self.log_view.source is None and self._wanted_attempt() is None:
                # It had printed nothing when its log was looked for.
                self.post_message(ReadLog(view.run_id, task_id))

    def _on_log_read(self, message: LogRead) -> None:
        here = (self.view.run_id if self.view is not None else "", self.table.selected, self._wanted_attempt())
        if (message.run_id, message.task_id, message.attempt) == here:
            self._set_log(message.source)
        elif message.source is not None:
            message.source.close()

    def _on_log_grew(self, message: LogGrew) -> None:
        self.log_view.poll()

    # The log

    def _show_log(self) -> None:
        """Show the log of the task under the cursor, or what it waits for, if that is not shown already."""
        view, task_id = self.view, self.table.selected
        if view is None or task_id is None:
            return
        state = view.state
        task = state.tasks.get(task_id) or state.gates.get(task_id)
        if task is None:
            return
        attempt = self._wanted_attempt()
        printed = task.attempt > 0 and (task.status is not TaskStatus.SKIPPED or attempt is not None)
        self.log_view.live = view.live and attempt is None
        reading = (view.run_id, task_id, printed, attempt or (task.attempt,))
        if reading != self._reading:
            self._reading = reading
            if printed:
                self.post_message(ReadLog(view.run_id, task_id, attempt))
            else:
                self._set_log(None)
        elif not printed:
            self._set_log(None)
        else:
            self._title_log()

    def _wanted_attempt(self) -> int | None:
        """Return the attempt whose log is looked at; None for the latest."""
        view, wanted = self.view, self._attempt
        if view is None or wanted is None or wanted[:2] != (view.run_id, self.table.selected):
            return None
        return wanted[2]

    def action_earlier_attempt(self) -> None:
        """Show the log of the attempt before."""
        self._switch_attempt(-1)

    def action_later_attempt(self) -> None:
        """Show the log of the attempt after."""
        self._switch_attempt(1)

    def _switch_attempt(self, step: int) -> None:
        view, task_id = self.view, self.table.selected
        if view is None or task_id is None:
            return
        task = view.state.task(task_id)
        tried = present.attempts(task)
        if len(tried) < 2:
            self.say(f"{task_id} has been tried once" if tried else f"{task_id} has not run yet")
            return
        at = tried.index(self._wanted_attempt() or tried[-1]) + step
        if not 0 <= at < len(tried):
            self.say("this is the first attempt" if at < 0 else "this is the latest attempt")
            return
        self._attempt = (view.run_id, task_id, tried[at]) if at < len(tried) - 1 else None
        self._show_log()

    def _title(self, task_id: str, view: RunView) -> str:
        return present.text(present.log_title(task_id, view, self.desk.clock.now(), self._wanted_attempt()))

    def _set_log(self, source: LogSource | None) -> None:
        view, task_id = self.view, self.table.selected
        if view is None or task_id is None:
            return
        waiting = present.waits_for(task_id, view.state, view.graph)
        if self._wanted_attempt() is not None:
            waiting = [[("no output is kept of this attempt", "muted")]]
        self.log_view.show(source, title=self._title(task_id, view), placeholder=paint_lines(waiting))

    def _title_log(self) -> None:
        view, task_id = self.view, self.table.selected
        if view is not None and task_id is not None:
            self.log_view.title = self._title(task_id, view)

    def on_task_table_selected(self, message: TaskTable.Selected) -> None:
        """Show the log of the task that the cursor has come to."""
        message.stop()
        self._show_log()
        self.footer.update()

    def on_task_table_opened(self, message: TaskTable.Opened) -> None:
        """Go to the log."""
        message.stop()
        self.log_view.focus()

    def on_failure_notice_chosen(self, message: FailureNotice.Chosen) -> None:
        """Go to the first failure."""
        message.stop()
        if self.view is not None and (first := self.view.first_failure()) is not None:
            self.go_to(first)

    def go_to(self, task_id: str) -> None:
        """Put the cursor on a task, whatever is filtered."""
        self._unfilter()
        self.table.select(task_id)
        self.table.focus()

    # Filter and search

    @property
    def _in_log(self) -> bool:
        return self.log_view.has_focus

    def action_filter(self) -> None:
        """Ask for the text that tasks shall have."""
        self._searching = False
        self.filter.value = self.table.filter_text
        self.filter.placeholder = "text, :failed, :running, :pending, :completed, :skipped"
        self.filter.display = True
        self.filter.focus()

    def action_search(self) -> None:
        """Ask for the text that lines of the log shall have."""
        self._searching = True
        self.filter.value = ""
        self.filter.placeholder = "search this log"
        self.filter.display = True
        self.filter.focus()

    _searching = False

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter as the user types."""
        event.stop()
        if not self._searching and self.filter.display:
            self.table.filter_text = event.value

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go to what was found."""
        event.stop()
        if self._searching:
            self.filter.display = False
            self.log_view.focus()
            self.log_view.search(event.value)
        else:
            self.filter.display = bool(event.value)
            self.table.focus()

    def _unfilter(self) -> None:
        self.filter.display = False
        self.table.filter_text = ""

    def action_back(self) -> None:
        """End the filter or the search; else go back to the tasks."""
        if self.filter.has_focus and self._searching:
            self.filter.display = False
            self.log_view.focus()
        elif self._in_log:
            if self.log_view.searching:
                self.log_view.search("")
            elif not self.log_view.clear_selection():
                self.table.focus()
        else:
            self._unfilter()
            self.table.focus()

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

    def action_switch_pane(self) -> None:
        """Go between tasks and log."""
        (self.table if self._in_log else self.log_view).focus()

    def action_follow(self) -> None:
        """Stay at the end of the log, or do not."""
        self.log_view.action_toggle_follow()

    def action_wrap(self) -> None:
        """Break long lines, or do not."""
        self.log_view.action_toggle_wrap()

    def action_copy(self) -> None:
        """Copy what is selected of the log, or the id of the task."""
        if self._in_log:
            self.log_view.action_copy()
        elif self.table.selected is not None:
            self.app.copy_to_clipboard(self.table.selected)
            self.say(f"copied {self.table.selected}")

    # Steering

    def action_retry_all(self) -> None:
        """Run all failed tasks again."""
        view = self.view
        if view is None:
            return
        if not view.failed:
            self.say("nothing has failed")
        elif view.live:
            self.post_message(Steer(view.run_id, "retry"))
        else:
            self.post_message(Resume(view.run_id, "--retry-failed"))

    def action_retry_task(self) -> None:
        """Run the selected task again."""
        view, task_id = self.view, self.table.selected
        if view is None or task_id is None:
            return
        if not view.live:
            self.say(f"{view.run_id} is not running: r goes on with it, R runs its failed tasks again")
        else:
            self.post_message(Steer(view.run_id, "retry", task_id))

    def action_skip(self) -> None:
        """Skip the failed task under the cursor, after asking."""
        view, task_id = self.view, self.table.selected
        if view is None or task_id is None:
            return
        if task_id.startswith(GATE_PREFIX) or view.state.task(task_id).status is not TaskStatus.FAILED:
            self.say("only a failed task can be skipped")
        elif view.live:
            self._ask(questions.skip(view, [task_id]), Steer(view.run_id, "skip", task_id))
        else:
            failed = view.state.in_status(TaskStatus.FAILED)
            self._ask(questions.skip(view, failed, resumes=True), Resume(view.run_id, "--skip-failed"))

    def action_stop_task(self) -> None:
        """Stop the running task under the cursor, or the build, after asking."""
        view, task_id = self.view, self.table.selected
        if view is None or not view.live:
            self.say("nothing is running here")
        elif task_id is not None and task_id in view.state.running:
            self._ask(questions.stop_task(view, task_id), Steer(view.run_id, "stop_task", task_id))
        else:
            self.action_stop_build()

    def action_stop_build(self) -> None:
        """Stop the build, after asking."""
        view = self.view
        if view is None or not view.live:
            self.say("nothing is running here")
        else:
            self._ask(questions.stop_build(view), Steer(view.run_id, "stop"))

    def _ask(self, dialog: ChoiceDialog, message: Steer | Resume) -> None:
        def answered(answer: str | None) -> None:
            if answer is not None:
                self.post_message(message)

        self.app.push_screen(dialog, answered)
