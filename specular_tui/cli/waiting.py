"""A line on stderr that says how far a longer piece of work is; on terminals only."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator

from specular_tui.cli import words

#: Seconds before anything is shown: most work is done by then.
_PATIENCE = 0.5
_WIDTH = 30


@contextlib.contextmanager
def progress_bar(doing: str) -> Iterator[Callable[[int, int], None]]:
    """Yield what is to be told the bytes done and the bytes in all. Ctrl+C ends the work."""
    began = time.monotonic()
    shown = False
    moving = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"

    def tell(done: int, total: int) -> None:
        nonlocal shown
        if not moving or time.monotonic() - began < _PATIENCE:
            return
        shown = True
        part = min(1.0, done / total) if total else 0.0
        bar = ("#" * round(_WIDTH * part)).ljust(_WIDTH, ".")
        with contextlib.suppress(OSError):
            sys.stderr.write(f"\r{doing} [{bar}] {part:4.0%}  {words.size(done)} of {words.size(total)}  \x1b[K")
            sys.stderr.flush()

    try:
        yield tell
    finally:
        if shown:
            with contextlib.suppress(OSError):
                sys.stderr.write("\r\x1b[K")
                sys.stderr.flush()
