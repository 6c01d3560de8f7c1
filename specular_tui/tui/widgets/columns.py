"""Columns of lists that draw their own lines: which ones there is room for, and cells padded to their width."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from specular_tui.tui import present
from specular_tui.tui.present import Line

GAP: Final = 2


class Column(NamedTuple):
    """A heading, so many cells wide, written to the right or not; where room is scarce it makes do with `least`."""

    name: str
    width: int
    right: bool = False
    least: int = 0


def fitting(columns: Sequence[Column], dropped: Sequence[str], width: int, *, wide: str, most: int) -> list[Column]:
    """Return the columns that fit into `width` cells; those in `dropped` go first, in their order.

    Before one goes all others make do with their least. What is left over goes to the column `wide`, up to `most` cells
    more.
    """
    shown = list(columns)
    for name in dropped:
        if _room(_narrowed(shown, _room(shown))) <= width:
            break
        shown = [column for column in shown if column.name != name]
    shown = _narrowed(shown, _room(shown) - width)
    rest = max(0, min(width - _room(shown), most))
    return [column._replace(width=column.width + rest) if column.name == wide else column for column in shown]


def _narrowed(columns: Sequence[Column], cells: int) -> list[Column]:
    """Return the columns with so many `cells` less, as far as they can do without."""
    narrowed = []
    for column in columns:
        given = max(0, min(cells, column.width - column.least)) if column.least else 0
        cells -= given
        narrowed.append(column._replace(width=column.width - given))
    return narrowed


def _room(columns: Sequence[Column]) -> int:
    return sum(column.width + GAP for column in columns) - GAP


def heading(columns: Sequence[Column]) -> Line:
    """Return the line of the headings."""
    line: Line = []
    for name, width, right, _ in columns:
        said = "" if name.startswith("_") else name
        line.append(((said.rjust(width) if right else said.ljust(width)) + " " * GAP, "faint"))
    return line


def row(columns: Sequence[Column], cell: Callable[[str, int], Line]) -> Line:
    """Return a line of cells; `cell` gives the one of a column in its width."""
    line: Line = []
    for name, width, right, _ in columns:
        found = present.cut(cell(name, width), width)
        pad = (" " * max(0, width - present.width(found)), "plain")
        line += [pad, *found] if right else [*found, pad]
        line.append((" " * GAP, "plain"))
    return line
