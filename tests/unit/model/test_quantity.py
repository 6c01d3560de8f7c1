"""Numbers as people read them."""

from __future__ import annotations

import pytest

from specular_tui.model import quantity
from specular_tui.model.quantity import age, age_lasts


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (-5, "just now"),
        (9_000, "just now"),
        (40_000, "40 s ago"),
        (49_999, "40 s ago"),
        (60_000, "1 min ago"),
        (7_200_000, "2 h ago"),
        (86_400_000, "1 day ago"),
        (500_000_000, "5 days ago"),
    ],
)
def test_age(ms: int, said: str) -> None:
    assert quantity.age(ms) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 KB"),
        (12_400, "12 KB"),
        (999_499, "999 KB"),
        (999_600, "1.0 MB"),
        (4_000_000_000, "4.0 GB"),
        (5 * 10**15, "5000 TB"),
    ],
)
def test_size(count: int, said: str) -> None:
    assert quantity.size(count) == said


@pytest.mark.parametrize(("count", "said"), [(0, "0 tasks"), (1, "1 task"), (2, "2 tasks"), (12_345, "12,345 tasks")])
def test_plural(count: int, said: str) -> None:
    assert quantity.plural(count, "task") == said


@pytest.mark.parametrize("ms", [0, 9_999, 10_000, 59_999, 60_000, 3_599_999, 3_600_000, 90_000_000, 400_000_000])
def test_an_age_is_said_for_as_long_as_it_lasts(ms: int) -> None:
    first = ms - ms % age_lasts(ms)
    last = first + age_lasts(ms) - 1
    assert age(first) == age(ms) == age(last) != age(last + 1)
