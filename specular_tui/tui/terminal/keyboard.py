"""What is typed, read from the terminal and handed on; nothing wakes up while nothing is typed.

Textual's own loop looks ten times a second whether it shall end, and whether an escape was a key of its own. Here it is
woken for the one, and looks for the other only just after something was typed.
"""

from __future__ import annotations

import codecs
import contextlib
import os
import select
import threading
import time
from collections.abc import Callable
from typing import Final

from textual._xterm_parser import XTermParser
from textual.constants import ESCAPE_DELAY
from textual.message import Message

_MOST: Final = 4096
#: Milliseconds between two looks at an escape that may be a key or the beginning of one.
_LOOK: Final = 50
#: What the terminal still answers is waited for so long at the end, in milliseconds: it is not for the shell.
_LAST: Final = 100


class Bell(threading.Event):
    """An event that also wakes whoever polls the descriptor `fd`."""

    def __init__(self) -> None:
        super().__init__()
        self.fd, self._rope = os.pipe()
        os.set_blocking(self.fd, False)
        os.set_blocking(self._rope, False)

    def set(self) -> None:
        """Set it, and wake."""
        super().set()
        with contextlib.suppress(BlockingIOError):  # it has been rung often enough
            os.write(self._rope, b"\0")

    def clear(self) -> None:
        """Take it back."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self.fd, _MOST):
                pass
        super().clear()

    def __del__(self) -> None:
        os.close(self.fd)
        os.close(self._rope)


def read_keys(fd: int, heard: Callable[[Message], None], end: Bell, *, debug: bool = False) -> bool:
    """Hand on what is typed at the terminal `fd` until `end`; return whether there was a terminal until then.

    Raises:
        OSError: the terminal cannot be read.
    """
    parser = XTermParser(debug)
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    poll.register(end.fd, select.POLLIN)

    def read() -> bool:
        data = os.read(fd, _MOST)
        # To the parser an empty text is the end of all.
        if text := decoder.decode(data):
            for message in parser.feed(text):
                heard(message)
        return bool(data)

    settled = 0.0
    while not end.is_set():
        ready = [each for each, _ in poll.poll(_LOOK if time.monotonic() < settled else None)]
        if fd in ready:
            if not read():
                return False
            settled = time.monotonic() + ESCAPE_DELAY + 2 * _LOOK / 1000
        for message in parser.tick():
            heard(message)
    poll.unregister(end.fd)
    if poll.poll(_LAST):
        read()
    return True
