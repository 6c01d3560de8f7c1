"""The pinned line under the header: what failed first, or why the run stands still."""

from __future__ import annotations

from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widget import Widget

from specular_tui.tui import keys, present
from specular_tui.tui.theme import paint
from specular_tui.tui.views import Desk


class FailureNotice(Widget):
    """Says what failed first, or why a stored run stands still, and the key that leads on."""

    class Chosen(Message):
        """The notice was clicked: go to the failure."""

    def __init__(self, desk: Desk) -> None:
        """`desk` is read at every paint."""
        super().__init__()
        self._desk = desk

    def update(self) -> None:
        """Show what there is to say of the run in view, or go away."""
        view = self._desk.view
        self.display = view is not None and bool(present.failure(view) or present.standing(view))
        self.refresh()

    def render(self) -> Content:
        """Return the line; the key stands at its end."""
        view = self._desk.view
        if view is None:
            return Content("")
        left, right = present.failure(view), [keys.cap("build.next"), (" show", "muted")]
        if not left:
            left, right = present.standing(view), [keys.cap("run.resume"), (" go on", "muted")]
        elif (more := len(view.failed) - 1) > 0:
            right = [(f"and {more} more  ", "muted"), *right]
        return paint(present.spread([left], [right], self.content_size.width))

    def on_click(self, event: Click) -> None:
        """Lead to the failure."""
        event.stop()
        self.post_message(self.Chosen())
