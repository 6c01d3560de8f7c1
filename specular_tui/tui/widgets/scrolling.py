"""What lists and texts that draw their own lines have in common: the actions that move through them, and a thumb."""

from __future__ import annotations

from abc import abstractmethod


class ScrollActions:
    """The actions of moving. Whoever uses it says how many rows are on screen and what a step of some rows does."""

    @abstractmethod
    def _page(self) -> int:
        """Return how many rows are on screen."""

    @abstractmethod
    def _step(self, rows: int) -> None:
        """Move by `rows`, downwards if positive."""

    def action_cursor_down(self) -> None:
        """Go one row down."""
        self._step(1)

    def action_cursor_up(self) -> None:
        """Go one row up."""
        self._step(-1)

    def action_page_down(self) -> None:
        """Go a screen down, less one row."""
        self._step(max(1, self._page() - 1))

    def action_page_up(self) -> None:
        """Go a screen up, less one row."""
        self._step(-max(1, self._page() - 1))

    def action_half_page_down(self) -> None:
        """Go half a screen down."""
        self._step(max(1, self._page() // 2))

    def action_half_page_up(self) -> None:
        """Go half a screen up."""
        self._step(-max(1, self._page() // 2))


def thumb(top: int, shown: int, total: int, height: int) -> range:
    """Return the lines beside which the scroll indicator is, none if all `total` rows are `shown`."""
    if total <= shown or height < 1:
        return range(0)
    length = max(1, min(height - 1, height * shown // total))
    start = min(height - length, (height - length) * max(0, top) // max(1, total - shown))
    return range(start, start + length)


def share(y: int, height: int) -> float:
    """Return how far down the body line `y` is, from 0 to 1."""
    return max(0.0, min(1.0, y / max(1, height - 1)))
