"""The terminal that the application runs on: proven before, kept up with while, and left as it was after.

Textual's driver is used as it is, but for what it does not do: it waits for ever for a terminal that takes nothing any
more, it spins where there is no terminal any more, it does not take back mouse reports in pixels, and it does not sleep
while nothing is typed.
"""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import threading
import time
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any, Final

from textual.drivers.linux_driver import LinuxDriver
from textual.events import Key
from textual.message import Message

from specular_tui.errors import UsageError
from specular_tui.tui.terminal.keyboard import Bell, read_keys

if TYPE_CHECKING:
    from specular_tui.tui.terminal.app import TerminalApp

#: What is painted waits while the terminal has not taken so many letters of what was painted before. A frame has some
#: thousand; over a line of 10 KB/s a key then shows after two or three seconds, whatever the build does.
BEHIND: Final = 8_000
#: So long a terminal that takes nothing is waited for at the end, in seconds.
PATIENCE: Final = 1.0

#: Mouse, focus, paste, wrap, size reports and kitty's keys as they are without an application; the normal screen.
_RESET: Final = (
    "\x1b[?1000l\x1b[?1003l\x1b[?1015l\x1b[?1006l\x1b[?1016l\x1b[?1004l\x1b[?2004l\x1b[?2048l\x1b[?7h"
    "\x1b[<u\x1b[?1049l\x1b[?25h\x1b[0m"
)


def prove_terminal() -> None:
    """Refuse where the application cannot run.

    Raises:
        UsageError: there is no terminal, or it is one that cannot move its cursor.
    """
    # Textual draws on the standard error.
    terminal = all(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.__stderr__))
    if not terminal or os.environ.get("TERM", "dumb") in ("dumb", ""):
        raise UsageError(
            "the full-screen view needs a terminal that can move its cursor",
            hint="without one: specular progress, specular checkpoint list",
        )


@contextlib.contextmanager
def left_clean() -> Iterator[None]:
    """Leave the terminal as it was, also where an error or a signal goes past the application's own end."""
    fd = sys.__stdin__.fileno() if sys.__stdin__ is not None else -1
    before: list[Any] | None = None
    with contextlib.suppress(termios.error):
        before = termios.tcgetattr(fd)
    try:
        yield
    except BaseException:
        if sys.__stderr__ is not None:
            with contextlib.suppress(OSError):
                sys.__stderr__.write(_RESET)
                sys.__stderr__.flush()
        raise
    finally:
        if before is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(fd, termios.TCSANOW, before)


class _Output:
    """What the driver writes to: counts what the terminal has taken, and goes on quietly where it is gone."""

    def __init__(self, file: IO[str], driver: TerminalDriver) -> None:
        self._file = file
        self._driver = driver

    def fileno(self) -> int:
        """Return the descriptor of the terminal."""
        return self._file.fileno()

    def isatty(self) -> bool:
        """Tell whether it is a terminal."""
        return self._file.isatty()

    def write(self, text: str) -> int:
        """Write, as long as there is a terminal."""
        if not self._driver.lost:
            try:
                self._file.write(text)
                self._file.flush()
            except (OSError, ValueError):
                self._driver.lose()
        self._driver.taken(len(text))
        return len(text)

    def flush(self) -> None:
        """Nothing waits here: each write is handed on."""


class TerminalDriver(LinuxDriver):
    """Textual's driver for a terminal that may be slow, stuck or gone."""

    _app: TerminalApp

    def __init__(
        self, app: Any, *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        self.lost = False
        self._waiting = 0
        self._count = threading.Lock()
        self._watched = False
        self.exit_event = self._end = Bell()
        if self._file is not None:
            self._file = _Output(self._file, self)  # type: ignore[assignment]

    def write(self, data: str) -> None:
        """Hand over what is painted; where the terminal has not kept up, painting waits from now on."""
        with self._count:
            before, self._waiting = self._waiting, self._waiting + len(data)
            behind = before < BEHIND <= self._waiting
        if behind:
            self._app.hold_paint()
        super().write(data)

    def taken(self, letters: int) -> None:
        """The terminal has taken so much; called from the thread that writes."""
        with self._count:
            before, self._waiting = self._waiting, self._waiting - letters
            caught_up = self._waiting < BEHIND <= before
        if caught_up:
            self._tell(self._app.resume_paint)

    def lose(self) -> None:
        """There is no terminal any more; called from any thread."""
        if not self.lost:
            self.lost = True
            self._tell(self._app.lose_terminal)

    def _tell(self, what: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(what)

    def start_application_mode(self) -> None:
        """Begin, and watch for the end of the terminal."""
        super().start_application_mode()  # type: ignore[no-untyped-call]
        if self._watched:
            return
        self._watched = True
        threading.Thread(target=self._watch_for_end, name="terminal-end", daemon=True).start()

    def _watch_for_end(self) -> None:
        """Sleep until the other end of the terminal is closed."""
        poll = select.poll()
        poll.register(self.fileno, select.POLLHUP)
        with contextlib.suppress(OSError):
            poll.poll()
            self.lose()

    def _run_input_thread(self) -> None:
        """Read what is typed; a terminal that cannot be read is lost, and no error of the application's."""
        try:
            if not read_keys(self.fileno, self.process_message, self._end, debug=self._debug):
                self.lose()
        except OSError:
            self.lose()

    def process_message(self, message: Message) -> None:
        """Hand on what was typed, or what the terminal says."""
        if isinstance(message, Key):
            self._app.typed_at = time.monotonic()
        super().process_message(message)

    def stop_application_mode(self) -> None:
        """End, and take back what the driver leaves on."""
        if self._mouse_pixels:
            self.write("\x1b[?1016l")
            self._mouse_pixels = False
        super().stop_application_mode()

    def close(self) -> None:
        """Wait until all is written; but where the terminal takes nothing any more, drop what is left."""
        writer = self._writer_thread
        if writer is None:
            return
        closing = threading.Thread(target=writer.stop, daemon=True)
        closing.start()
        closing.join(PATIENCE)
        if closing.is_alive():
            self.lost = True
            with contextlib.suppress(termios.error, OSError):
                termios.tcflush(writer.fileno(), termios.TCOFLUSH)
            closing.join(PATIENCE)
