"""Starting tasks in containers, and sending each task to where it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from specular_tui.engine.container.command import CommandLine
from specular_tui.engine.container.engine import Engine
from specular_tui.engine.container.job import ContainerJob
from specular_tui.engine.container.shared import Pool, SharedJob
from specular_tui.engine.executor import Exit, Work
from specular_tui.engine.guard import Guard
from specular_tui.engine.process import ProcessExecutor, ProcessJob
from specular_tui.errors import SpecularError
from specular_tui.model.policy import DockerPolicy


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
        jobs: int,
        guard: Guard | None,
        on_image: Callable[[str], None],
    ) -> None:
        """`folder` is the plan's, mounted at /workspace; `on_image` is told of each image once it is there."""
        self.engine = engine
        self.local = local
        self.line = CommandLine(engine=engine.name, policy=policy, folder=folder, marker=marker)
        self.pool = Pool(self, most_idle=jobs, guard=guard)
        self._shared = policy.reuse == "run"
        self._on_image = on_image
        self._images: dict[str, asyncio.Task[None]] = {}
        #: Clients that fetch images now.
        self._pulls: set[ProcessJob] = set()

    def start(self, work: Work, on_exit: Callable[[Exit], None]) -> ContainerJob:
        """Start a task in a container of its own, or in one of the run's, as the policy says."""
        if self._shared and work.image not in self.pool.unkeepable:
            return SharedJob(self, work, on_exit)
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
            job = self.local.start(pull, ended.set_result)
            self._pulls.add(job)
            end = await ended
            self._pulls.discard(job)
            if end.exit_code != 0:
                raise SpecularError(f"cannot pull the image '{image}'; the log says why")
        self._on_image(image)

    def close(self) -> None:
        """End the fetching of images that nobody waits for any more, and remove whatever is left of the run."""
        for pull in self._pulls:
            pull.kill()
        self.pool.close()
        self.engine.remove_all(self.line.marker)


class Dispatcher:
    """Sends each task to where it runs: a container where it has an image, else this machine."""

    def __init__(self, local: ProcessExecutor, containers: ContainerExecutor) -> None:
        """Close both in the end."""
        self._local = local
        self._containers = containers

    def start(self, work: Work, on_exit: Callable[[Exit], None]) -> ProcessJob | ContainerJob:
        """Start `work`."""
        if work.image is None:
            return self._local.start(work, on_exit)
        return self._containers.start(work, on_exit)

    def close(self) -> None:
        """Let go of both."""
        self._containers.close()
        self._local.close()
