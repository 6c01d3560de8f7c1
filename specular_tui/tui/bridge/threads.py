"""Work on threads that may be given up: nothing that it opened stays open, nothing that it uses is closed under it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import Callable, Iterator
from typing import Protocol, TypeVar


@contextlib.contextmanager
def no_collections() -> Iterator[None]:
    """Collect no garbage meanwhile: half a million new objects that all stay would be looked through for nothing."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class _Closing(Protocol):
    def close(self) -> None: ...


_Result = TypeVar("_Result")
_Opened = TypeVar("_Opened", bound=_Closing | None)


async def opened(work: Callable[[], _Opened]) -> _Opened:
    """Open something on a thread; where nobody waits for it any more it is closed again."""
    opening = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close)
        raise


async def finished(work: Callable[[], _Result], give_up: Callable[[], None] | None = None) -> _Result:
    """Do something on a thread, and wait for its end even where nobody wants it any more.

    `give_up` tells it so.
    """
    working = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(working)
    except asyncio.CancelledError:
        if give_up is not None:
            give_up()
        await asyncio.wait([working])
        raise


def _close(opening: asyncio.Future[_Opened]) -> None:
    if not opening.cancelled() and opening.exception() is None and (found := opening.result()) is not None:
        found.close()
