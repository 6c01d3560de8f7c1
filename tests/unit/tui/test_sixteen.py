"""The colours that tasks print in can be read, on the grounds of the themes and on their own."""

from __future__ import annotations

import pytest
from rich.color import Color
from rich.terminal_theme import TerminalTheme

from specular_tui.tui import sixteen, theme
from specular_tui.tui.sixteen import on_ground


def light(color: tuple[int, int, int]) -> float:
    parts = [part / 255 for part in color]
    red, green, blue = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    darker, brighter = sorted((light(one), light(other)))
    return (brighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(
    ("colors", "ground", "faint"),
    [(sixteen.DARK, theme.DARK.surface, {0, 8}), (sixteen.LIGHT, theme.LIGHT.surface, {15})],
)
def test_each_can_be_read_as_ink(colors: TerminalTheme, ground: str, faint: set[int]) -> None:
    behind = Color.parse(ground).get_truecolor()
    for number in range(16):
        least = 2.5 if number in faint else 4.5
        assert contrast(colors.ansi_colors[number], behind) >= least, f"colour {number}"


@pytest.mark.parametrize("number", range(16))
def test_words_can_be_read_on_each_of_them(number: int) -> None:
    ink, ground = on_ground(None, Color.from_ansi(number))
    assert ink is not None
    assert ground is not None
    assert contrast(ink.get_truecolor(), ground.get_truecolor()) >= 3
