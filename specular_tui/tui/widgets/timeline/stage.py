"""Which part of a run's time is on screen, and where in it a moment lies. Pure; it paints nothing."""

from __future__ import annotations

import math
from typing import Final

from specular_tui.model.run import RunState
from specular_tui.tui.widgets.timeline.axis import Axis, Window

#: The whole of a live run ends at one of these steps, so that its bars do not shrink with each second.
_STEP: Final = 1.15


class Stage:
    """The line of a run, and the window on it: all of it, until somebody looks closer."""

    def __init__(self) -> None:
        self.axis = Axis(RunState(), 0)
        self.window = Window(0, 1, 1)
        #: The moments at which the cells of the window begin, and the one at which the last ends.
        self.edges: list[int] = []
        #: Whether all of the line is on screen, however long it gets.
        self.fits = True
        self._length = 1.0

    def lay_out(self, state: RunState, now: int, width: int, coming: float | None) -> bool:
        """Put the window of `width` cells where it belongs; return whether its cells are others than before.

        `coming` is how much a live run probably has before it (milliseconds), None for a stored one.
        """
        followed = self.window.right >= self.axis.length
        self.axis = Axis(state, now)
        self._length = self.axis.length if coming is None else _stepped(self.axis.length * 1.02 + coming)
        if self.fits:
            window = Window.whole(self._length, width)
        else:
            window = Window(self.window.left, self.window.scale, width).within(self._length)
            if followed and coming is not None:
                window = window.showing(window.left, self.axis.length, self._length)
        edges = window.edges(self.axis)
        changed = edges != self.edges
        self.window, self.edges = window, edges
        return changed

    def cells(self, start: int, end: int) -> range:
        """Return the cells of the window that the time from `start` to `end` takes; one at least, where it is there."""
        window = self.window
        first = math.floor((self.axis.place(start) - window.left) / window.scale)
        last = math.ceil((self.axis.place(end) - window.left) / window.scale)
        return range(max(0, first), min(window.width, max(last, first + 1)))

    def moment(self, cell: float) -> int:
        """Return the moment at a cell."""
        return self.axis.moment(self.window.left + self.window.scale * cell)

    def show(self, start: int, end: int) -> bool:
        """Move the window as little as it takes to see the time from `start` to `end`; return whether it moved."""
        first, last = self.axis.place(start), self.axis.place(end)
        before = self.window
        if not self.fits and not (first < before.right and last > before.left):
            self.window = before.showing(first, min(last, first + before.scale * before.width), self._length)
        return self.window != before

    def zoom(self, factor: float, cell: float) -> None:
        """Show `factor` times as much; what is at `cell` stays there."""
        self.window = self.window.zoomed(factor, cell, self._length)
        self.fits = self.window == Window.whole(self._length, self.window.width)

    def zoom_to(self, start: int, end: int) -> None:
        """Show the time from `start` to `end` in the middle third."""
        first, last = self.axis.place(start), self.axis.place(end)
        span, width = max(1.0, last - first), self.window.width
        self.fits = False
        self.window = Window(first - span, 3 * span / width, width).within(self._length)

    def pan(self, cells: float) -> None:
        """Show what is so many cells later, or earlier."""
        if not self.fits:
            self.window = self.window.panned(cells, self._length)


def _stepped(length: float) -> float:
    """Return the next step from a length on."""
    return float(_STEP ** math.ceil(math.log(max(length, 1000.0), _STEP)))
