"""The sixteen colours that tasks print in: those of the screens around them, each readable where it stands."""

from __future__ import annotations

from typing import Final

from rich.color import Color
from rich.terminal_theme import TerminalTheme


def _rgb(color: str) -> tuple[int, int, int]:
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _theme(ground: str, ink: str, *colors: str) -> TerminalTheme:
    sixteen = [_rgb(color) for color in colors]
    return TerminalTheme(_rgb(ground), _rgb(ink), sixteen[:8], sixteen[8:])


#: As ink on a dark ground, black first, the bright ones last.
DARK: Final = _theme(
    "#181b1e",
    "#d5dae0",
    *("#59626d", "#f47067", "#6bc46d", "#e0b252", "#6cb6ff", "#b794f6", "#4cc4cf", "#c5ccd4"),
    *("#7d8793", "#ff938a", "#8ddb8c", "#f0cb78", "#96d0ff", "#d2b8ff", "#7fdde5", "#f2f5f8"),
)
#: As ink on a light one.
LIGHT: Final = _theme(
    "#f4f5f6",
    "#1f2630",
    *("#1f2630", "#c21f2c", "#1a7f37", "#8a5d00", "#0a5cc2", "#7a3ec8", "#0f6f7a", "#5f6b78"),
    *("#4f5a66", "#a40e26", "#116329", "#6f4b00", "#0b4a9b", "#5f2ca5", "#0b5963", "#76818d"),
)

_BLACK, _WHITE, _BRIGHT_WHITE = 0, 7, 15
_LIGHT_INK: Final = Color.parse("#ffffff")
_DARK_INK: Final = Color.parse("#000000")
#: As grounds, whatever the theme is: both black and white can be read on most of them.
_GROUNDS: Final = tuple(
    Color.parse(color)
    for color in (
        *("#1c2128", "#b62324", "#2a7d3f", "#8a6100", "#1f66c1", "#7d45b8", "#1b7483", "#c5ccd4"),
        *("#57606a", "#da3633", "#389d52", "#b58407", "#388bfd", "#a371f7", "#2b94a5", "#f2f5f8"),
    )
)
_PALE: Final = frozenset((_WHITE, _BRIGHT_WHITE))


def on_ground(ink: Color | None, ground: Color | None) -> tuple[Color | None, Color | None]:
    """Return the two colours of a text that has a ground of its own; one that has none is left as it is.

    What is readable as ink on the ground of a theme is none to stand below other ink.
    """
    if ground is None or ground.number is None or ground.number > _BRIGHT_WHITE:
        return ink, ground
    number = ground.number
    if ink is None:
        ink = _DARK_INK if number in _PALE else _LIGHT_INK
    elif ink.number in (_WHITE, _BRIGHT_WHITE):
        ink = _LIGHT_INK
    elif ink.number == _BLACK:
        ink = _DARK_INK
    return ink, _GROUNDS[number]
