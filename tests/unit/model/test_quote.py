"""Foreign text in our own sentences."""

from __future__ import annotations

import pytest

from specular_tui.model.quote import plain, quote


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("build é 😀 [/x]", "build é 😀 [/x]"),
        ("a\x1b[31mb\x07", "a\\x1b[31mb\\x07"),
        ("\x9b31m", "\\x9b31m"),
        ("a\u202eb\u200b\u2066", "a\\u202eb\\u200b\\u2066"),
        ("a\nb\r\tc\x00", "a\\nb\\r\\tc\\x00"),
        ("\u2028", "\\u2028"),
        ("\ud83d", "\\ud83d"),
        ("\U000e0001", "\\U000e0001"),
    ],
)
def test_plain(text: str, shown: str) -> None:
    assert plain(text) == shown
    assert shown.isprintable()


def test_quote_is_bounded() -> None:
    assert quote("x" * 1000) == f"'{'x' * 60}…'"
    assert quote("x" * 5, 4) == "'xxxx…'"
    assert quote("x" * 4, 4) == "'xxxx'"
    assert quote("\x1b]0;") == "'\\x1b]0;'"
