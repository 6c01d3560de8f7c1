"""What is written to a terminal that shows something already: as little as it takes, and never too little."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from textual._compositor import ChopsUpdate, LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip

from specular_tui.tui.terminal.repaint import Terminal, difference

RED = Style.parse("red")
CONSOLE = Console(color_system="truecolor", force_terminal=True)
WIDTH = 8


def cells(segments: list[Segment]) -> list[tuple[str, Style | None]]:
    """Return a letter and a style for each cell; the second one of a wide letter has none."""
    found: list[tuple[str, Style | None]] = []
    for text, style, _ in segments:
        for letter in text:
            found += [(letter, style), ("", style)][: cell_len(letter)]
    return found


@st.composite
def lines(draw: st.DrawFn, width: int = WIDTH) -> list[Segment]:
    """Segments of so many cells together."""
    segments: list[Segment] = []
    left = width
    while left:
        text = draw(st.text("ab ●日", min_size=1, max_size=left))
        while cell_len(text) > left:
            text = text[:-1]
        if text:
            segments.append(Segment(text, draw(st.sampled_from([RED, None]))))
            left -= cell_len(text)
    return segments


@given(lines(), lines())
def test_a_difference_makes_the_one_the_other(before: list[Segment], after: list[Segment]) -> None:
    found = difference(before, after)
    shown = cells(before)
    if found is not None:
        away, segments = found
        written = cells(segments)
        shown[away : away + len(written)] = written
    assert shown == cells(after)


def test_only_the_letters_that_differ_are_written() -> None:
    before = [Segment(" SPECULAR ", RED), Segment("  build   12s / ~3m  "), Segment("2 jobs")]
    after = [Segment(" SPECULAR ", RED), Segment("  build   13s / ~3m  "), Segment("2 jobs")]
    assert difference(before, after) == (21, [Segment("3")])
    assert difference(before, list(before)) is None


def test_behind_a_letter_that_terminals_disagree_on_all_is_written() -> None:
    before = [Segment("日"), Segment(" of "), Segment("10")]
    assert difference(before, [Segment("日"), Segment(" of "), Segment("11")]) == (
        0,
        [Segment("日"), Segment(" of "), Segment("11")],
    )
    assert difference([Segment("ab"), *before], [Segment("ab"), Segment("日"), Segment(" of "), Segment("11")]) == (
        2,
        [Segment("日"), Segment(" of "), Segment("11")],
    )


class Screen:
    """A terminal of three lines that shows what is written to it; styles are left out."""

    def __init__(self) -> None:
        self.lines = [[" "] * WIDTH for _ in range(3)]

    def write(self, text: str) -> None:
        """Show it."""
        for y, x, words in re.findall(r"\x1b\[(\d+);(\d+)H([^\x1b\n]*)", text):
            self.lines[int(y) - 1][int(x) - 1 : int(x) - 1 + len(words)] = words


class Painted:
    """A screen, what it ought to show, and what is known of it."""

    def __init__(self) -> None:
        self.terminal, self.screen = Terminal(), Screen()
        self.wanted = [[" "] * WIDTH for _ in range(3)]
        self.paint_all()

    def paint_all(self) -> None:
        strips = [[Strip([Segment("".join(line))])] for line in self.wanted]
        update = self.terminal.missing(LayoutUpdate(list(strips), Region(0, 0, WIDTH, 3)))
        self.screen.write(update.render_segments(CONSOLE))

    def paint(self, y: int, cut: int, right: bool, letter: str) -> None:
        """Fill one of the two parts of a line."""
        start, end = (cut, WIDTH) if right else (0, cut)
        self.wanted[y][start:end] = letter * (end - start)
        chops: list[dict[int, Strip | None]] = [{0: None, cut: None} for _ in range(3)]
        chops[y][start] = Strip([Segment(letter * (end - start))])
        update = self.terminal.missing(ChopsUpdate(chops, [(y, start, end)], [[cut, WIDTH]] * 3))
        self.screen.write(update.render_segments(CONSOLE))


@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from([3, 5]), st.booleans(), st.sampled_from("abc ")) | st.none())
)
def test_the_terminal_shows_what_was_painted_however_lines_were_cut(
    steps: list[tuple[int, int, bool, str] | None],
) -> None:
    painted = Painted()
    for step in steps:
        if step is None:
            painted.paint_all()
        else:
            painted.paint(*step)
        assert painted.screen.lines == painted.wanted


def test_what_others_have_written_is_written_over() -> None:
    painted = Painted()
    painted.paint(1, 3, True, "a")
    painted.screen.lines[1] = list("########")
    painted.terminal.forget()
    painted.paint(1, 3, True, "a")
    assert "".join(painted.screen.lines[1]) == "###aaaaa"
    painted.screen.lines[1] = list("########")
    painted.paint_all()
    assert painted.screen.lines == painted.wanted


def test_what_is_there_already_is_not_written() -> None:
    terminal = Terminal()
    update = ChopsUpdate([{0: Strip([Segment("12 s")]), 4: Strip([Segment("live")])}], [(0, 0, 8)], [[4, 8]])
    assert terminal.missing(update).render_segments(CONSOLE).count("\x1b[1;") == 2
    again = ChopsUpdate([{0: Strip([Segment("13 s")]), 4: Strip([Segment("live")])}], [(0, 0, 8)], [[4, 8]])
    assert terminal.missing(again).render_segments(CONSOLE) == "\x1b[1;2H3"
