"""Tasks in containers, run by docker or podman through their command lines.

Every container carries the run's label and a name of its own; it is ended and removed through the engine, because the
client that started it is only a messenger: killed, it leaves the container running.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterable
from typing import Any, Final

from blake3 import blake3

from specular_tui.engine.executor import Exit, StartError, Work
from specular_tui.engine.process import ProcessExecutor, ProcessJob
from specular_tui.errors import SpecularError
from specular_tui.model.policy import DockerPolicy

#: The label of every container: the folder of the run that it belongs to.
LABEL: Final = "specular.run"
#: Where the plan's folder is in a container.
WORKSPACE: Final = "/workspace"
#: Seconds for one question to the engine; an engine that takes longer is broken.
_PATIENCE: Final = 60.0
#: A container that is being started cannot be steered yet: so often it is tried again, after so many seconds.
_TRIES: Final = 50
_BETWEEN_TRIES: Final = 0.1
#: What the client answers where the engine itself could not start the container.
_ENGINE_FAILED: Final = 125


class Engine:
    """A container engine that answers: docker or podman."""

    def __init__(self, name: str) -> None:
        """`name` is its command."""
        self.name = name

    def ask(self, *args: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the engine and return what came of it; what it prints is captured."""
        try:
            return subprocess.run(
                [self.name, *args],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return subprocess.CompletedProcess([self.name, *args], 124, "", f"{self.name} does not answer")
        except OSError as error:
            return subprocess.CompletedProcess([self.name, *args], 127, "", f"{self.name}: {error.strerror}")

    def remove_all(self, marker: str) -> int:
        """End and remove every container of the run `marker`; return how many there were."""
        found = self.ask("ps", "-aq", "--no-trunc", "--filter", f"label={LABEL}={marker}").stdout.split()
        if found:
            self.ask("rm", "-f", *found)
        return len(found)


def find_engine(policy: DockerPolicy) -> Engine:
    """Return the engine that `policy` names, or the first one that answers.

    Raises:
        SpecularError: none does; the details say what each one answered.
    """
    names = ("docker", "podman") if policy.engine == "auto" else (policy.engine,)
    answers = []
    for name in names:
        if shutil.which(name) is None:
            answers.append(f"{name}: not installed")
            continue
        asked = Engine(name).ask("version", "--format", "{{.Server.Version}}" if name == "docker" else "{{.Version}}")
        if asked.returncode == 0 and asked.stdout.strip():
            return Engine(name)
        answers.append(f"{name}: {_last_line(asked.stderr) or 'no answer'}")
    raise SpecularError(
        "the plan has tasks with an image, and no container engine answers",
        details=answers,
        hint="start docker or podman (specular doctor tells more); nothing was started",
    )


class ContainerJob:
    """A task in its container: the image is fetched, the container runs, is looked at, and is removed."""

    def __init__(self, executor: ContainerExecutor, work: Work, on_exit: Callable[[Exit], None]) -> None:
        """Begin at once."""
        self.container = container_name(executor.marker, work.task, work.attempt)
        self._executor = executor
        self._work = work
        self._on_exit = on_exit
        self._client: ProcessJob | None = None
        self._ending = False
        self._over = False
        self._thawed = asyncio.Event()
        self._thawed.set()
        self._steering: asyncio.Task[None] | None = None
        self._life = asyncio.get_running_loop().create_task(self._live())

    @property
    def pid(self) -> int | None:
        """The client's process."""
        return self._client.pid if self._client is not None else None

    @property
    def pid_start(self) -> int | None:
        """Its start time in clock ticks since boot."""
        return self._client.pid_start if self._client is not None else None

    async def _live(self) -> None:
        """Go through the task's life; whatever happens in it, the runner is told of an end."""
        try:
            end = await self._run()
        except (StartError, SpecularError, OSError) as error:
            end = Exit(exit_code=_ENGINE_FAILED, signal=None, reason=str(error))
            self._say(f"specular: {error}\n")
        finally:
            self._over = True
        if self._steering is not None:
            await asyncio.wait([self._steering])
        self._on_exit(end)

    async def _run(self) -> Exit:
        assert self._work.image is not None
        await self._executor.provide(self._work.image, self._work.log_fd)
        await self._thawed.wait()
        if self._ending:
            return Exit(exit_code=None, signal="SIGTERM")
        ended: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
        client = self._executor.client_work(self.container, self._work)
        self._client = self._executor.local.start(client, ended.set_result)
        try:
            end = await ended
            return await asyncio.to_thread(self._judge, end)
        finally:
            await asyncio.to_thread(self._engine.ask, "rm", "-f", self.container)

    @property
    def _engine(self) -> Engine:
        return self._executor.engine

    def _judge(self, client: Exit) -> Exit:
        """Return how the container ended, by the engine's own word; the client's where there is none."""
        state = self._state()
        if state is None or state.get("Status") in ("created", "configured"):
            if client.exit_code in (_ENGINE_FAILED, 126, 127):
                why = "the container could not be started" if client.exit_code == _ENGINE_FAILED else "cannot be run"
                return client._replace(reason=f"{why} (exit code {client.exit_code}); the log says why")
            return client
        code = state.get("ExitCode")
        if state.get("OOMKilled") is True:
            limit = self._executor.policy.mem_limit
            return Exit(
                exit_code=None,
                signal="SIGKILL",
                reason="killed: out of memory" + (f" (mem_limit {limit})" if limit else ""),
            )
        found = code if isinstance(code, int) else client.exit_code
        unknown = found in (126, 127) and not isinstance(self._work.command, str)
        reason = f"program not found in the image, or not executable: {self._work.command[0]}" if unknown else None
        return Exit(exit_code=found, signal=None, reason=reason)

    def _state(self) -> dict[str, Any] | None:
        asked = self._engine.ask("inspect", "--type", "container", "--format", "{{json .State}}", self.container)
        try:
            found = json.loads(asked.stdout)
        except ValueError:
            return None
        return found if isinstance(found, dict) else None

    def _say(self, text: str) -> None:
        try:
            os.write(self._work.log_fd, text.encode())
        except OSError:
            return  # the log is full or gone; the reason of the end says the same

    def _steer(self, *commands: tuple[str, ...]) -> None:
        """Have the engine do something to the container, behind what it was told before."""
        before = self._steering

        async def steer() -> None:
            if before is not None:
                await asyncio.wait([before])
            for command in commands:
                await self._insist(command)

        self._steering = asyncio.get_running_loop().create_task(steer())

    async def _insist(self, command: tuple[str, ...]) -> None:
        """Tell the engine once, or again and again while the container is only being started."""
        for _ in range(_TRIES):
            if self._over or self._client is None:
                return
            done = await asyncio.to_thread(self._engine.ask, *command, self.container)
            if done.returncode == 0 or command[0] == "unpause":
                return
            await asyncio.sleep(_BETWEEN_TRIES)

    def freeze(self) -> None:
        """Pause the container."""
        self._thawed.clear()
        self._steer(("pause",))

    def thaw(self) -> None:
        """Let the container go on."""
        self._thawed.set()
        self._steer(("unpause",))

    def terminate(self) -> bool:
        """Send SIGTERM into the container; False where it has ended."""
        if self._over:
            return False
        self._ending = True
        self._thawed.set()
        self._steer(("unpause",), ("kill", "--signal", "TERM"))
        return True

    def kill(self) -> None:
        """End the container at once, and the client with it."""
        self._ending = True
        self._thawed.set()
        self._steer(("unpause",), ("rm", "-f"))
        if self._client is not None:
            self._client.kill()


class ContainerExecutor:
    """Runs tasks in containers of one run."""

    def __init__(
        self,
        engine: Engine,
        policy: DockerPolicy,
        local: ProcessExecutor,
        *,
        folder: str,
        marker: str,
        on_image: Callable[[str], None],
    ) -> None:
        """`folder` is the plan's, mounted at /workspace; `on_image` is told of each image once it is there."""
        self.engine = engine
        self.policy = policy
        self.local = local
        self.marker = marker
        self._folder = folder
        self._on_image = on_image
        self._images: dict[str, asyncio.Task[None]] = {}

    def start(self, work: Work, on_exit: Callable[[Exit], None]) -> ContainerJob:
        """Start a task in a container of its own."""
        return ContainerJob(self, work, on_exit)

    async def provide(self, image: str, log_fd: int) -> None:
        """Return once `image` is there; it is pulled once, and the first task that needs it has that in its log."""
        if image not in self._images or self._failed(self._images[image]):
            self._images[image] = asyncio.get_running_loop().create_task(self._pull(image, log_fd))
        await asyncio.shield(self._images[image])

    @staticmethod
    def _failed(task: asyncio.Task[None]) -> bool:
        return task.done() and (task.cancelled() or task.exception() is not None)

    async def _pull(self, image: str, log_fd: int) -> None:
        known = await asyncio.to_thread(self.engine.ask, "image", "inspect", "--format", "{{.Id}}", image)
        if known.returncode != 0:
            ended: asyncio.Future[Exit] = asyncio.get_running_loop().create_future()
            pull = Work(
                task="",
                attempt=0,
                command=(self.engine.name, "pull", image),
                env={},
                workdir="/",
                log_fd=log_fd,
            )
            self.local.start(pull, ended.set_result)
            if (await ended).exit_code != 0:
                raise SpecularError(f"cannot pull the image '{image}'; the log says why")
        self._on_image(image)

    def client_work(self, name: str, work: Work) -> Work:
        """Return the client's command line for `work`: everything that the policy limits, and nothing more."""
        policy = self.policy
        environment = {"HOME": "/tmp", **work.env}
        relative = os.path.relpath(work.workdir, self._folder)
        if relative.startswith(".."):
            raise StartError(
                f"the working directory of a container must be below the plan's folder: {work.workdir}", 126
            )
        args = [self.engine.name, "run", "--name", name, "--label", f"{LABEL}={self.marker}", "--init", "--pull=never"]
        args += ["--cap-drop=ALL", "--security-opt=no-new-privileges", "--read-only", "--tmpfs=/tmp:rw,exec"]
        args += ["--user", f"{os.getuid()}:{os.getgid()}"]
        if self.engine.name == "podman" and os.getuid() != 0:
            args += ["--userns=keep-id"]
        args += ["--mount", f"type=bind,source={self._folder},target={WORKSPACE}"]
        args += ["--workdir", os.path.normpath(os.path.join(WORKSPACE, relative))]
        for option, value in (
            ("--cpus", policy.cpu_limit),
            ("--memory", policy.mem_limit),
            ("--memory-swap", policy.mem_limit),
            ("--network", policy.network),
            ("--pids-limit", policy.pids_limit),
        ):
            if value is not None:
                args += [option, str(value)]
        shown = [key for key in environment if _is_for_client(key)]
        for key in environment:
            args += ["--env", f"{key}={environment[key]}" if key in shown else key]
        assert work.image is not None
        command = ("sh", "-c", work.command) if isinstance(work.command, str) else work.command
        # The values go through the client's own environment: an argument would show them to everybody.
        return Work(
            task=work.task,
            attempt=work.attempt,
            command=(*args, work.image, *command),
            env={key: value for key, value in environment.items() if key not in shown},
            workdir=self._folder,
            log_fd=work.log_fd,
        )

    def close(self) -> None:
        """Remove whatever is left of the run."""
        self.engine.remove_all(self.marker)


class Dispatcher:
    """Sends each task to where it runs: a container where it has an image, else this machine."""

    def __init__(self, local: ProcessExecutor, containers: ContainerExecutor | None) -> None:
        """`containers` may be None where no task has an image."""
        self._local = local
        self._containers = containers

    def start(self, work: Work, on_exit: Callable[[Exit], None]) -> ProcessJob | ContainerJob:
        """Start `work`."""
        if work.image is None:
            return self._local.start(work, on_exit)
        if self._containers is None:
            raise StartError("no container engine", 125)
        return self._containers.start(work, on_exit)

    def close(self) -> None:
        """Let go of both."""
        if self._containers is not None:
            self._containers.close()
        self._local.close()


def container_name(marker: str, task: str, attempt: int) -> str:
    """Return a container's name: readable, and unlike any other run's."""
    readable = "".join(c if c.isalnum() and c.isascii() else "-" for c in task)[:40].strip("-")
    return f"specular-{blake3(os.fsencode(marker + chr(0) + task)).hexdigest(length=6)}-{readable}-{attempt}"


def _is_for_client(name: str) -> bool:
    """Tell whether the client itself would obey this variable, so that it must not be in the client's environment."""
    return name in ("PATH", "HOME") or name.startswith(("DOCKER", "CONTAINER", "XDG_"))


def images(tasks: Iterable[Any]) -> list[str]:
    """Return the images that `tasks` need, each once."""
    return list(dict.fromkeys(task.image for task in tasks if task.image is not None))


def _last_line(text: str) -> str:
    return next((line for line in reversed(text.strip().splitlines()) if line.strip()), "")[:300]
