"""The machine's own sleep. Nothing runs while a laptop is closed, so that this time counts as frozen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from specular_tui.engine.clock import Clock
from specular_tui.engine.recording import Recording
from specular_tui.model import event as ev
from specular_tui.model.run import RunState

#: Seconds after which it is looked for at the latest.
_LOOK_S: Final = 5.0
#: Milliseconds that are worth an event.
_LEAST_MS: Final = 1_000


class Sleep:
    """Records when the machine has slept. Only for use on the session's loop."""

    def __init__(self, recording: Recording, state: Callable[[], RunState], clock: Clock) -> None:
        """Look from `start` on."""
        self._recording = recording
        self._state = state
        self._clock = clock
        self._known = 0
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Look from now on, every few seconds."""
        self._known = self._clock.slept()
        self._timer = self._loop.call_later(_LOOK_S, self._look)

    def close(self) -> None:
        """Look no more."""
        if self._timer is not None:
            self._timer.cancel()

    def notice(self) -> None:
        """Record a sleep that nobody has noticed; to be called before anything is said of how long something took."""
        slept = self._clock.slept()
        took = slept - self._known
        if took < _LEAST_MS:
            return
        self._known = slept
        state = self._state()
        if state.session is None or state.frozen_since is not None:
            return  # frozen as it was, the time counts for nothing anyway
        now = self._clock.now()
        # It has just woken up, as far as anybody knows; and nothing was recorded while it slept.
        self._recording.record(ev.Frozen(at=max(now - took, state.updated_at), by="sleep"))
        self._recording.record(ev.Thawed(at=now, frozen_ms=took))

    def _look(self) -> None:
        self.notice()
        self._timer = self._loop.call_later(_LOOK_S, self._look)
