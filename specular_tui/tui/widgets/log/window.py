"""Which rows of a log are on screen, and what of them is selected. Pure; it paints nothing."""

from __future__ import annotations

from specular_tui.tui.widgets.log.text import LogSource, LogText, Row, index_at

#: A place in a log: a line, and a row within it. Lines are numbered from the end while not all have been counted.
Top = tuple[int, int]
#: A line, and a character in it.
Place = tuple[int, int]

_WHOLE = 1 << 30
#: So many lines are copied at most.
_COPIED = 20_000
#: Numbers of lines have room for so many digits at least, so that a log which grows seldom moves aside.
_DIGITS = 3
#: Blank cells between the number of a line and its text.
NUMBER_GAP = 2
#: Where less than this is left for the text, numbers are left out; the second holds where they are asked for.
_ROOM, _LEAST = 60, 20


class LogWindow:
    """A window on a log: at its end while it follows, else where it was moved to."""

    def __init__(self, source: LogSource, *, follow: bool = True, wrap: bool = False) -> None:
        """The window has no size yet."""
        self.source = source
        self.text = LogText(source)
        self.follow = follow
        self.wrap = wrap
        self.width = self.height = 1
        #: Cells at the left for the numbers of lines; 0 where there are none.
        self.numbers = 0
        self.top: Top = (0, 0)
        #: Cells that are scrolled out on the left.
        self.left = 0
        #: How many lines there were when following ended; None until all of those have been counted.
        self.seen: int | None = 0
        self.anchor: Place | None = None
        self.head: Place | None = None
        self._layout: list[Row] | None = None

    def changed(self) -> None:
        """Lay the rows out anew when they are next asked for."""
        self._layout = None

    def measure(self, width: int, height: int, wanted: bool | None) -> None:
        """Take `width` cells and `height` rows for the text and the numbers before it.

        `wanted`: whether lines are numbered; None for where there is room.
        """
        self.height = height
        self.numbers = 0
        if wanted is not False:
            cells = max(_DIGITS, len(str(self._most_lines()))) + NUMBER_GAP
            if width - cells >= (_LEAST if wanted else _ROOM):
                self.numbers = cells
        self.width = max(1, width - self.numbers)

    def _most_lines(self) -> int:
        """Return how many lines there are; while not all have been counted, how many there seem to be."""
        counted, size, done = self.source.line_count, self.source.size, self.source.counted_bytes
        return counted if done >= size or not done else counted * size // done

    def bounds(self) -> tuple[int, int]:
        """Return the first line that can be shown, and the one behind the last."""
        source = self.source
        if source.ready or (self.top[0] >= 0 and not self.follow):
            return 0, source.line_count
        return -source.tail_count, 0

    def settle(self) -> None:
        """Number lines from the start once all are counted."""
        source = self.source
        if source.ready and self.seen is None:
            self.seen = source.line_count
        if source.ready and self.top[0] < 0:
            self.top = (max(0, source.line_count + self.top[0]), self.top[1])

    def stay(self) -> None:
        """End following: stay where the window stands."""
        self.follow = True
        top = self.last_top()
        self.follow = False
        self.top, self.seen = top, self.source.line_count if self.source.ready else None

    @property
    def whole(self) -> bool:
        """Whether all of the log is on screen."""
        return self.last_top() <= (self.bounds()[0], 0)

    @property
    def at_end(self) -> bool:
        """Whether the last row of the log is on screen."""
        return self.follow or self.top >= self.last_top()

    def rows_of(self, line: int) -> list[Row]:
        """Return the rows of a line."""
        return self.text.rows(line, self.width) if self.wrap else [Row(line, 0, _WHOLE)]

    def last_top(self) -> Top:
        """Return where the window stands when the last row of the log is on its last line."""
        low, high = self.bounds()
        left = max(1, self.height)
        if not self.wrap:
            return max(low, high - left), 0
        line = high
        while line > low:
            line -= 1
            rows = len(self.rows_of(line))
            if rows >= left:
                return line, rows - left
            left -= rows
        return low, 0

    def moved(self, top: Top, rows: int) -> Top:
        """Return the place `rows` further down."""
        low, high = self.bounds()
        line, row = top
        if not self.wrap:
            return max(low, min(line + rows, high - 1)), 0
        row += rows
        while row < 0 and line > low:
            line -= 1
            row += len(self.rows_of(line))
        while line < high - 1 and row >= (here := len(self.rows_of(line))):
            row -= here
            line += 1
        return line, max(0, row)

    def rows(self) -> list[Row]:
        """Return the rows on screen."""
        if self._layout is None:
            top = self.last_top() if self.follow else min(self.top, self.last_top())
            if not self.follow:
                self.top = top
            found: list[Row] = []
            line, skip = top
            # Whoever follows does not scroll up.
            self.text.first = line if self.follow and not self.wrap else None
            _, high = self.bounds()
            while line < high and len(found) < self.height:
                found += self.rows_of(line)[skip:]
                line, skip = line + 1, 0
            self._layout = found[: self.height]
        return self._layout

    def put(self, top: Top) -> None:
        """Stand at `top`, or as near as there are lines."""
        self.top = min(top, self.last_top())
        self.changed()

    def scroll(self, rows: int) -> bool:
        """Move by `rows`; return whether the window has come to the end."""
        last = self.last_top()
        top = self.moved(min(self.top, last), rows)
        self.put(top)
        return rows > 0 and top >= last

    # Selection -------------------------------------------------------------------------------------------------------

    def place(self, x: int, y: int) -> Place | None:
        """Return the line and the character under a cell, or the nearest ones; those of a number are its line's."""
        rows = self.rows()
        if not rows:
            return None
        row = rows[max(0, min(y, len(rows) - 1))]
        text = self.text.line(row.line).text
        part = text[row.start : min(row.end, len(text))]
        cell = max(0, x - self.numbers)
        return row.line, row.start + index_at(part, cell + (0 if self.wrap else self.left))

    def deselect(self) -> None:
        """Select nothing."""
        self.anchor = self.head = None

    @property
    def selection(self) -> tuple[Place, Place] | None:
        """From where to where text is selected."""
        if self.anchor is None or self.head is None or self.anchor == self.head:
            return None
        return min(self.anchor, self.head), max(self.anchor, self.head)

    def selected_in(self, line: int, length: int) -> tuple[int, int] | None:
        """Return the characters that are selected of a line of `length`."""
        selection = self.selection
        if selection is None:
            return None
        (first, start), (last, end) = selection
        if not first <= line <= last:
            return None
        return (start if line == first else 0), (min(end, length) if line == last else length)

    def extend(self, step: int) -> None:
        """Select a line more in a direction, or a line less."""
        rows = self.rows()
        if not rows or not self.source.ready:
            return
        low, high = self.bounds()
        if self.anchor is None or self.head is None:
            line = rows[-1].line if step < 0 else rows[0].line
            self.anchor, self.head = (line + (step < 0), 0), (line + (step > 0), 0)
        else:
            self.head = (max(low, min(self.head[0] + step, high)), 0)
        line = min(max(self.head[0] - (self.head > self.anchor), low), high - 1)
        if line < rows[0].line or line > rows[-1].line:
            self.scroll(step)

    def selected_text(self) -> str:
        """Return the selected text, or all on screen where nothing is selected."""
        selection = self.selection
        if selection is None:
            return "\n".join(self.text.line(line).text for line in dict.fromkeys(row.line for row in self.rows()))
        (first, _), (last, _) = selection
        lines: list[str] = []
        for number in range(first, min(last, first + _COPIED) + 1):
            content = self.text.line(number).text
            start, end = self.selected_in(number, len(content)) or (0, 0)
            lines.append(content[start:end])
        return "\n".join(lines)
