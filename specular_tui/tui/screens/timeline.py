"""Mode 4: when the tasks of the open run ran, and what decided how long it took."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from specular_tui.tui import glyphs, keys, present, present_timeline
from specular_tui.tui.keys import Key
from specular_tui.tui.messages import Foreseen, RunMoved, RunShown, ShowTask, Ticked
from specular_tui.tui.screens.mode import ModeScreen
from specular_tui.tui.styling import sheets
from specular_tui.tui.theme import paint, paint_lines
from specular_tui.tui.views import Desk, RunRow
from specular_tui.tui.widgets.timeline.timeline import Timeline


class Bars(Timeline):
    """The timeline with the keys of this application."""

    BINDINGS = keys.bindings("list", "bars")


class TimelineDetails(Static):
    """What there is to know of the attempt under the cursor."""


class TimelineScreen(ModeScreen):
    """A chart of the run over the time that it worked, and what the cursor is on."""

    CSS_PATH: ClassVar = sheets("timeline")
    MODE: ClassVar[str] = "timeline"
    SIGNS: ClassVar = (
        (glyphs.HALF, "an attempt begins"),
        (glyphs.BAR_DONE, "it is on the critical path: had it been quicker, so had the run"),
        (glyphs.SLOW, "it took longer than its task usually takes"),
        (glyphs.MEDIUM, "several attempts, too short for a cell each"),
        (glyphs.HATCH, "the run stood frozen"),
        (glyphs.CUT, "between two sessions, when nothing was built"),
        (glyphs.NOW, "now"),
    )
    BINDINGS = keys.bindings("run", "timeline")

    def __init__(self, desk: Desk) -> None:
        """`desk` has the run in view."""
        super().__init__(desk)
        self.bars = Bars(desk)
        self._summary = Static(id="summary", markup=False)
        self._details = TimelineDetails(markup=False)
        self._stale = True

    def body(self) -> ComposeResult:
        """Yield the chart and what is said of it, or a word where no run is open."""
        with Vertical(id="panes"):
            yield self._summary
            with Vertical(id="chart"):
                yield self.bars
            yield self._details
        yield Static(paint_lines(present.no_run()), id="empty")

    def on_mount(self) -> None:
        """Show the run that is open."""
        self._show()
        self.bars.focus()

    def on_screen_resume(self) -> None:
        """Show what has changed while another mode was in front."""
        if self.bars.is_mounted and self._stale:
            self._show()

    def run_at_hand(self) -> RunRow | None:
        """Return the run in view."""
        return self.desk.view.row() if self.desk.view is not None else None

    def offers(self, key: Key) -> bool:
        """Tell which keys lead anywhere: none where no run is open, or nothing has run yet."""
        view, chart = self.desk.view, self.bars.chart
        if key.where not in ("timeline", "bars"):
            return super().offers(key)
        if view is None or self.bars.at is None:
            return False
        match key.id:
            case "timeline.next" | "timeline.previous":
                return bool(view.failed or chart.slow)
            case "timeline.next_critical" | "timeline.previous_critical":
                return bool(view.critical)
            case _:
                return True

    # What the bridge tells

    def _show(self) -> None:
        view = self.desk.view
        self.query_one("#empty").display = view is None
        self.query_one("#panes").display = view is not None
        self._stale = False
        if view is not None:
            self.bars.show(view)

    def _on_run_shown(self, message: RunShown) -> None:
        self._stale = True
        if self.is_current:
            self._show()

    def _on_run_moved(self, message: RunMoved) -> None:
        if self.is_current:
            self.bars.touch(message.touched)
        else:
            # It is made anew when it is looked at: nobody pays for what nobody sees.
            self._stale = True

    def _on_foreseen(self, message: Foreseen) -> None:
        if self.is_current:
            self.bars.foresee(past=message.past)
        else:
            self._stale = True

    def _on_ticked(self, message: Ticked) -> None:
        view = self.desk.view
        if self.is_current and view is not None and view.live:
            self.bars.stir()

    def on_timeline_selected(self, message: Timeline.Selected) -> None:
        """Say what the cursor is on."""
        message.stop()
        view, bars = self.desk.view, self.bars
        if view is None or not self.is_mounted:
            return
        axis, window = bars.stage.axis, bars.stage.window
        shown = axis.worked(window.left), axis.worked(window.right)
        part = present_timeline.part(shown, axis.worked(axis.length))
        width = max(20, self._summary.content_size.width)
        self._summary.update(paint(present_timeline.summary(view, bars.chart, bars.now, part, width)))
        room = max(20, self._details.content_size.width)
        lines = present_timeline.details(view, bars.chart, bars.at, self.desk.clock, bars.now, room)
        self._details.update(paint_lines(lines))
        self.footer.update()

    def on_timeline_opened(self, message: Timeline.Opened) -> None:
        """Go to the task in Build."""
        message.stop()
        if self.desk.view is not None:
            self.post_message(ShowTask(self.desk.view.run_id, message.task_id))

    # Keys

    def action_next(self) -> None:
        """Go to the next attempt that failed, or was slower than usual."""
        self._find(1, critical=False)

    def action_previous(self) -> None:
        """Go to the one before."""
        self._find(-1, critical=False)

    def action_next_critical(self) -> None:
        """Go along the critical path."""
        self._find(1, critical=True)

    def action_previous_critical(self) -> None:
        """Go back along the critical path."""
        self._find(-1, critical=True)

    def _find(self, step: int, *, critical: bool) -> None:
        if not self.bars.go_to_marked(step, critical=critical):
            what = "the critical path is not known" if critical else "nothing failed, and nothing was slower than usual"
            self.say(what)

    def action_copy(self) -> None:
        """Copy the id of the task under the cursor."""
        if self.bars.at is not None:
            self.app.copy_to_clipboard(self.bars.at.task)
            self.say(f"copied {self.bars.at.task}")
