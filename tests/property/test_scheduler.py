"""Properties of the scheduler: every plan is worked off in a lawful order, whatever the tasks do."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from specular_tui.engine.scheduler import End, Instruction, Scheduler, Skip, Start
from specular_tui.model.graph import Graph
from specular_tui.model.plan import Priority, Task
from specular_tui.model.run import RunStatus, TaskState, TaskStatus


@st.composite
def plans(draw: st.DrawFn) -> list[Task]:
    """Acyclic plans: a task needs only tasks that stand before it, and the plan is shuffled then."""
    count = draw(st.integers(1, 12))
    tasks = []
    for number in range(count):
        needs = draw(st.sets(st.integers(0, number - 1), max_size=3)) if number else set()
        tasks.append(
            Task(
                id=f"t{number}",
                command="true",
                depends_on=tuple(f"t{need}" for need in sorted(needs)),
                priority=draw(st.sampled_from(Priority)),
                allow_failure=draw(st.booleans()),
            )
        )
    return draw(st.permutations(tasks))


class World:
    """Carries instructions out as a runner would, and holds the scheduler to its promises."""

    def __init__(self, tasks: list[Task], jobs: int, *, keep_going: bool) -> None:
        self.graph = Graph(tasks)
        self.jobs = jobs
        self.running: set[str] = set()
        self.done: set[str] = set()
        self.failed: set[str] = set()
        self.allowed: set[str] = set()
        self.skipped: set[str] = set()
        self.started: list[str] = []
        self.ended: RunStatus | None = None
        self.held = False
        self.scheduler = Scheduler(
            self.graph,
            {task.id: TaskState() for task in tasks},
            jobs=jobs,
            remaining=self.graph.remaining_path(lambda _: 1.0),
            keep_going=keep_going,
        )

    def obey(self, instructions: list[Instruction]) -> None:
        for instruction in instructions:
            assert self.ended is None, "an instruction behind the end"
            match instruction:
                case Start(task):
                    assert not self.held
                    assert task not in self.running | self.done | self.skipped
                    satisfied = self.done | self.skipped | self.allowed
                    assert set(self.graph.needs[task]) <= satisfied
                    self.running.add(task)
                    self.failed.discard(task)
                    self.started.append(task)
                    assert len(self.running) <= self.jobs
                case Skip(task, reason):
                    assert reason
                    assert task not in self.running | self.done
                    self.failed.discard(task)
                    self.skipped.add(task)
                case End(status):
                    assert not self.running
                    self.ended = status


@given(plans(), st.integers(1, 4), st.booleans(), st.data())
@settings(max_examples=300, deadline=None)
def test_every_plan_comes_to_its_end(tasks: list[Task], jobs: int, keep_going: bool, data: st.DataObject) -> None:
    world = World(tasks, jobs, keep_going=keep_going)
    world.obey(world.scheduler.begin())
    steps = 0
    while world.ended is None:
        steps += 1
        assert steps < 500, "the build neither goes on nor ends"
        if world.held and (not world.running or data.draw(st.booleans(), "release")):
            world.held = False
            world.obey(world.scheduler.release())
            continue
        assert world.running, "nothing runs, nothing is held, and the build has not ended"
        task = data.draw(st.sampled_from(sorted(world.running)), "task")
        match data.draw(st.sampled_from(["complete", "complete", "complete", "fail", "delay", "hold"]), "what"):
            case "complete":
                world.running.discard(task)
                world.done.add(task)
                world.obey(world.scheduler.completed(task))
            case "fail":
                world.running.discard(task)
                allowed = world.graph.tasks[task].allow_failure
                (world.allowed if allowed else world.failed).add(task)
                world.obey(world.scheduler.failed(task, allowed=allowed))
            case "delay":
                world.running.discard(task)
                world.obey(world.scheduler.delayed(task))
                world.obey(world.scheduler.delay_over(task))
            case _:
                world.held = True
                world.obey(world.scheduler.hold())
    everything = set(world.graph.tasks)
    if not world.failed:
        assert world.ended is RunStatus.COMPLETED
        assert world.done | world.skipped | world.allowed == everything
    else:
        assert world.ended is RunStatus.FAILED
        untouched = everything - set(world.started)
        if keep_going:
            assert untouched == world.graph.descendants(world.failed) - set(world.started)


@given(plans(), st.integers(1, 4), st.data())
@settings(max_examples=150, deadline=None)
def test_a_stopped_build_ends_paused_and_starts_nothing(tasks: list[Task], jobs: int, data: st.DataObject) -> None:
    world = World(tasks, jobs, keep_going=False)
    world.obey(world.scheduler.begin())
    for _ in range(data.draw(st.integers(0, len(tasks) - 1))):
        if not world.running:
            break
        task = min(world.running)
        world.running.discard(task)
        world.done.add(task)
        world.obey(world.scheduler.completed(task))
    if world.ended is not None:
        return
    before = list(world.started)
    world.obey(world.scheduler.stop())
    for task in sorted(world.running):
        world.running.discard(task)
        world.obey(world.scheduler.interrupted(task))
    assert world.started == before
    assert world.ended is RunStatus.PAUSED


@given(plans(), st.data())
@settings(max_examples=200, deadline=None)
def test_skipping_takes_its_dependents_along(tasks: list[Task], data: st.DataObject) -> None:
    world = World(tasks, 2, keep_going=True)
    world.obey(world.scheduler.begin())
    idle = sorted(set(world.graph.tasks) - world.running)
    if not idle:
        return
    victim = data.draw(st.sampled_from(idle))
    world.obey(world.scheduler.skip(victim, "not wanted"))
    while world.ended is None:
        task = min(world.running)
        world.running.discard(task)
        world.done.add(task)
        world.obey(world.scheduler.completed(task))
    assert world.ended is RunStatus.COMPLETED
    assert world.skipped == {victim} | world.graph.descendants([victim])
    assert world.done == set(world.graph.tasks) - world.skipped


@given(plans(), st.integers(1, 3), st.data())
@settings(max_examples=200, deadline=None)
def test_a_retried_failure_lets_the_build_complete(tasks: list[Task], jobs: int, data: st.DataObject) -> None:
    world = World(tasks, jobs, keep_going=True)
    world.obey(world.scheduler.begin())
    retried = False
    while world.ended is None:
        task = data.draw(st.sampled_from(sorted(world.running)))
        world.running.discard(task)
        if not retried and len(world.running) > 0:
            retried = True
            world.failed.add(task)
            world.obey(world.scheduler.failed(task))
            world.obey(world.scheduler.retry(task))
        else:
            world.done.add(task)
            world.obey(world.scheduler.completed(task))
    assert world.ended is RunStatus.COMPLETED
    assert world.done == set(world.graph.tasks)


def run_alone(tasks: list[Task], weights: dict[str, float]) -> list[str]:
    """Return the order in which one job works a plan off."""
    graph = Graph(tasks)
    scheduler = Scheduler(graph, {t.id: TaskState() for t in tasks}, jobs=1, remaining=weights)
    order: list[str] = []
    instructions = scheduler.begin()
    while isinstance(instructions[0], Start):
        order.append(instructions[0].task)
        instructions = scheduler.completed(instructions[0].task)
    return order


def test_priority_comes_before_the_longest_path_and_that_before_the_plan() -> None:
    tasks = [
        Task(id="late", command="true"),
        Task(id="long", command="true"),
        Task(id="urgent", command="true", priority=Priority.P0),
        Task(id="later", command="true"),
    ]
    weights = {"late": 1.0, "long": 9.0, "urgent": 0.5, "later": 1.0}
    assert run_alone(tasks, weights) == ["urgent", "long", "late", "later"]


@pytest.mark.parametrize("only", [{"b"}, {"b", "c"}])
def test_what_may_not_run_stays_pending_and_the_build_ends_paused(only: set[str]) -> None:
    graph = Graph([Task(id=i, command="true") for i in "abc"])
    states = {"a": TaskState(), "b": TaskState(), "c": TaskState()}
    scheduler = Scheduler(graph, states, jobs=1, remaining=dict.fromkeys("abc", 1.0), only=only)
    started = set()
    instructions = scheduler.begin()
    while isinstance(instructions[0], Start):
        started.add(instructions[0].task)
        instructions = scheduler.completed(instructions[0].task)
    assert started == only
    assert instructions == [End(RunStatus.PAUSED)]


def test_completed_tasks_are_not_started_again() -> None:
    graph = Graph([Task(id="a", command="true"), Task(id="b", command="true", depends_on=("a",))])
    states = {"a": TaskState(status=TaskStatus.COMPLETED), "b": TaskState()}
    scheduler = Scheduler(graph, states, jobs=4, remaining=dict.fromkeys("ab", 1.0))
    assert scheduler.begin() == [Start("b")]
    assert scheduler.completed("b") == [End(RunStatus.COMPLETED)]


def three(*, jobs: int = 3) -> Scheduler:
    """A scheduler of a, b and c, which need nothing of each other, and d, which needs a; what can has started."""
    graph = Graph([*(Task(id=i, command="true") for i in "abc"), Task(id="d", command="true", depends_on=("a",))])
    scheduler = Scheduler(graph, {i: TaskState() for i in "abcd"}, jobs=jobs, remaining=dict.fromkeys("abcd", 1.0))
    assert scheduler.begin() == [Start(i) for i in "abc"[:jobs]]
    return scheduler


def test_a_task_that_somebody_asks_for_runs_again_although_another_one_has_failed() -> None:
    scheduler = three()
    assert scheduler.failed("a") == scheduler.failed("b") == []
    assert scheduler.retry("a") == [Start("a")]
    # What needs it is not asked for, and b has failed.
    assert scheduler.completed("a") == []
    assert scheduler.completed("c") == [End(RunStatus.FAILED)]


def test_a_build_with_a_failure_waits_for_what_somebody_has_asked_for() -> None:
    scheduler = three()
    assert scheduler.failed("a") == scheduler.failed("b") == []
    assert scheduler.retry("a") == [Start("a")]
    assert scheduler.completed("c") == []
    assert scheduler.delayed("a") == []
    assert scheduler.delay_over("a") == [Start("a")]
    assert scheduler.failed("a") == [End(RunStatus.FAILED)]


def test_a_task_that_is_asked_for_waits_for_a_job() -> None:
    scheduler = three(jobs=2)
    assert scheduler.failed("a") == []
    assert scheduler.retry("a") == [Start("a")]
    assert scheduler.failed("b") == []
    assert scheduler.retry("b") == [Start("b")]
    assert scheduler.failed("a") == []
    assert scheduler.completed("b") == [End(RunStatus.FAILED)]


def test_what_is_asked_for_while_the_build_is_held_starts_afterwards() -> None:
    scheduler = three()
    assert scheduler.hold() == []
    assert scheduler.failed("a") == scheduler.failed("b") == scheduler.completed("c") == []
    assert scheduler.retry("a") == []
    assert scheduler.release() == [Start("a")]
    assert scheduler.completed("a") == [End(RunStatus.FAILED)]


def test_a_task_that_was_left_out_and_asked_for_again_waits_for_its_delay() -> None:
    scheduler = three(jobs=1)
    assert scheduler.skip("b", "by the user") == [Skip("b", "by the user")]
    assert scheduler.retry("b") == []
    assert scheduler.completed("a") == [Start("b")]
    assert scheduler.delayed("b") == [Start("c")]
    assert scheduler.completed("c") == [Start("d")]
    assert scheduler.completed("d") == []
    assert scheduler.delay_over("b") == [Start("b")]
    assert scheduler.completed("b") == [End(RunStatus.COMPLETED)]


def test_a_task_that_is_left_out_with_what_it_needs_is_waited_for_no_more() -> None:
    graph = Graph([Task(id="a", command="false", allow_failure=True), Task(id="b", command="true", depends_on=("a",))])
    scheduler = Scheduler(graph, {i: TaskState() for i in "ab"}, jobs=1, remaining=dict.fromkeys("ab", 1.0))
    assert scheduler.begin() == [Start("a")]
    assert scheduler.failed("a", allowed=True) == [Start("b")]
    assert scheduler.delayed("b") == []
    assert scheduler.skip("a", "by the user")[-1] == End(RunStatus.COMPLETED)


def test_builds_end_whatever_is_asked_of_them() -> None:
    for seed in range(1_000):
        steer(seed)


def steer(seed: int) -> None:
    """Work a plan off while a user tells the build things, and its tasks end as they do, all of it at random."""
    chance = random.Random(seed)
    names = [f"t{number}" for number in range(chance.randint(1, 8))]
    tasks = [
        Task(
            id=name,
            command="true",
            depends_on=tuple(sorted(chance.sample(names[:number], min(number, chance.randint(0, 2))))),
            allow_failure=chance.random() < 0.3,
        )
        for number, name in enumerate(names)
    ]
    world = World(tasks, jobs := chance.randint(1, 4), keep_going=chance.random() < 0.5)
    scheduler = world.scheduler
    delayed: set[str] = set()
    world.obey(scheduler.begin())
    for _ in range(100):
        if world.ended is not None:
            return
        deeds = ["end"] * bool(world.running) + ["delay over"] * bool(delayed) + ["release"] * world.held
        assert deeds, "nothing runs, nothing waits, and the build does not end"
        again = sorted(world.failed | world.skipped)
        deeds += ["retry"] * bool(again) + ["hold"] * (not world.held) + ["skip"]
        match chance.choice(deeds):
            case "end":
                task = chance.choice(sorted(world.running))
                world.running.discard(task)
                match chance.choice(["completed", "failed", "delayed"]):
                    case "completed":
                        world.done.add(task)
                        world.obey(scheduler.completed(task))
                    case "failed":
                        allowed = world.graph.tasks[task].allow_failure
                        world.failed.add(task)
                        world.allowed |= {task} if allowed else set()
                        world.obey(scheduler.failed(task, allowed=allowed))
                    case _:
                        delayed.add(task)
                        world.obey(scheduler.delayed(task))
            case "delay over":
                task = chance.choice(sorted(delayed))
                delayed.discard(task)
                world.obey(scheduler.delay_over(task))
            case "hold":
                world.held = True
                world.obey(scheduler.hold())
            case "release":
                world.held = False
                world.obey(scheduler.release())
            case "retry":
                task = chance.choice(again)
                for known in (world.failed, world.skipped, world.allowed):
                    known.discard(task)
                free = len(world.running) < jobs and not world.held
                world.obey(scheduler.retry(task))
                if free and set(world.graph.needs[task]) <= world.done | world.skipped | world.allowed:
                    assert task in world.running or len(world.running) == jobs
            case _:
                task = chance.choice(names)
                if task not in world.running | world.done | world.skipped:
                    delayed.discard(task)
                    world.allowed.discard(task)
                    world.obey(scheduler.skip(task, "by the user"))
                    delayed -= world.skipped
