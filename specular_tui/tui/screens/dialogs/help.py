"""The keys of what has the focus, made from the one table, and what the signs of its screen mean."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import ClassVar, Final

from specular_tui.tui import keys, present
from specular_tui.tui.present import Line
from specular_tui.tui.screens.dialogs.reading import ReadingDialog

#: Cells from which a line has room for three columns.
_ROOMY: Final = 72
#: Cells for the name of what a key does.
_NAME: Final = 18


class HelpDialog(ReadingDialog):
    """Lists keys by group, and then signs."""

    TITLE_TEXT: ClassVar[str] = "Keys"
    OPENED_BY: ClassVar[str] = "app.help"

    def __init__(self, active: Iterable[str | None], signs: Sequence[tuple[str, str]] = ()) -> None:
        """`active` are the ids of the bindings that act where the help was asked for, `signs` what is drawn there."""
        super().__init__()
        self._signs = signs
        self._rows = keys.by_id(active)

    def lines(self, room: int) -> list[Line]:
        """Return the keys; where there is little room, what one does goes before what it is called."""
        order = (keys.RUN, keys.LOOK, keys.MOVE, keys.APP)
        lines: list[Line] = []
        caps = {row.id: keys.shown(keys.acting(row)) for row in self._rows}
        wide = max(map(len, caps.values()), default=0)
        indent = 2 + wide + 2 + (_NAME if room >= _ROOMY else 0)
        for group, rows in groupby(sorted(self._rows, key=lambda row: order.index(row.group)), lambda row: row.group):
            lines += [[], [(group, "muted")]] if lines else [[(group, "muted")]]
            for row in rows:
                name = [(row.label.ljust(_NAME), "plain")] if room >= _ROOMY else []
                line: Line = [(f"  {caps[row.id]:<{wide}}  ", "key"), *name, (row.help, "muted")]
                lines += present.wrapped(line, room, indent)
        if self._signs:
            lines += [[], [("Signs", "muted")]]
        for sign, meaning in self._signs:
            lines += present.wrapped([(f"  {sign:<{wide}}  ", "plain"), (meaning, "muted")], room, 2 + wide + 2)
        return lines
