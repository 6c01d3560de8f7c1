"""An application that says things in a line of its own, instead of over what is being looked at."""

from __future__ import annotations

import asyncio
import os
from typing import Any

from textual.notifications import SeverityLevel

from specular_tui.tui import keys
from specular_tui.tui.clock import Clock
from specular_tui.tui.safe import plain
from specular_tui.tui.said import Message, Said
from specular_tui.tui.terminal.app import TerminalApp
from specular_tui.tui.widgets.message_line import MessageLine


class SpeakingApp(TerminalApp):
    """Keeps what has been said; the `MessageLine` of each screen shows it."""

    BINDINGS = keys.bindings("said")

    def __init__(self, clock: Clock, *args: Any, **kwargs: Any) -> None:
        """`clock` has the time of what is said."""
        super().__init__(*args, **kwargs)
        self.clock = clock
        self.said = Said()
        self._knows_tmux = False

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """Say a text; whoever says it, and whatever it holds, it is text and nothing else.

        `timeout` None: as long as its severity asks for.
        """
        lines = tuple(plain(line) for line in (title, *message.splitlines()) if line.strip())
        self._keep(self.said.add(lines, severity, self.clock.now(), timeout))
        self._show_said()

    def say(self, text: str, severity: str = "information", lasting: float | None = None) -> None:
        """Show a text, which may be foreign, for some seconds, or for as long as its severity asks for."""
        match severity:
            case "error":
                self.notify(text, severity="error", timeout=lasting)
            case "warning":
                self.notify(text, severity="warning", timeout=lasting)
            case _:
                self.notify(text, timeout=lasting)

    def _keep(self, message: Message) -> None:
        """Let a message go when its time is over; behind a dialog it is not."""
        if message.lasting is None:
            return

        def over() -> None:
            if not self.screen_stack:
                return  # the application is ending: nothing is shown any more
            if self.said.shown is message and not self._heard:
                self._keep(message)
            else:
                self.said.expire(message)
                self._show_said()

        self.set_timer(message.lasting, over, name="said")

    @property
    def _heard(self) -> bool:
        """Whether what is in front shows messages."""
        return bool(self.screen.query(MessageLine))

    def _show_said(self) -> None:
        for screen in self.screen_stack:
            for line in screen.query(MessageLine):
                line.update()
        self.screen.refresh_bindings()

    def copy_to_clipboard(self, text: str) -> None:
        """Copy a text; say once where a tmux around this keeps it from the clipboard."""
        super().copy_to_clipboard(text)
        if not self._knows_tmux and os.environ.get("TMUX") and not self.is_web:
            self._knows_tmux = True
            self.run_worker(self._ask_tmux(), group="tmux")

    async def _ask_tmux(self) -> None:
        from specular_tui.tui.terminal import tmux

        if not await asyncio.to_thread(tmux.passes_copies):
            self.say(tmux.HINT)

    def clear_notifications(self) -> None:
        """Take away what is shown."""
        self.said.close()
        self._show_said()

    def withdraw(self, text: str) -> None:
        """Show a message no longer, if it is the one on show and would go by itself: it is so no more."""
        if (shown := self.said.shown) is not None and shown.text == text:
            self.pass_over()

    def pass_over(self) -> None:
        """Show the message on show no longer, if it would go by itself; an error stays."""
        if (shown := self.said.shown) is not None and shown.lasting is not None:
            self.said.expire(shown)
            self._show_said()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is something to close only where an error stands and can be seen."""
        if action == "close_message":
            return bool(self.said.standing) and self._heard
        return super().check_action(action, parameters)

    def action_close_message(self) -> None:
        """Close the errors that stand."""
        self.clear_notifications()
