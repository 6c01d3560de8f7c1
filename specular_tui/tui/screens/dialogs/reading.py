"""A dialog in which something is read: it scrolls, and the key that opened it closes it."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from textual.app import ComposeResult
from textual.events import Key, Resize
from textual.widgets import Static

from specular_tui.tui import keys
from specular_tui.tui.present import Line
from specular_tui.tui.screens.dialogs.dialog import Dialog
from specular_tui.tui.styling import sheets
from specular_tui.tui.theme import paint, paint_lines
from specular_tui.tui.widgets.text_pane import ScrolledText


class ReadingDialog(Dialog[None]):
    """Shows lines, as wide as there is room."""

    CSS_PATH: ClassVar = sheets("dialogs")
    BINDINGS: ClassVar = [*keys.bindings("dialog")]
    TITLE_TEXT: ClassVar[str] = ""
    #: The row of the key that opens it.
    OPENED_BY: ClassVar[str] = ""

    def compose(self) -> ComposeResult:
        """Yield the text."""
        with ScrolledText(id="dialog"):
            ways: Line = [("   ", "plain"), keys.cap("dialog.cancel"), (" closes", "muted")]
            yield Static(paint([(self.TITLE_TEXT, "strong"), *ways]), id="title")
            yield Static(id="details", markup=False)

    @abstractmethod
    def lines(self, room: int) -> list[Line]:
        """Return what is read, in lines of at most `room` cells."""

    def on_resize(self, event: Resize) -> None:
        """Break the lines anew: what the dialog leaves at its sides, its border and the scroll bar are no room."""
        room = event.size.width * 96 // 100 - 7
        self.query_one("#details", Static).update(paint_lines(self.lines(room)))

    def on_mount(self) -> None:
        """Let the keys scroll."""
        self.query_one("#dialog").focus()

    def on_key(self, event: Key) -> None:
        """The key that opened it closes it, and so does the one that leaves."""
        (opened,) = keys.by_id([self.OPENED_BY])
        if event.key in ("q", "enter", *keys.acting(opened).split(",")):
            event.stop()
            self.dismiss()

    def action_cancel(self) -> None:
        """Close."""
        self.dismiss()
