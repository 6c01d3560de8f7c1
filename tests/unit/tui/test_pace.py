"""How fast a run gets on."""

from __future__ import annotations

from specular_tui.tui.pace import WINDOW, Pace
from specular_tui.tui.present_header import throughput


def test_nothing_is_said_of_too_little() -> None:
    pace = Pace()
    assert pace.per_minute() is None
    pace.note(0, 10)
    pace.note(60_000, 12)
    assert pace.per_minute() is None, "two tasks are no pace"
    pace.note(61_000, 40)
    assert pace.per_minute() == 30 * 60 / 61


def test_what_is_long_ago_counts_no_longer() -> None:
    pace = Pace()
    for second in range(600):
        pace.note(second * 1000, min(second, 300) * 5)
    assert pace.per_minute() is None, "nothing has ended for five minutes"
    for second in range(600, 600 + WINDOW // 1000 + 2):
        pace.note(second * 1000, 1500 + second - 600)
    found = pace.per_minute()
    assert found is not None
    assert 59 <= found <= 61


def test_it_begins_anew_where_tasks_run_again() -> None:
    pace = Pace()
    pace.note(0, 50)
    pace.note(60_000, 60)
    assert pace.per_minute() == 10
    pace.note(61_000, 3)
    assert pace.per_minute() is None


def test_the_unit_gives_a_number_to_picture() -> None:
    assert throughput(0.5) == "0.5 tasks/min"
    assert throughput(42.4) == "42 tasks/min"
    assert throughput(200) == "3.3 tasks/s"
    assert throughput(120_000) == "2,000 tasks/s"
