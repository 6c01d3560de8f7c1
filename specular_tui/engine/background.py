"""What goes on beside the loop's callbacks: coroutines that are waited for, and whose mistakes are not lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any


class Background:
    """The coroutines of a session. Only for use on its loop."""

    def __init__(self, on_mistake: Callable[[BaseException], None]) -> None:
        """Call `on_mistake` with what a coroutine has raised, or a callback of the loop."""
        self._loop = asyncio.get_running_loop()
        self._on_mistake = on_mistake
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop.set_exception_handler(self._unexpected)

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Let `work` go on by itself."""
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return task

    async def settle(self) -> None:
        """Return when nothing goes on any more."""
        while self._tasks:
            await asyncio.wait(tuple(self._tasks))

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._on_mistake(error)

    def _unexpected(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, BaseException):
            self._on_mistake(error)
        else:
            loop.default_exception_handler(context)
