"""The line at the bottom: the keys that do something here and now, made from the one table of bindings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from textual.app import RenderResult
from textual.events import Click
from textual.screen import Screen
from textual.widget import Widget

from specular_tui.tui import keys, present
from specular_tui.tui.keys import Key
from specular_tui.tui.present import Line
from specular_tui.tui.theme import paint

_GAP: Final = 2
#: These stand at the right end, and are there at any width.
_ALWAYS: Final = ("app.leave", "app.help")


class KeyFooter(Widget):
    """What can be done with what has the focus, and the way out; a click is the key."""

    def __init__(self, offers: Callable[[Key], bool]) -> None:
        """`offers` tells whether a key that acts here makes sense as things stand."""
        super().__init__()
        self._offers = offers
        self._spots: list[tuple[int, int, str]] = []
        self._painted: list[tuple[str, str]] = []

    def on_mount(self) -> None:
        """Paint again whenever other keys act."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, screen: Screen[object]) -> None:
        if screen is self.screen:
            self.update()

    def update(self) -> None:
        """Paint again if something else makes sense now."""
        if self.is_mounted and self._shown() != self._painted:
            self.refresh()

    def _bound(self) -> dict[str, str]:
        """Return the key for each id that acts here; the first one where there are several."""
        bound: dict[str, str] = {}
        for key, active in self.screen.active_bindings.items():
            if active.enabled and active.binding.id is not None:
                bound.setdefault(active.binding.id, key)
        return bound

    def _shown(self) -> list[tuple[str, str]]:
        """Return the ids and the keys that have a place in the line, most important first.

        There are none while something else is in front: a dialog says itself what its keys are.
        """
        if not self.screen.is_active:
            return []
        bound = self._bound()
        rows = [key for key in keys.by_id(bound) if key.footer and key.id not in _ALWAYS and self._offers(key)]
        rows.sort(key=lambda key: key.footer)
        return [(row.id, bound[row.id]) for row in rows] + [(name, bound[name]) for name in _ALWAYS if name in bound]

    def render(self) -> RenderResult:
        """Return the line; what has no room is left out whole, least important first."""
        self._painted = self._shown()
        width = self.content_size.width
        if not self._painted:
            return ""
        parts = {name: _part(name, key) for name, key in self._painted}
        right = [name for name in parts if name in _ALWAYS]
        room = width - sum(present.width(parts[name]) + _GAP for name in right)
        line: Line = []
        self._spots = []
        at = 0
        for name, key in self._painted:
            length = present.width(parts[name])
            if name in right or at + length > room:
                break
            line += [*parts[name], (" " * _GAP, "plain")]
            self._spots.append((at, at + length, key))
            at += length + _GAP
        line.append((" " * max(0, room + _GAP - at), "plain"))
        at = max(at, room + _GAP)
        for name, key in self._painted:
            if name in right:
                self._spots.append((at, at + present.width(parts[name]), key))
                line += [*parts[name], (" " * _GAP, "plain")]
                at += present.width(parts[name]) + _GAP
        return paint(present.cut(line[:-1], width))

    def on_click(self, event: Click) -> None:
        """Press the key under the mouse."""
        offset = event.get_content_offset(self)
        for start, end, key in self._spots:
            if offset is not None and start <= offset.x < end:
                self.app.simulate_key(key)
                return


def _part(name: str, key: str) -> Line:
    (row,) = keys.by_id([name])
    return [(keys.shown(key), "key"), (f" {row.label}", "muted")]
