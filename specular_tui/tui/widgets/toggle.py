"""Something that is on or off, at a key or a click."""

from __future__ import annotations

from typing import ClassVar

from textual.app import RenderResult
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget

from specular_tui.tui import keys
from specular_tui.tui.theme import paint


class Toggle(Widget, can_focus=True):
    """`[x] what it is about`."""

    BINDINGS: ClassVar = keys.bindings("toggle")

    value = reactive(False)

    class Changed(Message):
        """It was switched by the user."""

    def __init__(self, label: str, *, id: str | None = None) -> None:  # noqa: A002  Textual's name
        """`label` says what it is about."""
        super().__init__(id=id)
        self._label = label

    def render(self) -> RenderResult:
        """Return the line."""
        return paint([("[", "muted"), ("x" if self.value else " ", "key"), ("] ", "muted"), (self._label, "plain")])

    def action_switch(self) -> None:
        """Switch it."""
        self.value = not self.value
        self.post_message(self.Changed())

    def on_click(self) -> None:
        """Switch it too."""
        self.action_switch()
