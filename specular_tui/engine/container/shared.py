"""Tasks that come one after the other into containers that are kept for the run (`reuse: run`).

A container is one task's alone for as long as the task runs: its limits, its pause, its end and its memory are the
task's, and so is every process in it. Behind the task it is cleared up, and where something is left, or was ended by
force, it is thrown away. What the next task can tell is that process numbers go on, and the name of the host stays.
"""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable
from typing import Final, Protocol

from specular_tui.engine.container.command import kept_container
from specular_tui.engine.container.job import ENGINE_FAILED, NOT_RUN, ContainerJob, Place
from specular_tui.engine.container.keeper import Keeper, KeeperGoneError, NoShellError, Swept
from specular_tui.engine.executor import Exit, Work
from specular_tui.engine.guard import Guard
from specular_tui.engine.processes import MARKER

#: What a client writes where the engine could not start the command; it answers 126 or 127, as a command may too.
_REFUSED: Final = b"OCI runtime exec failed"
_NOT_THERE: Final = b"not found"
_WORDS_AT_THE_END: Final = 1 << 10


class SharedPlace(Place, Protocol):
    """What a job in a shared container needs of its executor."""

    pool: Pool


class Pool:
    """The kept containers of a run: in use, or waiting for the next task of their image."""

    def __init__(self, place: Place, *, most_idle: int, guard: Guard | None) -> None:
        """At most `most_idle` containers wait at any time."""
        self._place = place
        self._most_idle = most_idle
        self._guard = guard
        self._numbers = itertools.count(1)
        self._idle: list[tuple[str, Keeper]] = []
        self._all: set[Keeper] = set()
        #: Images without a shell: their tasks have containers of their own.
        self.unkeepable: set[str] = set()

    def take(self, image: str) -> Keeper:
        """Return a container of `image` for one task: one that waits, or a new one, not started yet."""
        for at, (name, keeper) in enumerate(self._idle):
            if name == image:
                del self._idle[at]
                return keeper
        line = self._place.line
        name = kept_container(line.marker, next(self._numbers))
        environment = {**os.environ, MARKER: line.marker}
        keeper = Keeper(name, line.keep(name, image), environment, self._guard)
        self._all.add(keeper)
        return keeper

    async def give_back(self, image: str, keeper: Keeper) -> None:
        """Keep a clean container for the next task; the one that has waited longest goes if there are too many."""
        self._idle.append((image, keeper))
        if len(self._idle) > self._most_idle:
            _, oldest = self._idle.pop(0)
            await self.throw_away(oldest)

    async def throw_away(self, keeper: Keeper) -> None:
        """End and remove a container."""
        self._all.discard(keeper)
        await asyncio.to_thread(self._place.engine.ask, "rm", "-f", keeper.name)
        await asyncio.to_thread(keeper.close)

    def close(self) -> None:
        """Let go of all of them; the engine is told to remove them by whoever closes the executor."""
        for keeper in self._all:
            keeper.close()
        self._all.clear()
        self._idle.clear()


class SharedJob(ContainerJob):
    """A task in a container that others have been in, and will be."""

    def __init__(self, place: SharedPlace, work: Work, on_exit: Callable[[Exit], None]) -> None:
        """Begin at once."""
        self._pool = place.pool
        self._image = work.image or ""
        self._keeper: Keeper | None = self._pool.take(self._image)
        self._killed = False
        super().__init__(place, work, on_exit)
        self._own = self.container
        self.container = self._keeper.name

    async def provided(self) -> bool:
        """As for a container of its own; where the task will not run, its container waits for another one."""
        there = False
        try:
            there = await super().provided()
            return there
        finally:
            if not there and self._keeper is not None:
                await self._pool.give_back(self._image, self._keeper)

    async def run(self) -> Exit:
        """Run the task, and return how it ended when nothing of it is left."""
        keeper, swept = self._keeper, None
        assert keeper is not None
        try:
            command = self.place.line.enter(keeper.name, self.work)
            await asyncio.to_thread(keeper.start)
            end = await self.attend(command)
            swept = None if self._killed else await asyncio.to_thread(_sweep, keeper)
        except NoShellError:
            self._pool.unkeepable.add(self._image)
            self._keeper = None
            self.container = self._own
            return await super().run()
        finally:
            if swept is not None and swept.clean and not self._killed:
                await self._pool.give_back(self._image, keeper)
            else:
                await self._pool.throw_away(keeper)
        return end if self.client is None else await asyncio.to_thread(self._conclude, end, swept)

    def _conclude(self, client: Exit, swept: Swept | None) -> Exit:
        if self._killed:
            return Exit(exit_code=None, signal="SIGKILL")
        if swept is None:
            reason = "its container has ended, and all that ran in it"
            return Exit(exit_code=None, signal="SIGKILL", reason=reason)
        unsure = swept.out_of_memory is None and client.exit_code != 0
        if swept.out_of_memory or (unsure and (self.state() or {}).get("OOMKilled") is True):
            return self.out_of_memory()
        if client.exit_code in (ENGINE_FAILED, *NOT_RUN) and _REFUSED in (said := self._last_words()):
            code = 127 if _NOT_THERE in said else 126
            return Exit(exit_code=code, signal=None, reason=self.not_found(code) or "cannot be run; the log says why")
        return self.told_to_end(client._replace(reason=self.not_found(client.exit_code)))

    def _last_words(self) -> bytes:
        """Return the end of the log, or nothing where a descriptor that writes leads to none that reads (macOS)."""
        try:
            fd = os.open(f"/dev/fd/{self.work.log_fd}", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return b""
        try:
            return os.pread(fd, _WORDS_AT_THE_END, max(0, os.fstat(fd).st_size - _WORDS_AT_THE_END))
        finally:
            os.close(fd)

    # Steering: the client has to be through with the engine before the container may stand still -----------------

    def pause(self) -> bool:
        """Pause the container; False where the task has not got into it yet."""
        if self._keeper is None:
            return super().pause()
        try:
            return self._keeper.is_busy() and super().pause()
        except KeeperGoneError:
            return True

    def signal(self) -> bool:
        """Send SIGTERM to all that runs in the container; False where nothing does yet."""
        if self._keeper is None:
            return super().signal()
        try:
            return self._keeper.terminate()
        except KeeperGoneError:
            return True

    def kill(self) -> None:
        """End the container at once, and the client with it: the next task gets another one."""
        self._killed = True
        super().kill()


def _sweep(keeper: Keeper) -> Swept | None:
    try:
        return keeper.sweep()
    except KeeperGoneError:
        return None
