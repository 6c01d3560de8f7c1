"""Of each widget only the lines that have changed are drawn, and what is painted is what all of it would be."""

from __future__ import annotations

import random

from rich.segment import Segment
from textual._compositor import ChopsUpdate
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from specular_tui.tui.terminal.changed_lines import ChangedLines

COLUMNS, LINES = 20, 10


class Counted(Widget):
    """Writes its letter and the number of the line, and notes which lines it is asked for."""

    def __init__(self, letter: str) -> None:
        super().__init__(id=letter)
        self.letter = letter
        self.asked: list[int] = []

    def render_lines(self, crop: Region) -> list[Strip]:
        self.asked += crop.line_range
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        return Strip([Segment((self.letter + str(y)).ljust(self.size.width, "."))])


class Two(Screen[None]):
    """Two columns, and a box over both of them."""

    def __init__(self) -> None:
        super().__init__()
        self._compositor = self.compositor = ChangedLines()
        self.left, self.right, self.over = Counted("l"), Counted("r"), Counted("o")

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield self.left
            yield self.right
        yield self.over

    def forget(self) -> None:
        for widget in (self.left, self.right, self.over):
            widget.asked.clear()

    def paint(self, *regions: Region) -> ChopsUpdate:
        """Paint these regions of the screen."""
        self.forget()
        self.compositor._dirty_regions.update(regions)
        update = self.compositor.render_partial_update()
        assert update is not None
        return update


class Host(App[None]):
    CSS = """
    Two { layers: below above; }
    Counted { width: 1fr; height: 1fr; }
    #o { layer: above; offset: 8 3; width: 5; height: 3; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.two = Two()

    def get_default_screen(self) -> Screen[None]:
        return self.two


def cells(update: ChopsUpdate) -> dict[tuple[int, int], str]:
    """Return the letters that an update writes, by line and cell: parts of lines that touch what was to be painted."""
    return {
        (y, x + at): letter
        for y, start, end in update.spans
        for x, strip in update.chops[y].items()
        if strip is not None and x < end and x + strip.cell_length > start
        for at, letter in enumerate(strip.text)
    }


async def test_a_line_that_has_changed_is_all_that_is_asked_for() -> None:
    app = Host()
    async with app.run_test(size=(COLUMNS, LINES)) as pilot:
        await pilot.pause()

        app.two.paint(Region(0, 7, 4, 1))
        assert (app.two.left.asked, app.two.right.asked, app.two.over.asked) == ([7], [], [])

        app.two.paint(Region(0, 1, COLUMNS, 1), Region(12, 8, 2, 1))
        assert app.two.left.asked == [1]
        assert app.two.right.asked == list(range(1, 9)), "from the first to the last: the lines between are kept ones"


async def test_what_is_covered_is_not_drawn() -> None:
    app = Host()
    async with app.run_test(size=(COLUMNS, LINES)) as pilot:
        await pilot.pause()

        app.two.paint(Region(9, 4, 2, 1))

        assert (app.two.left.asked, app.two.right.asked, app.two.over.asked) == ([], [], [1])


async def test_what_is_painted_is_what_all_of_it_would_be() -> None:
    app = Host()
    pick = random.Random(1)
    async with app.run_test(size=(COLUMNS, LINES)) as pilot:
        await pilot.pause()
        whole = cells(app.two.paint(Region(0, 0, COLUMNS, LINES)))
        assert len(whole) == COLUMNS * LINES
        assert {letter for letter in whole.values() if letter.isalpha()} == {"l", "r", "o"}
        for _ in range(200):
            regions = []
            for _ in range(pick.randint(1, 4)):
                x, y = pick.randrange(COLUMNS), pick.randrange(LINES)
                regions.append(Region(x, y, pick.randint(1, COLUMNS - x), pick.randint(1, LINES - y)))

            painted = cells(app.two.paint(*regions))

            wanted = {(y, x) for region in regions for y in region.line_range for x in region.column_range}
            assert wanted <= painted.keys()
            assert all(whole[at] == letter for at, letter in painted.items())


async def test_nothing_to_paint_is_no_update() -> None:
    app = Host()
    async with app.run_test(size=(COLUMNS, LINES)) as pilot:
        await pilot.pause()
        app.two.compositor._dirty_regions.clear()

        assert app.two.compositor.render_partial_update() is None
