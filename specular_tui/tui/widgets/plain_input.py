"""A line to type in that takes text only: what is pasted may hold anything."""

from __future__ import annotations

from textual.widgets import Input

from specular_tui.tui.safe import plain


class PlainInput(Input):
    """Holds nothing that acts on a terminal."""

    def validate_value(self, value: str) -> str:
        """Return the value with nothing in it that is no text."""
        return plain(value)
