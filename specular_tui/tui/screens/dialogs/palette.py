"""The command palette: a line to type in, and what can be done, grouped by what it is."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.events import Click
from textual.widgets import Input

from specular_tui.tui import keys, present
from specular_tui.tui.palette import Entry, Search
from specular_tui.tui.present import Line
from specular_tui.tui.screens.dialogs.dialog import Dialog
from specular_tui.tui.styling import sheets
from specular_tui.tui.widgets.line_list import LineList
from specular_tui.tui.widgets.plain_input import PlainInput

#: Entries that are looked at between two turns of the loop.
_SLICE: Final = 500
_KIND: Final = 9
_NAME: Final = 34


class Hits(LineList):
    """What was found: its kind, beside the first of each, then key or shape, name, and what else is said of it."""

    def __init__(self) -> None:
        """Nothing has been looked for yet."""
        super().__init__()
        self._entries: Sequence[Entry] = ()
        self._search = Search("")
        self._left_out = 0

    def show(self, entries: Sequence[Entry], search: Search) -> None:
        """Show these, the best under the cursor."""
        self._entries, self._search, self._left_out = entries, search, search.left_out()
        self.set_names([str(number) for number in range(len(entries))])
        self.move_to(0)
        self.styles.height = len(entries) + 1

    @property
    def entry(self) -> Entry | None:
        """What is under the cursor."""
        return self._entries[self.index] if self.index is not None else None

    def heading(self, width: int) -> Line:
        """Return an empty line, or that nothing was found, or more than is shown."""
        if not self._entries:
            return [("nothing is called so", "muted")]
        return [(f"and {self._left_out:,} more: type on", "muted")] if self._left_out else []

    def line(self, index: int, width: int) -> Line:
        """Return the line of an entry."""
        entry = self._entries[index]
        first = index == 0 or self._entries[index - 1].kind != entry.kind
        lead, role = entry.lead
        wide = max(present.width([each.lead]) for each in self._entries)
        name = max(12, min(_NAME, max(len(each.text) for each in self._entries)))
        said = present.cut(self._search.marked(entry.text, "plain"), name)
        line: Line = [((entry.kind if first else "").ljust(_KIND), "muted"), (lead.ljust(wide + 2), role), *said]
        line += [(" " * (name - present.width(said) + 2), "plain"), *self._search.marked(entry.more, "muted")]
        return present.cut(line, width - 1)

    def on_click(self, event: Click) -> None:
        """A click does it."""
        super().on_click(event)
        if event.chain == 1 and self.selected is not None and 1 <= event.y <= len(self._entries):
            self.post_message(self.Opened(self.selected))


class PaletteDialog(Dialog[Entry]):
    """Ends with what is to be done, or None."""

    CSS_PATH: ClassVar = sheets("dialogs", "line_list")
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings("dialog", "palette")

    def __init__(self, entries: Callable[[], Iterator[Entry]]) -> None:
        """`entries` yields all there is to offer, as often as it is asked."""
        super().__init__()
        self._all = entries
        self.input = PlainInput(placeholder="an action, a run, a task", compact=True)
        self.hits = Hits()
        self.settled = False
        #: Enter was pressed before it was known what was found.
        self._eager = False

    def compose(self) -> ComposeResult:
        """Yield the line, and below it what was found."""
        with Vertical(id="dialog"):
            yield self.input
            yield self.hits

    def on_mount(self) -> None:
        """Offer what there is before anything is typed."""
        self.input.cursor_blink = False
        self.hits.can_focus = False
        self.set_focus(self.input)
        self._look("")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Look for what is typed."""
        event.stop()
        self._look(event.value)

    def _look(self, query: str) -> None:
        self.settled = False
        self.run_worker(self._search(query), group="palette", exclusive=True)

    async def _search(self, query: str) -> None:
        search = Search(query)
        for number, entry in enumerate(self._all()):
            if number % _SLICE == _SLICE - 1:
                await asyncio.sleep(0)
            search.look(entry)
        self.hits.show(search.hits(), search)
        self.settled = True
        if self._eager:
            self.action_choose()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Do what is under the cursor."""
        event.stop()
        self.action_choose()

    def _on_line_list_selected(self, message: Hits.Selected) -> None:
        message.stop()

    def _on_line_list_opened(self, message: Hits.Opened) -> None:
        message.stop()
        self.action_choose()

    def action_choose(self) -> None:
        """Do what is under the cursor, once it is known what was found."""
        self._eager = not self.settled
        if self.settled and self.hits.entry is not None:
            self.dismiss(self.hits.entry)

    def action_hit_down(self) -> None:
        """Go to the next."""
        self.hits.action_cursor_down()

    def action_hit_up(self) -> None:
        """Go to the one before."""
        self.hits.action_cursor_up()

    def action_hit_page_down(self) -> None:
        """Go a page down."""
        self.hits.action_page_down()

    def action_hit_page_up(self) -> None:
        """Go a page up."""
        self.hits.action_page_up()

    def action_cancel(self) -> None:
        """Do nothing."""
        self.dismiss(None)
