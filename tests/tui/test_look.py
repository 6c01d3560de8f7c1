"""What terminals without Unicode or without colours are shown: on every screen, whoever painted it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.color import Color

from specular_tui.tui import glyphs
from specular_tui.tui.app import SpecularApp
from specular_tui.tui.bridge.settings import Settings
from specular_tui.tui.look import Ascii, Attributes, Look, has_unicode
from tests.tui.conftest import Compare, make_app, running, walk
from tests.tui.test_pictures import directory, sized

TUI = Path(__file__).parents[2] / "specular_tui" / "tui"
#: From where the keys lead: every mode, and what can stand in front of it.
WAYS = {
    "build": [],
    "log": ["n", "tab", "slash", *"err", "enter"],
    "filter": ["slash", *"comp"],
    "waiting": ["G"],
    "help": ["question_mark"],
    "palette": ["ctrl+p"],
    "stop": ["X"],
    "checkpoints": ["2", "j"],
    "delete": ["2", "j", "j", "d"],
    "validation": ["2", "j", "j", "3", "v"],
    "timeline": ["4"],
    "resume": ["2", "j", "r"],
}
ASCII = Look(unicode=False)
MONOCHROME = Look(colors=False)


def painted(app: SpecularApp) -> Iterator[Segment]:
    for strip in app.screen._compositor.render_strips():
        yield from strip


def test_each_sign_is_one_cell_and_so_is_what_stands_for_it() -> None:
    for sign, plain in glyphs.ASCII.items():
        assert (cell_len(sign), len(plain), plain.isascii()) == (1, 1, True), sign
    named = [value for name, value in vars(glyphs).items() if name.isupper() and isinstance(value, str)]
    assert all(sign.isascii() or sign in glyphs.ASCII for sign in named)


def test_no_sign_is_drawn_that_is_not_in_the_table() -> None:
    strange = [
        f"{path.name}:{node.lineno}: {char}"
        for path in TUI.rglob("*.py")
        if path.name not in ("glyphs.py", "safe.py")
        for tree in [ast.parse(path.read_text(encoding="utf-8"))]
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for char in node.value
        if not char.isascii() and char not in glyphs.ASCII
    ]
    assert strange == []


@given(st.text())
def test_ascii_text_is_as_wide_as_it_was(text: str) -> None:
    plain = glyphs.ascii_text(text)
    assert plain.isascii()
    assert len(plain) == sum(len(char) if char.isascii() else cell_len(char) for char in text)


def test_letters_lose_their_marks_alone() -> None:
    assert glyphs.ascii_text("naïve Übung №5 日本 ┌─┐│▔▁") == "naive Ubung ?5 ???? +-+|-_"


@pytest.mark.parametrize(
    ("environ", "unicode"),
    [
        ({}, True),
        ({"LANG": "de_DE.UTF-8"}, True),
        ({"LANG": "de_DE.utf8"}, True),
        ({"LANG": "C"}, False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, False),
        ({"LANG": "", "LC_CTYPE": "C.UTF-8"}, True),
        ({"LANG": "de_DE.UTF-8", "LC_ALL": "POSIX"}, False),
        ({"LANG": "C", "LC_ALL": "C.UTF-8"}, True),
        ({"LANG": "de_DE@euro"}, False),
    ],
)
def test_the_locale_says_whether_there_is_unicode(environ: dict[str, str], unicode: bool) -> None:
    assert has_unicode(environ) is unicode
    assert Look.of_terminal(environ) == Look(unicode=unicode)


def test_no_color_means_no_colours() -> None:
    assert not Look.of_terminal({"NO_COLOR": "1"}).colors
    assert Look.of_terminal({"NO_COLOR": ""}).colors


@given(st.text(), st.booleans())
def test_ascii_keeps_style_and_control(text: str, bold: bool) -> None:
    style = Style(bold=bold)
    (segment,) = Ascii().apply([Segment(text, style)], Color(0, 0, 0))
    assert (segment.text, segment.style) == (glyphs.ascii_text(text), style)


@pytest.mark.parametrize(
    ("style", "bare"),
    [
        ("bold #ffffff on #000000", "bold"),
        ("#909090 on #000000", "dim"),
        ("#000000 on #ffffff", "reverse"),
        ("bold #909090 on #ffffff", "bold reverse"),
        ("reverse #000000 on #ffffff", "none"),
        ("reverse #ffffff on #000000", "reverse"),
        ("underline red", "underline dim"),
    ],
)
def test_colours_become_attributes(style: str, bare: str) -> None:
    (segment,) = Attributes().apply([Segment("x", Style.parse(style))], Color(0, 0, 0))
    assert segment.style == Style.parse(bare)


@pytest.mark.parametrize("way", WAYS)
async def test_every_screen_without_unicode_and_colours(root: Path, way: str) -> None:
    run = directory(root)
    app = make_app(root, run.now + 2000, run.run_id, settings=Settings(look=Look(unicode=False, colors=False)))
    async with running(app, (100, 30)) as pilot:
        sized(app)
        await walk(pilot, app, WAYS[way])
        segments = list(painted(app))
    assert [segment.text for segment in segments if not segment.text.isascii()] == []
    styles = [segment.style for segment in segments if segment.style is not None]
    assert [str(style) for style in styles if style.color is not None or style.bgcolor is not None] == []
    assert any(style.reverse for style in styles), "something stands out: the cursor, or a badge"
    run.vanish()


@pytest.mark.parametrize(
    ("name", "look", "size"),
    [
        *((way, MONOCHROME, (100, 30)) for way in ("build", "help", "stop", "checkpoints", "validation", "timeline")),
        *((way, ASCII, (100, 30)) for way in ("build", "help", "palette", "checkpoints", "validation", "timeline")),
        *(("build", look, size) for look in (MONOCHROME, ASCII) for size in ((160, 48), (80, 24))),
    ],
    ids=lambda value: "x".join(map(str, value)) if isinstance(value, tuple) else str(value),
)
async def test_pictures(root: Path, picture: Compare, name: str, look: Look, size: tuple[int, int]) -> None:
    run = directory(root)
    app = make_app(root, run.now + 2000, run.run_id, settings=Settings(look=look))
    async with running(app, size) as pilot:
        sized(app)
        await walk(pilot, app, WAYS["log" if name == "build" else name])
        picture(app, f"{name}-{size[0]}x{size[1]}-{'ascii' if look.colors else 'monochrome'}")
    run.vanish()
