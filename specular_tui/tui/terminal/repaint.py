"""What is on the terminal already is not written again.

Textual writes every line of every region that was painted anew, whether it says something else or not. A line of 160
cells in colour has half a KB; over a slow connection a move of the cursor is to cost no more than the two rows that it
changes, and a second that goes by no more than its digits.
"""

from __future__ import annotations

from itertools import takewhile
from typing import Final

from rich.cells import cell_len
from rich.console import Console
from rich.control import Control
from rich.segment import Segment
from textual._compositor import ChopsUpdate, CompositorUpdate, LayoutUpdate
from textual.strip import Strip

#: From here on terminals disagree on how wide a letter is: where one stands nothing behind it is taken for known.
_WIDE: Final = chr(0x2E80)


class Terminal:
    """What has been written to the terminal, line by line, as far as it is known."""

    def __init__(self) -> None:
        #: Of each line where its parts end, and the parts by the column that they begin at.
        self._lines: dict[int, tuple[list[int], dict[int, Strip]]] = {}

    def forget(self) -> None:
        """Others may have written to it."""
        self._lines.clear()

    def missing(self, update: CompositorUpdate) -> CompositorUpdate:
        """Return an update that writes what of `update` is not there yet, and takes note of it when it is written."""
        if isinstance(update, ChopsUpdate):
            return _Missing(update, self)
        if isinstance(update, LayoutUpdate):
            return _Whole(update, self)
        self.forget()
        return update

    def put_line(self, y: int, strips: list[Strip]) -> None:
        """A whole line has been written."""
        ends, parts, x = [], {}, 0
        for strip in strips:
            parts[x] = strip
            x += strip.cell_length
            ends.append(x)
        self._lines[y] = (ends, parts)

    def line(self, y: int, ends: list[int]) -> dict[int, Strip]:
        """Return the known parts of a line that is cut like this."""
        known = self._lines.get(y)
        if known is None or known[0] != ends:
            known = self._lines[y] = (ends, {})
        return known[1]


class _Whole(CompositorUpdate):
    """All of the screen, whatever is there: this also mends what others may have written over."""

    def __init__(self, update: LayoutUpdate, terminal: Terminal) -> None:
        self._update = update
        self._terminal = terminal

    def render_segments(self, console: Console) -> str:
        """Return what is written."""
        self._terminal.forget()
        for y, line in enumerate(self._update.strips, self._update.region.y):
            self._terminal.put_line(y, list(line))
        return self._update.render_segments(console)


class _Missing(CompositorUpdate):
    """Parts of some lines."""

    def __init__(self, update: ChopsUpdate, terminal: Terminal) -> None:
        self._update = update
        self._terminal = terminal

    def render_segments(self, console: Console) -> str:
        """Return what is written."""
        written: list[str] = []
        chops, chop_ends = self._update.chops, self._update.chop_ends
        for y, x1, x2 in self._update.spans:
            ends = chop_ends[y]
            known = self._terminal.line(y, ends)
            for end, (x, strip) in zip(ends, chops[y].items(), strict=False):
                # A part has been drawn whole, even where only some of it was asked for.
                if strip is None or x >= x2 or end <= x1:
                    continue
                before, known[x] = known.get(x), strip
                if before is None:
                    written += (_move(x, y), strip.render(console))
                elif before is not strip and (rest := difference(list(before), list(strip))) is not None:
                    away, segments = rest
                    written += (_move(x + away, y), Strip(segments).render(console))
        return "".join(written)


def _move(x: int, y: int) -> str:
    return Control.move_to(x, y).segment.text


def difference(before: list[Segment], after: list[Segment]) -> tuple[int, list[Segment]] | None:
    """Return what has to be written over `before`, of the same width, to have `after`; and from which cell on.

    None where there is nothing to write.
    """
    if before == after:
        return None
    pairs = zip(before, after, strict=False)
    first = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1] and _certain(pair[0]), pairs))
    away = sum(len(segment.text) for segment in after[:first])
    before, after = before[first:], after[first:]
    if all(map(_certain, before)) and all(map(_certain, after)):
        pairs = zip(reversed(before), reversed(after), strict=False)
        last = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        # The widths are the same, so something is left of both.
        before, after = before[: len(before) - last], after[: len(after) - last]
        if before and after:
            away += _trim(before, after)
    return away, after


def _trim(before: list[Segment], after: list[Segment]) -> int:
    """Take from `after` the letters at either end that are those of `before`; return how many at its beginning."""
    away = 0
    text, style, control = after[0]
    if before[0].style == style:
        away = _same(before[0].text, text)
        after[0] = Segment(text[away:], style, control)
    text, style, control = after[-1]
    if before[-1].style == style:
        last = min(_same(before[-1].text[::-1], text[::-1]), len(text))
        after[-1] = Segment(text[: len(text) - last], style, control)
    return away


def _same(one: str, other: str) -> int:
    """Return how many letters two texts have in common at their beginning."""
    return next((at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))


def _certain(segment: Segment) -> bool:
    """Tell whether every letter of a segment is one cell wide on any terminal."""
    text = segment.text
    return text.isascii() or (max(text) < _WIDE and cell_len(text) == len(text))
