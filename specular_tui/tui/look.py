"""What the terminal can show: with Unicode or without, with colours or without.

Both are settled behind everything that paints, in filters that all strips pass on their way to the terminal. So they
hold for every widget, Textual's own included, and nobody who paints has to think of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from msgspec import Struct
from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.filter import LineFilter

from specular_tui.tui.glyphs import ascii_text

#: How far a ground must be from black, of 255, to be shown; the theme `specular-monochrome` is made for these.
_SHOWN: Final = 0x2E
#: Ink that is fainter than this is dim.
_DIM: Final = 0xA0


class Look(Struct, frozen=True):
    """What the terminal can show."""

    unicode: bool = True
    colors: bool = True

    @classmethod
    def of_terminal(cls, environ: Mapping[str, str]) -> Look:
        """Return what the environment says: the encoding of its locale, and NO_COLOR."""
        return cls(unicode=has_unicode(environ), colors=not environ.get("NO_COLOR"))

    def filters(self) -> list[LineFilter]:
        """Return what all that is painted has to pass."""
        filters: list[LineFilter] = []
        if not self.colors:
            filters.append(Attributes())
        if not self.unicode:
            filters.append(Ascii())
        return filters


def has_unicode(environ: Mapping[str, str]) -> bool:
    """Tell whether the locale is one of UTF-8; with none at all, which containers often have, it is taken to be.

    Python puts `LC_CTYPE=C.UTF-8` beside `LANG=C` on its own account: what the user has set counts.
    """
    for name in ("LC_ALL", "LC_CTYPE", "LANG"):
        value = environ.get(name, "")
        if value and not (name == "LC_CTYPE" and value == "C.UTF-8" and environ.get("LANG") in ("C", "POSIX")):
            return "utf8" in value.lower().replace("-", "")
    return True


class Ascii(LineFilter):
    """Leaves nothing but ASCII."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments with a letter of ASCII for each other one."""
        return [
            segment if segment.text.isascii() else Segment(ascii_text(segment.text), segment.style, segment.control)
            for segment in segments
        ]


class Attributes(LineFilter):
    """Leaves no colour: grounds that stand out become reverse, faint ink becomes dim, and the rest is the terminal's.

    It goes by how light a colour is, on the black ground of the theme `specular-monochrome`.
    """

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments in the terminal's own two colours."""
        return [
            Segment(segment.text, None if segment.style is None else _bare(segment.style), segment.control)
            for segment in segments
        ]


@lru_cache(maxsize=1024)
def _bare(style: Style) -> Style:
    ground, ink = _light(style.bgcolor, 0), _light(style.color, 255)
    reverse = (ground >= _SHOWN) != bool(style.reverse)
    dim = bool(style.dim) or (ground < _SHOWN and ink < _DIM)
    return Style(
        bold=style.bold,
        dim=(dim and not reverse) or None,
        italic=style.italic,
        underline=style.underline,
        reverse=reverse or None,
        strike=style.strike,
    )


def _light(color: RichColor | None, otherwise: int) -> int:
    """Return how light a colour is, from 0 to 255; `otherwise` for the terminal's own."""
    if color is None or color.is_default:
        return otherwise
    red, green, blue = color.get_truecolor()
    return (red * 299 + green * 587 + blue * 114) // 1000
