"""What the mouse does with the table of tasks: scroll it, drag the scroll indicator, select and open a task."""

from __future__ import annotations

from typing import Final

from textual import events

from specular_tui.tui.widgets.scrolling import share
from specular_tui.tui.widgets.task.sheet import TaskSheet

_WHEEL: Final = 3


class TaskMouse(TaskSheet):
    """A table of tasks that the mouse acts on."""

    _dragging = False

    def _scroll(self, lines: int) -> None:
        self._take_over()
        top = self._clamp(self._top + lines)
        if top != self._top:
            self._top = top
            self.refresh()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll; the cursor stays on its task."""
        event.stop()
        self._scroll(_WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll; the cursor stays on its task."""
        event.stop()
        self._scroll(-_WHEEL)

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the scroll indicator."""
        if event.x >= self.size.width - 1 and len(self._rows) > self._body:
            self._dragging = True
            self.capture_mouse()
            self._drag_to(event.y)

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Scroll as the indicator is dragged."""
        if self._dragging:
            self._drag_to(event.y)

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let go of the scroll indicator."""
        if self._dragging:
            self._dragging = False
            self.release_mouse()

    def _drag_to(self, y: int) -> None:
        self._scroll(round(share(y - 1, self._body) * (len(self._rows) - self._body)) - self._top)

    def on_click(self, event: events.Click) -> None:
        """Select the task that is clicked on; open it with the second click."""
        row = self._top + event.y - 1
        if event.y < 1 or row >= len(self._rows) or event.x >= self.size.width - 1:
            return
        self._move_to(row)
        if event.chain == 2 and self.selected is not None:
            self.action_open()
