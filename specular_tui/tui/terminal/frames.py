"""How often Textual may paint. Imported before anything of Textual's screens.

An update waits for the next frame, and where another has just been painted for the one after that: at Textual's own 60
frames a second a key can take 33 ms to show under load. With nothing to paint there are no frames; what changes by
itself keeps to `BEAT`. The environment is left as it was: builds inherit it.
"""

from __future__ import annotations

import os
import time
from typing import Final

#: Seconds between two paints of what changes by itself. Keys do not wait for it.
BEAT: Final = 0.05

#: So many seconds a key has to be painted before what changes by itself comes in between.
_KEY: Final = 0.008

_NAME = "TEXTUAL_FPS"

if _NAME not in os.environ:
    os.environ[_NAME] = "1000"
    import textual.constants  # noqa: F401  it reads the variable once

    del os.environ[_NAME]


def to_beat(part: float = 0) -> float:
    """Return the seconds until the next beat, or until `part` of one after it.

    What changes by itself is painted in turns and not whenever it changes: a key that comes in between waits for one
    of these paints at most, and each is short.
    """
    return BEAT - (time.monotonic() - part * BEAT) % BEAT


def give_way(typed_at: float) -> float:
    """Return the seconds for which what takes long to paint waits for a key that came at `typed_at`: `time.monotonic`.

    0.0 where there is none: it has been painted.
    """
    return max(0.0, typed_at + _KEY - time.monotonic())
