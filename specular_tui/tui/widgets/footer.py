"""The line at the bottom: the keys that act here, made from the one table of bindings."""

from __future__ import annotations

from typing import Final

from textual.app import RenderResult
from textual.events import Click
from textual.screen import Screen
from textual.widget import Widget

from specular_tui.tui import keys, present
from specular_tui.tui.present import Line
from specular_tui.tui.theme import paint

_GAP: Final = 2


class KeyFooter(Widget):
    """Keys of what has the focus on the left, the modes and the help on the right; a click is the key."""

    def __init__(self, mode: str) -> None:
        """`mode` is the mode that it stands under, which is shown as chosen."""
        super().__init__()
        self._mode = mode
        self._spots: list[tuple[int, int, str]] = []

    def on_mount(self) -> None:
        """Paint again whenever other keys act."""
        self.screen.bindings_updated_signal.subscribe(self, self._changed)

    def _changed(self, screen: Screen[object]) -> None:
        if screen is self.screen:
            self.refresh()

    def _bound(self) -> dict[str, str]:
        """Return the key for each id that acts here; the first one where there are several."""
        bound: dict[str, str] = {}
        for key, active in self.screen.active_bindings.items():
            if active.enabled and active.binding.id is not None:
                bound.setdefault(active.binding.id, key)
        return bound

    def render(self) -> RenderResult:
        """Return the line; what has no room is left out, least important first."""
        width = self.content_size.width
        bound = self._bound()
        acting = sorted((key for key in keys.by_id(bound) if key.footer), key=lambda key: key.footer)
        wide = sum(present.width([(f"{keys.shown(bound[key.id])} {key.label}", "")]) + _GAP for key in acting)
        right, modes = self._right(bound, labels=True)
        if wide + present.width(right) > width:
            right, modes = self._right(bound, labels=False)
        room = width - present.width(right) - _GAP
        line: Line = []
        spots: list[tuple[int, int, str]] = []
        at = 0
        for key in acting:
            part: Line = [(keys.shown(bound[key.id]), "key"), (f" {key.label}", "muted")]
            length = present.width(part)
            if at + length > room:
                break
            line += [*part, (" " * _GAP, "plain")]
            spots.append((at, at + length, bound[key.id]))
            at += length + _GAP
        offset = max(0, width - present.width(right))
        self._spots = spots + [(start + offset, end + offset, key) for start, end, key in modes]
        return paint([*line, (" " * (offset - at), "plain"), *right])

    def _right(self, bound: dict[str, str], *, labels: bool) -> tuple[Line, list[tuple[int, int, str]]]:
        line: Line = []
        spots: list[tuple[int, int, str]] = []
        at = 0
        for key in keys.rows("app"):
            if key.id not in bound or (key.action != "help" and not key.action.startswith("mode(")):
                continue
            here = key.action == f"mode('{self._mode}')"
            part: Line = [(keys.shown(bound[key.id]), "key")]
            if here or labels or key.action == "help":
                part.append((f" {key.label}", "strong" if here else "muted"))
            length = present.width(part)
            line += [(" " * _GAP, "plain"), *part]
            spots.append((at + _GAP, at + _GAP + length, bound[key.id]))
            at += _GAP + length
        return line, spots

    def on_click(self, event: Click) -> None:
        """Press the key under the mouse."""
        offset = event.get_content_offset(self)
        for start, end, key in self._spots:
            if offset is not None and start <= offset.x < end:
                self.app.simulate_key(key)
                return
