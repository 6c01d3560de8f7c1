"""What a build tells the face that started it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from specular_tui.errors import ExitCode
from specular_tui.model import event as ev
from specular_tui.model.graph import Graph
from specular_tui.model.plan import Plan
from specular_tui.model.resume import ResumePlan
from specular_tui.model.run import RunState, RunStatus
from specular_tui.model.usual import Usual
from specular_tui.store.recorder import Recorder


class BuildInfo(Struct, frozen=True, kw_only=True):
    """A session that is about to start."""

    run_id: str
    plan: Plan
    recorder: Recorder
    jobs: int
    #: The run's folder, or None where no checkpoint is kept.
    path: str | None
    #: None for a new run.
    resume: ResumePlan | None = None
    #: After a failure, what does not need it still runs.
    keep_going: bool = False
    graph: Graph
    #: What its tasks took in past runs of the plan.
    usual: Mapping[str, Usual] = {}


class BuildResult(Struct, frozen=True, kw_only=True):
    """What came of a session."""

    run_id: str
    status: RunStatus
    #: `SIGINT`, `SIGTERM`, `SIGHUP`, `stopped`, or "" where the build ended by itself.
    reason: str
    state: RunState
    #: False where no checkpoint was kept.
    resumable: bool
    #: What a resume needs beside the run's id: the policy that says where the checkpoints are, trust in a plan.
    resume_options: tuple[str, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """What the shell is answered."""
        match self.status, self.reason:
            case RunStatus.FAILED, _:
                return ExitCode.FAILED
            case RunStatus.PAUSED, "SIGINT":
                return ExitCode.INTERRUPTED
            case RunStatus.PAUSED, "SIGHUP":
                return ExitCode.HANGUP
            case RunStatus.PAUSED, "SIGTERM" | "stopped":
                return ExitCode.TERMINATED
            case RunStatus.PAUSED, "storage":
                return ExitCode.FAILED
            case _:
                return ExitCode.SUCCESS


class Face(Protocol):
    """Whoever started a build: it is told, and asked."""

    def notice(self, text: str) -> None:
        """Something worth knowing."""

    def warning(self, text: str, details: Sequence[str] = ()) -> None:
        """Something that may not be what was meant."""

    def confirm(self, question: str, details: Sequence[str]) -> bool | None:
        """Ask; None where nobody can be asked."""

    def planned(self, plan: Plan, resume: ResumePlan | None, run_id: str | None) -> None:
        """The answer to `--dry-run`: what would be done. For a new build `resume` is None: everything runs."""

    def starting(self, info: BuildInfo) -> None:
        """A session starts now."""

    def event(self, event: ev.AnyEvent, state: RunState) -> None:
        """An event has been recorded, and `state` holds it."""

    def stopping(self, state: RunState, reason: str, *, forced: bool) -> None:
        """The session was told to stop, and running tasks to end."""

    def finished(self, result: BuildResult, info: BuildInfo) -> None:
        """The session is over; the logs are still there."""
