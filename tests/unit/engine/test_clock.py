"""The time of a session never goes back."""

from __future__ import annotations

import time

import pytest

from specular_tui.engine import clock as clock_module
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


def test_it_goes_on_while_the_machine_sleeps_and_says_how_long_that_was(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    assert clock.slept() < 1_000
    before, boot = clock.now(), clock_module._since_boot
    monkeypatch.setattr(clock_module, "_since_boot", lambda: boot() + 3_600_000_000_000)
    assert 3_600_000 <= clock.now() - before < 3_660_000
    assert abs(clock.slept() - 3_600_000) < 1_000


def test_without_a_clock_that_does_so_nobody_has_slept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(time, "CLOCK_BOOTTIME", raising=False)
    assert clock_module._boottime() is time.monotonic_ns
    monkeypatch.setattr(clock_module, "_since_boot", time.monotonic_ns)
    clock = Clock()
    assert clock.slept() == 0
