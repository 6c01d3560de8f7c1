"""One page: a process of the application, started for it and ended with it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from specular_tui.serve import packets
from specular_tui.serve.access import TOKEN

#: Seconds that the application has to end by itself, and then by SIGTERM.
GRACE: Final = (3.0, 2.0)
#: Of what it says on stderr, the last bytes are kept.
_WORDS: Final = 8 << 10


class Page:
    """Carries what the application paints to `paint`, and what the page types to the application."""

    def __init__(self, process: Process, paint: Callable[[bytes], Awaitable[None]]) -> None:
        """`process` has just been started; `paint` raises ConnectionError when the page has gone."""
        self._process = process
        self._paint = paint
        self._gone = False
        self._words = b""
        self._tasks = [asyncio.create_task(self._carry()), asyncio.create_task(self._listen())]

    @classmethod
    async def start(
        cls, command: Sequence[str], size: tuple[int, int], paint: Callable[[bytes], Awaitable[None]]
    ) -> Page:
        """Start the application in `size` columns and lines.

        It has a session of its own, so that Ctrl+C ends it through the server; and neither the token nor anything else
        of this server is in its environment.
        """
        environment = {name: value for name, value in os.environ.items() if name != TOKEN}
        process = await asyncio.create_subprocess_exec(
            *command,
            f"{size[0]}x{size[1]}",
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=environment,
            start_new_session=True,
        )
        return cls(process, paint)

    async def send(self, packet: bytes) -> None:
        """Send a packet to the application; nothing happens where it has ended."""
        stdin = self._process.stdin
        assert stdin is not None
        with contextlib.suppress(ConnectionError, RuntimeError):
            stdin.write(packet)
            await stdin.drain()

    async def ended(self) -> None:
        """Wait until the application has painted its last and closed its output."""
        await asyncio.wait(self._tasks[:1])

    async def end(self) -> tuple[int, str]:
        """End the application, however long that takes; return its exit code, and what it said on stderr.

        It is asked, and then told with SIGTERM, and then killed. The builds that it has started are not its children's
        children only: they have sessions of their own, and go on.
        """
        self._gone = True
        process = self._process
        await self._ask_to_quit()
        for number, seconds in ((signal.SIGTERM, GRACE[0]), (signal.SIGKILL, GRACE[1])):
            try:
                await asyncio.wait_for(process.wait(), seconds)
                break
            except TimeoutError:
                process.send_signal(number)
        await process.wait()
        # What it has left behind may hold its pipes open.
        await asyncio.wait(self._tasks, timeout=1)
        for task in self._tasks:
            task.cancel()
        return process.returncode or 0, self._words.decode("utf-8", "replace")

    async def _ask_to_quit(self) -> None:
        stdin = self._process.stdin
        assert stdin is not None
        with contextlib.suppress(ConnectionError, RuntimeError, TimeoutError):
            stdin.write(packets.about(type="quit"))
            stdin.close()
            await asyncio.wait_for(stdin.wait_closed(), GRACE[0])

    async def _carry(self) -> None:
        """Carry packets to the page until the application closes its output; without a page, drop them."""
        stdout = self._process.stdout
        assert stdout is not None
        try:
            if await stdout.readexactly(len(packets.PRELUDE)) != packets.PRELUDE:
                return
            while True:
                head = await stdout.readexactly(5)
                size = int.from_bytes(head[1:], "big")
                if size > packets.LARGEST:
                    return
                payload = await stdout.readexactly(size)
                # `M` asks the page to open addresses and to fetch files; this application does neither.
                if head[:1] == b"D" and not self._gone:
                    await self._paint(payload)
        except asyncio.IncompleteReadError:
            return
        except ConnectionError:
            self._gone = True
            await self._drain(stdout)

    async def _drain(self, stdout: asyncio.StreamReader) -> None:
        """Read on, so that the application does not stand still in the middle of a frame and can end."""
        while await stdout.read(64 << 10):
            pass

    async def _listen(self) -> None:
        stderr = self._process.stderr
        assert stderr is not None
        while words := await stderr.read(4096):
            self._words = (self._words + words)[-_WORDS:]
