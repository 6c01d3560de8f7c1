"""The line in which the user is told something. It takes its place from what is around it, and hides none of it."""

from __future__ import annotations

from typing import Final

from textual.app import RenderResult
from textual.events import Click, Resize
from textual.widget import Widget

from specular_tui.tui import present, present_said
from specular_tui.tui.present import Line
from specular_tui.tui.said import Said
from specular_tui.tui.theme import paint_lines

#: Lines that a message may take, and on a low screen.
_MOST: Final = 5
_MOST_LOW: Final = 2
_TALL: Final = 20


class MessageLine(Widget):
    """Shows the message that is on show, as long as there is one."""

    def __init__(self, said: Said) -> None:
        """`said` has the messages."""
        super().__init__()
        self._said = said
        self._lines: list[Line] = []

    def on_mount(self) -> None:
        """Show what was said before."""
        self.update()

    def on_resize(self, event: Resize) -> None:
        """There may be room for more, or for less."""
        self.update()

    def update(self) -> None:
        """Show what is on show now, in as many lines as it needs."""
        most = _MOST if self.app.size.height >= _TALL else _MOST_LOW
        self._lines = present_said.shown(self._said, max(1, self.app.size.width - 2), most)
        self._arrange()
        self.refresh()

    def _arrange(self) -> None:
        self.display = bool(self._lines)
        self.styles.height = max(1, len(self._lines))

    def render(self) -> RenderResult:
        """Return the message."""
        return paint_lines([[(" ", "plain"), *present.cut(line, self.size.width - 2)] for line in self._lines])

    async def on_click(self, event: Click) -> None:
        """Take it away."""
        event.stop()
        self.app.clear_notifications()
