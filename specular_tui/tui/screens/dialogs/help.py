"""The keys of what has the focus, made from the one table."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.events import Resize
from textual.screen import ModalScreen
from textual.widgets import Static

from specular_tui.tui import keys, present
from specular_tui.tui.present import Line
from specular_tui.tui.theme import paint, paint_lines

#: Cells from which a line has room for three columns.
_ROOMY: Final = 72


class HelpDialog(ModalScreen[None]):
    """Lists keys by group."""

    BINDINGS: ClassVar = [*keys.bindings("dialog")]

    def __init__(self, active: Iterable[str | None]) -> None:
        """`active` are the ids of the bindings that act where the help was asked for."""
        super().__init__()
        self._rows = keys.by_id(active)

    def compose(self) -> ComposeResult:
        """Yield the list."""
        with VerticalScroll(id="dialog"):
            yield Static(paint([("Keys", "strong")]), id="title")
            yield Static(id="details", markup=False)

    def _lines(self, room: int) -> list[Line]:
        """Return the lines, cut to `room` cells; where there are few, what a key does goes before what it is called."""
        order = (keys.RUN, keys.LOOK, keys.MOVE, keys.APP)
        lines: list[Line] = []
        caps = {row.id: keys.shown(keys.acting(row)) for row in self._rows}
        wide = max(map(len, caps.values()), default=0)
        for group, rows in groupby(sorted(self._rows, key=lambda row: order.index(row.group)), lambda row: row.group):
            lines += [[], [(group, "muted")]] if lines else [[(group, "muted")]]
            for row in rows:
                name = [(f"{row.label:<17} ", "plain")] if room >= _ROOMY else []
                lines.append(present.cut([(f"  {caps[row.id]:<{wide}}  ", "key"), *name, (row.help, "muted")], room))
        return lines

    def on_resize(self, event: Resize) -> None:
        """Say as much as there is room for: what the dialog leaves at its sides is not."""
        room = event.size.width * 96 // 100 - 6
        self.query_one("#details", Static).update(paint_lines(self._lines(room)))

    def on_mount(self) -> None:
        """Let the keys scroll."""
        self.query_one("#dialog").focus()

    def action_cancel(self) -> None:
        """Close."""
        self.dismiss()

    def key_question_mark(self) -> None:
        """The key that opened it closes it."""
        self.dismiss()

    def key_q(self) -> None:
        """So does this."""
        self.dismiss()
