"""What somebody wants of a build that is to start: the options as they are switched, and the words for them."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from specular_tui.model.forecast import Forecast
from specular_tui.model.resume import Action, Decision, PlanChanges

#: The options that are on or off, in the order of `specular build --help`.
FLAGS: Final = (
    "alone",
    "skip_failed",
    "run_dependents",
    "retry_failed",
    "validate",
    "revalidate",
    "repair",
    "trust_plan",
)


#: What an option that is switched on contradicts.
_AGAINST: Final = {
    "retry_failed": ("skip_failed",),
    "skip_failed": ("retry_failed", "alone"),
    "alone": ("skip_failed",),
}


class Wish(Struct, frozen=True):
    """The options of a build, as they are switched."""

    #: The run that is gone on with; "" for a new one.
    run_id: str = ""
    plan: str = ""
    policy: str = ""
    from_task: str = ""
    alone: bool = False
    skip_failed: bool = False
    run_dependents: bool = False
    retry_failed: bool = False
    validate: bool = False
    revalidate: bool = False
    repair: bool = False
    trust_plan: bool = False
    #: None: as the last session of the run had it; a new build does not.
    keep_going: bool | None = None
    #: 0 where it is left to the policy.
    jobs: int = 0

    def switched(self, flag: str) -> Wish:
        """Return the same with one of `FLAGS` switched on or off; what contradicts one that is on is taken back."""
        on = not getattr(self, flag)
        changed: dict[str, Any] = {flag: on}
        if on:
            changed |= dict.fromkeys(_AGAINST.get(flag, ()), False)
        if changed.get("skip_failed") is False:
            # It says what that one does.
            changed["run_dependents"] = False
        if on and flag == "retry_failed":
            changed |= {"from_task": "", "alone": False}
        return replace(self, **changed)

    def started_from(self, task_id: str) -> Wish:
        """Return the same with a task that runs again, "" for none, and without what contradicts that."""
        return replace(
            self,
            from_task=task_id,
            alone=self.alone and bool(task_id),
            retry_failed=self.retry_failed and not task_id,
        )

    def words(self) -> list[str]:
        """Return what stands behind `specular build`."""
        return [*(["--resume", self.run_id] if self.run_id else []), *self.options()]

    def options(self) -> list[str]:
        """Return the same without the run."""
        return list(self._options())

    def _options(self) -> Iterator[str]:
        for name, value in (("plan", self.plan), ("policy", self.policy), ("from-task", self.from_task)):
            if value:
                yield from (f"--{name}", value)
        for flag in FLAGS:
            if getattr(self, flag):
                yield f"--{flag.replace('_', '-')}"
        if self.keep_going is not None:
            yield "--keep-going" if self.keep_going else "--no-keep-going"
        if self.jobs:
            yield from ("--jobs", str(self.jobs))

    def command(self, program: str) -> str:
        """Return the command line that does the same."""
        return f"{program} build {shlex.join(self.words())}".rstrip()


class Answer(Struct, frozen=True):
    """What came of a wish: what the build would do, or why it would not start."""

    wish: Wish
    #: What would be done with each task; of a new build every task is run.
    decisions: Sequence[Decision] = ()
    #: What would be done with each gate, behind the last task; of a new build nobody says.
    gates: Sequence[Decision] = ()
    changes: PlanChanges = field(default_factory=PlanChanges)
    titles: Mapping[str, str] = field(default_factory=dict)
    plan_name: str = ""
    #: Nothing would run, and what is damaged would be mended.
    mends: bool = False
    #: Why it would not start: the message, details, and the way on. Empty where it would.
    problem: tuple[str, ...] = ()
    #: The options contradict each other, or name what cannot be.
    refused: bool = False
    #: What the build would say before it starts.
    said: tuple[str, ...] = ()
    #: What has to be said yes to, and the commands that it is about.
    question: str = ""
    commands: tuple[str, ...] = ()
    jobs: int = 0
    #: The checkpoint would be proven first.
    validates: bool = False
    #: After a failure, what does not need it would still run.
    keeps_going: bool = False
    #: The milliseconds that tasks will probably take.
    expected: Mapping[str, float] = field(default_factory=dict)
    lasting: Forecast | None = None
    #: When it was found out.
    at: int = 0

    def count(self, action: Action) -> int:
        """Return with how many tasks that is done."""
        return sum(decision.action is action for decision in self.decisions)

    @property
    def gates_to_run(self) -> int:
        """With how many gates it would end."""
        return sum(gate.action is Action.RUN for gate in self.gates)

    @property
    def plain(self) -> bool:
        """Whether there is nothing to decide or to know about it but what would be done."""
        return not (self.problem or self.changes or self.question or self.said)
