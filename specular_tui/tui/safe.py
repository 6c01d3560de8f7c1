"""Hostile text made inert: what a task prints and what people write becomes characters and colours, nothing else.

Nothing that leaves this module can move a cursor, reorder letters, hide characters or reach the terminal as a
command. What leaves it is never parsed as markup again: it goes into segments and strips as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from rich.cells import cell_len, get_character_cell_size
from rich.color import Color
from rich.segment import Segment
from rich.style import Style

from specular_tui.tui.sixteen import on_ground

#: A line is shown up to this many characters.
LONGEST: Final = 1 << 16
TAB: Final = 8

_CUT: Final = " …"
#: Controls, bidi controls, and what is drawn as nothing: joiners, fillers, tags, selectors.
_BAD: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u070f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
#: More marks on one letter than any script needs would be painted over the lines above and below.
_STACK: Final = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u0e31-\u0e3a\u0e47-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0\ufe20-\ufe2f]{4})"
    "[\u0300-\u036f\u0483-\u0489\u0e31-\u0e3a\u0e47-\u0e4e\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20f0\ufe20-\ufe2f]+"
)
_SPACES: Final = frozenset("\t\n\x0b\x0c\r\x85\u2028\u2029")


def _inert_char(match: re.Match[str]) -> str:
    char = match.group()
    if char in _SPACES:
        return " "
    if "\ufe00" <= char <= "\ufe0f":
        return ""  # only chooses between two drawings of a letter, of widths that terminals disagree on
    return "\ufffd" if "\ud800" <= char <= "\udfff" or "\ufff0" <= char <= "\uffff" else "·"


def plain(text: str) -> str:
    """Return `text` as one line that is safe to draw.

    Line breaks and tabs become a space; other controls, bidi controls and invisible characters a `·`; lone
    surrogates U+FFFD. Nothing visible is lost.
    """
    if text.isascii() and text.isprintable():
        return text
    return _STACK.sub(r"\1", _BAD.sub(_inert_char, text))


class Sgr(NamedTuple):
    """The colours and attributes in force at some point of a text."""

    fg: Color | None = None
    bg: Color | None = None
    bold: bool = False
    dim: bool = False
    italic: bool = False
    underline: bool = False
    reverse: bool = False
    strike: bool = False


#: No colour, no attribute.
PLAIN: Final = Sgr()


class Run(NamedTuple):
    """A stretch of text in one style."""

    text: str
    sgr: Sgr


class Line(NamedTuple):
    """A line as a terminal would show it, and what is in force behind it."""

    text: str
    runs: tuple[Run, ...]
    state: Sgr

    def segments(self, base: Style, *, colors: bool = True) -> list[Segment]:
        """Return the line drawn over `base`; without `colors` only bold, underlined and the like are kept."""
        return [
            Segment(text, base if sgr is PLAIN else base + style_of(sgr if colors else sgr._replace(fg=None, bg=None)))
            for text, sgr in self.runs
        ]


@lru_cache(maxsize=1024)
def style_of(sgr: Sgr) -> Style:
    """Return `sgr` as a style; what it does not set stays open."""
    ink, ground = on_ground(sgr.fg, sgr.bg)
    return Style(
        color=ink,
        bgcolor=ground,
        bold=sgr.bold or None,
        dim=sgr.dim or None,
        italic=sgr.italic or None,
        underline=sgr.underline or None,
        reverse=sgr.reverse or None,
        strike=sgr.strike or None,
    )


@lru_cache(maxsize=512)
def _indexed(number: int) -> Color:
    return Color.from_ansi(number)


@lru_cache(maxsize=4096)
def _rgb(red: int, green: int, blue: int) -> Color:
    return Color.from_rgb(red, green, blue)


def _number(text: str) -> int:
    return int(text) if text and len(text) < 6 else 0


def _extended(parts: list[int], at: int) -> tuple[Color | None, int]:
    """Read the colour behind a 38 or 48 at `at`; return it, and where the next parameter stands."""
    kind = parts[at + 1] if at + 1 < len(parts) else -1
    if kind == 5 and at + 2 < len(parts):
        return (_indexed(parts[at + 2]) if parts[at + 2] < 256 else None), at + 3
    if kind == 2 and at + 4 < len(parts):
        red, green, blue = parts[at + 2 : at + 5]
        return (_rgb(red, green, blue) if max(red, green, blue) < 256 else None), at + 5
    return None, len(parts)


_SET: Final[dict[int, tuple[str, bool]]] = {
    1: ("bold", True),
    2: ("dim", True),
    3: ("italic", True),
    4: ("underline", True),
    21: ("underline", True),
    7: ("reverse", True),
    9: ("strike", True),
    23: ("italic", False),
    24: ("underline", False),
    27: ("reverse", False),
    29: ("strike", False),
}


@lru_cache(maxsize=4096)
def _after_sgr(params: str, state: Sgr) -> Sgr:
    """Return what is in force after `CSI params m`."""
    if not params:
        return PLAIN
    values = state._asdict()
    parts: list[int] = []
    for field in params.split(";")[:64]:
        if ":" in field:
            sub = field.split(":")
            head = _number(sub[0])
            if head in (38, 48, 58):
                numbers = [_number(part) for part in sub]
                # 38:2:<space>:r:g:b has one more than 38;2;r;g;b
                if len(numbers) > 5 and numbers[1] == 2:
                    del numbers[2]
                parts += numbers[:5] if numbers[1:2] == [2] else numbers[:3]
            else:
                parts.append(24 if head == 4 and _number(sub[1]) == 0 else head)
        else:
            parts.append(_number(field))
    at = 0
    while at < len(parts):
        code = parts[at]
        if code == 0:
            values = PLAIN._asdict()
        elif code in _SET:
            name, on = _SET[code]
            values[name] = on
        elif code == 22:
            values["bold"] = values["dim"] = False
        elif 30 <= code <= 37 or 90 <= code <= 97:
            values["fg"] = _indexed(code - 30 if code < 90 else code - 82)
        elif 40 <= code <= 47 or 100 <= code <= 107:
            values["bg"] = _indexed(code - 40 if code < 100 else code - 92)
        elif code in (38, 48, 58):
            color, at = _extended(parts, at)
            if code != 58 and color is not None:
                values["fg" if code == 38 else "bg"] = color
            continue
        elif code in (39, 49):
            values["fg" if code == 39 else "bg"] = None
        at += 1
    after = Sgr(**values)
    return PLAIN if after == PLAIN else after


#: In this order: text; colour; in-line moves and erasing; any other CSI, whole or broken; strings with their end;
#: other escapes; single controls. A string with no end on its line loses its introducer alone, so no text is eaten.
_TOKEN: Final = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|(?:\x1b\[|\x9b)(?P<sgr>[0-9;:]*)m"
    r"|(?:\x1b\[|\x9b)(?P<arg>[0-9]{0,5})(?P<edit>[KG])"
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"
    r"|(?:\x1b[PX^_\]k]|[\x90\x98\x9d\x9e\x9f])[^\x00-\x1f\x7f-\x9f]*(?:\x07|\x1b\\|\x9c)"
    r"|\x1b[PX^_\]k]"
    r"|\x1b[ -/]*[0-~]?"
    r"|(?P<control>[\x00-\x1f\x7f-\x9f])"
)
_EDITS: Final = re.compile("[\r\b]|(?:\x1b\\[|\x9b)[0-9]{0,5}[KG]")
_SPECIAL: Final = re.compile("[\x00-\x1f\x7f-\x9f]")
_SGR: Final = re.compile(rb"(?:\x1b\[|\xc2\x9b)([0-9;:]*)m")


def carried(raw: bytes, state: Sgr) -> Sgr:
    """Return what is in force behind `raw` when `state` is before it; cheaper than drawing the line."""
    for match in _SGR.finditer(raw):
        state = _after_sgr(match.group(1).decode(), state)
    return state


def ansi_line(raw: bytes | str, state: Sgr = PLAIN) -> Line:
    """Return one line of output as a terminal would show it, `state` being in force before it.

    Colours and attributes are kept; carriage return, backspace, erasing in the line and tabs act within it; every
    other control and escape sequence is dropped, and text around it is kept.
    """
    if isinstance(raw, bytes):
        cut = len(raw) > 4 * LONGEST
        text = (raw[: 4 * LONGEST] if cut else raw).decode("utf-8", "replace")
    else:
        cut, text = False, raw
    text = text.rstrip("\r\n")
    if cut or len(text) > LONGEST:
        text = text[:LONGEST] + _CUT
    if not _SPECIAL.search(text):
        text = _inert(text)
        return Line(text, (Run(text, state),) if text else (), state)
    if _EDITS.search(text):
        return _edited(text, state)
    return _appended(text, state)


def _inert(text: str) -> str:
    return text if text.isascii() else _STACK.sub(r"\1", _BAD.sub(_inert_char, text))


def _appended(text: str, state: Sgr) -> Line:
    """Draw a line in which nothing is written over."""
    runs: list[Run] = []
    column = 0
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "text":
            piece = _inert(match.group())
        elif kind == "control" and match.group() == "\t":
            piece = " " * (TAB - column % TAB)
        else:
            if kind == "sgr":
                state = _after_sgr(match.group("sgr"), state)
            continue
        column += cell_len(piece)
        if runs and runs[-1].sgr == state:
            runs[-1] = Run(runs[-1].text + piece, state)
        elif piece:
            runs.append(Run(piece, state))
    return Line("".join(run.text for run in runs), tuple(runs), state)


class _Cells:
    """One line of a terminal: a character and a style for each column; a wide one is followed by an empty one."""

    def __init__(self) -> None:
        self.chars: list[str] = []
        self.styles: list[Sgr] = []
        self.column = 0

    def _split(self, column: int) -> None:
        """Blank a wide character that `column` would cut in two."""
        if 0 < column < len(self.chars) and self.chars[column] == "":
            self.chars[column - 1] = self.chars[column] = " "

    def put(self, text: str, sgr: Sgr) -> None:
        """Write `text` at the cursor, over what is there."""
        for char, width in _widths(text):
            if width == 0:
                if self.column:
                    at = self.column - (2 if self.chars[self.column - 1] == "" and self.column > 1 else 1)
                    self.chars[at] += char
                continue
            end = self.column + width
            self._split(self.column)
            self._split(end)
            self.chars[self.column : end] = (char, "")[:width]
            self.styles[self.column : end] = [sgr] * width
            self.column = end

    def put_narrow(self, text: str, sgr: Sgr) -> None:
        """Write `text`, all of it one column wide."""
        end = self.column + len(text)
        self._split(self.column)
        self._split(end)
        self.chars[self.column : end] = text
        self.styles[self.column : end] = [sgr] * len(text)
        self.column = end

    def tab(self) -> None:
        """Move to the next tab stop; what is written there stays."""
        self.goto(self.column + TAB - self.column % TAB, grow=True)

    def goto(self, column: int, *, grow: bool = False) -> None:
        """Move the cursor; past the end of the line only if `grow`."""
        missing = column - len(self.chars)
        if missing > 0 and grow:
            self.chars += [" "] * missing
            self.styles += [PLAIN] * missing
        self.column = max(0, min(column, len(self.chars)))

    def erase(self, what: int) -> None:
        """Erase to the end (0), up to the cursor (1), or all (2)."""
        self._split(self.column)
        if what == 1:
            end = min(self.column + 1, len(self.chars))
            self._split(end)
            self.chars[:end] = [" "] * end
            self.styles[:end] = [PLAIN] * end
            return
        keep = self.column
        if what == 2:
            self.chars, self.styles = [" "] * keep, [PLAIN] * keep
        else:
            del self.chars[keep:], self.styles[keep:]

    def runs(self) -> Iterator[Run]:
        """Yield the line as stretches of one style each, without the blanks at its end."""
        while self.chars and self.chars[-1] == " " and self.styles[-1] == PLAIN:
            del self.chars[-1], self.styles[-1]
        start = 0
        for at in range(1, len(self.chars) + 1):
            if at == len(self.chars) or self.styles[at] != self.styles[start]:
                yield Run("".join(self.chars[start:at]), self.styles[start])
                start = at


def _widths(text: str) -> Iterator[tuple[str, int]]:
    for char in text:
        yield char, get_character_cell_size(char)


def _edited(text: str, state: Sgr) -> Line:
    """Draw a line that is written over in places, such as progress."""
    cells = _Cells()
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "text":
            piece = _inert(match.group())
            if piece.isascii():
                cells.put_narrow(piece, state)
            else:
                cells.put(piece, state)
        elif kind == "sgr":
            state = _after_sgr(match.group("sgr"), state)
        elif kind == "edit":
            number = int(match.group("arg") or 0)
            if match.group("edit") == "K":
                cells.erase(number)
            else:
                cells.goto(number - 1)
        elif kind == "control":
            match match.group():
                case "\r":
                    cells.column = 0
                case "\b":
                    cells.goto(cells.column - 1)
                case "\t":
                    cells.tab()
                case _:
                    pass
    runs = tuple(cells.runs())
    return Line("".join(run.text for run in runs), runs, state)
