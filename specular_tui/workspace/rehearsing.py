"""What a build would do, before anybody asks for it: the way that `--dry-run` goes, with all that is said on it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from specular_tui.errors import CheckpointError, SpecularError
from specular_tui.model import event as ev
from specular_tui.model.forecast import Forecast, expected_ms, forecast
from specular_tui.model.graph import Graph
from specular_tui.model.plan import Plan
from specular_tui.model.resume import Action, ResumePlan
from specular_tui.model.run import RunState
from specular_tui.model.usual import Usual, usual
from specular_tui.spec.settings import DIRECTORY, resolve
from specular_tui.store import checkpoint, layout
from specular_tui.store.checks.report import Report
from specular_tui.workspace import history, plans
from specular_tui.workspace.building import build
from specular_tui.workspace.checking import check_run
from specular_tui.workspace.face import BuildInfo, BuildResult
from specular_tui.workspace.request import BuildRequest


class Rehearsal(Struct, kw_only=True):
    """What a build would do, and what it would say and ask before it."""

    #: The plan that it would go by; None where it would not get so far.
    plan: Plan | None = None
    #: What it would do with each task; None for a new build, which runs them all.
    resume: ResumePlan | None = None
    #: Why it would not start.
    problem: SpecularError | None = None
    notices: list[str] = []
    warnings: list[str] = []
    #: What has to be said yes to (`--trust-plan`), and the commands that it is about.
    question: str = ""
    commands: tuple[str, ...] = ()
    jobs: int = 1
    #: A repair is asked for, and would mend something though no task runs for it.
    mends: bool = False
    #: The checkpoint would be proven first, because the policy says so or because it was asked for.
    validates: bool = False
    #: The milliseconds that each task will probably take, where anybody knows.
    expected: Mapping[str, float] = {}
    #: How long it would take; None where nobody knows, or nothing would run.
    lasting: Forecast | None = None

    @property
    def runs(self) -> list[str]:
        """The tasks that would run."""
        if self.resume is not None:
            return [decision.task for decision in self.resume.decisions if decision.action is Action.RUN]
        return [task.id for task in self.plan.tasks] if self.plan is not None else []

    @property
    def gates(self) -> list[str]:
        """The gates that would run behind them; of a new build nobody says."""
        gates = self.resume.gates if self.resume is not None else ()
        return [gate.task for gate in gates if gate.action is Action.RUN]

    # What a build tells its face ---------------------------------------------------------------------------------

    def notice(self, text: str) -> None:
        """Something worth knowing."""
        self.notices.append(text)

    def warning(self, text: str, details: Sequence[str] = ()) -> None:
        """Something that may not be what was meant."""
        self.warnings += [text, *details]

    def confirm(self, question: str, details: Sequence[str]) -> bool | None:
        """Go on as if the answer were yes: it is asked before the build itself is started."""
        self.question, self.commands = question, tuple(details)
        return True

    def planned(self, plan: Plan, resume: ResumePlan | None, run_id: str | None) -> None:
        """What would be done."""
        self.plan, self.resume = plan, resume

    def starting(self, info: BuildInfo) -> None:
        """Nothing is started here."""

    def event(self, event: ev.AnyEvent, state: RunState) -> None:
        """Nothing happens here."""

    def stopping(self, state: RunState, reason: str, *, forced: bool) -> None:
        """Nothing is stopped here."""

    def finished(self, result: BuildResult, info: BuildInfo) -> None:
        """Nothing ends here."""


class Rehearser:
    """Rehearses builds one after the other; what has been read for one is not read again for the next.

    A run that was checked is checked again only when its journal or its folders have changed. The build itself checks
    it once more.
    """

    def __init__(self, root: Path, environ: Mapping[str, str] | None = None) -> None:
        """`root` is the checkpoint directory, wherever the request is made from."""
        self._root = root
        self._environ = environ if environ is not None else os.environ
        self._proven: tuple[tuple[object, ...], Report] | None = None
        self._past: tuple[tuple[str, str], Mapping[str, Usual]] | None = None

    def rehearse(self, request: BuildRequest) -> Rehearsal:
        """Return what `request` would do. Nothing is written."""
        found = Rehearsal()
        environ = {**self._environ, DIRECTORY: str(self._root.absolute())}
        try:
            build(replace(request, dry_run=True), found, environ, self._prove)
            if found.plan is not None:
                self._foresee(request, found, environ)
            elif request.repair and self._proven is not None and not self._proven[1].ok:
                found.mends = True
                found.notices.clear()  # that there is nothing to resume is no news where a repair is what is wanted
            elif request.resume:
                found.problem = SpecularError("; ".join(found.notices) or "there is nothing to resume")
        except SpecularError as error:
            found.problem = error
        except OSError as error:
            found.problem = SpecularError(f"it cannot be read: {error.strerror or error}")
        return found

    def _prove(self, root: Path, run_id: str) -> Report:
        try:
            # A repair may leave the journal as it is, and yet moves files.
            stats = [(root / run_id / name).stat() for name in (layout.JOURNAL, "", layout.OUTPUTS)]
        except OSError:
            self._proven = None
            return check_run(root, run_id)
        key = (run_id, *((stat.st_ino, stat.st_size, stat.st_mtime_ns) for stat in stats))
        if self._proven is None or self._proven[0] != key:
            self._proven = (key, check_run(root, run_id))
        return self._proven[1]

    def _foresee(self, request: BuildRequest, found: Rehearsal, environ: Mapping[str, str]) -> None:
        """Say how many tasks would run at once, and how long that would take."""
        plan = found.plan
        if plan is None:
            return
        state = RunState()
        if request.resume:
            state = self._stored(request, request.resume)
        if request.resume and request.policy is None:
            with checkpoint.open_run(self._root, request.resume) as folder:
                policy, _ = plans.stored_policy(folder, state)
        else:
            policy, _, _ = plans.read_policy(request.policy, request.cwd)
        settings = resolve(policy, environ=environ, cwd=request.cwd, jobs=request.jobs)
        found.jobs = settings.jobs
        found.validates = bool(request.resume) and (request.validate or request.repair or settings.validate_on_resume)
        graph = Graph(plan.tasks)
        known = {**usual([state]), **self._usual(plan, request.resume or "")}
        found.expected = expected_ms(graph, known)
        if found.runs or known.keys() & set(found.gates):
            found.lasting = forecast(state, graph, 0, known, found.runs, found.jobs, found.gates)

    def _stored(self, request: BuildRequest, run_id: str) -> RunState:
        """Return the run as it is, or as a repair that is asked for would leave it."""
        try:
            return checkpoint.load(self._root, run_id).state
        except CheckpointError:
            if not request.repair:
                raise
            from specular_tui.store.repairs.repair import foresee

            return foresee(self._root, run_id, self._prove(self._root, run_id)).run.state

    def _usual(self, plan: Plan, run_id: str) -> Mapping[str, Usual]:
        key = (os.path.join(plan.folder, os.path.basename(plan.file)), run_id)
        if self._past is None or self._past[0] != key:
            self._past = (key, history.past(self._root, key[0], but=run_id or None))
        return self._past[1]
