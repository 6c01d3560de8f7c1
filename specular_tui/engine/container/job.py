"""A task in a container of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable
from typing import Any, Final, Protocol

from specular_tui.engine.container.command import CommandLine, task_container
from specular_tui.engine.container.engine import Engine
from specular_tui.engine.executor import Exit, StartError, Work
from specular_tui.engine.process import ProcessExecutor, ProcessJob, signal_name
from specular_tui.errors import SpecularError

#: A container that is being started cannot be steered yet: so often it is tried again, after so many seconds.
_TRIES: Final = 50
_BETWEEN_TRIES: Final = 0.1
#: What the client answers where the engine itself could not start the container.
ENGINE_FAILED: Final = 125
#: What it answers, as a shell does, where the command could not be run, or is not there.
NOT_RUN: Final = (126, 127)
_KILLED: Final = 128 + signal.SIGKILL


class Place(Protocol):
    """What a job needs of the executor that it belongs to."""

    engine: Engine
    line: CommandLine
    local: ProcessExecutor

    async def provide(self, image: str, log_fd: int) -> None:
        """Return once `image` is there."""


class ContainerJob:
    """A task in its container: the image is fetched, the container runs, is looked at, and is removed."""

    def __init__(self, place: Place, work: Work, on_exit: Callable[[Exit], None]) -> None:
        """Begin at once."""
        self.container: str = task_container(place.line.marker, work.task, work.attempt)
        self.place = place
        self.work = work
        self._on_exit = on_exit
        self.client: ProcessJob | None = None
        self._told_to_end = asyncio.Event()
        self._over = False
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._steering: asyncio.Task[None] | None = None
        self._life = asyncio.get_running_loop().create_task(self._live())

    @property
    def pid(self) -> int | None:
        """The client's process."""
        return self.client.pid if self.client is not None else None

    @property
    def pid_start(self) -> int | None:
        """Its start time in clock ticks since boot."""
        return self.client.pid_start if self.client is not None else None

    @property
    def ending(self) -> bool:
        """The task has been told to end."""
        return self._told_to_end.is_set()

    async def _live(self) -> None:
        """Go through the task's life; whatever happens in it, the runner is told of an end."""
        try:
            end = await self.run() if await self.provided() else Exit(exit_code=None, signal="SIGTERM")
        except (StartError, SpecularError, OSError) as error:
            code = error.exit_code if isinstance(error, StartError) else ENGINE_FAILED
            end = Exit(exit_code=code, signal=None, reason=str(error))
            self._say(f"specular: {error}\n")
        except Exception as error:  # a mistake of this program: told as one, instead of a task that never ends
            end = Exit(ENGINE_FAILED, None, reason=f"internal error: {type(error).__name__}: {error}")
            self._say(f"specular: {end.reason}\n")
        finally:
            self._over = True
        if self._steering is not None:
            await asyncio.wait([self._steering])
        self._on_exit(end)

    async def provided(self) -> bool:
        """Return True once the image is there, or False as soon as the task is to end: the others may need it yet."""
        assert self.work.image is not None
        provided = asyncio.ensure_future(self.place.provide(self.work.image, self.work.log_fd))
        told = asyncio.ensure_future(self._told_to_end.wait())
        try:
            await asyncio.wait((provided, told), return_when=asyncio.FIRST_COMPLETED)
            if not provided.done():
                return False
            provided.result()  # raises why there is none
            return True
        finally:
            told.cancel()
            provided.cancel()

    async def run(self) -> Exit:
        """Run the task, and return how it ended when nothing of it is left."""
        command = self.place.line.run(self.container, self.work)
        try:
            end = await self.attend(command)
            return end if self.client is None else await asyncio.to_thread(self._judge, end)
        finally:
            await asyncio.to_thread(self.place.engine.ask, "rm", "-f", self.container)

    async def attend(self, command: Work) -> Exit:
        """Run the engine's client, unless the task is to end before it has begun; return how the client ended."""
        await self._thawed.wait()
        if self.ending:
            return Exit(exit_code=None, signal="SIGTERM")
        ended: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        self.client = self.place.local.start(command, ended.set_result)
        return await ended

    def _judge(self, client: Exit) -> Exit:
        """Return how the container ended, by the engine's own word; the client's where there is none."""
        state = self.state()
        if state is None or state.get("Status") in ("created", "configured"):
            if client.exit_code in (ENGINE_FAILED, *NOT_RUN):
                why = "the container could not be started" if client.exit_code == ENGINE_FAILED else "cannot be run"
                return client._replace(reason=f"{why} (exit code {client.exit_code}); the log says why")
            return self.told_to_end(client)
        if state.get("OOMKilled") is True:
            return self.out_of_memory()
        code = state.get("ExitCode")
        found = code if isinstance(code, int) else client.exit_code
        reason = self.not_found(found)
        limit = self.place.line.policy.mem_limit
        if found == _KILLED and limit and self.place.engine.name == "podman" and not self.ending:
            # podman does not say OOMKilled with control groups of version 1.
            reason = f"exit code {found}: killed, perhaps because memory ran out (mem_limit {limit})"
        return self.told_to_end(Exit(exit_code=found, signal=None, reason=reason))

    def state(self) -> dict[str, Any] | None:
        """Return what the engine says of the container, or None where it knows none."""
        asked = self.place.engine.ask("inspect", "--type", "container", "--format", "{{json .State}}", self.container)
        try:
            found = json.loads(asked.stdout)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def out_of_memory(self) -> Exit:
        """Return the end of a task of which the kernel has killed a process because memory ran out."""
        limit = self.place.line.policy.mem_limit
        reason = "container killed (OOMKilled): out of memory" + (f", mem_limit {limit}" if limit else "")
        return Exit(exit_code=None, signal="SIGKILL", reason=reason)

    def not_found(self, code: int | None) -> str | None:
        """Return why a program could not be run in the image, where `code` and the command say so."""
        if code not in NOT_RUN or isinstance(self.work.command, str):
            return None
        return f"program not found in the image, or not executable: {self.work.command[0]}"

    def told_to_end(self, end: Exit) -> Exit:
        """Return `end` with the signal that it was, where the task was told to end: engines only know 128 and more."""
        code = end.exit_code
        if self.ending and code is not None and code - 128 in (signal.SIGTERM, signal.SIGKILL):
            return end._replace(exit_code=None, signal=signal_name(code - 128))
        return end

    def _say(self, text: str) -> None:
        try:
            os.write(self.work.log_fd, text.encode(errors="replace"))
        except OSError:
            return  # the log is full or gone; the reason of the end says the same

    # Steering -----------------------------------------------------------------------------------------------------

    def steer(self, *commands: Callable[[], bool]) -> None:
        """Have something done to the container, behind what was asked before: each until it answers True."""
        before = self._steering

        async def steer() -> None:
            if before is not None:
                await asyncio.wait([before])
            for command in commands:
                await self._insist(command)

        self._steering = asyncio.get_running_loop().create_task(steer())

    async def _insist(self, command: Callable[[], bool]) -> None:
        """Do it once, or again and again while the container is only being started."""
        for _ in range(_TRIES):
            if self._over or self.client is None:
                return
            if await asyncio.to_thread(command):
                return
            await asyncio.sleep(_BETWEEN_TRIES)

    def ask(self, *command: str) -> bool:
        """Have the engine do something to the container; False where it refuses."""
        return self.place.engine.ask(*command, self.container).returncode == 0

    def unpause(self) -> bool:
        """Let the container go on, if it is paused."""
        self.ask("unpause")
        return True

    def pause(self) -> bool:
        """Pause the container; False where that cannot be done yet."""
        return self.ask("pause")

    def signal(self) -> bool:
        """Send SIGTERM into the container; False where that cannot be done yet."""
        return self.ask("kill", "--signal", "TERM")

    def remove(self) -> bool:
        """End and remove the container; False where that cannot be done yet."""
        return self.ask("rm", "-f")

    def freeze(self) -> None:
        """Pause the container."""
        self._thawed.clear()
        self.steer(self.pause)

    def thaw(self) -> None:
        """Let the container go on."""
        self._thawed.set()
        self.steer(self.unpause)

    def terminate(self) -> bool:
        """Send SIGTERM into the container; False where it has ended."""
        if self._over:
            return False
        self._told_to_end.set()
        self._thawed.set()
        self.steer(self.unpause, self.signal)
        return True

    def kill(self) -> None:
        """End the container at once, and the client with it."""
        self._told_to_end.set()
        self._thawed.set()
        self.steer(self.unpause, self.remove)
        if self.client is not None:
            self.client.kill()
