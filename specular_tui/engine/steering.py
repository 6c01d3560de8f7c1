"""What a live build is told from outside, by name: the commands that come through its socket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from specular_tui.errors import SpecularError, UsageError


class Steered(Protocol):
    """What a build can be told."""

    def freeze(self) -> None:
        """Make every running task stand still and start nothing new."""

    def thaw(self) -> None:
        """Go on after `freeze` or `drain`."""

    def drain(self) -> None:
        """Let running tasks end and start nothing new."""

    def stop(self, reason: str) -> None:
        """End the session: first politely, at the second call by force."""

    def stop_by_force(self, reason: str) -> None:
        """End the session at once."""

    def retry(self, task_id: str) -> None:
        """Run a failed or skipped task again."""

    def retry_failed(self) -> int:
        """Run every failed task again; return how many."""

    def skip(self, task_id: str, *, run_dependents: bool = False) -> None:
        """Leave out a pending or failed task, and what needs it."""

    def stop_task(self, task_id: str) -> None:
        """End a running task; it counts as failed."""


def steer(build: Steered, command: str, request: Mapping[str, Any]) -> str:
    """Carry out a command and return what to tell whoever sent it.

    Raises:
        UsageError: it makes no sense now.
        SpecularError: there is no such command.
    """
    if command in _OF_THE_BUILD:
        act, told = _OF_THE_BUILD[command]
        act(build)
        return told
    task = request.get("task")
    if command == "retry" and task is None:
        count = build.retry_failed()
        return f"running {count} failed {'task' if count == 1 else 'tasks'} again"
    if command not in ("retry", "skip", "stop_task"):
        raise SpecularError(f"unknown steering command '{command[:40]}'")
    if not isinstance(task, str):
        raise UsageError(f"{command} needs a task")
    match command:
        case "retry":
            build.retry(task)
            return f"running {task} again"
        case "skip":
            build.skip(task, run_dependents=bool(request.get("run_dependents")))
            return f"skipping {task}"
        case _:
            build.stop_task(task)
            return f"stopping {task}"


_OF_THE_BUILD: Final[dict[str, tuple[Callable[[Steered], None], str]]] = {
    "pause": (lambda build: build.freeze(), "paused"),
    "unpause": (lambda build: build.thaw(), "going on"),
    "drain": (lambda build: build.drain(), "draining: running tasks end, nothing new starts"),
    "stop": (lambda build: build.stop("stopped"), "stopping"),
    "kill": (lambda build: build.stop_by_force("stopped"), "killing"),
}
