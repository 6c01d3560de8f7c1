"""Nothing hostile survives, and nothing readable is lost."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.color import Color
from rich.style import Style

from specular_tui.tui.safe import LONGEST, PLAIN, Sgr, ansi_line, carried, plain, style_of

UNSEEN = set("\u061c\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\ufeff")


def shown(raw: bytes | str) -> str:
    return ansi_line(raw).text


def is_inert(text: str) -> bool:
    return not any(unicodedata.category(c) in ("Cc", "Cs", "Zl", "Zp") or c in UNSEEN for c in text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Build the web bundle", "Build the web bundle"),
        ("Zażółć gęślą jaźń 日本語 🎉", "Zażółć gęślą jaźń 日本語 🎉"),
        ("[/x] [@click=app.quit]click[/]", "[/x] [@click=app.quit]click[/]"),
        ("a\tb\nc\r\nd", "a b c  d"),
        ("a\x1b[31mb", "a·[31mb"),
        ("a\x9b31mb", "a·31mb"),
        ("txt.\u202eexe", "txt.·exe"),
        ("a\u200bb\u200db\ufeff", "a·b·b·"),
        ("a\u2028b\u2029c", "a b c"),
        ("a\ud800b", "a\ufffdb"),
        ("⚠\ufe0f!", "⚠!"),
        ("e" + "\u0301" * 50, "e" + "\u0301" * 4),
        ("\x00\x7f\x85", "·· "),
    ],
)
def test_plain_makes_one_harmless_line(text: str, expected: str) -> None:
    assert plain(text) == expected


@given(st.text())
def test_plain_is_inert_for_any_text(text: str) -> None:
    assert is_inert(plain(text))
    assert plain(plain(text)) == plain(text)


@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126)))
def test_plain_keeps_what_is_printable(text: str) -> None:
    assert plain(text) == text
    assert shown(text) == text


@given(st.binary())
def test_no_bytes_survive_as_controls(raw: bytes) -> None:
    line = ansi_line(raw)
    assert is_inert(line.text)
    assert line.text == "".join(run.text for run in line.runs)


PIECES = st.sampled_from(
    [
        "\x1b",
        "\x1b[",
        "\x9b",
        "31",
        ";",
        "m",
        "K",
        "G",
        "2J",
        "\x1b]",
        "8;;",
        "52;c;",
        "\x07",
        "\x1b\\",
        "\x9c",
        "\x90",
        "\x1bP",
        "\r",
        "\x08",
        "\t",
        "a",
        "日",
        "é",
        "\u202e",
        "\x00",
        "\x1b_",
        "\x1b^",
        "\x1bX",
        "\n",
        "38;5;",
        "48:2::1:2:3",
    ]
)


@given(st.lists(PIECES, max_size=40).map("".join))
def test_no_mixture_of_escapes_survives(raw: str) -> None:
    for form in (raw, raw.encode()):
        line = ansi_line(form)
        assert is_inert(line.text)
        assert line.text == "".join(run.text for run in line.runs)
        assert carried(raw.encode(), PLAIN) == carried(raw.encode(), PLAIN)


ESCAPES = ["\x1b[1m", "\x1b[0m", "\x1b[2J", "\x1b[3;4H", "\x1b]8;;http://x\x07"]


@given(st.lists(st.sampled_from([*ESCAPES, "word", " ", "é"])).map("".join))
def test_text_between_escapes_is_kept(raw: str) -> None:
    kept = raw
    for escape in ESCAPES:
        kept = kept.replace(escape, "")
    assert shown(raw) == kept


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]52;c;aGVsbG8=\x07after", "after"),
        ("\x1bPq#0;2;0;0;0#0~~@@vv\x1b\\after", "after"),
        ("\x1b_Gf=100;AAAA\x1b\\after", "after"),
        ("\x1b^private\x1b\\after", "after"),
        ("\x1bXsos\x1b\\after", "after"),
        ("\x9d0;title\x9cafter", "after"),
        ("\x9b31mred", "red"),
        ("\x1b]0;no end", "0;no end"),
        ("\x1b[31", ""),
        ("\x1b[31\x1b[0mx", "x"),
        ("\x1b(Bx\x1b)0y", "xy"),
        ("\x1bcx\x1b7y\x1b8z", "xyz"),
        ("x\x1b", "x"),
        ("\x1b[2J\x1b[H\x1b[5;5Hhome", "home"),
        ("\x1b[?25l\x1b[?1049hx", "x"),
        ("\x1b[>4;2mx", "x"),
        ("bell\x07s", "bells"),
        ("nul\x00s\x7f", "nuls"),
    ],
)
def test_escapes_are_dropped_and_text_is_not(raw: str, expected: str) -> None:
    assert shown(raw) == expected
    assert shown(raw.encode()) == expected
    assert ansi_line(raw).state == PLAIN or "31" in raw


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("10%\r20%\r30%", "30%"),
        ("100%\r5%", "5%0%"),
        ("100%\r\x1b[K5%", "5%"),
        ("\x1b[2K\x1b[1Gdone", "done"),
        ("working\x1b[2K\x1b[1Gdone", "done"),
        ("abc\b\bX", "aXc"),
        ("\b\b\bx", "x"),
        ("line\r\n", "line"),
        ("line\r", "line"),
        ("a\tb", "a       b"),
        ("12345678\tb", "12345678        b"),
        ("日\tb", "日      b"),
        ("日本\rx", "x 本"),
        ("ab\r日", "日"),
        ("a日\r12", "12"),
        ("x\r\ty", "x       y"),
        ("e\u0301a\rx", "xa"),
        ("abc\r\x1b[1K", " bc"),
    ],
)
def test_a_line_is_written_over_as_a_terminal_would(raw: str, expected: str) -> None:
    assert shown(raw) == expected


def test_colours_and_attributes() -> None:
    line = ansi_line("a\x1b[1;31mb\x1b[22;38;5;208mc\x1b[48;2;1;2;3md\x1b[0;3;4;7;9me\x1b[23;24;27;29;2mf\x1b[mg")
    styles = [(run.text, style_of(run.sgr)) for run in line.runs]
    assert styles == [
        ("a", Style()),
        ("b", Style(bold=True, color="color(1)")),
        ("c", Style(color="color(208)")),
        ("d", Style(color="color(208)", bgcolor=Color.from_rgb(1, 2, 3))),
        ("e", Style(italic=True, underline=True, reverse=True, strike=True)),
        ("f", Style(dim=True)),
        ("g", Style()),
    ]


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ("38:2::10:20:30", Style(color=Color.from_rgb(10, 20, 30))),
        ("38:2:10:20:30", Style(color=Color.from_rgb(10, 20, 30))),
        ("38:5:9", Style(color="color(9)")),
        ("4:3", Style(underline=True)),
        ("4:0", Style()),
        ("58;2;1;2;3;1", Style(bold=True)),
        ("38;5", Style()),
        ("38;2;999;0;0;1", Style(bold=True)),
        ("97;102", Style(color="#ffffff", bgcolor="#389d52")),
        ("102", Style(color="#ffffff", bgcolor="#389d52")),
        ("30;47", Style(color="#000000", bgcolor="#c5ccd4")),
        ("31;48;5;200", Style(color="color(1)", bgcolor="color(200)")),
        ("8;5;53", Style()),
        ("99999999999", Style()),
    ],
)
def test_forms_of_colour(params: str, expected: Style) -> None:
    line = ansi_line(f"\x1b[{params}mx")
    assert style_of(line.runs[0].sgr) == expected
    assert carried(f"\x1b[{params}mx".encode(), PLAIN) == line.state


def test_state_is_carried_over_lines() -> None:
    first = ansi_line(b"\x1b[32mstart")
    second = ansi_line(b"still green\x1b[0m plain", first.state)
    assert [run.sgr.fg is not None for run in second.runs] == [True, False]
    assert second.state == PLAIN
    assert carried(b"\x1b[32mstart", PLAIN) == first.state


def test_segments_lie_over_the_base_style() -> None:
    base = Style(color="white", bgcolor="black")
    segments = ansi_line("a\x1b[31mb").segments(base)
    assert [segment.style for segment in segments] == [base, base + Style(color="color(1)")]


def test_progress_keeps_its_colours() -> None:
    line = ansi_line("\x1b[31mred\r\x1b[32mgr")
    assert [(run.text, run.sgr.fg.number if run.sgr.fg else None) for run in line.runs] == [("gr", 2), ("d", 1)]


def test_invalid_utf8_is_marked() -> None:
    assert shown(b"a\xff\xfeb") == "a\ufffd\ufffdb"


@pytest.mark.parametrize(
    "unit", ["x", "\x1b[31mx", "\x1b]", "\x9d", "\x1b", "ab\r", "\x1b[", "日\b", "\t", "e\u0301", "\x1b[1;"]
)
def test_a_megabyte_is_bounded_in_length_and_time(unit: str) -> None:
    raw = (unit * (1_000_000 // len(unit.encode()))).encode()
    line = ansi_line(raw)
    assert len(line.text) <= 8 * LONGEST + 2


@given(st.text(alphabet="aé日\r\b🎉\t\u0301", max_size=30))
def test_width_is_that_of_the_screen(raw: str) -> None:
    line = ansi_line(raw)
    assert cell_len(line.text) == sum(cell_len(run.text) for run in line.runs)


def test_sgr_defaults_are_plain() -> None:
    assert Sgr() == PLAIN
    assert ansi_line("").runs == ()
