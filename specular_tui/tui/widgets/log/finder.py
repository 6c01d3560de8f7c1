"""Where a search through the log on show stands: the match looked at, and the one wanted next."""

from __future__ import annotations

from typing import Literal

from specular_tui.tui.widgets.log.text import LogSearch, LogSource


class LogFinder:
    """One search, and which of its matches is looked at."""

    def __init__(self, source: LogSource, pattern: str, line: int, direction: Literal[1, -1]) -> None:
        """Look for `pattern` from `line` on, or from before it upwards."""
        self.search: LogSearch = source.search(pattern, max(0, line), direction)
        #: The line of the match that was gone to last.
        self.match: int | None = None
        self._wanted: tuple[int, Literal[1, -1]] | None = (line - 1 if direction > 0 else line, direction)

    @property
    def pattern(self) -> str:
        """What is looked for."""
        return self.search.pattern

    def want(self, line: int, direction: Literal[1, -1]) -> None:
        """Ask for the match next to the present one, or next to `line` where there is none."""
        self._wanted = (line if self.match is None else self.match, direction)

    def arrived(self) -> int | None:
        """Return the line of the match that was asked for, once, as soon as it is known."""
        if self._wanted is None:
            return None
        hit = self.search.near(*self._wanted)
        if hit is not None:
            self.match = hit
        if hit is not None or self.search.done:
            self._wanted = None
        return hit

    @property
    def text(self) -> str:
        """How it stands: `3/37`, `37+`, `no match`."""
        search = self.search
        count, more = len(search.hits), "+" if search.capped or not search.done else ""
        if not count:
            return "no match" if search.done else "searching"
        if self.match is not None and (at := search.place(self.match)) is not None:
            return f"{at + 1:,}/{count:,}{more}"
        return f"{count:,}{more}"
