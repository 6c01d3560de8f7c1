"""What every part of the bridge works with: the directory, the desk, and ways to speak."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import TypeVar

from msgspec import Struct

from specular_tui.errors import SpecularError
from specular_tui.tui.messages import Told
from specular_tui.tui.views import Desk

_Result = TypeVar("_Result")


class Outlet(Struct):
    """Where the parts of the bridge read, write and speak."""

    root: Path
    desk: Desk
    #: Brings a message to every screen.
    tell: Callable[[Told], None]
    #: Shows a text, with a severity, for a moment.
    notify: Callable[[str, str], None]
    #: Starts work beside the loop's, in a group; exclusive work ends what its group did before.
    spawn: Callable[[Callable[[], Coroutine[None, None, None]], str, bool], object]
    #: Called when a run has been read: what was made for it stays.
    settle: Callable[[], None]

    async def attempt(self, work: Callable[[], _Result], severity: str = "error") -> _Result | None:
        """Do blocking work on a thread; an error is shown, as grave as `severity`, and the answer is then None."""
        try:
            return await asyncio.to_thread(work)
        except (SpecularError, OSError) as error:
            self.complain(error, severity)
            return None

    def complain(self, error: Exception, severity: str = "error") -> None:
        """Show an error as its author meant it: what happened, and the way on."""
        if isinstance(error, SpecularError):
            lines = [error.message, *error.details[:5]] + ([error.hint] if error.hint else [])
            # A build that had nothing to do says so, and that is no failure.
            self.notify("\n".join(lines), severity if error.exit_code else "information")
        else:
            self.notify(str(error), severity)
