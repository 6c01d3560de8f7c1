"""The timeline as it lies on the screen: the rows in view, the window on the time, and the cursor on one attempt.

It draws only the rows on screen, and of those the bars in the window.
"""

from __future__ import annotations

from itertools import islice
from typing import ClassVar, Final, get_args

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from specular_tui.tui import glyphs
from specular_tui.tui.safe import plain
from specular_tui.tui.views import Desk, RunView
from specular_tui.tui.widgets.scrolling import ScrollActions, thumb
from specular_tui.tui.widgets.timeline.bars import Kind, bars
from specular_tui.tui.widgets.timeline.paint import TimelinePainter
from specular_tui.tui.widgets.timeline.rows import Chart, Order, Span
from specular_tui.tui.widgets.timeline.stage import Stage

#: Of the names of tasks so many are looked at to know how wide they are.
NAMES: Final = 2000
_WIDEST: Final = 28

_PARTS: Final = ("scale", "faint", "hatch", "now", "label", "label-on", "slow", "cursor", "thumb")


class TimelineSheet(ScrollActions, Widget):
    """Paints the bars and puts window and cursor where they belong; what brings the run there is `Timeline`."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"timeline--{part}" for part in _PARTS} | {
        f"timeline--{how}-{kind}" for how in ("bar", "dense") for kind in get_args(Kind)
    }

    class Selected(Message, namespace="timeline"):
        """The cursor has come to another attempt, or more is known of the one that it is on."""

    class Opened(Message, namespace="timeline"):
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
        self.stage = Stage()
        self._top = 0
        self.at: Span | None = None
        #: The moment that the cursor stays near to as it goes from row to row.
        self._moment = 0
        self._label = 0
        self._strips: dict[int, Strip] = {}
        self._painter = TimelinePainter(self._style)
        self._style_key: object = None

    @property
    def chart(self) -> Chart:
        """The rows in the order that is on screen."""
        return self._charts.get(self.order) or Chart(self.order)

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
            names = max((len(task_id) for task_id in islice(self.chart.latest, NAMES)), default=4)
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

    def action_open(self) -> None:
        """Open the task under the cursor."""
        if self.at is not None:
            self.post_message(self.Opened(self.at.task))

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
