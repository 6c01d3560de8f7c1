"""What the bridge tells the screens, and what the screens ask of the bridge."""

from __future__ import annotations

from typing import Any

from textual.message import Message

from specular_tui.model.drift import Drift
from specular_tui.model.run import RunState
from specular_tui.tui.wish import Answer, Wish


class Told(Message, bubble=False):
    """From the bridge to every screen: something on the desk has changed."""


class RunsListed(Told):
    """The list of runs has changed: these rows, or the list as a whole."""

    def __init__(self, changed: frozenset[str] | None = None) -> None:
        """`changed` names the runs whose rows alone have changed; None: runs have come or gone."""
        super().__init__()
        self.changed = changed


class RunShown(Told):
    """Another run is in view, or its tasks are not the ones that they were: paint it anew."""


class RunMoved(Told):
    """The run in view has moved on."""

    def __init__(self, touched: frozenset[str]) -> None:
        """`touched` are the tasks whose state has changed."""
        super().__init__()
        self.touched = touched


class Foreseen(Told):
    """What is to be expected of the run in view has been worked out: its critical path, its end."""

    def __init__(self, *, past: bool) -> None:
        """`past`: what its tasks usually take is known from now on."""
        super().__init__()
        self.past = past


class LogGrew(Told):
    """Logs of the run in view have grown."""


class LogRead(Told):
    """The log that was asked for is there to be shown."""

    def __init__(self, run_id: str, task_id: str, source: Any, attempt: int | None = None) -> None:
        """`source` has the lines; None where there is no log. `attempt` is the one that was asked for.

        If it is the latest of a task that failed, `RunView.causes` is filled in by now, or before the next `RunMoved`.
        """
        super().__init__()
        self.run_id = run_id
        self.task_id = task_id
        self.source = source
        self.attempt = attempt


class Ticked(Told):
    """A second has gone by while something runs."""


class RunInspected(Told):
    """A stored run has been read for the side pane."""

    def __init__(self, run_id: str, state: RunState | None, problem: str = "", drift: Drift | None = None) -> None:
        """`state` is None where it cannot be read; `problem` says why. `drift` comes later, with a second message."""
        super().__init__()
        self.run_id = run_id
        self.state = state
        self.problem = problem
        self.drift = drift


class CheckMoved(Told):
    """The check of a run has begun, is further, or has ended."""

    def __init__(self, run_id: str) -> None:
        """`run_id` is the run that is checked."""
        super().__init__()
        self.run_id = run_id


class Rehearsed(Told):
    """It has been found out what a build would do."""

    def __init__(self, answer: Answer) -> None:
        """`answer` says what for, too."""
        super().__init__()
        self.answer = answer


class Asked(Message):
    """From a screen to the application: the user wants something done with a run."""

    def __init__(self, run_id: str) -> None:
        """`run_id` is the run that it is about."""
        super().__init__()
        self.run_id = run_id


class Open(Asked):
    """Show the run in Build."""


class Inspect(Asked):
    """Read the run for the side pane."""


class ReadLog(Asked):
    """Open the log of a task; only the latest wish counts."""

    def __init__(self, run_id: str, task_id: str, attempt: int | None = None) -> None:
        """`attempt` None is the latest."""
        super().__init__(run_id)
        self.task_id = task_id
        self.attempt = attempt


class OpenOutside(Asked):
    """Open the log of a task in the user's `pager` or `editor`."""

    def __init__(self, run_id: str, task_id: str, attempt: int | None, program: str) -> None:
        """`attempt` None is the latest."""
        super().__init__(run_id)
        self.task_id = task_id
        self.attempt = attempt
        self.program = program


class Steer(Asked):
    """Send a command to the live run."""

    def __init__(self, run_id: str, command: str, task: str | None = None, **options: bool) -> None:
        """`task` is the one that it is about, if it is about one; `options` are those of the command."""
        super().__init__(run_id)
        self.command = command
        self.task = task
        self.options = options


class Resume(Asked):
    """Start a build that goes on with the stored run."""

    def __init__(self, run_id: str, *options: str) -> None:
        """`options` are further options of `specular build`."""
        super().__init__(run_id)
        self.options = options


class PlanResume(Asked):
    """Show what resuming the stored run would do, so that it can be changed and started."""

    def __init__(self, wish: Wish) -> None:
        """`wish` has the options that are switched on from the start."""
        super().__init__(wish.run_id)
        self.wish = wish


class Rehearse(Asked):
    """Find out what a build would do."""

    def __init__(self, wish: Wish) -> None:
        """`wish` has its options."""
        super().__init__(wish.run_id)
        self.wish = wish


class Validate(Asked):
    """Prove the run's checkpoint, and show what comes of it."""


class CancelCheck(Asked):
    """Give up the check of the run."""


class ShowTask(Asked):
    """Show a task, or a gate, of the run in Build."""

    def __init__(self, run_id: str, task_id: str) -> None:
        """`task_id` is a task or a gate."""
        super().__init__(run_id)
        self.task_id = task_id
