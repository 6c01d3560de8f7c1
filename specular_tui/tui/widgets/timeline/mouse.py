"""What the mouse does with the timeline: scroll it, look closer or further away, select and open an attempt."""

from __future__ import annotations

from typing import Final

from textual import events

from specular_tui.tui.widgets.timeline.sheet import TimelineSheet

#: What one step closer makes of the window.
ZOOM: Final = 2.0
_WHEEL: Final = 3


class TimelineMouse(TimelineSheet):
    """A timeline that the mouse acts on."""

    def _wheel(self, event: events.MouseEvent, steps: int) -> None:
        """Scroll where there is more than fits; with Ctrl, or where all fits, look closer or from further away."""
        event.stop()
        if event.shift:
            self._pan(steps * self._width / 16)
        elif event.ctrl or event.y == 0 or len(self.chart.rows) <= self._page():
            self._zoom(ZOOM ** (steps / 2), event.x - self._label)
        else:
            self._top = max(0, min(self._top + steps * _WHEEL, len(self.chart.rows) - self._page()))
            self.refresh()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll down, or look from further away."""
        self._wheel(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll up, or look closer."""
        self._wheel(event, -1)

    def on_mouse_scroll_left(self, event: events.MouseScrollLeft) -> None:
        """Show what was earlier."""
        event.stop()
        self._pan(-self._width / 16)

    def on_mouse_scroll_right(self, event: events.MouseScrollRight) -> None:
        """Show what was later."""
        event.stop()
        self._pan(self._width / 16)

    def on_click(self, event: events.Click) -> None:
        """Select the attempt that is clicked on; open it with the second click."""
        index, cell = self._top + (event.y - 1) // self._pitch, event.x - self._label
        rows = self.chart.rows
        if event.y < 1 or index >= len(rows) or not 0 <= cell < self.stage.window.width:
            return
        found = rows[index].nearest(self.stage.moment(cell + 0.5))
        if found is not None:
            self._go(found)
            if event.chain == 2:
                self.action_open()
