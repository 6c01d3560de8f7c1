"""Stands in for the log view until that is there."""

from __future__ import annotations

from textual.widgets import Static


class LogView(Static, can_focus=True):
    follow = True
    wrap = False
    searching = False
    title = ""

    def show(self, source: object, *, title: str, placeholder: str) -> None:
        self.update(title + "\n\n" + (placeholder if source is None else str(source)))

    def poll(self) -> None: ...
    def search(self, text: str) -> None: ...
    def next_match(self) -> None: ...
    def previous_match(self) -> None: ...
