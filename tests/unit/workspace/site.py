"""A folder with a plan in which builds are run, in this process, by what both faces call."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from specular_tui.model import event as ev
from specular_tui.model.plan import Plan
from specular_tui.model.resume import ResumePlan
from specular_tui.model.run import RunState
from specular_tui.store import checkpoint
from specular_tui.workspace.building import build
from specular_tui.workspace.face import BuildInfo, BuildResult
from specular_tui.workspace.request import BuildRequest


class Listener:
    """A face that notes what it is told."""

    def __init__(self) -> None:
        self.notices: list[str] = []
        self.warnings: list[tuple[str, tuple[str, ...]]] = []
        self.questions: list[tuple[str, tuple[str, ...]]] = []
        self.answer: bool | None = None
        self.resume: ResumePlan | None = None
        self.planned_run: str | None = None
        self.events: list[ev.AnyEvent] = []
        self.on_event: Callable[[ev.AnyEvent], None] = lambda event: None
        self.on_start: Callable[[BuildInfo], None] = lambda info: None

    def notice(self, text: str) -> None:
        self.notices.append(text)

    def warning(self, text: str, details: Sequence[str] = ()) -> None:
        self.warnings.append((text, tuple(details)))

    def confirm(self, question: str, details: Sequence[str]) -> bool | None:
        self.questions.append((question, tuple(details)))
        return self.answer

    def planned(self, plan: Plan, resume: ResumePlan | None, run_id: str | None) -> None:
        self.resume, self.planned_run = resume, run_id

    def starting(self, info: BuildInfo) -> None:
        self.resume = info.resume
        self.on_start(info)

    def event(self, event: ev.AnyEvent, state: RunState) -> None:
        self.events.append(event)
        self.on_event(event)

    def stopping(self, state: RunState, reason: str, *, forced: bool) -> None: ...

    def finished(self, result: BuildResult, info: BuildInfo) -> None: ...

    @property
    def ran(self) -> list[str]:
        """The tasks and gates that were started, in order."""
        return [event.task for event in self.events if isinstance(event, ev.TaskStarted)]

    def actions(self) -> dict[str, str]:
        """What the resume plan says of each task."""
        assert self.resume is not None
        return {decision.task: decision.action.value for decision in self.resume.decisions}


class Site:
    """A folder with a plan, a policy, and runs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ: dict[str, str] = {}
        self.face = Listener()

    @property
    def root(self) -> Path:
        return self.folder / ".specular" / "checkpoints"

    def plan(self, *tasks: dict[str, Any], name: str = "plan.json", **top: Any) -> None:
        """Write the plan."""
        (self.folder / name).write_text(json.dumps({"version": 1, "name": "site", "tasks": tasks, **top}))

    def policy(self, text: str, name: str = ".specular/policy.yaml") -> None:
        """Write the policy."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def build(self, face: Listener | None = None, **request: Any) -> BuildResult | None:
        """Run a build; `self.face` is what it told."""
        self.face = face or Listener()
        request.setdefault("jobs", 1)
        return build(BuildRequest(cwd=self.folder, **request), self.face, self.environ)

    def code(self, **request: Any) -> int:
        """Run a build and return what the shell is answered."""
        result = self.build(**request)
        return int(result.exit_code) if result is not None else 0

    def runs(self) -> list[str]:
        return checkpoint.run_ids(self.root)

    def state(self, run_id: str | None = None) -> RunState:
        """What a reader finds."""
        return checkpoint.load(self.root, run_id or self.runs()[-1]).state

    def statuses(self, run_id: str | None = None) -> dict[str, str]:
        return {i: task.status.value for i, task in self.state(run_id).tasks.items()}

    def metadata(self, run_id: str | None = None) -> dict[str, Any]:
        found = json.loads((self.root / (run_id or self.runs()[-1]) / "metadata.json").read_bytes())
        assert isinstance(found, dict)
        return found

    def everything(self) -> dict[str, tuple[int, int, bytes]]:
        """Every file below the folder with its times and bytes."""
        found = {}
        for base, folders, names in os.walk(self.folder):
            for name in (*folders, *names):
                path = Path(base, name)
                status = path.lstat()
                found[str(path)] = (status.st_mtime_ns, status.st_ino, path.read_bytes() if path.is_file() else b"")
        return found


def task(task_id: str, command: str | list[str] = "true", *needs: str, **more: Any) -> dict[str, Any]:
    """One task of a plan.json."""
    return {"id": task_id, "command": command, "depends_on": list(needs), **more}
