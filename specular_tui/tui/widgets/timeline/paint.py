"""The drawing of the timeline: its scale, and its rows with their bars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from specular_tui.tui import glyphs
from specular_tui.tui.safe import plain
from specular_tui.tui.widgets.task.columns import fit, fit_id
from specular_tui.tui.widgets.timeline.axis import Axis, Window
from specular_tui.tui.widgets.timeline.bars import Bar, Kind

_SHAPES: Final[dict[Kind, str]] = {
    "done": glyphs.DONE,
    "failed": glyphs.FAILED,
    "interrupted": glyphs.PENDING,
    "running": glyphs.RUNNING,
    "frozen": glyphs.FROZEN,
}
#: Labels of the scale are at least so many cells apart.
_APART: Final = 12


class TimelinePainter:
    """Draws with the styles that `look_up` answers for a name ("" for the widget's own)."""

    def __init__(self, look_up: Callable[[str], Style]) -> None:
        self._look_up = look_up
        self._styles: dict[tuple[str, bool], Style] = {}
        #: What each cell is where no bar lies: " ", or a sign and the name of its style.
        self._ground: list[tuple[str, str]] = []
        self._frozen: list[bool] = []

    def forget(self) -> None:
        """Draw all anew: the styles are others."""
        self._styles.clear()

    def style(self, name: str, cursor: bool = False) -> Style:
        """Return the style of a part, under the cursor or not."""
        style = self._styles.get((name, cursor))
        if style is None:
            base, _, mark = name.partition("+")
            style = self._look_up(base)
            if mark:
                over = self._look_up(mark)
                style = style + Style(color=over.color, bold=over.bold)
            if cursor:
                over = self._look_up("cursor")
                style = style + Style(bgcolor=over.bgcolor, bold=True, reverse=over.reverse or None)
            self._styles[name, cursor] = style
        return style

    def prepare(self, axis: Axis, window: Window, now: int | None) -> None:
        """Work out what lies behind the bars: frozen time, cuts, and the present moment (None for a stored run)."""
        middles = [window.left + window.scale * (cell + 0.5) for cell in range(window.width)]
        self._frozen = [axis.frozen(middle) for middle in middles]
        self._ground = [(glyphs.HATCH, "hatch") if frozen else (" ", "") for frozen in self._frozen]
        for place in axis.cuts:
            self._mark(window, place, (glyphs.CUT, "faint"))
        if now is not None:
            self._mark(window, axis.place(now), (glyphs.NOW, "now"))

    def _mark(self, window: Window, place: float, sign: tuple[str, str]) -> None:
        cell = int((place - window.left) / window.scale)
        if 0 <= cell < window.width:
            self._ground[cell] = sign

    def scale(self, axis: Axis, window: Window, label: str, label_width: int) -> Strip:
        """Return the line above the rows: a label, and the time worked."""
        cells = [" "] * window.width
        free = 0
        for place, text in axis.ticks(window.left, window.right, _APART * window.scale):
            at = int((place - window.left) / window.scale)
            if at < free or at + len(text) + 1 > window.width:
                continue
            cells[at : at + len(text) + 1] = [glyphs.TICK, *text]
            free = at + len(text) + 3
        return Strip(
            [
                Segment(fit(label, label_width), self.style("faint")),
                Segment("".join(cells), self.style("scale")),
            ]
        )

    def row(
        self, label: tuple[str, str], label_width: int, bars: Sequence[Bar], chosen: range | None, *, ids: bool
    ) -> Strip:
        """Return a row: `label` is a text and its style; `chosen` the cells under the cursor, None in other rows.

        With `ids` the bars say which task they are.
        """
        cells = list(self._ground)
        for bar in bars:
            style = f"dense-{bar.kind}" if bar.span is None else f"bar-{bar.kind}"
            for offset, sign in enumerate(_signs(bar, ids=ids)):
                cell = bar.first + offset
                if self._frozen[cell] and sign in (" ", glyphs.BAR_DONE):
                    sign = glyphs.HATCH
                cells[cell] = (sign, f"{style}+slow" if sign == glyphs.SLOW else style)
        text, name = label
        head = Segment(fit_id(text, label_width - 1) + " ", self.style(name if chosen is None else "label-on"))
        return Strip([head, *self._segments(cells, chosen)])

    def gap(self, label_width: int) -> Strip:
        """Return a line between two rows."""
        return Strip([Segment(" " * label_width, self.style("")), *self._segments(self._ground, None)])

    def _segments(self, cells: list[tuple[str, str]], chosen: range | None) -> list[Segment]:
        segments = []
        start = 0
        for end in range(1, len(cells) + 1):
            if end < len(cells) and self._alike(cells, start, end, chosen):
                continue
            under = chosen is not None and start in chosen
            segments.append(Segment("".join(sign for sign, _ in cells[start:end]), self.style(cells[start][1], under)))
            start = end
        return segments

    @staticmethod
    def _alike(cells: list[tuple[str, str]], first: int, second: int, chosen: range | None) -> bool:
        if cells[first][1] != cells[second][1]:
            return False
        return chosen is None or (first in chosen) == (second in chosen)


def _signs(bar: Bar, *, ids: bool) -> str:
    """Return the text of a bar, one sign for each of its cells."""
    width = bar.end - bar.first
    shape = _SHAPES[bar.kind]
    fill = glyphs.BAR_DONE if bar.critical else " "
    if bar.span is None:
        sign = shape if bar.kind == "failed" else glyphs.SLOW if bar.slow else glyphs.MEDIUM
        return sign * width
    edge = glyphs.HALF if bar.begins else ""
    tail = glyphs.SLOW if bar.slow and bar.ends else ""
    if width == 1:
        return tail or (shape if bar.kind in ("failed", "running", "frozen") else edge or fill)
    text = edge
    if width >= len(edge) + len(tail) + 1:
        text += shape
    room = width - len(text) - len(tail)
    name = plain(bar.span.task)
    if ids and room >= min(len(name), 4) + 1:
        text += " " + fit(name, min(len(name), room - 1))
        room = width - len(text) - len(tail)
    if room > 0:
        text += (" " if len(text) > 1 and bar.critical else "") + fill * room
    return (text[: width - len(tail)] + tail)[:width].ljust(width)
