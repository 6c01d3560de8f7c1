"""A line on stderr that says how far a longer piece of work is; on terminals only."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType

from specular_tui.model import quantity

#: Seconds before anything is shown: most work is done by then.
_PATIENCE = 0.5
_WIDTH = 30


class SignalledError(BaseException):
    """A signal that ends the process has come; as with Ctrl+C, what was begun is tidied up first."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def _signalled(number: int, _frame: FrameType | None) -> None:
    raise SignalledError(number)


@contextlib.contextmanager
def _tidy_ends() -> Iterator[None]:
    """Let SIGTERM and SIGHUP, where they would end the process at once, raise `SignalledError`."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    taken = [number for number, handler in before.items() if handler == signal.SIG_DFL]
    for number in taken:
        signal.signal(number, _signalled)
    try:
        yield
    finally:
        for number in taken:
            signal.signal(number, signal.SIG_DFL)


@contextlib.contextmanager
def progress_bar(doing: str) -> Iterator[Callable[[int, int], None]]:
    """Yield what is to be told the bytes done and the bytes in all.

    Ctrl+C, SIGTERM and SIGHUP end the work; what is half written is removed.
    """
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
            sys.stderr.write(f"\r{doing} [{bar}] {part:4.0%}  {quantity.size(done)} of {quantity.size(total)}  \x1b[K")
            sys.stderr.flush()

    try:
        with _tidy_ends():
            yield tell
    finally:
        if shown:
            with contextlib.suppress(OSError):
                sys.stderr.write("\r\x1b[K")
                sys.stderr.flush()
