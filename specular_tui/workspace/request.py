"""What somebody asks of `build`, before anything is looked at."""

from __future__ import annotations

import shlex
from pathlib import Path

from msgspec import Struct

from specular_tui.errors import UsageError
from specular_tui.model.quote import is_utf8


class BuildRequest(Struct, frozen=True, kw_only=True):
    """The options of `specular build`, as typed. Durations are milliseconds."""

    cwd: Path
    plan: str | None = None
    policy: str | None = None
    #: None: a new build; "": the newest resumable run; else a run id or a prefix of one.
    resume: str | None = None
    from_task: str | None = None
    #: Run that task alone.
    alone: bool = False
    skip_failed: bool = False
    run_dependents: bool = False
    retry_failed: bool = False
    validate: bool = False
    revalidate: bool = False
    repair: bool = False
    force: bool = False
    dry_run: bool = False
    #: None: as the last session of the run had it; a new build does not.
    keep_going: bool | None = None
    trust_plan: bool = False
    run_id: str | None = None
    jobs: int | None = None
    grace_ms: int = 10_000
    checkpoint_interval_ms: int | None = None
    checkpoint_every: int | None = None

    def lasting(self, *, found: bool) -> tuple[str, ...]:
        """Return the options that a resume of this build needs again, as they are typed.

        `found` says that its run is found without the policy that is named here.
        """
        policy = () if found or self.policy is None else ("--policy", self.policy)
        return (*policy, *(["--trust-plan"] if self.trust_plan else []))

    def check(self) -> None:
        """Refuse options that contradict each other, and names that no checkpoint can hold.

        Raises:
            UsageError: which ones, and why.
        """
        for what, name in (("this folder", str(self.cwd)), ("the plan", self.plan), ("the policy", self.policy)):
            if name is not None and not is_utf8(name):
                raise UsageError(
                    f"the name of {what} is not UTF-8, and a checkpoint cannot hold it: {name}",
                    hint="rename it, or build from another folder",
                )
        if self.resume is None:
            for given, name in (
                (self.from_task is not None, f"--from-task {shlex.quote(self.from_task or '')}"),
                (self.skip_failed, "--skip-failed"),
                (self.retry_failed, "--retry-failed"),
                (self.validate, "--validate"),
                (self.revalidate, "--revalidate"),
                (self.repair, "--repair"),
                (self.trust_plan, "--trust-plan"),
            ):
                if given:
                    raise UsageError(
                        f"{name.split(' ')[0]} goes on with a run: it needs --resume",
                        hint=f"specular build --resume {name}",
                    )
        else:
            if self.force:
                raise UsageError("--force starts a fresh build, --resume goes on with one: choose one of them")
            if self.run_id is not None:
                raise UsageError("a resumed run keeps its id: --run-id is for new builds")
        if self.alone and self.from_task is None:
            raise UsageError("--alone says what --from-task runs: give both", hint="--from-task TASK --alone")
        if self.alone and self.skip_failed:
            raise UsageError("--alone leaves all other tasks as they are, --skip-failed does not: choose one of them")
        if self.run_dependents and not self.skip_failed:
            raise UsageError("--run-dependents says what --skip-failed does: give both")
        if self.skip_failed and self.retry_failed:
            raise UsageError("--skip-failed leaves failed tasks out, --retry-failed runs them: choose one of them")
        if self.from_task is not None and self.retry_failed:
            raise UsageError("--from-task runs everything from a task on, --retry-failed only what failed: choose one")
