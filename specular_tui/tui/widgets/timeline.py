"""The timeline of a run: every attempt as a bar over the time that the run has worked.

It draws only the rows on screen, and of those the bars in the window. What changes is drawn at most ten times a second;
with nothing running nothing wakes it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from itertools import islice
from typing import ClassVar, Final, get_args

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.widget import Widget

from specular_tui.tui import glyphs
from specular_tui.tui.safe import plain
from specular_tui.tui.views import Desk, RunView
from specular_tui.tui.widgets.scrolling import ScrollActions, thumb
from specular_tui.tui.widgets.timeline_bars import Kind, bars
from specular_tui.tui.widgets.timeline_paint import TimelinePainter
from specular_tui.tui.widgets.timeline_rows import ORDERS, Chart, Order, Span
from specular_tui.tui.widgets.timeline_stage import Stage

#: Changes are drawn this often at most.
FRAME: Final = 0.1
_ZOOM: Final = 2.0
_WHEEL: Final = 3
#: Of the names of tasks so many are looked at to know how wide they are.
_NAMES: Final = 2000
_WIDEST: Final = 28

_PARTS: Final = ("scale", "faint", "hatch", "now", "label", "label-on", "slow", "cursor", "thumb")


class Timeline(ScrollActions, Widget, can_focus=True):
    """The bars of the run in view. `show` takes the run, `touch` says which tasks have changed."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"timeline--{part}" for part in _PARTS} | {
        f"timeline--{how}-{kind}" for how in ("bar", "dense") for kind in get_args(Kind)
    }

    class Selected(Message):
        """The cursor has come to another attempt, or more is known of the one that it is on."""

    class Opened(Message):
        """The user wants to see the task under the cursor."""

        def __init__(self, task_id: str) -> None:
            """`task_id` may be a gate's."""
            super().__init__()
            self.task_id = task_id

    def __init__(self, desk: Desk) -> None:
        """`desk` has the clock."""
        super().__init__()
        self._desk = desk
        self._view: RunView | None = None
        self._charts: dict[Order, Chart] = {}
        self.order: Order = "slot"
        #: Tasks that have changed since the last frame, and since the charts began to be filled.
        self._touched: set[str] = set()
        self._filling: set[str] | None = None
        self.stage = Stage()
        self._top = 0
        self.at: Span | None = None
        #: The moment that the cursor stays near to as it goes from row to row.
        self._moment = 0
        self._label = 0
        self._strips: dict[int, Strip] = {}
        self._painter = TimelinePainter(self._style)
        self._style_key: object = None
        self._frame: Timer | None = None

    # What it shows ---------------------------------------------------------------------------------------------------

    @property
    def chart(self) -> Chart:
        """The rows in the order that is on screen."""
        return self._charts.get(self.order) or Chart(self.order)

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
            if count > _NAMES:
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

    @property
    def now(self) -> int:
        """The present moment, or the last one of a stored run."""
        view = self._view
        if view is None:
            return 0
        return max(self._desk.clock.now(), view.state.updated_at) if view.live else view.state.updated_at

    # Where things are ------------------------------------------------------------------------------------------------

    def _measure(self) -> None:
        """Find out how wide the labels are."""
        if self.order == "slot":
            self._label = 5 + max(2, len(str(len(self.chart.rows))))
        else:
            names = max((len(task_id) for task_id in islice(self.chart.latest, _NAMES)), default=4)
            self._label = min(names, _WIDEST, max(8, self.size.width // 4)) + 4

    @property
    def _width(self) -> int:
        """The cells of the window: what labels and scroll indicator leave."""
        return max(1, self.size.width - self._label - 1)

    @property
    def _pitch(self) -> int:
        """Lines from a row to the next: where there is room they stand apart."""
        return 2 if 0 < len(self.chart.rows) * 2 <= self.size.height - 1 else 1

    def _page(self) -> int:
        return max(1, (self.size.height - 1) // self._pitch)

    def _coming(self) -> float | None:
        """Return how much a live run probably has before it; None for a stored one."""
        view = self._view
        if view is None or not view.live:
            return None
        if view.forecast is None:
            return 0.0
        found, since = view.forecast
        return max(0.0, found.likely_ms - max(0, self.now - since))

    def _lay_out(self) -> None:
        """Put the window where it belongs, and draw what is no longer as it was."""
        view, stage = self._view, self.stage
        if view is None or not self.size.width:
            return
        if stage.lay_out(view.state, self.now, self._width, self._coming()) or view.live:
            # Of a live run the running bars, and the line that is the present, have moved.
            self._strips.clear()
        self._painter.prepare(stage.axis, stage.window, self.now if view.live else None)
        self._top = max(0, min(self._top, len(self.chart.rows) - self._page()))
        self.refresh()

    def _until(self, span: Span) -> int:
        """Return when an attempt ended, or the present."""
        return min(span.end, self.now)

    def _go(self, span: Span, *, keep: bool = False) -> None:
        """Put the cursor on an attempt, and show it; `keep` the moment that it came from."""
        before, self.at = self.at, span
        top = max(0, min(max(self._top, span.row - self._page() + 1), span.row))
        if self.stage.show(span.start, self._until(span)) or top != self._top:
            self._top = top
            self._strips.clear()
            self._lay_out()
        for row in (before.row if before is not None else span.row, span.row):
            self._strips.pop(row, None)
        if not keep:
            self._moment = span.start
        self.refresh()
        self.post_message(self.Selected())

    # Painting --------------------------------------------------------------------------------------------------------

    def on_resize(self, event: events.Resize) -> None:
        """Share the width out anew."""
        self._measure()
        self._strips.clear()
        self._lay_out()

    def notify_style_update(self) -> None:
        """Forget the styles that are no longer in force."""
        super().notify_style_update()
        self._style_key = None

    def _style(self, name: str) -> Style:
        return self.get_component_rich_style(f"timeline--{name}") if name else self.rich_style

    def render_line(self, y: int) -> Strip:
        """Draw the scale, a row, or nothing."""
        key = (self.background_colors, self.has_focus, self.app.theme)
        if key != self._style_key:
            self._style_key = key
            self._painter.forget()
            self._strips.clear()
        stage, width, ground = self.stage, self.size.width, self._painter.style("")
        blank = Strip.blank(width, ground)
        if self._view is None or not stage.edges:
            return blank
        if y == 0:
            label = "slot" if self.order == "slot" else "task"
            return self._painter.scale(stage.axis, stage.window, f"  {label}", self._label).adjust_cell_length(
                width, ground
            )
        index, between = divmod(y - 1, self._pitch)
        index += self._top
        rows = self.chart.rows
        if index >= len(rows):
            return blank
        if between:
            return self._painter.gap(self._label).adjust_cell_length(width, ground)
        strip = self._strips.get(index)
        if strip is None:
            strip = self._strips[index] = self._row(index)
        if len(rows) > self._page():
            on_thumb = y - 1 in thumb(self._top, self._page(), len(rows), self._page())
            sign = Segment(glyphs.THUMB if on_thumb else " ", self._painter.style("thumb"))
            return Strip([*strip, sign]).adjust_cell_length(width, ground)
        return strip.adjust_cell_length(width, ground)

    def _row(self, index: int) -> Strip:
        chart, view = self.chart, self._view
        row = chart.rows[index]
        frozen = view is not None and view.state.frozen_since is not None
        name = f"{index + 1:,}" if self.order == "slot" else plain(row.spans[0].task)
        shown = bars(row, self.stage.edges, self.now, frozen=frozen)
        at, chosen = self.at, None
        if at is not None and at.row == index:
            own = next((bar for bar in shown if bar.span is at), None)
            chosen = range(own.first, own.end) if own is not None else self.stage.cells(at.start, self._until(at))
        return self._painter.row((f"  {name}", "label"), self._label, shown, chosen, ids=self.order == "slot")

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

    def action_open(self) -> None:
        """Open the task under the cursor."""
        if self.at is not None:
            self.post_message(self.Opened(self.at.task))

    # Zoom and pan ----------------------------------------------------------------------------------------------------

    def _zoom(self, factor: float, cell: float | None = None) -> None:
        stage = self.stage
        if cell is None:
            cells = stage.cells(self.at.start, self._until(self.at)) if self.at is not None else range(0)
            cell = (cells.start + cells.stop) / 2 if cells else stage.window.width / 2
        stage.zoom(factor, cell)
        self._lay_out()
        self.post_message(self.Selected())

    def _pan(self, cells: float) -> None:
        self.stage.pan(cells)
        self._lay_out()
        self.post_message(self.Selected())

    def action_zoom_in(self) -> None:
        """Look closer at the attempt under the cursor."""
        self._zoom(1 / _ZOOM)

    def action_zoom_out(self) -> None:
        """Look from further away."""
        self._zoom(_ZOOM)

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

    # Mouse -----------------------------------------------------------------------------------------------------------

    def _wheel(self, event: events.MouseEvent, steps: int) -> None:
        """Scroll where there is more than fits; with Ctrl, or where all fits, look closer or from further away."""
        event.stop()
        if event.shift:
            self._pan(steps * self._width / 16)
        elif event.ctrl or event.y == 0 or len(self.chart.rows) <= self._page():
            self._zoom(_ZOOM ** (steps / 2), event.x - self._label)
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
