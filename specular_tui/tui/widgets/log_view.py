"""The view of one log: at its end at once whatever its size, following it as it grows, searchable as a whole.

It draws only the rows on screen. Growth is looked at when somebody says so, and once a second; what has come since
is drawn at most once a frame. Counting lines and searching go on in slices of a few milliseconds.
"""

from __future__ import annotations

from typing import ClassVar, Final, Literal

from rich.cells import set_cell_size
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

from specular_tui.tui import present
from specular_tui.tui.safe import plain
from specular_tui.tui.widgets.log_text import (
    LogSearch,
    LogSource,
    LogText,
    Row,
    index_at,
    occurrences,
    painted,
    width_of,
)

FRAME: Final = 0.04
#: Time for counting and searching in one go, and between two goes.
_SLICE: Final = 0.003
_BREATH: Final = 0.004
_WHEEL: Final = 3
_SIDEWAYS: Final = 8
#: So much is copied at most.
_COPIED_LINES: Final = 20_000


class LogView(Widget, can_focus=True):
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
        unicode: bool = True,
        name: str | None = None,
        id: str | None = None,  # noqa: A002  as every widget has it
        classes: str | None = None,
    ) -> None:
        """Without `unicode` the view's own signs are ASCII."""
        super().__init__(name=name, id=id, classes=classes)
        self._unicode = unicode
        self._title = ""
        self._placeholder: Content | str = ""
        self._source: LogSource | None = None
        self._text: LogText | None = None
        self._top = (0, 0)  # line, row within it; while not all is counted lines may be numbered from the end
        self._left = 0
        self._seen = 0  # lines when following was turned off
        self._search: LogSearch | None = None
        self._match: int | None = None
        self._wanted: tuple[int, Literal[1, -1]] | None = None
        self._anchor: tuple[int, int] | None = None
        self._head: tuple[int, int] | None = None
        self._dragging = ""
        self._looking: Timer | None = None
        self._working: Timer | None = None
        self._watching: Timer | None = None
        self._visible: list[Row] | None = None

    # What it shows ---------------------------------------------------------------------------------------------------

    def show(self, source: LogSource | None, *, title: str = "", placeholder: Content | str = "") -> None:
        """Show a log from its end, or `placeholder` where there is none or nothing in it.

        The view closes the log that it showed before.
        """
        if source is not self._source:
            if self._source is not None:
                self._source.close()
            self._source = source
            self._text = LogText(source) if source is not None else None
            self._top, self._left = (0, 0), 0
            self._end_search()
            self._anchor = self._head = None
            self.follow = True
        self._title, self._placeholder = plain(title), placeholder
        if source is not None:
            source.advance(_SLICE)
            self._work()
            self.poll()
        self._changed()

    @property
    def source(self) -> LogSource | None:
        """The log on show."""
        return self._source

    @property
    def title(self) -> str:
        """What stands above the log."""
        return self._title

    @title.setter
    def title(self, title: str) -> None:
        title = plain(title)
        if title != self._title:
            self._title = title
            self.refresh(Region(0, 0, self.size.width, 1))

    @property
    def line_count(self) -> int:
        """How many lines have been counted."""
        return self._source.line_count if self._source is not None else 0

    @property
    def new_lines(self) -> int:
        """How many lines have come since following was turned off."""
        return 0 if self.follow else max(0, self.line_count - self._seen)

    def on_mount(self) -> None:
        """Look at the log once a second, for those who tell nobody that it grows."""
        self._watching = self.set_interval(1.0, self._watch, name="log-view-watch", pause=self._source is None)
        self._work()

    def on_unmount(self) -> None:
        """Let go of the log."""
        if self._source is not None:
            self._source.close()

    # Growth and slices -----------------------------------------------------------------------------------------------

    def poll(self) -> None:
        """Look, at the next frame, whether the log has grown; calls until then are one."""
        if self._source is not None and self._looking is None and self.is_mounted:
            self._looking = self.set_timer(FRAME, self._look, name="log-view-frame")

    def _watch(self) -> None:
        if self.is_on_screen:
            self.poll()

    def _look(self) -> None:
        self._looking = None
        source, text = self._source, self._text
        if source is None or text is None:
            return
        last, tail = max(0, source.line_count - 1), source.tail_count
        change = source.poll()
        if change in ("same", "gone"):
            return
        source.advance(_SLICE)
        if change == "replaced":
            text.forget()
            self._end_search()
            self._anchor = self._head = None
            self._top, self._seen = (0, 0), source.line_count
        else:
            text.forget(last)
            if self._top[0] < 0 and not source.ready:
                self._top = (self._top[0] - max(0, source.tail_count - tail), self._top[1])
        if self._search is not None:
            self._search.extend()
        self._settle()
        self._work()
        self._changed()
        self.poll()  # what grows goes on growing

    def _work(self) -> None:
        """Go on counting and searching, if there is anything left of it."""
        if self._source is None or self._working is not None or not self.is_mounted:
            return
        if not self._source.ready or (self._search is not None and not self._search.done):
            self._working = self.set_timer(_BREATH, self._slice, name="log-view-work")

    def _slice(self) -> None:
        self._working = None
        source, search = self._source, self._search
        if source is None:
            return
        was_ready = source.ready
        if not was_ready:
            source.advance(_SLICE)
            if source.ready:
                self._settle()
                self._changed()
            else:
                self._refresh_line(0)
        elif search is not None and not search.done:
            found = len(search.hits)
            search.advance(_SLICE)
            self._try_wanted()
            if len(search.hits) != found or search.done:
                self._refresh_line(0)
        self._work()

    def _settle(self) -> None:
        """Number lines from the start once all are counted."""
        source = self._source
        if source is not None and source.ready and self._top[0] < 0:
            self._seen = source.line_count if not self._seen else self._seen
            self._top = (max(0, source.line_count + self._top[0]), self._top[1])

    def _changed(self) -> None:
        self._visible = None
        if self._watching is not None:
            if self._source is None:
                self._watching.pause()
            else:
                self._watching.resume()
        self.refresh()

    def _refresh_line(self, y: int) -> None:
        self.refresh(Region(0, y, self.size.width, 1))

    # Where it stands -------------------------------------------------------------------------------------------------

    @property
    def _body(self) -> int:
        return max(0, self.size.height - 1)

    @property
    def _width(self) -> int:
        return max(1, self.size.width - 1)

    def _bounds(self) -> tuple[int, int]:
        """Return the first line that can be shown, and the one behind the last."""
        source = self._source
        if source is None:
            return 0, 0
        if source.ready or (self._top[0] >= 0 and not self.follow):
            return 0, source.line_count
        return -source.tail_count, 0

    def _rows(self, line: int) -> list[Row]:
        assert self._text is not None
        if self.wrap:
            return self._text.rows(line, self._width)
        return [Row(line, 0, 1 << 30)]

    def _last_top(self) -> tuple[int, int]:
        """Return where the view stands when the last row of the log is on its last line."""
        low, high = self._bounds()
        body = max(1, self._body)
        if not self.wrap:
            return max(low, high - body), 0
        line, left = high, body
        while line > low:
            line -= 1
            rows = len(self._rows(line))
            if rows >= left:
                return line, rows - left
            left -= rows
        return low, 0

    def _moved(self, top: tuple[int, int], rows: int) -> tuple[int, int]:
        """Return where the view stands `rows` further down."""
        low, high = self._bounds()
        line, row = top
        if not self.wrap:
            return max(low, min(line + rows, high - 1)), 0
        row += rows
        while row < 0 and line > low:
            line -= 1
            row += len(self._rows(line))
        while line < high - 1 and row >= (here := len(self._rows(line))):
            row -= here
            line += 1
        return line, max(0, row)

    def _layout(self) -> list[Row]:
        """Return the rows on screen."""
        if self._visible is None:
            rows: list[Row] = []
            top = self._last_top() if self.follow else min(self._top, self._last_top())
            self._top = top if not self.follow else self._top
            line, skip = top
            _, high = self._bounds()
            while line < high and len(rows) < self._body:
                rows += self._rows(line)[skip:]
                line, skip = line + 1, 0
            self._visible = rows[: self._body]
        return self._visible

    def watch_follow(self, follow: bool) -> None:
        """Go to the end, or stay where the view stands."""
        if not follow:
            self.set_reactive(LogView.follow, True)
            top = self._last_top()
            self.set_reactive(LogView.follow, False)
            self._top, self._seen = top, self.line_count
        self._changed()
        self.post_message(self.FollowChanged(self, follow))

    def watch_wrap(self) -> None:
        """Break lines, or do not; the line at the top stays there."""
        self._left = 0
        self._top = (self._top[0], 0)
        self._changed()

    def _scroll(self, rows: int) -> None:
        if self._text is None:
            return
        last = self._last_top()
        if rows < 0:
            low, _high = self._bounds()
            if self.follow:
                if last <= (low, 0):
                    return  # all of it is on screen
                self.follow = False
            self._top = self._moved(min(self._top, last), rows)
        elif not self.follow:
            self._top = self._moved(self._top, rows)
            if self._top >= last:
                self.follow = True
                return
        else:
            return
        self._changed()

    def _go_to(self, line: int) -> None:
        """Show a line, a third down the screen if it is not there already."""
        if not any(row.line == line for row in self._layout()):
            if self.follow:
                self.follow = False
            self._top = min(self._moved((line, 0), -(self._body // 3)), self._last_top())
        elif self.follow:
            self.follow = False
        self._changed()

    # Search ----------------------------------------------------------------------------------------------------------

    @property
    def searching(self) -> bool:
        """Whether there is a search whose matches are shown."""
        return self._search is not None

    @property
    def match_line(self) -> int | None:
        """The line of the match that the view went to last."""
        return self._match

    @property
    def match_text(self) -> str:
        """How the search stands: `3 of 37`, `37+ so far`, `no match`."""
        search = self._search
        if search is None:
            return ""
        count = len(search.hits)
        more = "+" if search.capped or not search.done else ""
        if not count:
            return "no match" if search.done else "searching"
        if self._match is not None and self._match in search.hits:
            return f"{search.hits.index(self._match) + 1:,} of {count:,}{more}"
        return f"{count:,}{more}"

    def search(self, text: str) -> None:
        """Search the whole log and go to the nearest match; an empty text ends the search."""
        self._end_search()
        if text and self._source is not None:
            down = not self.follow
            line = self._layout()[0].line if down and self._layout() else self.line_count
            self._search = self._source.search(text, max(0, line), 1 if down else -1)
            self._wanted = (line - 1, 1) if down else (line, -1)
            self._search.advance(_SLICE)
            self._try_wanted()
            self._work()
        self._changed()

    def _end_search(self) -> None:
        if self._search is not None:
            self._search.cancel()
        self._search = self._match = self._wanted = None

    def _try_wanted(self) -> None:
        if self._search is None or self._wanted is None:
            return
        line, direction = self._wanted
        hit = self._search.near(line, direction)
        if hit is not None:
            self._match, self._wanted = hit, None
            self._go_to(hit)
        elif self._search.done:
            self._wanted = None

    def _next(self, direction: Literal[1, -1]) -> None:
        if self._search is None:
            return
        here = self._match
        if here is None:
            rows = self._layout()
            here = rows[0].line - 1 if rows else 0
        self._wanted = (here, direction)
        self._try_wanted()

    def next_match(self) -> None:
        """Go to the next matching line, round the end."""
        self._next(1)

    def previous_match(self) -> None:
        """Go to the matching line before, round the start."""
        self._next(-1)

    # Painting --------------------------------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        """Break lines anew."""
        self._changed()

    def on_focus(self) -> None:
        """Say so in the title."""
        self._refresh_line(0)

    def on_blur(self) -> None:
        """Say so in the title."""
        self._refresh_line(0)

    def render_line(self, y: int) -> Strip:
        """Draw the title, or a row of the log."""
        width = self.size.width
        if y == 0:
            return self._title_line(width)
        if self._text is None or (self._bounds() == (0, 0) and (self._source is None or self._source.ready)):
            return self._placeholder_line(y - 1, width)
        rows = self._layout()
        strip = self._row(rows[y - 1]) if y <= len(rows) else Strip.blank(self._width, self.rich_style)
        if y == self._body:
            strip = self._with_corner(strip)
        return Strip([*strip, self._bar(y - 1, rows)], width)

    def _row(self, row: Row) -> Strip:
        assert self._text is not None
        line, width = self._text.line(row.line), self._width
        start, end = row.start, min(row.end, len(line.text))
        if not self.wrap and line.text.isascii():
            start, end = min(self._left, end), min(end, self._left + width)
        over: list[tuple[int, int, Style]] = []
        if self._search is not None:
            name = "match-current" if row.line == self._match else "match"
            style = self._style(name)
            over += [(first, last, style) for first, last in occurrences(line.text, self._search.pattern)]
        if (selected := self._selected_in(row.line, len(line.text))) is not None:
            over.append((*selected, self._style("selection")))
        strip = painted(line, start, end, self.rich_style, over)
        if not self.wrap and not line.text.isascii():
            strip = strip.crop(self._left, self._left + width)
        return strip.adjust_cell_length(width, self.rich_style)

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"log-view--{name}")

    def _info(self) -> str:
        source = self._source
        if source is None:
            return ""
        parts = [self.match_text] if self._search is not None else []
        if self.wrap:
            parts.append("wrap")
        if not source.ready:
            parts.append("counting" if source.tail_count else "unpacking")
        elif source.line_count:
            parts += [present.plural(source.line_count, "line"), present.size(source.size)]
        return "   ".join(parts)

    def _title_line(self, width: int) -> Strip:
        info = self._info()
        room = max(0, width - width_of(info) - (3 if info else 0))
        if room < 12:
            info, room = "", width
        title = self._title if width_of(self._title) <= room else set_cell_size(self._title, max(0, room - 1)) + "…"
        gap = width - width_of(title) - width_of(info) - (1 if info else 0)
        return Strip(
            [
                Segment(title, self._style("title")),
                Segment(" " * max(0, gap), self.rich_style),
                Segment(info + (" " if info else ""), self._style("info")),
            ]
        ).adjust_cell_length(width, self.rich_style)

    def _placeholder_line(self, y: int, width: int) -> Strip:
        style = self._style("placeholder")
        if isinstance(self._placeholder, Content):
            strips = Visual.to_strips(self, self._placeholder, width, None, self.visual_style)
            strip = strips[y - 1] if 0 < y <= len(strips) else Strip.blank(width, self.rich_style)
            return strip.adjust_cell_length(width, self.rich_style)
        lines = self._placeholder.split("\n")
        text = plain(lines[y - 1]) if 0 < y <= len(lines) else ""
        return Strip([Segment(text, style)]).adjust_cell_length(width, self.rich_style)

    def _corner(self) -> tuple[str, str]:
        """Return what stands in the lower right corner, and its style."""
        if self._source is not None and self._source.problem:
            return f" {plain(self._source.problem)} ", "problem"
        if self.new_lines:
            return f" {present.plural(self.new_lines, 'new line')} {'↓' if self._unicode else 'v'} ", "corner"
        return "", ""

    def _with_corner(self, strip: Strip) -> Strip:
        text, name = self._corner()
        if not text:
            return strip
        text = set_cell_size(text, min(width_of(text), self._width))
        return Strip([*strip.crop(0, self._width - width_of(text)), Segment(text, self._style(name))], self._width)

    def _bar(self, y: int, rows: list[Row]) -> Segment:
        low, high = self._bounds()
        total, body = high - low, self._body
        if not rows or (total <= body and (not self.wrap or (rows[0].start == 0 and rows[-1].line == high - 1))):
            return Segment(" ", self.rich_style)
        shown = max(1, rows[-1].line - rows[0].line)
        length = max(1, min(body - 1, body * shown // max(1, total)))
        start = (body - length) * (rows[0].line - low) // max(1, total - shown - 1)
        start = body - length if self.follow else min(start, body - length)
        if start <= y < start + length:
            return Segment("▐" if self._unicode else "|", self._style("thumb"))
        return Segment(" ", self.rich_style)

    # Selecting and copying -------------------------------------------------------------------------------------------

    def _selection(self) -> tuple[tuple[int, int], tuple[int, int]] | None:
        if self._anchor is None or self._head is None or self._anchor == self._head:
            return None
        return min(self._anchor, self._head), max(self._anchor, self._head)

    def _selected_in(self, line: int, length: int) -> tuple[int, int] | None:
        selection = self._selection()
        if selection is None:
            return None
        (first, start), (last, end) = selection
        if not first <= line <= last:
            return None
        return (start if line == first else 0), (min(end, length) if line == last else length)

    def selected_text(self) -> str:
        """Return the selected text; without a selection the line of the match, or else the lines on screen."""
        text = self._text
        if text is None:
            return ""
        if self._selection() is not None:
            (first, _), (last, _) = self._selection() or ((0, 0), (0, 0))
            lines: list[str] = []
            for number in range(first, min(last, first + _COPIED_LINES) + 1):
                content = text.line(number).text
                start, end = self._selected_in(number, len(content)) or (0, 0)
                lines.append(content[start:end])
            return "\n".join(lines)
        if self._match is not None:
            return text.line(self._match).text
        return "\n".join(text.line(number).text for number in dict.fromkeys(row.line for row in self._layout()))

    def copy_visible(self) -> str:
        """Copy what `selected_text` says to the clipboard, and return it."""
        copied = self.selected_text()
        if copied:
            self.app.copy_to_clipboard(copied)
        return copied

    def clear_selection(self) -> bool:
        """Select nothing; return whether anything was selected."""
        was = self._selection() is not None
        self._anchor = self._head = None
        self._changed()
        return was

    def _place(self, x: int, y: int) -> tuple[int, int] | None:
        """Return the line and the character under a cell of the body."""
        rows = self._layout()
        if self._text is None or not rows:
            return None
        row = rows[max(0, min(y - 1, len(rows) - 1))]
        text = self._text.line(row.line).text
        part = text[row.start : min(row.end, len(text))]
        return row.line, row.start + index_at(part, x + (0 if self.wrap else self._left))

    def _select_line(self, step: int) -> None:
        rows = self._layout()
        if not rows or self._text is None or not (self._source and self._source.ready):
            return
        low, high = self._bounds()
        if self._anchor is None or self._head is None:
            line = rows[-1].line if step < 0 else rows[0].line
            self._anchor = (line + (step < 0), 0)
            self._head = (line + (step > 0), 0)
        else:
            self._head = (max(low, min(self._head[0] + step, high)), 0)
        line = min(max(self._head[0] - (self._head > self._anchor), low), high - 1)
        if line < rows[0].line or line > rows[-1].line:
            self._scroll(step)
        elif self.follow:
            self.follow = False
        self._changed()

    # Mouse -----------------------------------------------------------------------------------------------------------

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll down; at the very end following is on again."""
        event.stop()
        self._scroll(_WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll up, which turns following off."""
        event.stop()
        self._scroll(-_WHEEL)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Begin a selection, or take hold of the scroll indicator."""
        if event.button != 1 or event.y < 1 or self._text is None:
            return
        corner, _ = self._corner()
        if event.x >= self._width:
            self._dragging = "thumb"
            self._drag_to(event.y)
        elif corner and event.y == self._body and event.x >= self._width - width_of(corner):
            self.follow = True
            return
        else:
            self._dragging = "text"
            self._anchor = self._head = self._place(event.x, event.y)
            self._changed()
        self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Extend the selection, scrolling at the edges, or drag the scroll indicator."""
        if self._dragging == "thumb":
            self._drag_to(event.y)
        elif self._dragging == "text":
            if self.follow:
                self.follow = False
            if event.y < 1:
                self._scroll(-1)
            elif event.y > self._body:
                self._top = min(self._moved(self._top, 1), self._last_top())
            self._changed()
            self._head = self._place(event.x, event.y)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """End the selection, which stays."""
        if self._dragging:
            self._dragging = ""
            self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        """Select the whole line with the second click."""
        place = self._place(event.x, event.y)
        if event.chain == 2 and event.y >= 1 and place is not None and self._text is not None:
            self._anchor, self._head = (place[0], 0), (place[0], len(self._text.line(place[0]).text))
            self._changed()

    def _drag_to(self, y: int) -> None:
        low, _high = self._bounds()
        last = self._last_top()
        share = max(0.0, min(1.0, (y - 1) / max(1, self._body - 1)))
        top = (low + round(share * (last[0] - low)), 0)
        self.follow = share >= 1.0
        if not self.follow:
            self._top = min(top, last)
            self._changed()

    # Actions ---------------------------------------------------------------------------------------------------------

    def action_cursor_down(self) -> None:
        """Scroll one row down."""
        self._scroll(1)

    def action_cursor_up(self) -> None:
        """Scroll one row up."""
        self._scroll(-1)

    def action_page_down(self) -> None:
        """Scroll a screen down."""
        self._scroll(max(1, self._body - 1))

    def action_page_up(self) -> None:
        """Scroll a screen up."""
        self._scroll(-max(1, self._body - 1))

    def action_half_page_down(self) -> None:
        """Scroll half a screen down."""
        self._scroll(max(1, self._body // 2))

    def action_half_page_up(self) -> None:
        """Scroll half a screen up."""
        self._scroll(-max(1, self._body // 2))

    def action_go_top(self) -> None:
        """Go to the first line."""
        source = self._source
        if source is None or self._last_top() <= (self._bounds()[0], 0):
            return
        if self.follow:
            self.follow = False
        self._top = (0, 0)
        self._changed()

    def action_go_bottom(self) -> None:
        """Go to the end, and stay there."""
        self.follow = True
        self._changed()

    def action_scroll_left(self) -> None:
        """Show what is further left in long lines."""
        self._sideways(-_SIDEWAYS)

    def action_scroll_right(self) -> None:
        """Show what is further right in long lines."""
        self._sideways(_SIDEWAYS)

    def _sideways(self, cells: int) -> None:
        if self.wrap or self._text is None:
            return
        widest = max((width_of(self._text.line(row.line).text) for row in self._layout()), default=0)
        self._left = max(0, min(self._left + cells, max(self._left if cells < 0 else 0, widest - self._width // 2)))
        self._changed()

    def action_select_up(self) -> None:
        """Select one line more upwards."""
        self._select_line(-1)

    def action_select_down(self) -> None:
        """Select one line more downwards."""
        self._select_line(1)

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
