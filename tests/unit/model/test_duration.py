from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specular_tui.model import duration


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("500ms", 500),
        ("90s", 90_000),
        ("5m", 300_000),
        ("2h", 7_200_000),
        ("7d", 604_800_000),
        ("2w", 1_209_600_000),
        ("1h30m", 5_400_000),
        ("1.5h", 5_400_000),
        ("0.4ms", 0),
        ("0s", 0),
        (" 5m ", 300_000),
        ("1m1ms", 60_001),
    ],
)
def test_a_duration_is_numbers_with_units(text: str, ms: int) -> None:
    assert duration.parse(text) == ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "s",
        "-5m",
        "+5m",
        "5 m",
        "5M",
        "1e3s",
        "5m30",
        ".5s",
        "5.s",
        "inf",
        "٣s",
        "5s\n5s",
        "9" * 60 + "w",
        "x" * 99,
    ],
)
def test_anything_else_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a duration|longer than") as refused:
        duration.parse(text)
    assert len(str(refused.value)) < 120


@pytest.mark.parametrize(
    ("ms", "text"),
    [
        (0, "0.00s"),
        (421, "0.42s"),
        (994, "0.99s"),
        (995, "1.0s"),
        (9_140, "9.1s"),
        (9_949, "9.9s"),
        (9_950, "10s"),
        (59_499, "59s"),
        (59_500, "1m00s"),
        (65_000, "1m05s"),
        (3_599_600, "1h00m"),
        (7_380_000, "2h03m"),
        (86_400_000, "1d00h"),
        (273_600_000, "3d04h"),
        (-65_000, "-1m05s"),
    ],
)
def test_a_duration_is_shown_in_at_most_two_units(ms: int, text: str) -> None:
    assert duration.humanise(ms) == text


@given(st.integers(0, duration.MAX_MS))
def test_what_is_shown_is_a_duration_and_nearly_the_same(ms: int) -> None:
    shown = duration.parse(duration.humanise(ms))
    assert abs(shown - ms) <= max(50, ms * 0.05)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_a_longer_one_never_looks_shorter(one: int, other: int) -> None:
    short, long = sorted((one, other))
    assert duration.parse(duration.humanise(short)) <= duration.parse(duration.humanise(long))
