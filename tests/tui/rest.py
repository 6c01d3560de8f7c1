"""Waiting until the application is at rest: until there is nothing left to do, and not for a length of time.

Textual's pilot takes an application for idle that has used little of the processor for a fiftieth of a second, and
looks twice after each key. That is slow where nothing is to be done, and too short where a thread has not got its turn.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

import pytest
from textual._context import active_app

#: A timer that is due within so many seconds belongs to what is being done. After a key: the next beat.
_KEY: Final = 0.06
#: After a pause: all but a rest before something is asked, too.
_PAUSE: Final = 0.12
#: So many seconds a thread may take; one that takes longer works for itself, or a test holds it back.
_THREAD: Final = 0.5
#: So many seconds it may take where there is no rest, because something moves on the screen by itself.
_PATIENCE: Final = 1.0
#: So often there is nothing to do before it counts: each time the loop has looked for what has come from outside.
_ROUNDS: Final = 3
#: A screen is painted so many seconds after a change, as `specular_tui.tui.frames` has it where it is imported first.
_FRAME: Final = 1 / 1000

#: What works in threads, and what of it has been waited for in vain.
_working: set[asyncio.Future[Any]] = set()
_late: set[asyncio.Future[Any]] = set()


def install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have keys and pauses of a pilot end as soon as the application is at rest."""
    really = asyncio.BaseEventLoop.run_in_executor

    def run_in_executor(loop: Any, executor: Any, work: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = really(loop, executor, work, *args)
        _working.add(future)
        future.add_done_callback(_working.discard)
        future.add_done_callback(_late.discard)
        return future

    async def after_a_key(min_sleep: float = 0, max_sleep: float = 1) -> None:
        await at_rest(_KEY)

    async def after_a_pause(min_sleep: float = 0, max_sleep: float = 1) -> None:
        await at_rest()

    _working.clear()
    _late.clear()
    monkeypatch.setattr(asyncio.BaseEventLoop, "run_in_executor", run_in_executor)
    monkeypatch.setattr("textual.app.wait_for_idle", after_a_key)
    monkeypatch.setattr("textual.pilot.wait_for_idle", after_a_pause)
    monkeypatch.setattr("textual.screen.UPDATE_PERIOD", _FRAME)


async def at_rest(soon: float = _PAUSE) -> None:
    """Return when no callback is ready, no thread works, and no timer is due within `soon` seconds.

    An application that is to end answers no timer any more, and is not waited for.
    """
    loop: Any = asyncio.get_running_loop()
    app = active_app.get()
    end = loop.time() + _PATIENCE
    rounds = 0
    while rounds < _ROUNDS and loop.time() < end and app.return_code is None:
        pause = 0.0
        if loop._ready:
            rounds = 0
        elif busy := _working - _late:
            rounds = 0
            ended, waiting = await asyncio.wait(busy, timeout=_THREAD, return_when=asyncio.FIRST_COMPLETED)
            if not ended:
                _late.update(waiting)
        else:
            rounds += 1
            left = min((timer.when() for timer in loop._scheduled if not timer.cancelled()), default=end) - loop.time()
            if left < soon:
                rounds = 0
                pause = max(left, 0)
        await asyncio.sleep(pause)


async def threads_ended() -> None:
    """Return when nothing works in a thread any more, however long it takes."""
    while _working:
        await asyncio.wait(_working)
