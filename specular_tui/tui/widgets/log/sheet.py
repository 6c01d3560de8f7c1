"""A log as it lies on the screen: the rows in view, the line above them, and where it stands.

It draws only the rows on screen, or a word where there is no log.
"""

from __future__ import annotations

from typing import ClassVar, Self

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.content import Content
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.visual import Visual
from textual.widget import Widget

from specular_tui.tui.safe import plain
from specular_tui.tui.widgets.log.finder import LogFinder
from specular_tui.tui.widgets.log.paint import LogPainter
from specular_tui.tui.widgets.log.text import LogSource, Row
from specular_tui.tui.widgets.log.window import LogWindow
from specular_tui.tui.widgets.scrolling import ScrollActions


class LogSheet(ScrollActions, Widget):
    """Paints and scrolls a log; what brings it there, and searches it, is `LogView`."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "log-view--title",
        "log-view--info",
        "log-view--placeholder",
        "log-view--number",
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
    #: Number the lines; None: where there is room.
    numbers: reactive[bool | None] = reactive(None, repaint=False, init=False)

    class FollowChanged(Message, namespace="log_view"):
        """Following was turned on or off."""

        def __init__(self, view: LogSheet, follow: bool) -> None:
            super().__init__()
            self.view = view
            self.follow = follow

        @property
        def control(self) -> LogSheet:
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
        self._title = ""
        self._placeholder: Content | str = ""
        #: What has been drawn last, and of which part, as long as that is not to be drawn anew.
        self._drawn: tuple[Region, list[Strip]] | None = None
        #: The placeholder as it is drawn, and which one in which width that is.
        self._word: list[Strip] = []
        self._word_for: object = None
        self._window: LogWindow | None = None
        self._finder: LogFinder | None = None

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
        if self.follow or self._window is None or self._window.seen is None:
            return 0
        return max(0, self.line_count - self._window.seen)

    def _changed(self) -> None:
        if self._window is not None:
            self._measure()  # more lines may need more room for their numbers
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
            self._window.measure(max(1, self.size.width - 1), self._body, self.numbers)

    def on_resize(self, event: events.Resize) -> None:
        """Lay the rows out anew; what stood at its end stays there, whatever of it has room now."""
        window = self._window
        at_end = window is not None and window.at_end
        self._changed()
        if window is not None and at_end:
            window.put(window.last_top())
            if window.selection is not None and (line := window.selection[0][0]) < window.top[0]:
                # Why the task failed, say.
                window.put(window.moved((line, 0), -(self._body // 3)))

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

    def watch_numbers(self) -> None:
        """Number the lines, or do not."""
        self._changed()

    @property
    def numbered(self) -> bool:
        """Whether lines are numbered now."""
        return self._window is not None and self._window.numbers > 0

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

    # Painting --------------------------------------------------------------------------------------------------------

    def notify_style_update(self) -> None:
        """Forget the styles that are no longer in force."""
        super().notify_style_update()
        self._style_key = None

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"log-view--{name}") if name else self.rich_style

    def render_lines(self, crop: Region) -> list[Strip]:
        """Draw the lines of `crop`.

        They go to the compositor as they are. When a log is followed each line is another one at every paint: to have
        Textual look for borders, padding and filters line by line takes longer than to draw the text.
        """
        filters, gutter, height = self.get_line_filters(), self.gutter, self.size.height
        key = (self.background_colors, self.has_focus, self.app.theme, filters, gutter)
        if key != self._style_key:
            self._style_key, self._word_for = key, None
            self._painter.forget()
            self._painter.colors = not self.app.no_color
            self._painter.filters, self._painter.ground = filters, self.background_colors[1]
            self._painter.margins = (gutter.left, gutter.right)
            self._drawn = None
        width = self.outer_size.width
        if self._drawn is not None and self._drawn[0] == crop:
            # Something else on the same lines of the screen is painted.
            return self._drawn[1]
        if self._window is not None:
            self._rows = self._painter.prepare(self._window, self._finder)
            self._in_corner = self._painter.corner(self._window, self.new_lines)
        strips: list[Strip] = []
        for y in crop.line_range:
            if gutter.top <= y < gutter.top + height:
                strips.append(self.render_line(y - gutter.top))
            else:
                strips += super().render_lines(Region(0, y, width, 1))
        if crop.column_span != (0, width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        self._drawn = (crop, strips)
        return strips

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Draw it anew at the next frame."""
        self._drawn = None
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def render_line(self, y: int) -> Strip:
        """Draw the title, or a row of the log."""
        width, window = self.size.width, self._window
        if y == 0:
            return self._painter.title(self._title, window, self._finder, width)
        if window is None or (not self._rows and window.source.ready):
            return self._placeholder_line(y - 2, width)
        return self._painter.row(y - 1, window, self._rows, self._finder, self._in_corner)

    def _placeholder_line(self, y: int, width: int) -> Strip:
        made_for = (self._placeholder, width)
        if made_for != self._word_for:
            self._word_for, self._word = made_for, self._worded(width)
        return self._word[y] if 0 <= y < len(self._word) else self._painter.blank(width)

    def _worded(self, width: int) -> list[Strip]:
        """Return the word that stands in place of a log, line by line."""
        base = self._painter.style("")
        if isinstance(self._placeholder, Content):
            strips = Visual.to_strips(self, self._placeholder, width, None, self.visual_style)
        else:
            style = self._painter.style("placeholder")
            strips = [Strip([Segment(plain(text), style)]) for text in self._placeholder.split("\n")]
        return [self._painter.finish(list(strip.adjust_cell_length(width, base)), width) for strip in strips]
