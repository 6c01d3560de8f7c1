"""What is said of a run, in words and in cells."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specular_tui.model.cause import Cause
from specular_tui.model.compare import compare_runs
from specular_tui.model.duration import between
from specular_tui.model.forecast import Forecast
from specular_tui.model.graph import Graph
from specular_tui.model.plan import Task
from specular_tui.model.run import Attempt, RunState, RunStatus, Session, TaskState, TaskStatus
from specular_tui.tui import present, present_forecast, present_header, present_keeping, present_run, present_task
from specular_tui.tui.clock import Clock
from specular_tui.tui.theme import ROLES, paint
from specular_tui.tui.views import Desk, RunRow, RunView

NOW = 1_705_314_645_000
CLOCK = Clock(lambda: NOW, UTC)


@given(
    st.lists(st.tuples(st.sampled_from(["done", "failed", "running", "pending"]), st.integers(0, 10**6)), max_size=5),
    st.integers(0, 200),
)
def test_a_bar_has_its_width_and_shows_what_is_there(counts: list[tuple[str, int]], width: int) -> None:
    bar = present.bar(counts, width)
    assert present.width(bar) == width
    there = [role for role, count in counts if count]
    if width >= len(there) and there:
        assert [role.removeprefix("bar-") for _, role in bar] == there


_LINES = st.lists(st.tuples(st.text("aé漢 \x1b\n\u202e", max_size=8), st.just("plain")), max_size=4)


@given(st.lists(_LINES, max_size=3), st.lists(_LINES, max_size=4), st.integers(0, 90))
def test_a_spread_line_never_outgrows_its_room(left: list[present.Line], right: list[present.Line], room: int) -> None:
    line = present.spread(left, right, room)
    assert present.width(line) == paint(line).cell_length <= room


@given(_LINES, st.integers(0, 40))
def test_a_cut_line_fits(line: present.Line, room: int) -> None:
    short = present.cut(line, room)
    assert present.width(short) == paint(short).cell_length <= room


def view(status: RunStatus = RunStatus.IN_PROGRESS, *, live: bool = True, **more: object) -> RunView:
    tasks = {
        "a": TaskState(status=TaskStatus.COMPLETED, attempt=1, duration_ms=5000),
        "b": TaskState(status=TaskStatus.FAILED, attempt=2, duration_ms=1000, exit_code=2, completed_at=NOW),
        "c": TaskState(),
        "d": TaskState(status=TaskStatus.SKIPPED, reason="it needs b"),
    }
    state = RunState(run_id="r", plan_name="p", status=status, tasks=tasks, updated_at=NOW, **more)  # type: ignore[arg-type]
    state.counts = {TaskStatus.COMPLETED: 1, TaskStatus.FAILED: 1, TaskStatus.PENDING: 1, TaskStatus.SKIPPED: 1}
    graph = Graph(
        [Task(id="a", command="x"), Task(id="b", command="x"), Task(id="c", command="x", depends_on=("a", "b"))]
    )
    return RunView("r", state, graph, live=live)


def said(lines: list[present.Line]) -> str:
    return "\n".join(present.text(line) for line in lines)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (view(), " ● RUNNING "),
        (view(RunStatus.PAUSED, frozen_since=NOW - 7000), " ‖ PAUSED   since 10:30:38"),
        (view(RunStatus.PAUSED, live=False), " ‖ PAUSED "),
        (view(draining=True), " ◐ DRAINING   starts nothing new"),
        (view(stopping=True, running={"a": None}), " ◐ STOPPING   ends 1 task"),
        (view(RunStatus.PAUSED, stopping=True, frozen_since=NOW - 7000), " ◐ STOPPING   ends 0 tasks"),
        (view(RunStatus.COMPLETED, live=False), " ✓ COMPLETED   1 skipped, 1 failed, allowed"),
        (view(RunStatus.CREATED), " ○ STARTING "),
        (view(RunStatus.ABANDONED, live=False), " ∅ ABANDONED "),
    ],
)
def test_badge(found: RunView, words: str) -> None:
    assert said([present.badge(found, CLOCK)]) == words


def test_counts_leave_out_what_is_not_there() -> None:
    assert said([present.counts(view().state)]) == "1/4 done  1 failed  1 skipped"
    assert said([present.counts(view().state, 2)]) == "1/4 done  1 failed  2 blocked  1 skipped"
    gated = view().state
    gated.gates["@lint"] = TaskState(status=TaskStatus.FAILED)
    assert said([present.counts(gated)]) == "1/4 done  1 failed  1 skipped  1 gate failed"


def test_the_first_failure_is_named() -> None:
    found = view()
    found.causes = {"b": Cause(7, "ld: cannot find -lz")}
    assert said([present_task.failure(found, "b")]) == "✗ b failed (exit 2): ld: cannot find -lz"
    assert present_task.failure(found, "a") == [], "it has been run again"
    found.state.task("b").attempt_reason = "program not found: npm"
    found.causes = {"b": Cause(0, "specular: program not found: npm")}
    assert said([present_task.failure(found, "b")]) == "✗ b failed: specular: program not found: npm", "once"
    found.state.task("b").attempt_reason = None
    found.causes = {"b": Cause(7, "cleaning up", vague=True, last=True)}
    assert said([present_task.failure(found, "b")]) == "✗ b failed (exit 2), last line: cleaning up", "no reason"
    found.causes = {"b": None}
    assert said([present_task.failure(found, "b")]) == "✗ b failed (exit 2)"


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        ({"exit_code": 2, "attempt_reason": "exit code 2"}, "exit 2"),
        ({"exit_code": 2}, "exit 2"),
        ({"signal": "SIGKILL", "attempt_reason": "killed by SIGKILL"}, "SIGKILL"),
        ({"signal": "SIGTERM", "attempt_reason": "timed out after 3.0s"}, "timed out after 3.0s"),
        (
            {"exit_code": 0, "attempt_reason": "the declared output 'app' was not made"},
            "the declared output 'app' was not made",
        ),
        ({"exit_code": 127, "reason": "program not found: npm"}, "program not found: npm"),
        ({}, ""),
    ],
)
def test_how_a_task_ended_is_what_says_most(ended: dict[str, Any], words: str) -> None:
    """The signal of a task that timed out, and the exit code 0 of one whose output is missing, say nothing of why."""
    assert present_task.outcome(TaskState(status=TaskStatus.FAILED, **ended)) == words


def test_why_a_stored_run_stands() -> None:
    assert said([present.standing(view(RunStatus.PAUSED, live=False, reason="SIGINT"))]) == (
        "‖ interrupted from the keyboard (Ctrl+C)"
    )
    assert "without a last word" in said([present.standing(view(RunStatus.PAUSED, live=False, interrupted=True))])
    assert present.standing(view()) == []


@pytest.mark.parametrize(
    ("task", "words"),
    [
        ("c", "waits for\n  ✗ b"),
        ("d", "skipped: it needs b"),
        ("a", "no output"),
        ("nope", "no such task"),
    ],
)
def test_in_place_of_a_log(task: str, words: str) -> None:
    found = view()
    assert said(present_task.waits_for(task, found.state, found.graph)) == words


def test_ready_tasks_say_what_they_wait_for() -> None:
    found = view()
    found.state.tasks["b"].status = TaskStatus.COMPLETED
    assert "resumed" in said(present_task.waits_for("c", found.state, found.graph))
    found.state.sessions.append(Session(started_at=0, pid=1))
    assert "free job slot" in said(present_task.waits_for("c", found.state, found.graph))
    found.state.frozen_since = NOW
    assert "goes on" in said(present_task.waits_for("c", found.state, found.graph))


def test_every_role_has_a_style() -> None:
    lines: list[present.Line] = [present.badge(view(status), CLOCK) for status in RunStatus]
    lines += [present.state_bar(view().state, 30), present.counts(view().state), *present_header.facts(view(), CLOCK)]
    row = RunRow("r", "failed", failed=1, total=4, completed=1, elapsed_ms=1, size=3)
    state = view(RunStatus.FAILED, live=False, policy_file="p", imported=True).state
    lines += present_run.details(row, state, "", CLOCK)
    lines += present_run.details(RunRow("r", "damaged", damage="torn"), None, "", CLOCK)
    lines.append(present.directory(Desk(CLOCK, runs=[row], listed=True)))
    assert {role for line in lines for _, role in line} <= set(ROLES)


def test_closing_words() -> None:
    assert present.closing_words(None, leaving="") == []
    assert present.closing_words(None, leaving="", started="r")[0] == "r goes on in the background."
    frozen = view(frozen_since=NOW)
    assert present.closing_words(frozen, leaving="", program="sp") == [
        f"{frozen.run_id} stands frozen.",
        f"  go on:      sp unpause {frozen.run_id}",
        f"  come back:  sp dashboard {frozen.run_id}",
    ], "whether it was frozen from here or not"
    drained = present.closing_words(view(draining=True), leaving="")
    assert "starts nothing new" in drained[0]
    assert "unpause" in drained[1]
    words = present.closing_words(view(RunStatus.FAILED, live=False), leaving="")
    assert words == ["r failed: 1 of 4 tasks completed in 0.00s", "  ✗ b", "  go on:  specular build --resume r"]


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (300, 1000, "~1s"),
        (40_000, 55_000, "~40–55s"),
        (180_000, 300_000, "~3–5m"),
        (30_000, 120_000, "~30s–2m"),
        (60_000, 240_000, "~1–4m"),
        (240_000, 250_000, "~4m"),
        (0, 100, "<1s"),
        (300, 4_000, "<1–4s"),
        (5_400_000, 9_000_000, "~1h30m–2h30m"),
    ],
)
def test_a_range(low: int, high: int, words: str) -> None:
    assert between(low, high) == words


def test_a_clock_time_has_its_day_where_that_is_another() -> None:
    assert present_forecast.hours(NOW, NOW + 30_000, CLOCK) == "10:30–10:31"
    assert present_forecast.hours(NOW, NOW + 5_000, CLOCK) == "10:30"
    assert present_forecast.hours(NOW, NOW + 86_400_000, CLOCK) == "10:30–Tue 10:30"


def test_what_nobody_knows_is_said_where_there_is_room() -> None:
    found = view()
    assert "nobody knows" not in present.text(present_header.lines(found, CLOCK, 120)[0]), "it was not looked into yet"
    found.foreseen = True
    wide, narrow = (present.text(present_header.lines(found, CLOCK, room)[0]) for room in (120, 50))
    assert wide.endswith("nobody knows yet how long")
    assert "nobody knows" not in narrow
    found.state.draining = True
    assert "nobody knows" not in present.text(present_header.lines(found, CLOCK, 120)[0])


def test_the_end_goes_before_the_id_of_the_run() -> None:
    found = view()
    found.run_id = "build-2024-01-15T10-30-45"
    found.forecast = (Forecast(60_000, 90_000, 120_000), NOW)
    wide, narrow = (present.text(present_header.lines(found, CLOCK, room)[0]) for room in (120, 64))
    assert found.run_id in wide
    assert found.run_id not in narrow
    assert "left, until" in wide
    assert "left, until" in narrow


def test_long_lines_go_on_below_and_further_in() -> None:
    line: present.Line = [
        ("  ", "plain"),
        ("specular build --resume", "accent"),
        (" build-2024-01-15T10-30-45", "strong"),
    ]
    assert said(present.wrapped(line, 30)) == "  specular build --resume\n    build-2024-01-15T10-30-45"
    assert present.wrapped(line, 60) == [line]
    assert present.wrapped(line, 30)[1][1] == ("build-2024-01-15T10-30-45", "strong")
    assert said(present.wrapped([("x" * 30, "plain")], 20)) == "x" * 20 + "\n  " + "x" * 10


@given(
    st.lists(st.tuples(st.text("ab 日", max_size=12), st.sampled_from(["plain", "muted"])), max_size=6),
    st.integers(12, 40),
)
def test_wrapped_lines_fit_and_lose_no_letter(line: present.Line, room: int) -> None:
    found = present.wrapped(line, room)
    assert all(present.width(each) <= room for each in found)
    assert said(found).replace("\n", "").replace(" ", "") == present.text(line).replace(" ", "")


def test_a_comparison_says_how_many_tasks_ran_at_once() -> None:
    before, after = RunState(run_id="a"), RunState(run_id="b")
    before.sessions.append(Session(started_at=0, pid=1, jobs=2))
    after.sessions.append(Session(started_at=0, pid=1, jobs=4))
    found = compare_runs(before, after, {})
    assert "2 → 4 jobs" in present.text(present_keeping.comparison_head(found, 100)[1])
    assert said(present_keeping.comparison_details(None, found, all_tasks=True)).endswith("compare a b --all")
    assert said(present_keeping.comparison_details(None, found, all_tasks=False)).endswith("compare a b")


def test_tasks_that_had_completed_and_ran_again_are_only_counted() -> None:
    past = {
        name: Attempt(attempt=1, outcome=outcome, started_at=0, completed_at=9, duration_ms=9)
        for name, outcome in (("a", "completed"), ("b", "failed"))
    }
    tasks = {name: TaskState(status=TaskStatus.COMPLETED, attempt=2, earlier=(each,)) for name, each in past.items()}
    state = RunState(run_id="r", tasks=tasks)
    shown = said(present_run.details(RunRow("r", "completed"), state, "", CLOCK))
    assert "1 task tried more than once" in shown
    assert "b  2 attempts: failed" in shown
    assert "1 task run again after completing" in shown
