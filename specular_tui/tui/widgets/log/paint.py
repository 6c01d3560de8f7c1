"""The drawing of a log: its rows with matches and selection, the line above them, and what lies over the corner."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter
from textual.strip import Strip

from specular_tui.model import quantity
from specular_tui.tui import glyphs
from specular_tui.tui.safe import Line, plain
from specular_tui.tui.widgets.log.finder import LogFinder
from specular_tui.tui.widgets.log.text import Row, occurrences, painted, width_of
from specular_tui.tui.widgets.log.window import NUMBER_GAP, LogWindow
from specular_tui.tui.widgets.scrolling import thumb

_KEPT = 1000


class LogPainter:
    """Draws with the styles that `look_up` answers for a name ("" for the text itself), and keeps what it has drawn."""

    def __init__(self, look_up: Callable[[str], Style]) -> None:
        """Nothing has been drawn yet."""
        #: Keep the colours that tasks print; where there are none at all, theirs would be greys hard to read.
        self.colors = True
        #: What all that is painted has to pass, on which ground. A row passes it once, when it is made: that of a log
        #: which is followed is painted once, and each strip on the way is a good part of what that costs.
        self.filters: Sequence[LineFilter] = ()
        self.ground = Color(0, 0, 0)
        #: Blank cells to the left and to the right of everything.
        self.margins = (0, 0)
        self._look_up = look_up
        self._styles: dict[str, Style] = {}
        self._strips: dict[tuple[Row, bool], tuple[Line, Strip]] = {}
        self._thumb = range(0)
        self._made_for: object = None

    def forget(self) -> None:
        """Draw all anew: the styles are others."""
        self._styles.clear()
        self._strips.clear()

    def style(self, name: str) -> Style:
        """Return the style of a part."""
        style = self._styles.get(name)
        if style is None:
            style = self._styles[name] = self._look_up(name)
        return style

    def prepare(self, window: LogWindow, finder: LogFinder | None) -> list[Row]:
        """Return the rows on screen; what depends on where they stand is worked out once for all of them."""
        rows = window.rows()
        look = (window.width, window.numbers, window.left, window.wrap, window.anchor, window.head)
        made_for = (window, finder, finder.match if finder is not None else None, look)
        if made_for != self._made_for:
            self._made_for = made_for
            self._strips.clear()
        low, high = window.bounds()
        self._thumb = range(0)
        if rows and not window.whole:
            shown = min(rows[-1].line - rows[0].line + 1, high - low - 1)
            top = high - low if window.follow else rows[0].line - low
            self._thumb = thumb(top, shown, max(high - low, 2), window.height)
        return rows

    def row(
        self, y: int, window: LogWindow, rows: list[Row], finder: LogFinder | None, corner: tuple[str, str]
    ) -> Strip:
        """Return line `y` of the body."""
        on_thumb = y in self._thumb
        if y >= len(rows):
            strip = self.blank(window.numbers + window.width + 1)
        else:
            row = rows[y]
            line = window.text.line(row.line)
            known = self._strips.get((row, on_thumb))
            if known is None or known[0] is not line:
                if len(self._strips) > _KEPT:
                    self._strips.clear()
                known = self._strips[row, on_thumb] = (line, self._row(row, line, window, finder, on_thumb))
            strip = known[1]
        if corner[0] and y == window.height - 1:
            text = set_cell_size(corner[0], min(width_of(corner[0]), window.width))
            left, right = self.margins
            over = [Segment(text, self.style(corner[1])), self._bar(on_thumb)]
            over += [Segment(" " * right, self.style(""))] if right else []
            kept = strip.crop(0, left + window.numbers + window.width - width_of(text))
            strip = Strip([*kept, *self._passed(over)], strip.cell_length)
        return strip

    def _bar(self, on_thumb: bool) -> Segment:
        return Segment(glyphs.THUMB, self.style("thumb")) if on_thumb else Segment(" ", self.style(""))

    def blank(self, width: int) -> Strip:
        """Return an empty line."""
        return self.finish([], width)

    def _row(self, row: Row, line: Line, window: LogWindow, finder: LogFinder | None, on_thumb: bool) -> Strip:
        width, simple = window.width, line.text.isascii()
        start, end = row.start, min(row.end, len(line.text))
        if not window.wrap and simple:
            start, end = min(window.left, end), min(end, window.left + width)
        over: list[tuple[int, int, Style]] = []
        if finder is not None:
            style = self.style("match-current" if row.line == finder.match else "match")
            over += [(first, last, style) for first, last in occurrences(line.text, finder.pattern)]
        if (selected := window.selected_in(row.line, len(line.text))) is not None:
            over.append((*selected, self.style("selection")))
        segments = painted(line, start, end, self.style(""), over, colors=self.colors)
        cells = end - start
        if not simple:
            left = 0 if window.wrap else window.left
            strip = Strip(segments).crop(left, left + width)
            segments, cells = list(strip), strip.cell_length
        beyond = not window.wrap and width_of(line.text) > window.left + width
        if on_thumb or beyond:
            segments += [Segment(" " * (width - cells), self.style(""))] if cells < width else []
            segments.append(self._bar(on_thumb) if on_thumb else Segment(glyphs.POINTER, self.style("number")))
            cells = width + 1
        if room := window.numbers:
            segments = [self._number(row, room), *segments]
        return self.finish(segments, window.numbers + width + 1, window.numbers + cells)

    def _number(self, row: Row, room: int) -> Segment:
        """Return the number of the line that begins here; there is none while those before it are not counted."""
        known = row.start == 0 and row.line >= 0
        return Segment(f"{row.line + 1 if known else '':>{room - NUMBER_GAP}}" + " " * NUMBER_GAP, self.style("number"))

    def finish(self, segments: list[Segment], width: int, cells: int | None = None) -> Strip:
        """Return segments as they go to the terminal: `width` cells and the margins; `cells` is what they take."""
        if cells is None:
            cells = sum(segment.cell_length for segment in segments)
        left, right = self.margins
        if left:
            segments = [Segment(" " * left, self.style("")), *segments]
        if right := right + width - cells:
            segments = [*segments, Segment(" " * right, self.style(""))]
        return Strip(self._passed(segments), sum(self.margins) + width)

    def _passed(self, segments: list[Segment]) -> list[Segment]:
        for each in self.filters:
            segments = each.apply(segments, self.ground)
        return segments

    def corner(self, window: LogWindow, new_lines: int) -> tuple[str, str]:
        """Return what lies over the lower right corner, and the name of its style."""
        if window.source.problem:
            return f" {plain(window.source.problem)} ", "problem"
        if new_lines:
            return f" {quantity.plural(new_lines, 'new line')} {glyphs.DOWN} ", "corner"
        return "", ""

    def title(self, title: str, window: LogWindow | None, finder: LogFinder | None, width: int) -> Strip:
        """Return the line above the log: its title, and how the search and the log stand."""
        info = self._info(window, finder) if window is not None else ""
        info = f"   {info} " if info and width - width_of(info) > 16 else ""
        room = max(0, width - width_of(info))
        if width_of(title) > room:
            title = set_cell_size(title, max(0, room - 1)) + glyphs.ELLIPSIS * (room > 0)
        gap = " " * (room - width_of(title))
        parts = ((title, "title"), (gap, ""), (info, "info"))
        return self.finish([Segment(text, self.style(name)) for text, name in parts], width)

    def _info(self, window: LogWindow, finder: LogFinder | None) -> str:
        source = window.source
        parts = [finder.text] if finder is not None else []
        if window.wrap:
            parts.append("wrap")
        if not source.ready:
            share = f" {counted(window)} %" if source.size else ""
            parts.append(f"counting{share}" if source.tail_count else "unpacking")
        elif source.line_count:
            parts += [_place(window), quantity.size(source.size)]
        return "   ".join(parts)


def counted(window: LogWindow) -> int:
    """Return how much of a log has been counted, in percent."""
    source = window.source
    return min(99, 100 * source.counted_bytes // max(1, source.size))


def _place(window: LogWindow) -> str:
    """Return where in the log the window stands, `line 120 of 5,321`; at its end, or where all is there, its length."""
    count, rows = window.source.line_count, window.rows()
    if window.follow or window.whole or not rows or rows[0].line < 0:
        return quantity.plural(count, "line")
    return f"line {rows[0].line + 1:,} of {count:,}"
