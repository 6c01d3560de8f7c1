"""What any application owes its terminal: it waits for a slow one, ends with a lost one, and dies in a few words."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
import traceback
from collections.abc import Iterator
from typing import Any

from textual._compositor import CompositorUpdate
from textual.app import App
from textual.events import Key
from textual.widgets import Input

from specular_tui.tui.terminal.quick_keys import QuickKeysApp
from specular_tui.tui.terminal.repaint import Terminal


class TerminalApp(QuickKeysApp):
    """An application that keeps up with its terminal; see `terminal.TerminalDriver`."""

    #: The traceback of the error that the application has ended with; "" without one.
    crash = ""
    #: Why it has ended, in one line.
    crash_reason = ""
    _held = False
    _dropped = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._painted = Terminal()

    # A slow terminal

    def hold_paint(self) -> None:
        """The terminal has not taken what was painted last: paint no more until it has."""
        if not self._held:
            self._held = True
            self._begin_batch()

    def resume_paint(self) -> None:
        """The terminal has kept up: paint what has changed meanwhile, once."""
        if self._held:
            self._held = False
            self._end_batch()
            if self._dropped:
                self._dropped = False
                self.screen.refresh()
            else:
                self.screen.check_idle()

    def _display(self, screen: Any, renderable: Any) -> None:
        """Paint what is not there yet, or remember that something was to be painted."""
        self._dropped = self._dropped or (self._held and renderable is not None)
        if isinstance(renderable, CompositorUpdate):
            renderable = self._painted.missing(renderable)
        super()._display(screen, renderable)

    # One that sends keys faster than the focus moves

    async def _on_key(self, event: Key) -> None:
        """Let a box have what was typed before it had the focus: keys may come in one go.

        A key that a box has been given does not come up to here, so this one has not been.
        """
        box = self.focused
        if isinstance(box, Input) and event.is_printable and event.character is not None:
            event.prevent_default()
            box.insert_text_at_cursor(event.character)

    #: When the last key came, by `time.monotonic`.
    typed_at = 0.0

    # One that is looked at

    #: Whether the terminal has the focus, as far as it has said; one that says nothing is not known to have it.
    looked_at = False

    def on_app_focus(self) -> None:
        """The terminal has the focus."""
        self.looked_at = True

    def on_app_blur(self) -> None:
        """The terminal has it no longer."""
        self.looked_at = False

    # A lost one, and signals

    def lose_terminal(self) -> None:
        """There is nobody to paint for any more: end, as where the terminal was closed."""
        self._signalled(signal.SIGHUP)

    def heed_signals(self) -> None:
        """End as asked by a signal, with a clean terminal; paint all when it comes back from the shell."""
        self.app_resume_signal.subscribe(self, self._back)
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            try:
                loop.add_signal_handler(number, self._signalled, number)
            except (ValueError, RuntimeError):  # not the main thread
                break

    @contextlib.contextmanager
    def lent(self) -> Iterator[None]:
        """Lend the terminal, as the shell has it, to another program; Ctrl+C is that program's alone meanwhile.

        Raises:
            textual.app.SuspendNotSupported: the application is not on a terminal.
        """
        loop = asyncio.get_running_loop()
        error: Exception | None = None
        with self.suspend():
            heeded = loop.remove_signal_handler(signal.SIGINT)
            # A handler, other than SIG_IGN, is not handed on to the program.
            signal.signal(signal.SIGINT, lambda *_: None)
            try:
                yield
            except Exception as raised:
                # Textual comes back to the screen only where nothing is raised.
                error = raised
            finally:
                if heeded:
                    # Not before the loop has read of the signals that came meanwhile.
                    loop.call_later(0.2, loop.add_signal_handler, signal.SIGINT, self._signalled, signal.SIGINT)
        if error is not None:
            raise error

    def _back(self, app: App[Any]) -> None:
        self._painted.forget()
        self.refresh(layout=True)

    def _signalled(self, number: signal.Signals) -> None:
        # Held painting would be waited for.
        if self._held:
            self._held = False
            self._end_batch()
        self.exit(128 + number, return_code=128 + number)

    # A crash

    def _fatal_error(self) -> None:
        """Keep what went wrong, for whoever tells of it once the terminal is the shell's again."""
        error = sys.exc_info()[1] or self._exception
        if error is not None and not self.crash:
            self.crash_reason = f"{type(error).__name__}: {error}".splitlines()[0]
            # Without the values of variables: they may be anybody's secrets.
            self.crash = "".join(traceback.format_exception(error))
        self._close_messages_no_wait()

    def panic(self, *renderables: Any) -> None:
        """End with an error that Textual would have drawn itself."""
        self._return_code = 1
        self._fatal_error()
        if not self.crash:
            self.crash = "\n".join(map(str, renderables))
            self.crash_reason = self.crash.strip().splitlines()[-1] if self.crash.strip() else "unknown"
