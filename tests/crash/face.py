"""What a resume says that it would do."""

from __future__ import annotations

from collections.abc import Sequence

from specular_tui.model.plan import Plan
from specular_tui.model.resume import Action, ResumePlan


class Face:
    """A face that only wants to know what a resume would do."""

    def __init__(self) -> None:
        self.reused: set[str] = set()
        #: Why the other tasks run.
        self.reasons: dict[str, str] = {}
        self.known = False
        self.told: list[str] = []

    def notice(self, text: str) -> None:
        """Remember it."""
        self.told.append(text)

    def warning(self, text: str, details: Sequence[str] = ()) -> None:
        """Remember it."""
        self.told.append(text)

    def confirm(self, question: str, details: Sequence[str]) -> bool | None: ...
    def starting(self, info: object) -> None: ...
    def event(self, event: object, state: object) -> None: ...
    def stopping(self, state: object, reason: str, *, forced: bool) -> None: ...
    def finished(self, result: object, info: object) -> None: ...

    def planned(self, plan: Plan, resume: ResumePlan | None, run_id: str | None) -> None:
        """Remember which results are to be reused."""
        if resume is not None:
            self.known = True
            self.reused = {decision.task for decision in resume.decisions if decision.action is Action.REUSE}
            self.reasons = {d.task: d.reason for d in resume.decisions if d.action is not Action.REUSE and d.reason}
