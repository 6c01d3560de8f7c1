"""Attempts lie in as few slots as ran at once, each in the first that is free."""

from __future__ import annotations

from specular_tui.model.slots import Slots


def test_the_first_free_slot_is_taken_and_none_before_its_attempt_has_ended() -> None:
    slots = Slots()
    assert [slots.take(0), slots.take(1), slots.take(2)] == [0, 1, 2]
    slots.leave(2, 5)
    slots.leave(0, 6)
    assert slots.take(4) == 3, "none is free yet"
    assert slots.take(6) == 0, "of two that are free the first"
    assert slots.take(6) == 2
    slots.leave(1, 7)
    assert slots.take(7) == 1
