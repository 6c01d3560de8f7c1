from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from specular_tui.cli.text import LONGEST, Cleaner, clean, readable

PIECES = st.sampled_from(
    [
        b"plain text ",
        b"\n",
        b"\r",
        b"\r\n",
        b"\x1b[31m",
        b"\x1b[2K",
        b"\x1b]52;c;aGk=\x07",
        b"\x1b]8;;http://x\x1b\\",
        b"\x1b",
        b"\x1b[",
        b"\x1bP",
        b"\xc2\x9b2J",
        b"\xe2\x80\xae",
        b"\x00",
        b"\x08\x7f",
        b"\t",
        b"\xff\xfe",
        "日本 ✓".encode(),
        b"\xe2\x9c",
    ]
)
OUTPUT = st.lists(PIECES, max_size=30).map(b"".join)


def test_plain_text_stays_as_it_is() -> None:
    assert readable("ok ✓ 日本\n\tindented\n".encode()) == "ok ✓ 日本\n\tindented\n"


def test_colours_and_other_sequences_are_left_out() -> None:
    assert readable(b"\x1b[1;31merror\x1b[0m: \x1b]0;title\x07x\x1bM\xc2\x9b2Jy\n") == "error: xy\n"


def test_a_line_that_rewrote_itself_is_what_it_was_in_the_end() -> None:
    assert readable(b"10%\r50%\r100% done\n") == "100% done\n"
    assert readable(b"longer text\rshort\n") == "shortr text\n"
    assert readable(b"dos line\r\nnext\r\n") == "dos line\nnext\n"


def test_nothing_unprintable_is_left() -> None:
    hostile = b"\x00\x07\x08\x0b\x0c\x7f\xc2\x80\xe2\x80\xae\xe2\x81\xa6\xef\xbb\xbf\xe2\x80\x8bx\n"
    assert readable(hostile) == "x\n"


@given(OUTPUT)
def test_what_is_left_is_printable(data: bytes) -> None:
    assert all(char.isprintable() or char in "\n\t" for char in readable(data))


@given(OUTPUT, st.lists(st.integers(0, 200), max_size=8))
def test_pieces_give_what_the_whole_gives(data: bytes, cuts: list[int]) -> None:
    cleaner = Cleaner()
    text, start = "", 0
    for end in [*sorted(cuts), len(data)]:
        text += cleaner.feed(data[start:end])
        start = max(start, end)
    assert text + cleaner.finish() == readable(data)


def test_an_endless_line_takes_bounded_memory() -> None:
    cleaner = Cleaner()
    seen = 0
    for _ in range(64):
        seen += len(cleaner.feed(b"x" * LONGEST))
        assert len(cleaner._rest) <= 2 * LONGEST
    assert seen + len(cleaner.finish()) == 64 * LONGEST


def test_an_endless_progress_line_takes_bounded_memory_and_ends_as_it_was() -> None:
    cleaner = Cleaner()
    for number in range(100_000):
        assert cleaner.feed(b"\x1b[32m%6d of 100000\x1b[0m\r" % number) == ""
        assert len(cleaner._rest) <= 2 * LONGEST
    assert cleaner.feed(b"done\n") == "done99 of 100000\n"


def test_many_rewrites_of_a_wide_line_are_quick() -> None:
    assert clean("x" * 100_000 + "\ry" * 100_000 + "\n") == "y" + "x" * 99_999 + "\n"
