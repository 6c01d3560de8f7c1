"""What a resume will do, task by task and with the reason, before it is done. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from msgspec import Struct

from specular_tui.errors import UsageError
from specular_tui.model.graph import Graph
from specular_tui.model.plan import Plan, Task
from specular_tui.model.quote import quote
from specular_tui.model.reuse import changed_fields
from specular_tui.model.run import RunState, TaskState, TaskStatus

#: Why a task runs again that nothing else is wrong with.
_NEEDS: Final = "needs {}, which runs again"


class Action(StrEnum):
    """What a resume does with a task."""

    #: Its result is kept.
    REUSE = "reuse"
    #: It runs, again or for the first time.
    RUN = "run"
    #: It is left out, and counts as skipped.
    SKIP = "skip"
    #: It stays pending: this resume is told not to run it, or what it needs will not be there.
    BLOCKED = "blocked"


#: In the order in which they are shown: what will happen first, what stays as it is last.
_ORDER: Final = {action: place for place, action in enumerate((Action.RUN, Action.BLOCKED, Action.SKIP, Action.REUSE))}


class Decision(Struct, frozen=True, kw_only=True):
    """What a resume does with one task, and why."""

    task: str
    action: Action
    reason: str
    #: The task has a state that the session's first event must change.
    was: TaskStatus = TaskStatus.PENDING
    #: Milliseconds that its last attempt took, where there was one: what reuse saves, or a run may cost.
    expected_ms: int | None = None
    #: It keeps the state that it has, whatever that is.
    stays: bool = False


class ResumeOptions(Struct, frozen=True, kw_only=True):
    """How to go on."""

    from_task: str | None = None
    #: That task runs alone: what needs it does not run again, and nothing else runs at all.
    alone: bool = False
    skip_failed: bool = False
    run_dependents: bool = False
    retry_failed: bool = False
    #: Every gate runs again.
    revalidate: bool = False
    #: After a failure, what does not need it still runs.
    keep_going: bool = False


class Facts(Struct, frozen=True, kw_only=True):
    """What was found outside of the checkpoint; tasks that nothing is wrong with are in none of the first two."""

    #: Why the result of a completed task cannot be relied on.
    broken: Mapping[str, str] = {}
    #: Completed tasks that the present policy does not allow any more, with the rule.
    disallowed: Mapping[str, str] = {}
    #: The cache key of each task of the present plan.
    keys: Mapping[str, str] = {}
    #: The gates of the policy in force, each with its cache key.
    gates: Mapping[str, str] = {}


class PlanChanges(Struct, frozen=True, kw_only=True):
    """How a plan differs from the one that the run had."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    #: Tasks whose results the change concerns, each with what changed.
    changed: dict[str, tuple[str, ...]] = {}

    def __bool__(self) -> bool:
        """Whether anything differs that a build would notice."""
        return bool(self.added or self.removed or self.changed)

    def lines(self) -> list[str]:
        """Return one line for each task that differs."""
        return [
            *(f"changed: {task} ({', '.join(words)})" for task, words in self.changed.items()),
            *(f"added:   {task}" for task in self.added),
            *(f"removed: {task}" for task in self.removed),
        ]


class ResumePlan(Struct, frozen=True, kw_only=True):
    """Everything that a resume will do."""

    decisions: tuple[Decision, ...]
    changes: PlanChanges
    #: What it will do with the gates, behind the last task.
    gates: tuple[Decision, ...] = ()
    #: The pending tasks that may run; None where all may.
    only: frozenset[str] | None = None
    #: After a failure, what does not need it still runs.
    keep_going: bool = False

    def grouped(self) -> list[Decision]:
        """Return what is done with the tasks: first what runs, last what is kept; what had failed first of each."""
        return sorted(self.decisions, key=lambda d: (_ORDER[d.action], d.was is not TaskStatus.FAILED))

    def count(self, action: Action) -> int:
        """Return how many tasks `action` is taken for."""
        return sum(decision.action is action for decision in self.decisions)

    @property
    def reset(self) -> dict[str, str]:
        """The tasks and gates that go back to pending, each with the reason."""
        return {
            d.task: d.reason
            for d in (*self.decisions, *self.gates)
            if d.action in (Action.RUN, Action.BLOCKED)
            and not d.stays
            and d.was not in (TaskStatus.PENDING, TaskStatus.IN_PROGRESS)
        }

    @property
    def skipped(self) -> dict[str, str]:
        """The tasks that become skipped, each with the reason."""
        return {d.task: d.reason for d in self.decisions if d.action is Action.SKIP and d.was is not TaskStatus.SKIPPED}


def compare_plans(old: Plan | None, new: Plan) -> PlanChanges:
    """Return how `new` differs from the plan that the run had; without that, nothing is known to differ."""
    if old is None or old.hash == new.hash:
        return PlanChanges()
    before = {task.id: task for task in old.tasks}
    after = {task.id: task for task in new.tasks}
    return PlanChanges(
        added=tuple(i for i in after if i not in before),
        removed=tuple(i for i in before if i not in after),
        changed={
            i: tuple(words) for i, task in after.items() if i in before and (words := changed_fields(before[i], task))
        },
    )


def plan_resume(
    state: RunState, old: Plan | None, new: Plan, graph: Graph, options: ResumeOptions, facts: Facts
) -> ResumePlan:
    """Return what resuming the run `state` with the plan `new` will do.

    `graph` is that of `new`; `old` the plan that the run had, None where it is lost.

    Raises:
        UsageError: `options` name a task that is not there, or that cannot start.
    """
    changes = compare_plans(old, new)
    again = _from_task(state, graph, options.from_task, alone=options.alone)
    failed = {i for i, t in state.tasks.items() if i in graph.tasks and t.awaits_retry(graph.tasks[i].allow_failure)}
    only: frozenset[str] | None = None
    if options.retry_failed:
        only = frozenset(failed | graph.descendants(failed))
    elif options.alone and options.from_task is not None:
        only = frozenset([options.from_task])
    decided: dict[str, Decision] = {}
    for task_id in graph.order:
        task = graph.tasks[task_id]
        known = state.tasks.get(task_id)
        action, reason = _decide(task, known, state, graph, decided, changes, again, options, facts)
        stays = options.alone and task_id != options.from_task
        if stays:
            action, reason = _leave(known, action, reason, decided, options.from_task)
        elif action is Action.RUN and only is not None and task_id not in only:
            action, reason = Action.BLOCKED, "left for later: only failed tasks are retried"
        elif action is Action.RUN and (blocker := _blocker(graph, decided, task_id)):
            action, reason = Action.BLOCKED, f"needs {blocker}, which is left for later"
        decided[task_id] = Decision(
            task=task_id,
            action=action,
            reason=reason,
            was=known.status if known is not None else TaskStatus.PENDING,
            expected_ms=known.duration_ms if known is not None else None,
            stays=stays,
        )
    if options.alone:
        _prove_alone(graph, decided, options.from_task)
    decisions = tuple(decided[task.id] for task in new.tasks)
    gates = tuple(_decide_gate(gate, state, decisions, options, facts) for gate in facts.gates)
    return ResumePlan(decisions=decisions, changes=changes, gates=gates, only=only, keep_going=options.keep_going)


def _decide_gate(
    gate: str, state: RunState, decisions: Sequence[Decision], options: ResumeOptions, facts: Facts
) -> Decision:
    known = state.gates.get(gate)
    if known is None:
        action, reason = Action.RUN, "new in the policy"
    elif known.status is TaskStatus.PENDING:
        action, reason = Action.RUN, "not done yet"
    elif known.status is not TaskStatus.COMPLETED:
        action, reason = Action.RUN, f"failed before ({known.reason or 'no reason known'})"
    elif any(decision.action is Action.RUN for decision in decisions):
        action, reason = Action.RUN, "tasks run again"
    elif options.revalidate:
        action, reason = Action.RUN, "every gate runs again"
    elif known.key != facts.gates[gate]:
        action, reason = Action.RUN, "its command changed"
    else:
        action, reason = Action.REUSE, "passed before"
    if action is Action.RUN and any(decision.action is Action.BLOCKED for decision in decisions):
        action, reason = Action.BLOCKED, "gates run behind the last task, and some are left for later"
    return Decision(
        task=gate,
        action=action,
        reason=reason,
        was=known.status if known is not None else TaskStatus.PENDING,
        expected_ms=known.duration_ms if known is not None else None,
    )


def known_task(name: str, graph: Graph, listing: str) -> None:
    """Prove that a task that somebody names is in the plan; `listing` is the command that lists its tasks.

    Raises:
        UsageError: it is not; the message names the nearest one.
    """
    if name not in graph.tasks:
        from specular_tui.model.nearest import suggestion

        raise UsageError(
            f"the plan has no task {quote(name, 128)}{suggestion(name, graph.tasks)}",
            hint=f"list its tasks: {listing}",
        )


def _from_task(state: RunState, graph: Graph, root: str | None, *, alone: bool = False) -> set[str]:
    if root is None:
        return set()
    known_task(root, graph, f"specular build --resume {state.run_id} --dry-run")
    ancestors = graph.ancestors([root])
    unfinished = [i for i in graph.order if i in ancestors and not _is_done(state.tasks.get(i))]
    if unfinished:
        raise UsageError(
            f"cannot start from {root}: {len(unfinished)} {'task' if len(unfinished) == 1 else 'tasks'} "
            "that it needs did not complete",
            details=unfinished[:20] + ([f"… and {len(unfinished) - 20} more"] if len(unfinished) > 20 else []),
            hint="resume without --from-task, or name an earlier task",
        )
    return {root} if alone else {root} | graph.descendants([root])


def _leave(
    known: TaskState | None, action: Action, reason: str, decided: Mapping[str, Decision], root: str | None
) -> tuple[Action, str]:
    """Return what becomes of a task that is not the one that runs alone: it stays as it is."""
    done = known is not None and _is_done(known)
    if action in (Action.REUSE, Action.SKIP) and done:
        return action, reason
    if done and root is not None and reason == _NEEDS.format(root):
        return Action.REUSE, f"kept, though it needs {root}, which runs again"
    return Action.BLOCKED, f"left for later: only {root} runs ({reason})"


def _prove_alone(graph: Graph, decided: Mapping[str, Decision], root: str | None) -> None:
    """Refuse to run a task on results that are not there any more."""
    if root is None:
        return
    missing = [decided[need] for need in graph.needs[root] if decided[need].action is Action.BLOCKED]
    if missing:
        raise UsageError(
            f"{root} cannot run alone: what it needs has to run first",
            details=[f"{need.task}: {need.reason}" for need in missing[:20]],
            hint="leave --alone away, or resume without --from-task",
        )


def _is_done(task: TaskState | None) -> bool:
    return task is not None and (
        task.status in (TaskStatus.COMPLETED, TaskStatus.SKIPPED) or (task.status is TaskStatus.FAILED and task.allowed)
    )


def _decide(
    task: Task,
    known: TaskState | None,
    state: RunState,
    graph: Graph,
    decided: Mapping[str, Decision],
    changes: PlanChanges,
    again: set[str],
    options: ResumeOptions,
    facts: Facts,
) -> tuple[Action, str]:
    if known is None:
        return _run_unless_skipped(graph, decided, options, task.id, "new in the plan")
    if task.id in again:
        reason = (
            f"{task.id} alone runs again" if options.alone else f"from {options.from_task} on, everything runs again"
        )
        if task.id == options.from_task or known.status is TaskStatus.COMPLETED:
            return Action.RUN, reason
        return _run_unless_skipped(graph, decided, options, task.id, reason)
    changed = changes.changed.get(task.id)
    match known.status:
        case TaskStatus.COMPLETED:
            return _decide_completed(task, known, graph, decided, changed, facts)
        case TaskStatus.FAILED if known.allowed and task.allow_failure:
            if changed:
                return Action.RUN, f"{' and '.join(changed)} changed"
            runs_again = _first_that_runs(graph, decided, task.id)
            if runs_again is not None:
                return Action.RUN, _NEEDS.format(runs_again)
            return Action.REUSE, "its failure is allowed"
        case TaskStatus.FAILED if options.skip_failed and not known.allowed:
            return Action.SKIP, f"failed before ({known.reason or 'no reason known'})"
        case TaskStatus.FAILED:
            return _run_unless_skipped(
                graph, decided, options, task.id, f"failed before ({known.reason or 'no reason known'})"
            )
        case TaskStatus.SKIPPED if not changed:
            return _decide_skipped(known, state, graph, decided, task.id)
        case _:
            reason = f"{' and '.join(changed)} changed" if changed else "not done yet"
            if known.outcome == "interrupted":
                reason = "was interrupted"
            return _run_unless_skipped(graph, decided, options, task.id, reason)


def _decide_completed(
    task: Task,
    known: TaskState,
    graph: Graph,
    decided: Mapping[str, Decision],
    changed: tuple[str, ...] | None,
    facts: Facts,
) -> tuple[Action, str]:
    if known.key and facts.keys.get(task.id, known.key) != known.key:
        return Action.RUN, f"{' and '.join(changed)} changed" if changed else "its definition changed"
    if changed and not known.key:
        return Action.RUN, f"{' and '.join(changed)} changed"
    if (rule := facts.disallowed.get(task.id)) is not None:
        return Action.RUN, f"the policy does not allow it as it was run: {rule}"
    if (flaw := facts.broken.get(task.id)) is not None:
        return Action.RUN, flaw
    if (need := _first_that_runs(graph, decided, task.id)) is not None:
        return Action.RUN, _NEEDS.format(need)
    return Action.REUSE, "completed"


def _decide_skipped(
    known: TaskState, state: RunState, graph: Graph, decided: Mapping[str, Decision], task_id: str
) -> tuple[Action, str]:
    needs = graph.needs[task_id]
    was_taken_along = any(i in state.tasks and state.tasks[i].status is TaskStatus.SKIPPED for i in needs)
    if was_taken_along and not any(decided[need].action is Action.SKIP for need in needs):
        return Action.RUN, "what it needs is not skipped any more"
    return Action.SKIP, f"stays skipped ({known.reason})" if known.reason else "stays skipped"


def _first_that_runs(graph: Graph, decided: Mapping[str, Decision], task_id: str) -> str | None:
    """Return a task that `task_id` needs, directly or through skipped ones, and whose result will be another one."""
    seen: set[str] = set()
    stack = list(reversed(graph.needs[task_id]))
    while stack:
        need = stack.pop()
        if decided[need].action in (Action.RUN, Action.BLOCKED):
            return need
        if decided[need].action is Action.SKIP and need not in seen:
            seen.add(need)
            stack.extend(reversed(graph.needs[need]))
    return None


def _blocker(graph: Graph, decided: Mapping[str, Decision], task_id: str) -> str | None:
    return next((need for need in graph.needs[task_id] if decided[need].action is Action.BLOCKED), None)


def _run_unless_skipped(
    graph: Graph, decided: Mapping[str, Decision], options: ResumeOptions, task_id: str, reason: str
) -> tuple[Action, str]:
    if not options.run_dependents:
        for need in graph.needs[task_id]:
            if decided[need].action is Action.SKIP:
                return Action.SKIP, f"needs {need}, which is skipped"
    return Action.RUN, reason
