"""All that has been said, to be read in peace."""

from __future__ import annotations

from typing import ClassVar

from specular_tui.tui import present_said
from specular_tui.tui.clock import Clock
from specular_tui.tui.present import Line
from specular_tui.tui.said import Said
from specular_tui.tui.screens.dialogs.reading import ReadingDialog


class MessagesDialog(ReadingDialog):
    """Lists messages, newest first, each with its time."""

    TITLE_TEXT: ClassVar[str] = "Messages"
    OPENED_BY: ClassVar[str] = "app.messages"

    def __init__(self, said: Said, clock: Clock) -> None:
        """`said` has the messages."""
        super().__init__()
        self._said = said
        self._clock = clock

    def lines(self, room: int) -> list[Line]:
        """Return the messages in full."""
        return present_said.listed(self._said.all, self._clock, room)
