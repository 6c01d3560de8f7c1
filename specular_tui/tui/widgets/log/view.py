"""The view of one log: at its end at once whatever its size, following it as it grows, searchable as a whole.

Growth is looked at when somebody says so, and once a second; what has come since is drawn at most once a frame.
Counting lines and searching go on in slices of a few milliseconds.
"""

from __future__ import annotations

from typing import Final, Literal

from textual.content import Content
from textual.timer import Timer

from specular_tui.model.cause import Cause
from specular_tui.tui.safe import plain
from specular_tui.tui.terminal.frames import BEAT, give_way, to_beat
from specular_tui.tui.widgets.log.finder import LogFinder
from specular_tui.tui.widgets.log.mouse import LogMouse
from specular_tui.tui.widgets.log.paint import counted
from specular_tui.tui.widgets.log.text import LogSource, width_of
from specular_tui.tui.widgets.log.window import LogWindow, Place

#: Time for counting and searching in one go, and between two goes.
_SLICE: Final = 0.003
_BREATH: Final = 0.004
#: Time for counting a log before its end is shown: enough for a small one.
_GLANCE: Final = 0.001
_SIDEWAYS: Final = 8


class LogView(LogMouse, can_focus=True):
    """A log, or a word in its place. `show` gives it one; whoever knows that it has grown calls `poll`.

    Nobody speaks for some logs: `tick` is called once a second, as long as something is live.
    """

    _live = True
    _looking: Timer | None = None
    _working: Timer | None = None
    #: It waits for a key to be painted; only once for each of its own paints.
    _waits = False
    #: Every row was another line at the last paint.
    _races = False
    #: The line to go to as soon as all lines have been counted.
    _awaited: tuple[Cause, bool] | None = None
    #: What was selected without anybody having asked for it.
    _unasked: tuple[Place, Place] | None = None
    #: Where it was brought to without anybody having asked for it.
    _brought_to: Place | None = None

    # What it shows ---------------------------------------------------------------------------------------------------

    def show(self, source: LogSource | None, *, title: str = "", placeholder: Content | str = "") -> None:
        """Show a log from its end, or `placeholder` where there is none or nothing in it.

        The view closes the log that it showed before.
        """
        if source is not self.source:
            self._close()
            self._window = LogWindow(source, wrap=self.wrap) if source is not None else None
            self._finder = self._awaited = self._brought_to = None
            self._measure()
            self.follow = True
        self._title, self._placeholder = plain(title), placeholder
        if source is not None:
            source.advance(_GLANCE)
            self._work()
            # What is shown now need not be looked at again at once.
            self._races = True
            self.poll()
        self._changed()

    def _close(self) -> None:
        if self._finder is not None:
            self._finder.search.cancel()
        if self._window is not None:
            self._window.source.close()

    def on_mount(self) -> None:
        """Begin to look after what is shown already."""
        self._measure()
        self._work()

    def on_unmount(self) -> None:
        """Let go of the log."""
        self._close()

    @property
    def live(self) -> bool:
        """Whether the log may still grow without anybody saying so."""
        return self._live

    @live.setter
    def live(self, live: bool) -> None:
        if live != self._live:
            self._live = live
            self.poll()  # what had come before its end

    # Growth and slices -----------------------------------------------------------------------------------------------

    def poll(self) -> None:
        """Look, at the next frame, whether the log has grown; calls until then are one."""
        if self._window is not None and self._looking is None and self.is_mounted:
            # What nobody can read is painted half as often.
            beat = to_beat(0.5) + (BEAT if self._races else 0)
            self._looking = self.set_timer(beat, self._look, name="log-view-frame")

    def tick(self) -> None:
        """A second has gone by: look whether the log has grown, if it still may."""
        if self._live and self._looking is None and self.is_on_screen:
            self._look()

    def _look(self) -> None:
        self._looking = None
        window = self._window
        if window is None:
            return
        self._waits = not self._waits and bool(wait := give_way(getattr(self.app, "typed_at", 0.0)))
        if self._waits:
            self._looking = self.set_timer(wait, self._look, name="log-view-frame")
            return
        source = window.source
        last, tail = max(0, source.line_count - 1), source.tail_count
        self._races = False
        change = source.poll()
        if change in ("same", "gone"):
            return
        source.advance(_SLICE)
        if change == "replaced":
            window.text.forget()
            window.deselect()
            window.top, window.seen = (0, 0), source.line_count if source.ready else None
            if self._finder is not None:
                self.search(self.pattern)
        else:
            window.text.forget(last)
            if window.top[0] < 0 and not source.ready:
                window.top = (window.top[0] - max(0, source.tail_count - tail), window.top[1])
            if self._finder is not None:
                self._finder.search.extend()
        window.settle()
        self._work()
        self._changed()
        self._races = self.follow and source.line_count - last > self._body
        self.poll()  # what grows goes on growing

    def _work(self) -> None:
        """Go on counting and searching, if there is anything left of it."""
        if self._window is None or self._working is not None or not self.is_mounted:
            return
        if not self._window.source.ready or (self._finder is not None and not self._finder.search.done):
            self._working = self.set_timer(_BREATH, self._slice, name="log-view-work")

    def _slice(self) -> None:
        self._working = None
        window, finder = self._window, self._finder
        if window is None:
            return
        if not window.source.ready:
            share = counted(window)
            if window.source.advance(_SLICE):
                window.settle()
                self._changed()
            elif counted(window) != share:
                self._refresh_title()
                if self._awaited is not None:
                    cause, asked = self._awaited
                    self.show_cause(cause, asked=asked)
        elif finder is not None and not finder.search.done:
            before = finder.text
            finder.search.advance(_SLICE)
            self._show_match()
            if finder.text != before:
                self._refresh_title()
        self._work()

    # Search ----------------------------------------------------------------------------------------------------------

    @property
    def searching(self) -> bool:
        """Whether there is a search whose matches are shown."""
        return self._finder is not None

    @property
    def match_line(self) -> int | None:
        """The line of the match that the view went to last."""
        return self._finder.match if self._finder is not None else None

    @property
    def pattern(self) -> str:
        """What is searched for; "" where nothing is."""
        return self._finder.pattern if self._finder is not None else ""

    @property
    def match_text(self) -> str:
        """How the search stands: `3/37`, `37+`, `no match`."""
        return self._finder.text if self._finder is not None else ""

    def search(self, text: str) -> None:
        """Search the whole log and go to the nearest match; an empty text ends the search.

        At the end of a log that is followed, the nearest is the last one above; else the first one below.
        """
        if self._finder is not None:
            self._finder.search.cancel()
            self._finder = None
        window = self._window
        if text and window is not None:
            rows = window.rows()
            if self.follow or not rows:
                self._finder = LogFinder(window.source, text, self.line_count, -1)
            else:
                self._finder = LogFinder(window.source, text, rows[0].line, 1)
            self._finder.search.advance(_SLICE)
            self._show_match()
            self._work()
        self._changed()

    def _show_match(self) -> None:
        if self._finder is not None and (line := self._finder.arrived()) is not None:
            self._go_to(line)

    def _next(self, direction: Literal[1, -1]) -> None:
        if self._finder is not None and self._window is not None:
            rows = self._window.rows()
            self._finder.want(rows[0].line - 1 if rows else 0, direction)
            self._show_match()

    def next_match(self) -> None:
        """Go to the next matching line, round the end."""
        self._next(1)

    def previous_match(self) -> None:
        """Go to the matching line before, round the start."""
        self._next(-1)

    # Why it failed ---------------------------------------------------------------------------------------------------

    def show_cause(self, cause: Cause, *, asked: bool = True) -> None:
        """Go to the line that most likely says why the task failed, and select it.

        Where nobody has asked for that (not `asked`), nobody has to take the selection away either.
        """
        window = self._window
        if window is None:
            return
        source = window.source
        if not source.ready:
            # Only a line whose number is known can be selected.
            self._awaited = cause, asked
            if cause.below < source.tail_count:
                self._go_to(-1 - cause.below)
                self._brought_to = None if asked else window.top
            return
        self._awaited = None
        line = max(0, source.line_count - 1 - cause.below)
        window.deselect()
        text = window.text.line(line).text
        if text.strip() and cause.text.startswith(text.strip()[: len(cause.text)]):
            window.anchor, window.head = (line, 0), (line, len(text))
        self._unasked = None if asked else window.selection
        self._go_to(line)
        self._brought_to = None if asked else window.top

    @property
    def in_use(self) -> bool:
        """Whether somebody searches it, has selected something, or has scrolled away from its end."""
        window = self._window
        if window is None:
            return False
        chosen = window.selection is not None and window.selection != self._unasked
        away = not self.follow and not window.whole and window.top != self._brought_to
        return self.searching or chosen or away

    # Copying ---------------------------------------------------------------------------------------------------------

    def selected_text(self) -> str:
        """Return the selected text; without a selection the line of the match, or else the lines on screen."""
        window, match = self._window, self.match_line
        if window is None:
            return ""
        if window.selection is None and match is not None:
            return window.text.line(match).text
        return window.selected_text()

    def copy_visible(self) -> str:
        """Copy what `selected_text` says to the clipboard, and return it."""
        copied = self.selected_text()
        if copied:
            self.app.copy_to_clipboard(copied)
        return copied

    def clear_selection(self) -> bool:
        """Select nothing; return whether anything was selected that somebody had asked for."""
        window = self._window
        if window is None or window.selection is None:
            return False
        asked = window.selection != self._unasked
        window.deselect()
        self._changed()
        return asked

    # Actions ---------------------------------------------------------------------------------------------------------

    def action_go_top(self) -> None:
        """Go to the first line."""
        if self._window is not None and not self._window.whole:
            self.follow = False
            self._window.top = (0, 0)
            self._changed()

    def action_go_bottom(self) -> None:
        """Go to the end, and stay there."""
        self.follow = True

    def action_scroll_left(self) -> None:
        """Show what is further left in long lines."""
        self._sideways(-_SIDEWAYS)

    def action_scroll_right(self) -> None:
        """Show what is further right in long lines."""
        self._sideways(_SIDEWAYS)

    def _sideways(self, cells: int) -> None:
        window = self._window
        if window is None or window.wrap:
            return
        widest = max((width_of(window.text.line(row.line).text) for row in window.rows()), default=0)
        furthest = max(window.left if cells < 0 else 0, widest - window.width // 2)
        window.left = max(0, min(window.left + cells, furthest))
        self._changed()

    def _extend(self, step: int) -> None:
        if self._window is not None:
            self.follow = False
            self._window.extend(step)
            self._changed()

    def action_select_up(self) -> None:
        """Select one line more upwards."""
        self._extend(-1)

    def action_select_down(self) -> None:
        """Select one line more downwards."""
        self._extend(1)

    def action_toggle_follow(self) -> None:
        """Stay at the end, or do not."""
        self.follow = not self.follow

    def action_toggle_wrap(self) -> None:
        """Break long lines, or do not."""
        self.wrap = not self.wrap

    def action_toggle_numbers(self) -> None:
        """Number the lines, or do not; where there was too little room, do so all the same."""
        self.numbers = not self.numbered

    def action_next_match(self) -> None:
        """Go to the next match."""
        self.next_match()

    def action_previous_match(self) -> None:
        """Go to the match before."""
        self.previous_match()

    def action_copy(self) -> None:
        """Copy the selection, the line of the match, or what is on screen."""
        self.copy_visible()
