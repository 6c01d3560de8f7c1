"""The timeline of a run: every attempt as a bar over the time that the run has worked.

What changes is drawn at most ten times a second; with nothing running nothing wakes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Final

from textual.timer import Timer

from specular_tui.tui.views import Desk, RunView
from specular_tui.tui.widgets.timeline.mouse import ZOOM, TimelineMouse
from specular_tui.tui.widgets.timeline.rows import ORDERS, Chart, Order, Span
from specular_tui.tui.widgets.timeline.sheet import NAMES
from specular_tui.tui.widgets.timeline.stage import Stage

#: Changes are drawn this often at most.
FRAME: Final = 0.1


class Timeline(TimelineMouse, can_focus=True):
    """The bars of the run in view. `show` takes the run, `touch` says which tasks have changed."""

    def __init__(self, desk: Desk) -> None:
        """`desk` has the clock."""
        super().__init__(desk)
        #: Tasks that have changed since the last frame, and since the charts began to be filled.
        self._touched: set[str] = set()
        self._filling: set[str] | None = None
        self._frame: Timer | None = None

    # What it shows ---------------------------------------------------------------------------------------------------

    def show(self, view: RunView) -> None:
        """Show a run, or the same run whose tasks are no longer the same."""
        another = self._view is None or self._view.run_id != view.run_id
        self._view = view
        if another:
            self.stage, self._top, self.at = Stage(), 0, None
        self._charts.clear()
        self._fill()

    def _fill(self) -> None:
        """Make the chart of the present order; one of many attempts is made in slices."""
        self.run_worker(self._fill_in_slices(self.order), group="timeline", exclusive=True)

    async def _fill_in_slices(self, order: Order) -> None:
        view = self._view
        if view is None:
            return
        chart = Chart(order)
        self._filling = set()
        for count in chart.loading(view.state):
            if count > NAMES:
                await asyncio.sleep(0)
        chart.touch(view.state, self._filling)
        self._filling = None
        chart.compare(view.state, view.usual)
        chart.mark_critical(view.critical)
        self._charts[order] = chart
        self._measure()
        if self.at is not None and (known := chart.latest.get(self.at.task)) is not None:
            self.at = known
        else:
            self.at = self._first_look()
        self._lay_out()
        if self.at is not None:
            self._go(self.at)
        self.post_message(self.Selected())

    def _first_look(self) -> Span | None:
        """Return what the eye wants first: what runs, else what failed first, else the end of the critical path."""
        view, chart = self._view, self.chart
        if view is None:
            return None
        for task_id in (view.state.current_task, view.first_failure(), *reversed(view.critical[-1:])):
            if task_id is not None and (found := chart.latest.get(task_id)) is not None:
                return found
        return chart.last()

    def touch(self, ids: Iterable[str]) -> None:
        """Mark tasks as changed."""
        self._touched.update(ids)
        if self._filling is not None:
            self._filling.update(self._touched)
        self.stir()

    def stir(self) -> None:
        """Time has gone by, or something has changed: draw it soon."""
        if self._frame is None and self.is_mounted:
            self._frame = self.set_timer(FRAME, self._flush, name="timeline-frame")

    def foresee(self, *, past: bool) -> None:
        """More is known of what is critical, or of what is `past`."""
        view = self._view
        if view is None:
            return
        changed = past
        for chart in self._charts.values():
            if past:
                chart.compare(view.state, view.usual)
            changed = chart.mark_critical(view.critical) or changed
        if changed:
            self._strips.clear()
        self.stir()

    def _flush(self) -> None:
        self._frame = None
        view = self._view
        if view is None:
            return
        touched, self._touched = self._touched, set()
        for chart in self._charts.values():
            chart.touch(view.state, touched)
        chart = self.chart
        if touched and self.order == "task":
            self._measure()
        for task_id in touched:
            if (span := chart.latest.get(task_id)) is not None:
                self._strips.pop(span.row, None)
        if self.at is None and self.order in self._charts:
            self.at = self._first_look()
        self._lay_out()
        if touched or (self.at is not None and self.at.running):
            self.post_message(self.Selected())

    # Moving ----------------------------------------------------------------------------------------------------------

    def _step(self, rows: int) -> None:
        chart = self.chart
        if self.at is None or not chart.rows:
            return
        row = max(0, min(self.at.row + rows, len(chart.rows) - 1))
        found = chart.rows[row].nearest(self._moment)
        if found is not None and found is not self.at:
            self._go(found, keep=True)

    def _go_to(self, span: Span | None) -> bool:
        if span is not None:
            self._go(span)
        return span is not None

    def action_go_top(self) -> None:
        """Go to the attempt that started first."""
        self._go_to(self.chart.first())

    def action_go_bottom(self) -> None:
        """Go to the attempt that started last."""
        self._go_to(self.chart.last())

    def action_bar_before(self) -> None:
        """Go to the attempt before in the same row."""
        if self.at is not None:
            self._go_to(self.chart.beside(self.at, -1))

    def action_bar_after(self) -> None:
        """Go to the attempt after in the same row."""
        if self.at is not None:
            self._go_to(self.chart.beside(self.at, 1))

    def go_to_marked(self, step: int, *, critical: bool) -> bool:
        """Go to the next attempt that failed or was slow, or is critical; return whether there is one."""
        return self._go_to(self.chart.marked(self.at, step, critical=critical))

    # Zoom and pan ----------------------------------------------------------------------------------------------------

    def action_zoom_in(self) -> None:
        """Look closer at the attempt under the cursor."""
        self._zoom(1 / ZOOM)

    def action_zoom_out(self) -> None:
        """Look from further away."""
        self._zoom(ZOOM)

    def action_zoom_bar(self) -> None:
        """Look so close that the attempt under the cursor takes a third of the width."""
        if self.at is not None:
            self.stage.zoom_to(self.at.start, self._until(self.at))
            self._lay_out()
            self.post_message(self.Selected())

    def action_whole(self) -> None:
        """Show the whole run."""
        self.stage.fits = True
        self._lay_out()
        self.post_message(self.Selected())

    def action_pan_left(self) -> None:
        """Show what was earlier."""
        self._pan(-self._width / 4)

    def action_pan_right(self) -> None:
        """Show what was later."""
        self._pan(self._width / 4)

    def action_cycle_order(self) -> None:
        """Order by slot, or by task."""
        self.order = ORDERS[(ORDERS.index(self.order) + 1) % len(ORDERS)]
        self._strips.clear()
        if self.order not in self._charts:
            self._fill()
            return
        self._measure()
        if self.at is not None and (known := self.chart.latest.get(self.at.task)) is not None:
            self._top = 0
            self._lay_out()
            self._go(known)
