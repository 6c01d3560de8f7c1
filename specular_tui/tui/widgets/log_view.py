"""The view of one log: at its end at once whatever its size, following it as it grows, searchable as a whole.

It draws only the rows on screen. Growth is looked at when somebody says so, and once a second; what has come since
is drawn at most once a frame. Counting lines and searching go on in slices of a few milliseconds.
"""

from __future__ import annotations

from typing import ClassVar, Final, Literal

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.timer import Timer
from textual.visual import Visual
from textual.widget import Widget

from specular_tui.tui.frames import to_beat
from specular_tui.tui.safe import plain
from specular_tui.tui.widgets.log_finder import LogFinder
from specular_tui.tui.widgets.log_paint import LogPainter
from specular_tui.tui.widgets.log_text import LogSource, Row, width_of
from specular_tui.tui.widgets.log_window import LogWindow
from specular_tui.tui.widgets.scrolling import ScrollActions, share

#: Time for counting and searching in one go, and between two goes.
_SLICE: Final = 0.003
_BREATH: Final = 0.004
_WHEEL: Final = 3
_SIDEWAYS: Final = 8


class LogView(ScrollActions, Widget, can_focus=True):
    """A log, or a word in its place. `show` gives it one; whoever knows that it has grown calls `poll`."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "log-view--title",
        "log-view--info",
        "log-view--placeholder",
        "log-view--match",
        "log-view--match-current",
        "log-view--selection",
        "log-view--corner",
        "log-view--problem",
        "log-view--thumb",
    }

    #: Stay at the end as the log grows. Only the user turns it off: by scrolling up, or by a key.
    follow = reactive(True, repaint=False, init=False)
    #: Break long lines.
    wrap = reactive(False, repaint=False, init=False)

    class FollowChanged(Message):
        """Following was turned on or off."""

        def __init__(self, view: LogView, follow: bool) -> None:
            super().__init__()
            self.view = view
            self.follow = follow

        @property
        def control(self) -> LogView:
            """The view that it is about."""
            return self.view

    def __init__(
        self,
        *,
        name: str | None = None,
        id: str | None = None,  # noqa: A002  as every widget has it
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._painter = LogPainter(self._style)
        self._style_key: object = None
        self._rows: list[Row] = []
        self._in_corner = ("", "")
        self._live = True
        self._title = ""
        self._placeholder: Content | str = ""
        self._window: LogWindow | None = None
        self._finder: LogFinder | None = None
        self._dragging: Literal["", "thumb", "text"] = ""
        self._looking: Timer | None = None
        self._working: Timer | None = None
        self._watching: Timer | None = None

    # What it shows ---------------------------------------------------------------------------------------------------

    def show(self, source: LogSource | None, *, title: str = "", placeholder: Content | str = "") -> None:
        """Show a log from its end, or `placeholder` where there is none or nothing in it.

        The view closes the log that it showed before.
        """
        if source is not self.source:
            self._close()
            self._window = LogWindow(source, wrap=self.wrap) if source is not None else None
            self._finder = None
            self._measure()
            self.follow = True
        self._title, self._placeholder = plain(title), placeholder
        if source is not None:
            source.advance(_SLICE)
            self._work()
            self.poll()
        self._watch_over()
        self._changed()

    def _close(self) -> None:
        if self._finder is not None:
            self._finder.search.cancel()
        if self._window is not None:
            self._window.source.close()

    @property
    def source(self) -> LogSource | None:
        """The log on show."""
        return self._window.source if self._window is not None else None

    @property
    def title(self) -> str:
        """What stands above the log."""
        return self._title

    @title.setter
    def title(self, title: str) -> None:
        title = plain(title)
        if title != self._title:
            self._title = title
            self._refresh_title()

    @property
    def line_count(self) -> int:
        """How many lines have been counted."""
        return self._window.source.line_count if self._window is not None else 0

    @property
    def new_lines(self) -> int:
        """How many lines have come since following was turned off."""
        return 0 if self.follow or self._window is None else max(0, self.line_count - self._window.seen)

    def on_mount(self) -> None:
        """Begin to look after what is shown already."""
        self._measure()
        self._watch_over()
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
            self._watch_over()
            self.poll()  # what had come before its end

    # Growth and slices -----------------------------------------------------------------------------------------------

    def poll(self) -> None:
        """Look, at the next frame, whether the log has grown; calls until then are one."""
        if self._window is not None and self._looking is None and self.is_mounted:
            self._looking = self.set_timer(to_beat(0.5), self._look, name="log-view-frame")

    def _watch_over(self) -> None:
        """Look once a second, for logs that nobody speaks for; not at all where there is none, or an ended one."""
        wanted = self._window is not None and self._live
        if wanted and self._watching is None and self.is_mounted:
            self._watching = self.set_interval(1.0, self._watch, name="log-view-watch")
        elif not wanted and self._watching is not None:
            self._watching.stop()
            self._watching = None

    def _watch(self) -> None:
        if self.is_on_screen:
            self.poll()

    def _look(self) -> None:
        self._looking = None
        window = self._window
        if window is None:
            return
        source = window.source
        last, tail = max(0, source.line_count - 1), source.tail_count
        change = source.poll()
        if change in ("same", "gone"):
            return
        source.advance(_SLICE)
        if change == "replaced":
            window.text.forget()
            window.deselect()
            window.top, window.seen = (0, 0), source.line_count
            self._finder = None
        else:
            window.text.forget(last)
            if window.top[0] < 0 and not source.ready:
                window.top = (window.top[0] - max(0, source.tail_count - tail), window.top[1])
        if self._finder is not None:
            self._finder.search.extend()
        window.settle()
        self._work()
        self._changed()
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
            if window.source.advance(_SLICE):
                window.settle()
                self._changed()
        elif finder is not None and not finder.search.done:
            before = finder.text
            finder.search.advance(_SLICE)
            self._show_match()
            if finder.text != before:
                self._refresh_title()
        self._work()

    def _changed(self) -> None:
        if self._window is not None:
            self._window.changed()
        self.refresh()

    def _refresh_title(self) -> None:
        self.refresh(Region(0, 0, self.size.width, 1))

    # Where it stands -------------------------------------------------------------------------------------------------

    @property
    def _body(self) -> int:
        return max(0, self.size.height - 1)

    def _measure(self) -> None:
        if self._window is not None:
            self._window.width = max(1, self.size.width - 1)
            self._window.height = self._body

    def on_resize(self, event: events.Resize) -> None:
        """Lay the rows out anew."""
        self._measure()
        self._changed()

    def watch_follow(self, follow: bool) -> None:
        """Go to the end, or stay where the view stands."""
        if self._window is not None:
            if follow:
                self._window.follow = True
            else:
                self._window.stay()
        self._changed()
        self.post_message(self.FollowChanged(self, follow))

    def watch_wrap(self, wrap: bool) -> None:
        """Break lines, or do not; the line at the top stays there."""
        if self._window is not None:
            self._window.wrap, self._window.left = wrap, 0
            self._window.top = (self._window.top[0], 0)
        self._changed()

    def _page(self) -> int:
        return self._body

    def _step(self, rows: int) -> None:
        """Scroll; upwards turns following off, and coming to the end turns it on."""
        window = self._window
        if window is None or (window.whole if rows < 0 else self.follow):
            return
        if rows < 0:
            self.follow = False
        if window.scroll(rows):
            self.follow = True
        self._changed()

    def _go_to(self, line: int) -> None:
        """Show a line, a third down the screen if it is not there already."""
        window = self._window
        if window is None:
            return
        there = any(row.line == line for row in window.rows())
        self.follow = False
        if not there:
            window.put(window.moved((line, 0), -(self._body // 3)))
        self._changed()

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
        """Select nothing; return whether anything was selected."""
        window = self._window
        if window is None or window.selection is None:
            return False
        window.deselect()
        self._changed()
        return True

    # Painting --------------------------------------------------------------------------------------------------------

    def notify_style_update(self) -> None:
        """Forget the styles that are no longer in force."""
        super().notify_style_update()
        self._style_key = None

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"log-view--{name}") if name else self.rich_style

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the lines of `crop`."""
        key = (self.background_colors, self.has_focus, self.app.theme)
        if key != self._style_key:
            self._style_key = key
            self._painter.forget()
            self._painter.colors = not self.app.no_color
        if self._window is not None:
            self._rows = self._painter.prepare(self._window, self._finder)
            self._in_corner = self._painter.corner(self._window, self.new_lines)
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Draw the title, or a row of the log."""
        width, window = self.size.width, self._window
        if y == 0:
            return self._painter.title(self._title, window, self._finder, width)
        if window is None or (not self._rows and window.source.ready):
            return self._placeholder_line(y - 2, width)
        return self._painter.row(y - 1, window, self._rows, self._finder, self._in_corner)

    def _placeholder_line(self, y: int, width: int) -> Strip:
        if isinstance(self._placeholder, Content):
            strips = Visual.to_strips(self, self._placeholder, width, None, self.visual_style)
            strip = strips[y] if 0 <= y < len(strips) else Strip.blank(width, self._painter.style(""))
        else:
            lines = self._placeholder.split("\n")
            text = plain(lines[y]) if 0 <= y < len(lines) else ""
            strip = Strip([Segment(text, self._painter.style("placeholder"))])
        return strip.adjust_cell_length(width, self._painter.style(""))

    # Mouse -----------------------------------------------------------------------------------------------------------

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll down; at the very end following is on again."""
        event.stop()
        self._step(_WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll up, which turns following off."""
        event.stop()
        self._step(-_WHEEL)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin a selection, take hold of the scroll indicator, or go to the new lines."""
        window = self._window
        if event.button != 1 or event.y < 1 or window is None:
            return
        corner, name = self._in_corner
        if event.x >= window.width:
            self._dragging = "thumb"
            self._drag_to(event.y)
        elif name == "corner" and event.y == self._body and event.x >= window.width - width_of(corner):
            self.follow = True
            return
        else:
            self._dragging = "text"
            window.anchor = window.head = window.place(event.x, event.y - 1)
            self._changed()
        self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Extend the selection, scrolling at the edges, or drag the scroll indicator."""
        window = self._window
        if window is None:
            return
        if self._dragging == "thumb":
            self._drag_to(event.y)
        elif self._dragging == "text":
            self.follow = False
            if event.y < 1 or event.y > self._body:
                window.scroll(-1 if event.y < 1 else 1)
            window.head = window.place(event.x, event.y - 1)
            self._changed()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """End the selection, which stays."""
        if self._dragging:
            self._dragging = ""
            self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        """Select the whole line with the second click."""
        window = self._window
        if window is None or event.chain != 2 or event.y < 1:
            return
        place = window.place(event.x, event.y - 1)
        if place is not None:
            window.anchor, window.head = (place[0], 0), (place[0], len(window.text.line(place[0]).text))
            self._changed()

    def _drag_to(self, y: int) -> None:
        window = self._window
        if window is None or window.whole:
            return
        down = share(y - 1, self._body)
        low, last = window.bounds()[0], window.last_top()
        self.follow = down >= 1.0
        if not self.follow:
            window.put((low + round(down * (last[0] - low)), 0))
            self._changed()

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

    def action_next_match(self) -> None:
        """Go to the next match."""
        self.next_match()

    def action_previous_match(self) -> None:
        """Go to the match before."""
        self.previous_match()

    def action_copy(self) -> None:
        """Copy the selection, the line of the match, or what is on screen."""
        self.copy_visible()
