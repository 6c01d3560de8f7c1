"""The line of the modes between header and body, made from the one table of bindings; a click goes to one.

Messages stand at its free end. Where there is no room for them they take its place for as long as they are shown.
"""

from __future__ import annotations

from textual.app import RenderResult
from textual.events import Click
from textual.screen import Screen

from specular_tui.tui import keys, present
from specular_tui.tui.present import Line
from specular_tui.tui.said import Said
from specular_tui.tui.theme import paint
from specular_tui.tui.widgets.message_line import MessageLine


class ModeTabs(MessageLine):
    """Names the modes with their keys; the one that is open stands out."""

    def __init__(self, mode: str, said: Said) -> None:
        """`mode` is the one that it stands in."""
        super().__init__(said)
        self._mode = mode
        self._spots: list[tuple[int, int, str]] = []

    def on_mount(self) -> None:
        """Paint again whenever other keys act."""
        super().on_mount()
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, screen: Screen[object]) -> None:
        if screen is self.screen:
            self.refresh()

    def _arrange(self) -> None:
        self.styles.height = max(1, len(self._lines))

    def render(self) -> RenderResult:
        """Return the modes and, beside them or instead of them, the message."""
        width = self.content_size.width
        if not self._lines:
            return paint(present.cut(self._tabs(width), width))
        message = self._lines[0]
        for taken in (0, present.width(message) + 2):
            tabs = present.cut(self._tabs(width - taken), width)
            room = width - present.width(tabs) - 2
            if len(self._lines) == 1 and present.width(message) <= room:
                return paint([*tabs, (" " * (room + 1 - present.width(message)), "plain"), *message])
        self._spots = []
        return super().render()

    def _tabs(self, width: int) -> Line:
        """Return the modes; where there is not room for all names, those that are not open are their keys alone."""
        modes = [row for row in keys.rows("app") if row.action.startswith("mode(")]
        names = [f" {keys.pressed(row.id)} {row.label} " for row in modes]
        here = [row.action == f"mode('{self._mode}')" for row in modes]
        if sum(map(len, names)) > width:
            names = [
                name if chosen else f" {keys.pressed(row.id)} "
                for name, row, chosen in zip(names, modes, here, strict=True)
            ]
        line: Line = []
        self._spots = []
        at = 0
        for name, row, chosen in zip(names, modes, here, strict=True):
            key, _, label = name.strip().partition(" ")
            ground = "-on" if chosen else ""
            line += [(f" {key}", f"tab-key{ground}"), (f" {label} " if label else " ", f"tab{ground}")]
            self._spots.append((at, at + len(name), row.action))
            at += len(name)
        return line

    async def on_click(self, event: Click) -> None:
        """Go to the mode under the mouse, or take the message away that is there."""
        event.prevent_default()
        offset = event.get_content_offset(self)
        for start, end, action in self._spots:
            if offset is not None and start <= offset.x < end:
                await self.run_action(f"app.{action}")
                return
        if self._lines:
            self.app.clear_notifications()
