"""From a key to the bytes for the terminal, measured inside the process: what the benchmarks of the screen share.

A key is handed to the application as its driver would; the clock stops when the write that shows it reaches the
driver. At 160x48, with the frame rate that the application sets.
"""

from __future__ import annotations

import specular_tui.tui.terminal.frames  # isort: skip  # noqa: F401  sets the frame rate, before anything of Textual

import asyncio
import gc
import random
import resource
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from textual import events
from textual.app import App
from textual.drivers.headless_driver import HeadlessDriver

KEYS = 400


class CountingDriver(HeadlessDriver):
    """A terminal of 160x48 that notes when it is written to."""

    armed = False
    shown_at = 0.0
    written = 0

    @property
    def is_headless(self) -> bool:
        return False

    def write(self, data: str) -> None:
        CountingDriver.written += len(data)
        if CountingDriver.armed and len(data) > 20:
            CountingDriver.armed = False
            CountingDriver.shown_at = time.perf_counter()


def handled() -> None:
    """Say that the key has been acted on: the next write shows it."""
    CountingDriver.armed = True


Watched = TypeVar("Watched", bound=type)


def watched(*actions: str) -> Callable[[Watched], Watched]:
    """Have these actions of a widget say that the key has been acted on, when they are done."""

    def wrap(widget: Watched) -> Watched:
        for action in actions:
            setattr(widget, f"action_{action}", _then_handled(getattr(widget, f"action_{action}")))
        return widget

    return wrap


def _then_handled(act: Callable[[Any], None]) -> Callable[[Any], None]:
    def action(widget: Any) -> None:
        act(widget)
        handled()

    return action


async def measure(
    app: App[Any],
    *,
    keys: tuple[str, ...] = ("j", "j", "j", "k"),
    load: Callable[[], Awaitable[None]] | None = None,
    count: int = KEYS,
) -> tuple[list[float], float, float, float]:
    """Run `app`, press keys while `load` runs; return ms per key, first paint in ms, CPU share, and MB."""
    started = time.perf_counter()
    first = 0.0
    running = asyncio.create_task(app.run_async(size=(160, 48)))
    while not CountingDriver.written:
        await asyncio.sleep(0.001)
    first = (time.perf_counter() - started) * 1000
    await asyncio.sleep(0.5)
    gc.collect()
    gc.freeze()
    with app._context():
        loading = asyncio.ensure_future(load()) if load is not None else None
    await asyncio.sleep(0.3)
    taken: list[float] = []
    pick = random.Random(1)
    cpu, wall = time.process_time(), time.perf_counter()
    for number in range(count):
        await asyncio.sleep(pick.uniform(0.01, 0.04))
        key = keys[number % len(keys)]
        CountingDriver.shown_at = 0.0
        start = time.perf_counter()
        app.post_message(events.Key(key, key if len(key) == 1 else None))
        while not CountingDriver.shown_at and time.perf_counter() - start < 2:
            await asyncio.sleep(0.0005)
        taken.append((CountingDriver.shown_at - start) * 1000 if CountingDriver.shown_at else 2000.0)
    share = (time.process_time() - cpu) / (time.perf_counter() - wall)
    if loading is not None:
        loading.cancel()
    app.exit()
    await running
    CountingDriver.written = 0
    gc.unfreeze()
    return taken, first, share, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def report(name: str, taken: list[float], first: float, cpu: float, memory: float) -> None:
    """Print one row."""
    p99 = sorted(taken)[int(len(taken) * 0.99)]
    print(
        f"{name:44} key p50 {statistics.median(taken):6.1f}  p99 {p99:6.1f}  max {max(taken):6.1f} ms"
        f"   first paint {first:5.0f} ms   CPU {cpu:4.0%}   {memory:4.0f} MB",
        flush=True,
    )
