"""A row of switches, each at a key; a click switches too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from textual.app import RenderResult
from textual.content import Content
from textual.events import Click
from textual.geometry import Size
from textual.widget import Widget

from specular_tui.tui import glyphs, keys, present
from specular_tui.tui.present import Line
from specular_tui.tui.theme import paint

_GAP: Final = 3


class Switch(Struct, frozen=True):
    """One switch: the action that it is bound to in the table of keys, and how it stands."""

    id: str
    label: str
    on: bool
    #: It counts, and this is the action that counts down.
    less: str = ""


def _key(row_id: str) -> str:
    (row,) = keys.by_id([row_id])
    return keys.acting(row).split(",")[0]


class SwitchBar(Widget):
    """Draws switches in as many lines as they take."""

    def __init__(self) -> None:
        super().__init__()
        self._switches: Sequence[Switch] = ()
        self._spots: list[tuple[int, int, int, str]] = []

    def show(self, switches: Sequence[Switch]) -> None:
        """Show how the switches stand."""
        if switches != self._switches:
            self._switches = switches
            self.refresh(layout=True)

    def _lines(self, width: int) -> list[Line]:
        """Return the switches, wrapped to `width`, and remember where each one is."""
        lines: list[Line] = [[]]
        self._spots = []
        used = 0
        for switch in self._switches:
            head: Line = [keys.cap(switch.id)]
            if not switch.less:
                sign = glyphs.RUNNING if switch.on else glyphs.PENDING
                head.append((f" {sign} ", "accent" if switch.on else "faint"))
            label: Line = [(switch.label, "strong" if switch.on else "muted")]
            less: Line = [(" ", "plain"), keys.cap(switch.less), (" ", "plain")] if switch.less else []
            part = [*head, *less, *label]
            length = present.width(part)
            if used and used + length > width:
                lines.append([])
                used = 0
            lines[-1] += [*part, (" " * _GAP, "plain")]
            end = used + present.width([*head, *less])
            if switch.less:
                self._spots.append((len(lines) - 1, used + present.width(head), end, _key(switch.less)))
            self._spots.append((len(lines) - 1, used, used + length, _key(switch.id)))
            used += length + _GAP
        return lines

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Return how many lines they take."""
        return len(self._lines(width))

    def render(self) -> RenderResult:
        """Return the lines."""
        return Content("\n").join([paint(line) for line in self._lines(self.content_size.width)])

    def on_click(self, event: Click) -> None:
        """Press the key of the switch under the mouse."""
        offset = event.get_content_offset(self)
        for line, start, end, key in self._spots:
            if offset is not None and offset.y == line and start <= offset.x < end:
                self.app.simulate_key(key)
                return
