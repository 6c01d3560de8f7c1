"""When garbage is looked for: among what is new as it comes, among all there is only while nobody is typing.

To go through everything that a large run consists of takes 20 ms and more, and a key that is pressed meanwhile waits.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable, Mapping
from typing import Final

#: So many new objects are looked through at a time, and so many times before those that were left are looked through
#: again: half a millisecond, and one or two.
_YOUNG: Final = 700
_TIMES: Final = 5
_NEVER: Final = 1 << 30
#: After so many of the longer looks all is looked through, once no key has come for so many seconds.
_ROUNDS: Final = 20
CALM: Final = 1.5
#: Somebody who goes on typing gets so many seconds.
_PATIENCE: Final = 60.0


class Collector:
    """Takes the collection of garbage over from the interpreter, from `settle` to `close`."""

    def __init__(self, typed_at: Callable[[], float]) -> None:
        """`typed_at` answers when the last key came, by `time.monotonic`."""
        self._typed_at = typed_at
        self._loop: asyncio.AbstractEventLoop | None = None
        self._before = gc.get_threshold()
        self._rounds = 0
        #: When there was first reason to look through all; 0.0 while there is none.
        self._due = 0.0

    def settle(self) -> None:
        """What there is now stays: it need not be looked at again. Called on the loop."""
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            gc.callbacks.append(self._looked)
            gc.set_threshold(_YOUNG, _TIMES, _NEVER)
        gc.enable()
        gc.freeze()

    def close(self) -> None:
        """Leave it to the interpreter again."""
        if self._loop is not None:
            self._loop = None
            gc.callbacks.remove(self._looked)
            gc.set_threshold(*self._before)

    def _looked(self, phase: str, info: Mapping[str, int]) -> None:
        """Count; called by the interpreter, on any thread."""
        if phase == "stop" and info["generation"] == 1 and self._loop is not None:
            self._rounds += 1
            if self._rounds >= _ROUNDS and not self._due:
                self._due = time.monotonic()
                self._loop.call_soon_threadsafe(self._wait)

    def _wait(self) -> None:
        """Look through all now if it is calm, else later."""
        if self._loop is None:
            return
        now = time.monotonic()
        calm = now - self._typed_at()
        if calm < CALM and now - self._due < _PATIENCE:
            self._loop.call_later(CALM - calm, self._wait)
            return
        gc.collect()
        # What has been left is the run's: it is looked through once, and not each time.
        gc.freeze()
        self._rounds, self._due = 0, 0.0
