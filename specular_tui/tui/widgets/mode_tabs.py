"""The line of the modes between header and body, made from the one table of bindings; a click goes to one."""

from __future__ import annotations

from textual.app import RenderResult
from textual.events import Click
from textual.screen import Screen
from textual.widget import Widget

from specular_tui.tui import keys, present
from specular_tui.tui.present import Line
from specular_tui.tui.theme import paint


class ModeTabs(Widget):
    """Names the modes with their keys; the one that is open stands out."""

    def __init__(self, mode: str) -> None:
        """`mode` is the one that it stands in."""
        super().__init__()
        self._mode = mode
        self._spots: list[tuple[int, int, str]] = []

    def on_mount(self) -> None:
        """Paint again whenever other keys act."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, screen: Screen[object]) -> None:
        if screen is self.screen:
            self.refresh()

    def render(self) -> RenderResult:
        """Return the line; where it is very narrow, the modes that are not open are their keys alone."""
        modes = [row for row in keys.rows("app") if row.action.startswith("mode(")]
        names = [f" {keys.pressed(row.id)} {row.label} " for row in modes]
        here = [row.action == f"mode('{self._mode}')" for row in modes]
        if sum(map(len, names)) > self.content_size.width:
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
        return paint(present.cut(line, self.content_size.width))

    async def on_click(self, event: Click) -> None:
        """Go to the mode under the mouse."""
        offset = event.get_content_offset(self)
        for start, end, action in self._spots:
            if offset is not None and start <= offset.x < end:
                await self.run_action(f"app.{action}")
                return
