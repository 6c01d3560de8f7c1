"""When ages are said anew."""

from __future__ import annotations

import pytest

from specular_tui.tui.aging import next_change

NOW = 1_705_314_645_000


@pytest.mark.parametrize(
    ("ages", "after", "least"),
    [
        ([3_000], 7_000, 10_000),
        ([12_000, 59_900], 100, 10_000),
        ([70_000, 130_000], 50_000, 60_000),
        ([7_000_000], 200_000, 60_000),
        ([90_000_000], 82_800_000, 60_000),
        ([-5_000], 10_000, 10_000),
    ],
)
def test_the_next_change(ages: list[int], after: int, least: int) -> None:
    assert next_change(NOW, (NOW - age for age in ages)) == (after, least)


def test_nothing_wakes_for_nothing() -> None:
    assert next_change(NOW, ()) is None
