"""The bars of a row of the timeline in the cells of a window. Pure; it paints nothing.

A cell that several attempts share says what is worst among them: looking closer tells them apart.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import Literal, NamedTuple

from specular_tui.tui.widgets.timeline.rows import Row, Span, any_in

#: What an attempt looks like; `frozen` is one that runs, in a run that stands frozen.
Kind = Literal["done", "failed", "interrupted", "running", "frozen"]

_KINDS: dict[str, Kind] = {"completed": "done", "failed": "failed", "interrupted": "interrupted"}


class Bar(NamedTuple):
    """Cells `first` to `end` (the one behind the last) of a row."""

    first: int
    end: int
    kind: Kind
    #: The attempt that it is; None where several share each cell.
    span: Span | None
    critical: bool = False
    slow: bool = False
    #: It starts, or ends, inside of the window.
    begins: bool = True
    ends: bool = True


def kind_of(span: Span, *, frozen: bool) -> Kind:
    """Return what an attempt looks like."""
    if span.running:
        return "frozen" if frozen else "running"
    return _KINDS.get(span.outcome, "interrupted")


def bars(row: Row, edges: Sequence[int], now: int, *, frozen: bool) -> list[Bar]:
    """Return the bars of `row`, from left to right; they do not overlap.

    `edges` are the moments at which the cells begin, and the one at which the last ends; nothing is drawn behind `now`.
    """
    found: list[Bar] = []
    last = max(0, min(len(edges) - 1, bisect_left(edges, max(now, edges[0] + 1))))
    for cell in range(last):
        there = row.within(edges[cell], max(edges[cell + 1], edges[cell] + 1))
        if not there:
            continue
        bar = _bar(row, there, cell, edges, frozen=frozen)
        before = found[-1] if found else None
        if before is not None and before.end == cell and _same(before, bar):
            found[-1] = before._replace(end=cell + 1, ends=bar.ends)
        else:
            if before is not None and before.span is row.spans[there[0]] and before.span.end <= edges[cell + 1]:
                # It ends in this cell, which the next one has.
                found[-1] = before._replace(ends=True)
            found.append(bar)
    return found


def _bar(row: Row, there: range, cell: int, edges: Sequence[int], *, frozen: bool) -> Bar:
    """Return what one cell says."""
    span = row.spans[there[-1]]
    if len(there) == 1 or (len(there) == 2 and span.end > edges[cell + 1] and row.spans[there[0]].start < edges[cell]):
        # The one before it has been seen in the cells before.
        here = range(span.index, span.index + 1)
        return Bar(
            cell,
            cell + 1,
            kind_of(span, frozen=frozen),
            span,
            any_in(row.critical, here),
            any_in(row.slow, here),
            begins=span.start >= edges[cell],
            ends=span.end <= edges[cell + 1],
        )
    kind: Kind = "failed" if any_in(row.failed, there) else kind_of(span, frozen=frozen)
    return Bar(cell, cell + 1, kind, None, any_in(row.critical, there), any_in(row.slow, there))


def _same(before: Bar, bar: Bar) -> bool:
    if before.span is not None or bar.span is not None:
        return before.span is bar.span
    return (before.kind, before.critical, before.slow) == (bar.kind, bar.critical, bar.slow)
