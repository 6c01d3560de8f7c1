"""The line that says what is being done with stored runs, and how to give it up; else how many are marked."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import RenderResult
from textual.widget import Widget

from specular_tui.model import quantity
from specular_tui.tui import glyphs, keys, present
from specular_tui.tui.deeds import Chore
from specular_tui.tui.present import Line
from specular_tui.tui.theme import paint
from specular_tui.tui.views import Desk, RunRow


class ChoreLine(Widget):
    """Is there while a chore is under way or runs are marked."""

    def __init__(self, desk: Desk) -> None:
        """`desk` has the chore."""
        super().__init__()
        self._desk = desk
        self.display = False
        self._marked: Sequence[RunRow] = ()

    def update(self, marked: Sequence[RunRow] = ()) -> None:
        """Show the chore as it is now, or what is marked, or nothing."""
        self._marked = marked
        self.display = self._desk.chore is not None or bool(marked)
        self.refresh()

    def render(self) -> RenderResult:
        """Return the line."""
        chore, room = self._desk.chore, self.content_size.width
        return paint(_of_chore(chore, room) if chore is not None else _of_marks(self._marked, room))


def _of_marks(marked: Sequence[RunRow], room: int) -> Line:
    if not marked:
        return []
    total = sum(row.size or 0 for row in marked)
    left: Line = [
        (f"{glyphs.MARKED} ", "accent"),
        (f"{len(marked):,} marked", "strong"),
        (f"  {quantity.size(total)}", "muted"),
    ]
    return present.spread([left], [[keys.cap("checkpoints.back"), (" takes the marks away", "muted")]], room)


def _of_chore(chore: Chore, room: int) -> Line:
    doing = f"giving up {chore.doing}" if chore.cancelled else chore.doing
    left: Line = [(f"{glyphs.RUNNING} {doing}", "running")]
    if chore.of > 1:
        left.append((f"  {chore.number:,} of {chore.of:,}", "strong"))
    if chore.run_id:
        left.append((f"  {chore.run_id}", "muted"))
    right: Line = []
    if chore.total:
        right.append((f"{quantity.size(chore.done)} of {quantity.size(chore.total)}", "muted"))
    if chore.waiting:
        right.append((f"  {chore.waiting:,} waiting", "muted"))
    if not chore.cancelled:
        right += [("  ", "plain"), keys.cap("checkpoints.back"), (" gives it up", "muted")]
    done, total = (chore.done, chore.total) if chore.total else (chore.number - 1, chore.of)
    free = room - present.width(left) - present.width(right) - 6
    if total > 1 and free >= 8:
        parts = [("running", min(done, total)), ("pending", max(0, total - done))]
        left += [("  ", "plain"), *present.bar(parts, min(30, free))]
    return present.spread([left], [right], room)
