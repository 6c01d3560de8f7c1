"""A text that scrolls with the keys of a list."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.events import Resize
from textual.widgets import Static

from specular_tui.tui import keys, present
from specular_tui.tui.present import Line
from specular_tui.tui.theme import paint_lines


class ScrolledText(VerticalScroll, can_focus=True):
    """What is in it moves with the keys of a list."""

    BINDINGS = keys.bindings("list")

    def action_cursor_down(self) -> None:
        """Go one line down."""
        self.scroll_relative(y=1, animate=False)

    def action_cursor_up(self) -> None:
        """Go one line up."""
        self.scroll_relative(y=-1, animate=False)

    def action_go_top(self) -> None:
        """Go to the first line."""
        self.scroll_home(animate=False)

    def action_go_bottom(self) -> None:
        """Go to the last line."""
        self.scroll_end(animate=False)

    def action_half_page_down(self) -> None:
        """Go half a page down."""
        self.scroll_relative(y=max(1, self.size.height // 2), animate=False)

    def action_half_page_up(self) -> None:
        """Go half a page up."""
        self.scroll_relative(y=-max(1, self.size.height // 2), animate=False)


class TextPane(ScrolledText):
    """Lines that may be longer than the pane."""

    def __init__(self) -> None:
        """It is empty until `update`."""
        super().__init__()
        self._text = Static(markup=False)
        self._lines: list[Line] = []

    def compose(self) -> ComposeResult:
        """Yield the text."""
        yield self._text

    def update(self, lines: list[Line]) -> None:
        """Show these lines."""
        self._lines = lines
        self._break()

    def on_resize(self, event: Resize) -> None:
        """Break the lines anew."""
        self._break()

    def _break(self) -> None:
        # One cell may be the scroll bar's: what fits shall not depend on whether it is there.
        room = self.content_region.width - self.styles.scrollbar_size_vertical
        broken = [part for line in self._lines for part in present.wrapped(line, room)]
        self._text.update(paint_lines(broken))
