"""The columns of the task table: how wide each one is in a given width, and a row's text cut to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from specular_tui.tui import glyphs
from specular_tui.tui.widgets.task.cells import Cells

_LEAD = 3  # margin, shape, gap
_GAP = 2
_TIME = 6
_ESTIMATE = 9  # " / ~1h30m"
_ATTEMPT = 3
_DETAIL = 9  # "exit 127", "SIGKILL"
_MORE = 4  # " +12"
_ID = 4  # "task"
_TITLE = 14
_NAME = 5  # "title"
_WIDEST = 40


class Columns(NamedTuple):
    """The width of each column; 0 where it has no room or nothing to say."""

    id: int
    title: int
    time: int
    estimate: int
    attempt: int
    detail: int


def columns(width: int, *, ids: int, titles: int, estimates: bool, attempts: bool) -> Columns:
    """Share out `width` cells: what stands further right goes first when it gets narrow.

    `ids` and `titles` are the longest of the plan, `estimates` and `attempts` whether there are any.
    """
    room = width - _LEAD
    # The name of the column stands whole above the shortest titles too.
    titles = max(titles, _NAME) if titles else 0
    if room < 1:
        return Columns(0, 0, 0, 0, 0, 0)
    time = _TIME if room >= _TIME + _GAP + 6 else 0
    left = room - (time + _GAP if time else 0)
    narrowest_title = _TITLE if titles else 0
    id_width = max(1, min(max(ids, _ID), left, _most_of_id(left, titles)))
    left -= id_width
    estimate = _ESTIMATE if estimates and time and left >= _ESTIMATE + narrowest_title + _GAP else 0
    left -= estimate
    least = (_TITLE + 4 + _GAP) if titles else _GAP
    detail = _DETAIL if left >= _DETAIL + _GAP + least else 0
    left -= detail + _GAP if detail else 0
    attempt = _ATTEMPT if attempts and left >= _ATTEMPT + _GAP + least + (4 if titles else 0) else 0
    left -= attempt + _GAP if attempt else 0
    if detail:
        # As long as the ids that are waited for, where the titles leave so much, or else two fifths of both.
        both = left + detail - (_GAP if titles else 0)
        wanted = max(_DETAIL, min(_WIDEST, max(ids + _MORE, both - titles)))
        more = max(0, min(wanted, max(both - titles, both * 2 // 5)) - detail)
        detail += more
        left -= more
    title = min(titles, left - _GAP) if titles and left >= 6 + _GAP else 0
    if not detail or title:
        # What would stay blank.
        id_width = max(id_width, min(ids, id_width + left - (title + _GAP if title else 0)))
    return Columns(id_width, title, time, estimate, attempt, detail)


def _most_of_id(room: int, titles: int) -> int:
    """Return how many of `room` cells ids may take: two fifths, or what titles and the rest do not need."""
    if not titles:
        return max(40, room * 3 // 5)
    rest = room - titles - _GAP - _ESTIMATE - _DETAIL - _GAP
    return max(12, min(32, room * 2 // 5), min(rest, room * 3 // 5))


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Return `text` in exactly `width` cells, cut or padded."""
    length = len(text) if text.isascii() else cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + glyphs.ELLIPSIS if width > 1 else set_cell_size(text, width)
    return " " * (width - length) + text if right else text + " " * (width - length)


def fit_id(text: str, width: int) -> str:
    """Return an id in exactly `width` cells; what is cut is its middle, for ids differ at both ends."""
    if width < 8 or cell_len(text) <= width:
        return fit(text, width)
    tail = width // 2 - 1
    while cell_len(text[-tail:]) > width // 2 - 1:
        tail -= 1
    return fit(text, width - cell_len(text[-tail:])) + text[-tail:]


def fit_counted(text: str, more: str, width: int, cut: Callable[[str, int], str] = fit) -> str:
    """Return `text` and then `more` in exactly `width` cells; `text` is cut, with `cut`, and not `more`."""
    room = width - len(more)
    if not more or room < 4:
        return cut(text + more, width)
    return fit((text if cell_len(text) <= room else cut(text, room)) + more, width)


def _with_reason(layout: Columns, *, keep_attempt: bool) -> Columns:
    """Return the columns of a row whose reason is long: it matters more than what the task usually takes."""
    more = layout.estimate
    if layout.attempt and not keep_attempt:
        more += layout.attempt + _GAP
    elif layout.attempt:
        # What stands between them stays in its column.
        return layout
    return layout._replace(estimate=0, attempt=0, detail=layout.detail + more)


def pieces(cells: Cells, shape: str, layout: Columns, width: int) -> Iterator[tuple[str, str]]:
    """Yield the row as (role, text): `shape`, `id`, `title`, `time`, `estimate`, `attempt`, `detail` or `gap`."""
    if layout.detail and cells.kind == "failed" and cell_len(cells.detail) > layout.detail:
        layout = _with_reason(layout, keep_attempt=bool(cells.attempt))
    used = _LEAD + layout.id
    yield "shape", f" {shape} "
    yield "id", fit_id(cells.id, layout.id)
    if layout.title:
        yield "title", " " * _GAP + fit(cells.title, layout.title)
        used += _GAP + layout.title
    if layout.time:
        yield "time", " " * _GAP + fit(cells.elapsed, layout.time, right=True)
        used += _GAP + layout.time
    if layout.estimate:
        text = (" / " if cells.elapsed else "   ") + cells.estimate if cells.estimate else ""
        yield "estimate", fit(text, layout.estimate)
        used += layout.estimate
    if layout.attempt:
        yield "attempt", " " * _GAP + fit(cells.attempt, layout.attempt, right=True)
        used += _GAP + layout.attempt
    if layout.detail:
        # What is waited for is an id too.
        cut = fit_id if cells.kind in ("pending", "blocked") else fit
        yield "detail", " " * _GAP + fit_counted(cells.detail, cells.more, layout.detail, cut)
        used += _GAP + layout.detail
    if used < width:
        yield "gap", " " * (width - used)


def heading(layout: Columns, width: int, note: str) -> tuple[str, str]:
    """Return the line above the rows in two parts: the columns' names, and `note` at its right end."""
    note = f"  {note} " if note else ""
    room = max(0, width - cell_len(note))
    text, gap = " " * _LEAD, " " * _GAP
    # Up to the first name that the note leaves no room for.
    for name in _names(layout, gap):
        if len(text) + len(name.rstrip()) > room:
            break
        text += name
    else:
        for detail in ("exit / waits for", "waits for"):
            if layout.detail >= len(detail) and len(text) + _GAP + len(detail) <= room:
                text += gap + detail
                break
    return set_cell_size(text, room), set_cell_size(note, width - room)


def _names(layout: Columns, gap: str) -> Iterator[str]:
    yield fit("task", layout.id)
    if layout.title:
        yield gap + fit("title", layout.title)
    if layout.time:
        yield gap + fit("time", layout.time, right=True)
    if layout.estimate:
        yield fit(" / usual", layout.estimate)
    if layout.attempt:
        yield gap + fit("try", layout.attempt, right=True)
