"""The time of a session never goes back."""

from __future__ import annotations

import time

import pytest

from specular_tui.engine.clock import Clock


def test_it_starts_with_the_wall_clock_and_counts_on() -> None:
    clock = Clock()
    assert abs(clock.now() - time.time() * 1000) < 1_000
    first = clock.now()
    time.sleep(0.02)
    assert 15 <= clock.now() - first < 5_000


def test_a_wall_clock_that_is_set_back_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    before = clock.now()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    assert clock.now() >= before


def test_it_does_not_start_before_the_last_event_of_the_session_before() -> None:
    later = time.time_ns() // 1_000_000 + 3_600_000
    assert Clock(not_before=later).now() >= later
