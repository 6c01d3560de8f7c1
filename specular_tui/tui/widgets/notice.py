"""The pinned line under the header: the first failure."""

from __future__ import annotations

from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widget import Widget

from specular_tui.tui import present
from specular_tui.tui.theme import paint
from specular_tui.tui.views import Desk


class FailureNotice(Widget):
    """Says what failed first; not there while nothing has."""

    class Chosen(Message):
        """The notice was clicked: go to the failure."""

    def __init__(self, desk: Desk) -> None:
        """`desk` is read at every paint."""
        super().__init__()
        self._desk = desk

    def update(self) -> None:
        """Show the failure of the run in view, or go away."""
        view = self._desk.view
        self.display = view is not None and bool(present.failure(view))
        self.refresh()

    def render(self) -> Content:
        """Return the line; the key that leads there stands at its end."""
        view = self._desk.view
        if view is None:
            return Content("")
        more = len(view.state.failed_for_good()) - 1
        right: present.Line = [(f"and {more} more  ", "muted")] if more > 0 else []
        right += [("n", "key"), (" show", "muted")]
        return paint(present.spread([present.failure(view)], [right], self.content_size.width))

    def on_click(self, event: Click) -> None:
        """Lead to the failure."""
        event.stop()
        self.post_message(self.Chosen())
