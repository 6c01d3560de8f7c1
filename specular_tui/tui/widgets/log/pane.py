"""The pane of a task's log: which one is shown, what stands in its place, and the search in it."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from specular_tui.model import quantity
from specular_tui.model.cause import WINDOWS, Cause
from specular_tui.tui import keys, present, present_task
from specular_tui.tui.messages import LogRead, ReadLog
from specular_tui.tui.theme import paint_lines
from specular_tui.tui.views import Desk, RunView
from specular_tui.tui.widgets.log.text import LogSource
from specular_tui.tui.widgets.log.view import LogView
from specular_tui.tui.widgets.plain_input import PlainInput
from specular_tui.tui.widgets.task.columns import fit_id

#: Cells that the id above a log has at least, and those that how long the log is takes.
_ID: Final = 16
_INFO: Final = 22


class Log(LogView):
    """The log with the keys of this application."""

    BINDINGS = keys.bindings("list", "log")


class SearchBox(PlainInput):
    """Where is typed what is searched for in the log."""

    BINDINGS: ClassVar = keys.bindings("search")


class LogPane(Vertical):
    """Shows the log of a task of the run in view; below it is typed what is searched for."""

    class Said(Message):
        """There is something to say to the user."""

        def __init__(self, text: str) -> None:
            """`text` is said for a moment."""
            super().__init__()
            self.text = text

    def __init__(self, desk: Desk) -> None:
        """`desk` has the run in view."""
        super().__init__()
        self._desk = desk
        self.log_view = Log()
        self.log_view.numbers = desk.line_numbers
        self.box = SearchBox(placeholder="search the whole log", compact=True)
        self.task_id: str | None = None
        #: The run and the task whose log is, or was last, there.
        self._of: tuple[str, str] | None = None
        #: Which log was asked for, and which one is there.
        self._reading: tuple[object, ...] = ()
        self._there: tuple[object, ...] | None = None
        #: The attempt whose log is looked at, where it is not the latest.
        self._attempt: tuple[str, str, int] | None = None
        #: The log has just been opened: it is shown at the line that says why its task failed.
        self._to_cause = False
        #: The run and the task whose log is to be shown at the line that says why it failed, once it has been read.
        self._why: tuple[str, str] | None = None

    def compose(self) -> ComposeResult:
        """Yield the log, and the box below it."""
        yield self.log_view
        yield self.box

    def on_mount(self) -> None:
        """Nothing is searched for yet."""
        self.box.display = False
        self.box.cursor_blink = False

    @property
    def _view(self) -> RunView | None:
        return self._desk.view

    @property
    def waits(self) -> bool:
        """Whether there is no log on show, but a word in its place that may change."""
        return bool(self._reading) and not self._reading[2]

    # Which log

    def show(self, task_id: str | None) -> None:
        """Show the log of a task, or what it waits for, if that is not shown already."""
        view, self.task_id = self._view, task_id
        if view is None or task_id is None:
            return
        state = view.state
        task = state.tasks.get(task_id) or state.gates.get(task_id)
        if task is None:
            return
        attempt = self.attempt
        printed = task.attempt > 0
        self.log_view.live = view.live and attempt is None
        reading = (view.run_id, task_id, printed, attempt or (task.attempt,))
        if reading != self._reading:
            self._reading = reading
            if printed:
                self._read(view.run_id, task_id, attempt)
            else:
                self._set(None)
        elif not printed:
            self._set(None)
        else:
            self.entitle()
            self._look_for_cause()
            if self.log_view.source is None:
                # It had none when that was looked for: a quick task's log is there when the task has ended.
                self._read(view.run_id, task_id, attempt)

    def _read(self, run_id: str, task_id: str, attempt: int | None = None) -> None:
        # From the screen: it is often the one that is at work here, and a message goes no further up than that.
        self.screen.post_message(ReadLog(run_id, task_id, attempt))

    def take(self, message: LogRead) -> None:
        """Show a log that has been read, if it is still wanted."""
        here = (self._view.run_id if self._view is not None else "", self.task_id, self.attempt)
        if (message.run_id, message.task_id, message.attempt) == here:
            self._set(message.source)
        elif message.source is not None:
            message.source.close()

    @property
    def attempt(self) -> int | None:
        """The attempt whose log is looked at; None for the latest."""
        view, wanted = self._view, self._attempt
        if view is None or wanted is None or wanted[:2] != (view.run_id, self.task_id):
            return None
        return wanted[2]

    def switch_attempt(self, step: int) -> None:
        """Show the log of the attempt before (-1) or after (1)."""
        view, task_id = self._view, self.task_id
        if view is None or task_id is None:
            return
        task = view.state.tasks.get(task_id) or view.state.gates.get(task_id)
        tried = present_task.attempts(task) if task is not None else []
        if len(tried) < 2:
            self._say(f"{task_id} has been tried once" if tried else f"{task_id} has not run yet")
            return
        at = tried.index(self.attempt or tried[-1]) + step
        if not 0 <= at < len(tried):
            self._say("this is the first attempt" if at < 0 else "this is the latest attempt")
            return
        self._attempt = (view.run_id, task_id, tried[at]) if at < len(tried) - 1 else None
        self.show(task_id)

    def look_again(self) -> None:
        """A second has gone by while the task runs: its title changes, and it may have begun to print."""
        self.entitle()
        if self.log_view.source is None and self.attempt is None and self._view is not None and self.task_id:
            self._read(self._view.run_id, self.task_id)

    def entitle(self) -> None:
        """Say above the log how the task stands now."""
        view = self._view
        if view is not None and self.task_id is not None:
            self.log_view.title = self._title(self.task_id, view)

    def _title(self, task_id: str, view: RunView) -> str:
        (name, role), *others = present_task.log_title(task_id, view, self._desk.clock.now(), self.attempt)
        # How the task stands is to be read beside an id of any length.
        most = max(_ID, self.size.width - present.width(others) - _INFO)
        short = fit_id(name, most).rstrip() if len(name) > most else name
        return present.text([(short, role), *others])

    def _set(self, source: LogSource | None) -> None:
        view, task_id = self._view, self.task_id
        if view is None or task_id is None:
            return
        waiting = present_task.waits_for(task_id, view.state, view.graph, view.blocked)
        if self.attempt is not None:
            waiting = [[("no output is kept of this attempt", "muted")]]
        new = source is not None and source is not self.log_view.source
        of, self._of = self._of, (view.run_id, task_id)
        if of != self._of:
            self.box.display = False
        self.log_view.show(source, title=self._title(task_id, view), placeholder=paint_lines(waiting))
        if new and self.box.display:
            self.log_view.search(self.box.value)  # the log of another attempt
        self._there = self._reading if source is not None else None
        if new:
            self._to_cause = task_id in view.failed
        self._look_for_cause()

    def _look_for_cause(self) -> None:
        """Go to the line that says why the task failed, once it has been found: when it is opened, or that is asked."""
        view, asked = self._view, self._why
        if view is None or self.task_id not in view.causes or self._there != self._reading or self._there is None:
            return
        opened, self._to_cause = self._to_cause, False
        if asked == (view.run_id, self.task_id):
            self._show_why()
        elif opened and (cause := self._cause) is not None and not cause.last and self.log_view.follow:
            self.log_view.show_cause(cause, asked=False)

    @property
    def _cause(self) -> Cause | None:
        """The line that says why the task failed, if what is shown is the log of the attempt that did."""
        view = self._view
        if view is None or self.task_id not in view.failed or self.attempt is not None:
            return None
        return view.causes.get(self.task_id)

    def why(self, task_id: str) -> None:
        """Go to the line that most likely says why a task failed; its log may have to be read first."""
        view = self._view
        if view is None:
            return
        self._why = (view.run_id, task_id)
        self._attempt = None
        self.show(task_id)
        if self._there == self._reading and task_id not in view.causes:
            # Its log was opened before it failed: nobody has looked for the line yet.
            self._read(view.run_id, task_id)

    def _show_why(self) -> None:
        self._why = None
        cause, source = self._cause, self.log_view.source
        if cause is not None and not cause.last:
            self.log_view.show_cause(cause)
        elif source is not None:
            self.log_view.action_go_bottom()
            if source.size > WINDOWS[-1]:
                looked, key = quantity.size(WINDOWS[-1]), keys.pressed("log.search")
                self._say(f"the last {looked} of its log do not say why: {key} searches all of it")
            else:
                self._say("its log does not say why: this is its end")

    # Search

    def ask(self) -> None:
        """Ask what shall be searched for."""
        if self.log_view.source is None:
            self._say("there is no log to search")
            return
        self.box.value = self.log_view.pattern
        self.box.display = True
        self.screen.set_focus(self.box)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search while it is typed."""
        event.stop()
        if self.box.display and event.value != self.log_view.pattern:
            self.log_view.search(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Go on in the log, from match to match."""
        event.stop()
        self.box.display = bool(event.value)
        self.screen.set_focus(self.log_view)

    def back(self) -> bool:
        """End the search, or the selection; return whether there was either."""
        if self.box.display or self.log_view.searching:
            self.box.display = False
            self.log_view.search("")
            self.screen.set_focus(self.log_view)
            return True
        return self.log_view.clear_selection()

    @property
    def in_use(self) -> bool:
        """Whether somebody is at work here, so that no other log is to take the place of this one."""
        return self.box.has_focus or self.log_view.in_use

    def copy(self) -> None:
        """Copy what is selected, the line of the match, or what is on screen, and say how much that is."""
        copied = self.log_view.copy_visible()
        lines = len(copied.splitlines())
        self._say(f"copied {quantity.plural(lines, 'line')}" if lines else "there is nothing to copy")

    def _say(self, text: str) -> None:
        self.post_message(self.Said(text))
