"""Of each widget only the lines that have changed are drawn.

Textual has every widget that touches the rectangle around all changes give all its lines, and then takes the changed
ones. A second that goes by changes the header at the top and a row far below: that had everything between drawn, the
log with it.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.strip import Strip


class ChangedLines(Compositor):
    """Asks widgets for the lines from their first that has changed to their last, and only if those can be seen."""

    def __init__(self) -> None:
        super().__init__()
        #: While a part of the screen is painted: what of each line is still to be drawn, from which cell to which.
        self._missing: dict[int, list[tuple[int, int]]] | None = None

    def render_partial_update(self) -> ChopsUpdate | None:
        """Return what has changed since the last paint, or None."""
        self._missing = {}
        for y, start, end in self._regions_to_spans(self._dirty_regions):
            self._missing.setdefault(y, []).append((start, end))
        try:
            return super().render_partial_update()
        finally:
            self._missing = None

    def _get_renders(self, crop: Region | None = None) -> Iterable[tuple[Region, Region, list[Strip]]]:
        """Yield parts of the screen from front to back: where they are, twice, and their lines."""
        missing = self._missing
        if missing is None:
            yield from super()._get_renders(crop)
            return
        for widget, (region, clip) in self.visible_widgets.items():
            seen = region.intersection(clip)
            left, right = seen.column_span
            lines = [
                y
                for y in missing.keys() & set(seen.line_range)
                if any(start < right and end > left for start, end in missing[y])
            ]
            if not lines:
                continue
            top = min(lines)
            part = Region(seen.x, top, seen.width, max(lines) + 1 - top)
            yield part, part, widget.render_lines(part.translate((-region.x, -region.y)))
            for y in lines:
                missing[y] = [
                    piece
                    for start, end in missing[y]
                    for piece in ((start, min(end, left)), (max(start, right), end))
                    if piece[0] < piece[1]
                ]
            if not any(missing.values()):
                return
