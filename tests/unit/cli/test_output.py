from __future__ import annotations

import json
import time

import pytest

from specular_tui.cli import output, words
from specular_tui.model.forecast import Forecast


def test_a_table_is_aligned_and_inert() -> None:
    lines = output.table([("a", "1"), ("bb\x1b[2J", "100")], ("NAME", "N"), right=(1,))

    assert lines == ["NAME         N", "a            1", "bb\\x1b[2J  100"]


def test_a_table_without_rows_has_its_head() -> None:
    assert output.table([], ("NAME", "N")) == ["NAME  N"]


def test_a_table_is_cut_at_the_width_of_a_terminal() -> None:
    assert output.table([("a" * 20,)], ("NAME",), width=10) == ["NAME", "a" * 9 + "…"]


def test_json_is_ascii() -> None:
    assert output.as_json({"a": "\x9b✓"}) == '{"a": "\\u009b\\u2713"}'


def test_nothing_is_a_command_to_the_log_of_a_github_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")

    assert "##[" not in output.plain("x ##[error]y")
    assert "##[" not in output.as_json("x ##[error]y")
    assert json.loads(output.as_json("x ##[error]y")) == "x ##[error]y"


def test_an_age_that_nobody_knows() -> None:
    assert words.age(0) == "-"
    assert words.age(1_000_000, 1_040_000) == "40 s ago"


@pytest.mark.parametrize(
    ("low", "high", "frozen", "text"),
    [
        (40_000, 55_000, False, "~40-55s left, until 10:30-10:31"),
        (180_000, 300_000, False, "~3-5m left, until 10:33-10:35"),
        (180_000, 300_000, True, "~3-5m left"),
        (86_400_000, 86_400_000, False, "~24h left, until Tue 10:30"),
        (0, 0, False, "longer than expected"),
    ],
)
def test_what_is_left(
    low: int, high: int, frozen: bool, text: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    request.addfinalizer(time.tzset)
    request.addfinalizer(monkeypatch.undo)
    assert words.left(Forecast(low, low, high), 1_705_314_615_000, frozen=frozen) == text


def test_states_say_what_has_to_be_known() -> None:
    assert words.state("failed") == "failed"
    assert words.state("paused", interrupted=True) == "paused, interrupted"
    assert words.state("paused", live=True) == "paused, live"
    assert words.state("in_progress", live=True) == "in_progress"


def test_values_from_disk_may_be_anything() -> None:
    assert [words.number(value) for value in (3, True, "3", None, 1.5)] == [3, 0, 0, 0, 0]
    assert [words.text(value) for value in ("a", 3, None)] == ["a", "", ""]


def test_one_long_cell_does_not_push_all_rows_over_the_edge_of_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [("short", "1"), ("x" * 60, "22")]
    assert output.table(rows, ("NAME", "N"))[1] == f"{'short':60}  1", "who reads a pipe has columns"
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    assert output.table(rows, ("NAME", "N")) == ["NAME   N", "short  1", f"{'x' * 60}  22"]
