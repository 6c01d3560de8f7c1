"""When garbage is looked for."""

from __future__ import annotations

import asyncio
import gc
import time
import weakref
from collections.abc import Iterator

import pytest

from specular_tui.tui.terminal import collector
from specular_tui.tui.terminal.collector import Collector


class Ring:
    """Garbage that only the collector finds."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Wait for little."""
    monkeypatch.setattr(collector, "CALM", 0.05)
    before, enabled = gc.get_threshold(), gc.isenabled()
    yield
    assert gc.get_threshold() == before
    gc.unfreeze()
    if not enabled:
        gc.disable()


async def looked_through(typed_at: float) -> bool:
    """Make garbage, and enough that is new for all to be looked through; tell whether it is gone a moment later."""
    taking = Collector(lambda: typed_at)
    taking.settle()
    try:
        ring = Ring()
        gone = weakref.ref(ring)
        for _ in range(2):
            gc.collect(1)  # it is among what is old now
        del ring
        for _ in range(30):
            gc.collect(1)
        assert gone() is not None
        await asyncio.sleep(0.2)
        return gone() is None
    finally:
        taking.close()


def test_all_is_looked_through_when_nobody_types(quick: None) -> None:
    assert asyncio.run(looked_through(0.0))


def test_not_while_somebody_types(quick: None) -> None:
    assert not asyncio.run(looked_through(time.monotonic() + 5))
