"""A list that draws its own lines under a heading: only what is visible costs anything, however long it is.

Whoever derives from it says how many rows there are, what each is called, and how it is drawn.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Final

from rich.segment import Segment
from textual.events import Click, MouseScrollDown, MouseScrollUp, Resize
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.style import Style
from textual.widget import Widget

from specular_tui.tui import glyphs, keys
from specular_tui.tui.present import Line
from specular_tui.tui.theme import paint
from specular_tui.tui.widgets.scrolling import ScrollActions, thumb

_WHEEL: Final = 3


class LineList(ScrollActions, Widget, can_focus=True):
    """Rows by name; the cursor stays on its row while others come and go."""

    ALLOW_SELECT = False
    BINDINGS = keys.bindings("list")
    COMPONENT_CLASSES: ClassVar[set[str]] = {"line-list--cursor", "line-list--thumb"}

    class Selected(Message):
        """The cursor stands on another row."""

        def __init__(self, name: str) -> None:
            """`name` is that of the row."""
            super().__init__()
            self.name = name

    class Opened(Message):
        """A row was double-clicked."""

        def __init__(self, name: str) -> None:
            """`name` is that of the row."""
            super().__init__()
            self.name = name

    def __init__(self) -> None:
        """The list is empty until `set_names`."""
        super().__init__()
        self._names: Sequence[str] = ()
        self._place: dict[str, int] = {}
        self._cursor = 0
        self._top = 0
        self._cache: dict[tuple[str, bool], Strip] = {}

    # What a list of something says

    @abstractmethod
    def heading(self, width: int) -> Line:
        """Return the line above the rows."""

    @abstractmethod
    def line(self, index: int, width: int) -> Line:
        """Return a row in at most `width` cells."""

    # Rows

    @property
    def selected(self) -> str | None:
        """The name of the row under the cursor."""
        return self._names[self._cursor] if self._names else None

    @property
    def index(self) -> int | None:
        """The place of the cursor."""
        return self._cursor if self._names else None

    def set_names(self, names: Sequence[str]) -> None:
        """Show rows of these names; the cursor stays on its row, or where that was."""
        before = self.selected
        self._names = names
        self._place = {name: index for index, name in enumerate(names)}
        if before is not None and before in self._place:
            self._cursor = self._place[before]
        self._cursor = max(0, min(self._cursor, len(names) - 1))
        self._cache.clear()
        self._scroll()
        self.refresh()
        if self.selected is not None and self.selected != before:
            self.post_message(self.Selected(self.selected))

    def repaint(self, name: str) -> None:
        """Draw a row anew."""
        self._cache.pop((name, True), None)
        self._cache.pop((name, False), None)
        self._refresh_line(self._place.get(name, -1))

    def forget(self) -> None:
        """Draw all anew."""
        self._cache.clear()
        self.refresh()

    def select(self, name: str) -> None:
        """Put the cursor on a row."""
        if name in self._place:
            self.move_to(self._place[name])

    # Moving

    def _page(self) -> int:
        return max(1, self.size.height - 1)

    def _step(self, rows: int) -> None:
        self.move_to(self._cursor + rows)

    def _scroll(self) -> bool:
        page = self._page()
        top = max(min(self._top, self._cursor), self._cursor - page + 1, 0)
        top = max(0, min(top, len(self._names) - page)) if len(self._names) > page else 0
        changed, self._top = top != self._top, top
        return changed

    def move_to(self, index: int) -> None:
        """Put the cursor on the row at a place, or the nearest one there is."""
        index = max(0, min(index, len(self._names) - 1))
        if index == self._cursor or not self._names:
            return
        before, self._cursor = self._cursor, index
        if self._scroll():
            self.refresh()
        else:
            self._refresh_line(before)
            self._refresh_line(index)
        self.post_message(self.Selected(self._names[index]))

    def _refresh_line(self, index: int) -> None:
        y = index - self._top + 1
        if 1 <= y < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    def action_go_top(self) -> None:
        """Go to the first row."""
        self.move_to(0)

    def action_go_bottom(self) -> None:
        """Go to the last row."""
        self.move_to(len(self._names) - 1)

    def on_mouse_scroll_down(self, event: MouseScrollDown) -> None:
        """Move on with the wheel."""
        event.stop()
        self._step(_WHEEL)

    def on_mouse_scroll_up(self, event: MouseScrollUp) -> None:
        """Move back with the wheel."""
        event.stop()
        self._step(-_WHEEL)

    def on_click(self, event: Click) -> None:
        """Select, and open on the second click."""
        index = self._top + event.y - 1
        if event.y >= 1 and index < len(self._names):
            self.move_to(index)
            if event.chain == 2:
                self.post_message(self.Opened(self._names[index]))

    def on_resize(self, event: Resize) -> None:
        """Lay the columns out anew."""
        self._cache.clear()
        self._scroll()

    def on_focus(self) -> None:
        """The cursor is drawn stronger."""
        self._cache.clear()
        self._refresh_line(self._cursor)

    def on_blur(self) -> None:
        """The cursor is drawn fainter."""
        self._cache.clear()
        self._refresh_line(self._cursor)

    def notify_style_update(self) -> None:
        """Forget lines in colours that are no longer in force."""
        super().notify_style_update()
        self._cache.clear()

    # Drawing

    def render_line(self, y: int) -> Strip:
        """Draw the heading or a row, and beside it how far down the list is."""
        width = self.size.width
        if y == 0:
            return self._draw(self.heading(width), width)
        index = self._top + y - 1
        if index >= len(self._names):
            return Strip.blank(width, self.rich_style)
        name, cursor = self._names[index], index == self._cursor
        strip = self._cache.get((name, cursor))
        if strip is None or strip.cell_length != width:
            if len(self._cache) > 500:
                self._cache.clear()
            strip = self._cache[name, cursor] = self._draw(self.line(index, width), width, cursor=cursor)
        page = self._page()
        if y - 1 in thumb(self._top, page, len(self._names), page):
            strip = Strip.join(
                [
                    strip.crop(0, width - 1),
                    Strip([Segment(glyphs.THUMB, self.get_component_rich_style("line-list--thumb"))]),
                ]
            )
        return strip

    def _draw(self, line: Line, width: int, *, cursor: bool = False) -> Strip:
        style = self.visual_style
        if cursor:
            style += Style.from_rich_style(self.get_component_rich_style("line-list--cursor"))
        segments = [
            Segment(text, (style + part).rich_style)
            for text, part in paint(line).render(style, end="", parse_style=self._parse)
            if text
        ]
        return Strip(segments).adjust_cell_length(width, style.rich_style)

    def _parse(self, style: str | Style) -> Style:
        return Style.parse(style, self.app.theme_variables) if isinstance(style, str) else style
