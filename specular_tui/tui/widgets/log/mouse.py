"""What the mouse does with a log: scroll it, select text, drag the scroll indicator, go to the new lines."""

from __future__ import annotations

from typing import Final, Literal

from textual import events

from specular_tui.tui.widgets.log.sheet import LogSheet
from specular_tui.tui.widgets.log.text import width_of
from specular_tui.tui.widgets.scrolling import share

_WHEEL: Final = 3


class LogMouse(LogSheet):
    """A log that the mouse acts on."""

    #: What the button that is held down has hold of.
    _dragging: Literal["", "thumb", "text"] = ""

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
        window, (x, y) = self._window, self._cell(event)
        if event.button != 1 or y < 1 or window is None:
            return
        corner, name = self._in_corner
        end = window.numbers + window.width
        if x >= end:
            self._dragging = "thumb"
            self._drag_to(y)
        elif name == "corner" and y == self._body and x >= end - width_of(corner):
            self.follow = True
            return
        else:
            self._dragging = "text"
            window.anchor = window.head = window.place(x, y - 1)
            self._changed()
        self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Extend the selection, scrolling at the edges, or drag the scroll indicator."""
        window, (x, y) = self._window, self._cell(event)
        if window is None:
            return
        if self._dragging == "thumb":
            self._drag_to(y)
        elif self._dragging == "text":
            self.follow = False
            if y < 1 or y > self._body:
                window.scroll(-1 if y < 1 else 1)
            window.head = window.place(x, y - 1)
            self._changed()

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """End the selection, which stays."""
        if self._dragging:
            self._dragging = ""
            self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        """Select the whole line with the second click."""
        window, (x, y) = self._window, self._cell(event)
        if window is None or event.chain != 2 or y < 1:
            return
        place = window.place(x, y - 1)
        if place is not None:
            window.anchor, window.head = (place[0], 0), (place[0], len(window.text.line(place[0]).text))
            self._changed()

    def _cell(self, event: events.MouseEvent) -> tuple[int, int]:
        """Return the cell under the mouse, within the blank cells around all that is drawn."""
        return event.x - self.gutter.left, event.y - self.gutter.top

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
