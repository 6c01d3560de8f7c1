"""What all modes have in common: header, body, footer, and a calm answer to a terminal that is too small."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.containers import Container
from textual.events import Resize
from textual.screen import Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Static

from specular_tui.tui import keys
from specular_tui.tui.keys import Key
from specular_tui.tui.messages import Foreseen, PlanResume, RunMoved, RunShown, RunsListed, Steer, Ticked, Validate
from specular_tui.tui.speaking import SpeakingApp
from specular_tui.tui.terminal.changed_lines import ChangedLines
from specular_tui.tui.terminal.frames import to_beat
from specular_tui.tui.views import Desk, RunRow
from specular_tui.tui.widgets.footer import KeyFooter
from specular_tui.tui.widgets.header import RunHeader
from specular_tui.tui.widgets.message_line import MessageLine
from specular_tui.tui.widgets.mode_tabs import ModeTabs
from specular_tui.tui.wish import Wish

SMALLEST: Final = (60, 16)
#: Cells from which two panes stand beside each other.
WIDE: Final = 120


class ModeScreen(Screen[None]):
    """One of the modes: `body` is its own; the rest is the same everywhere.

    A message goes to the handler of the mode and then to the one here: Textual calls those of all classes.
    """

    #: The name of the mode in the table of keys.
    MODE: ClassVar[str] = ""
    #: What it draws that is no text, and what that means.
    SIGNS: ClassVar[Sequence[tuple[str, str]]] = ()
    AUTO_FOCUS = None
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (WIDE, "-wide")]  # noqa: RUF012  as Textual types it
    VERTICAL_BREAKPOINTS = [(0, "-low"), (20, "-tall")]  # noqa: RUF012

    def __init__(self, desk: Desk) -> None:
        """`desk` is what all screens look at."""
        super().__init__()
        self._compositor = ChangedLines()
        self.desk = desk
        self.header = RunHeader(desk)
        self.footer = KeyFooter(self.offers)
        self._beat: Timer | None = None
        #: What has been said last of how something stands, and whether that is so.
        self._said: tuple[str, Callable[[], bool]] | None = None

    def compose(self) -> ComposeResult:
        """Yield the frame and, in it, what the mode is about."""
        yield self.header
        yield ModeTabs(self.MODE, self.desk.said)
        with Container(id="body"):
            yield from self.body()
        yield self.footer
        yield Static(id="too-small", markup=False)

    def body(self) -> ComposeResult:
        """Yield the widgets of the mode."""
        yield from ()

    def on_resize(self, event: Resize) -> None:
        """Say so where there is no room for anything."""
        width, height = event.size
        small = width < SMALLEST[0] or height < SMALLEST[1]
        self.set_class(small, "-too-small")
        if small:
            least = f"{SMALLEST[0]}x{SMALLEST[1]} at least"
            text = f"the terminal is too small ({width}x{height}): {least}" if width >= 20 else least
            self.query_one("#too-small", Static).update(text)

    def fit_list(self, listing: Widget, rows: int) -> None:
        """Give a list that stands above something else no more lines than it has: `rows`, and its heading."""
        listing.styles.max_height = None if self.size.width >= WIDE else rows + 1

    def on_screen_resume(self) -> None:
        """Show what has changed while another mode was in front, and what has been said there."""
        self._refresh_frame()
        for line in self.query(MessageLine):
            line.update()

    def on_screen_suspend(self) -> None:
        """Something else is in front: name no key that would not act."""
        self.footer.update()

    def _refresh_frame(self) -> None:
        self._take_back()
        self.header.update()
        self.footer.update()

    def _on_ticked(self, message: Ticked) -> None:
        if self.is_current:
            self.header.update()

    def _on_run_shown(self, message: RunShown) -> None:
        self._refresh_frame()

    def _on_run_moved(self, message: RunMoved) -> None:
        if self.is_current and self._beat is None:
            self._beat = self.set_timer(to_beat(), self._on_beat, name="mode-frame")

    def _on_beat(self) -> None:
        self._beat = None
        self._refresh_frame()

    def _on_foreseen(self, message: Foreseen) -> None:
        # While a run is live the next second will say so, without a frame of its own.
        if self.desk.view is None or not self.desk.view.live or message.past:
            self.header.update()

    def _on_runs_listed(self, message: RunsListed) -> None:
        if self.desk.view is None:
            self.header.update()
        if self.is_current:
            self._take_back()
            self.footer.update()

    # What can be done with a run wherever one is at hand

    def run_at_hand(self) -> RunRow | None:
        """Return the run that the keys act on."""
        return None

    def offers(self, key: Key) -> bool:
        """Tell whether a key makes sense as things stand: the footer leaves the others out.

        They act all the same; an action that cannot be done says why.
        """
        row = self.run_at_hand()
        if key.id in ("run.pause", "run.resume", "run.drain") and row is not None and self._is_stopping(row.run_id):
            return False
        match key.id:
            case "run.pause":
                return row is not None and row.live and row.status != "paused"
            case "run.resume":
                return row is not None and (
                    row.resumable or (row.live and (row.status == "paused" or self._draining(row)))
                )
            case "app.open_newest":
                return self.desk.arrived() is not None
            case "app.new_build":
                return row is None or not row.live
            case "run.drain":
                return row is not None and row.live and row.status != "paused" and not self._draining(row)
            case _:
                return True

    def action_pause(self) -> None:
        """Freeze the run at hand; harmless where it stands still already."""
        row = self.run_at_hand()
        if row is None:
            self.say("no run is open")
        elif not row.live:
            self.say(f"{row.run_id} is not running")
        elif self._stops(row.run_id):
            return
        elif row.status == "paused":
            text = f"{row.run_id} stands still already: {keys.pressed('run.resume')} lets it go on"
            self.say_while(text, lambda: self._stands_still(row.run_id))
        else:
            self.post_message(Steer(row.run_id, "pause"))

    def action_resume(self) -> None:
        """Let a frozen run go on, or start a stored one again."""
        row = self.run_at_hand()
        if row is None:
            self.say("no run is open")
        elif self._stops(row.run_id):
            return
        elif row.live:
            if row.status == "paused" or self._draining(row):
                self.post_message(Steer(row.run_id, "unpause"))
            else:
                self.say_while(f"{row.run_id} is going on", lambda: not self._stands_still(row.run_id))
        elif row.resumable:
            self.post_message(PlanResume(Wish(row.run_id)))
        elif row.gone:
            self.say(f"{row.run_id} has been deleted: there is nothing to resume")
        else:
            self.say(f"{row.run_id} is {row.status}: there is nothing to resume")

    def action_drain(self) -> None:
        """Start nothing new in the run at hand, or take that back."""
        row = self.run_at_hand()
        if row is None:
            self.say("no run is open")
        elif not row.live:
            self.say(f"{row.run_id} is not running")
        elif not self._stops(row.run_id):
            self.post_message(Steer(row.run_id, "unpause" if self._draining(row) else "drain"))

    def action_validate(self) -> None:
        """Prove the checkpoint of the run at hand."""
        if (row := self.run_at_hand()) is not None:
            self.post_message(Validate(row.run_id))

    def _is_stopping(self, run_id: str) -> bool:
        view = self.desk.view
        if view is not None and view.run_id == run_id:
            return view.live and view.state.stopping
        row = self.desk.row(run_id)
        return row is not None and row.live and row.stopping

    def _stops(self, run_id: str) -> bool:
        """Say that a build is stopping, and what still can be done, where that is so; tell whether it is."""
        if stopping := self._is_stopping(run_id):
            kill = keys.pressed("build.stop_build")
            text = f"{run_id} is stopping: {kill} in Build kills what still runs"
            self.say_while(text, lambda: self._is_stopping(run_id))
        return stopping

    def _draining(self, row: RunRow) -> bool:
        view = self.desk.view
        if view is not None and view.run_id == row.run_id:
            return view.state.draining
        return row.live and row.draining

    def _stands_still(self, run_id: str) -> bool:
        row = self.run_at_hand()
        return row is not None and row.run_id == run_id and row.status == "paused"

    def say(self, text: str) -> None:
        """Show a text for a moment."""
        self.notify(text)

    def say_while(self, text: str, holds: Callable[[], bool]) -> None:
        """Show a text for a moment, and no longer than `holds` says that it is so."""
        self._said = (text, holds)
        self.say(text)

    def _take_back(self) -> None:
        """Take back what has been said and is so no more."""
        if self._said is not None and not self._said[1]():
            if isinstance(self.app, SpeakingApp):
                self.app.withdraw(self._said[0])
            self._said = None
