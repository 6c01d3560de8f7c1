"""A text that scrolls with the keys of a list."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from specular_tui.tui import keys
from specular_tui.tui.present import Line
from specular_tui.tui.theme import paint_lines


class TextPane(VerticalScroll, can_focus=True):
    """Lines that may be longer than the pane."""

    BINDINGS = keys.bindings("list")

    def __init__(self) -> None:
        """It is empty until `update`."""
        super().__init__()
        self._text = Static(markup=False)

    def compose(self) -> ComposeResult:
        """Yield the text."""
        yield self._text

    def update(self, lines: list[Line]) -> None:
        """Show these lines."""
        self._text.update(paint_lines(lines))

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
