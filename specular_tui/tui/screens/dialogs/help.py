"""The keys of what has the focus, made from the one table."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from specular_tui.tui import keys
from specular_tui.tui.present import Line
from specular_tui.tui.theme import paint, paint_lines


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
            yield Static(paint_lines(self._lines()), id="details")

    def _lines(self) -> list[Line]:
        order = (keys.RUN, keys.LOOK, keys.MOVE, keys.APP)
        lines: list[Line] = []
        caps = {row.id: keys.shown(keys.acting(row)) for row in self._rows}
        wide = max(map(len, caps.values()), default=0)
        for group, rows in groupby(sorted(self._rows, key=lambda row: order.index(row.group)), lambda row: row.group):
            lines += [[], [(group, "muted")]] if lines else [[(group, "muted")]]
            lines += [
                [
                    (f"  {caps[row.id]:<{wide}}  ", "key"),
                    (f"{row.label:<17} ", "plain"),
                    (row.help, "muted"),
                ]
                for row in rows
            ]
        return lines

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
