"""The engine's command lines: everything that the policy limits, and nothing more. Pure, but for this user's ids."""

from __future__ import annotations

import os
from typing import Final

from blake3 import blake3
from msgspec import Struct
from msgspec.structs import replace

from specular_tui.engine.container.engine import LABEL
from specular_tui.engine.executor import StartError, Work
from specular_tui.model.policy import DockerPolicy

#: Where the plan's folder is in a container.
WORKSPACE: Final = "/workspace"


class CommandLine(Struct, frozen=True, kw_only=True):
    """How the containers of one run are started."""

    #: The engine's command.
    engine: str
    policy: DockerPolicy
    #: The plan's folder, mounted at /workspace.
    folder: str
    #: The run's folder, which its containers are labelled with.
    marker: str

    def run(self, name: str, work: Work) -> Work:
        """Return what runs `work` in a new container called `name`.

        Raises:
            StartError: its working directory is not there, or not below the plan's folder.
        """
        args = [self.engine, "run", "--name", name, *self._limits(self.policy.pids_limit)]
        args += ["--workdir", self._workdir(work)]
        # An image's entry point would take the command for its arguments.
        args += ["--entrypoint="]
        return self._client(args, work, work.image or "")

    def keep(self, name: str, image: str) -> list[str]:
        """Return what starts a container called `name` that reads a shell's commands from stdin, and ends with it."""
        # The shell is one process more than the policy knows of.
        pids = self.policy.pids_limit
        limits = self._limits(pids + 1 if pids is not None and pids > 0 else pids)
        args = [self.engine, "run", "-i", "--rm", "--name", name, *limits]
        return [*args, "--workdir", WORKSPACE, "--entrypoint=sh", image]

    def enter(self, name: str, work: Work) -> Work:
        """Return what runs `work` in the container `name`, which is there. Raises as `run`."""
        return self._client([self.engine, "exec", "--workdir", self._workdir(work)], work, name)

    def _limits(self, pids_limit: int | None) -> list[str]:
        policy = self.policy
        args = ["--label", f"{LABEL}={self.marker}", "--init", "--pull=never"]
        args += ["--cap-drop=ALL", "--security-opt=no-new-privileges", "--read-only", "--tmpfs=/tmp:rw,exec,mode=1777"]
        args += ["--user", f"{os.getuid()}:{os.getgid()}"]
        if self.engine == "podman" and os.getuid() != 0:
            args += ["--userns=keep-id"]
        args += ["--mount", f"type=bind,source={self.folder},target={WORKSPACE}"]
        for option, value in (
            ("--cpus", policy.cpu_limit),
            ("--memory", policy.mem_limit),
            ("--memory-swap", policy.mem_limit),
            ("--network", policy.network),
            ("--pids-limit", pids_limit),
        ):
            if value is not None:
                args += [option, str(value)]
        return args

    def _workdir(self, work: Work) -> str:
        relative = os.path.relpath(work.workdir, self.folder)
        if relative == ".." or relative.startswith("../"):
            raise StartError(
                f"the working directory of a container must be below the plan's folder: {work.workdir}", 126
            )
        # An engine would make it, as root, where it is missing.
        if not os.path.isdir(work.workdir):
            raise StartError(f"cannot enter the working directory: no such directory: {work.workdir}", 126)
        return os.path.normpath(os.path.join(WORKSPACE, relative))

    def _client(self, args: list[str], work: Work, target: str) -> Work:
        """Return the client's work: `args`, the task's environment, and its command in `target`."""
        environment = {"HOME": "/tmp", **work.env}
        shown = {key for key in environment if _is_for_client(key)}
        for key, value in environment.items():
            args += ["--env", f"{key}={value}" if key in shown else key]
        command = ("sh", "-c", work.command) if isinstance(work.command, str) else work.command
        # The values go through the client's own environment: an argument would show them to everybody.
        return replace(
            work,
            image=None,  # the client itself runs on this machine
            command=(*args, target, *command),
            env={key: value for key, value in environment.items() if key not in shown},
            workdir=self.folder,
        )


def _is_for_client(name: str) -> bool:
    """Tell whether the client itself would obey this variable, so that it must not be in the client's environment."""
    return name in ("PATH", "HOME") or name.startswith(("DOCKER", "CONTAINER", "XDG_"))


def task_container(marker: str, task: str, attempt: int) -> str:
    """Return the name of a task's own container: readable, and unlike any other run's."""
    readable = "".join(c if c.isalnum() and c.isascii() else "-" for c in task)[:40].strip("-")
    return f"specular-{_digest(marker, task)}-{readable}-{attempt}"


def kept_container(marker: str, number: int) -> str:
    """Return the name of a run's `number`-th container that tasks share."""
    return f"specular-{_digest(marker, '')}-shared-{number}-{os.getpid()}"


def _digest(marker: str, task: str) -> str:
    return blake3(os.fsencode(marker + "\0" + task)).hexdigest(length=6)
