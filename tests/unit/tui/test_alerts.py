"""What is told to a user who looks elsewhere: once, inert, and not about what has been there before."""

from __future__ import annotations

import pytest

from specular_tui.model.run import RunState, RunStatus, Session, TaskState, TaskStatus
from specular_tui.tui.alerts import Alert, Alerts, sequence
from specular_tui.tui.views import RunView


def view(*, elapsed: int = 60_000) -> RunView:
    state = RunState(run_id="r", plan_name="orbit", status=RunStatus.IN_PROGRESS, elapsed_ms=elapsed)
    state.sessions.append(Session(started_at=0, pid=1))
    state.tasks.update({name: TaskState() for name in "abc"})
    return RunView("r", state, live=True)


def fail(found: RunView, task: str, at: int) -> None:
    found.state.tasks[task].status = TaskStatus.FAILED
    found.state.tasks[task].exit_code = 2
    found.failed[task] = at


def test_the_first_failure_is_told_once() -> None:
    alerts, found = Alerts(), view()
    assert alerts.look(None) is None
    assert alerts.look(found) is None
    fail(found, "b", 5)
    assert alerts.look(found) == Alert("orbit: b failed (exit 2)", "error", loud=True, pinned=True)
    fail(found, "a", 6)
    assert alerts.look(found) is None


def test_what_was_there_before_is_not_told() -> None:
    alerts, found = Alerts(), view()
    fail(found, "b", 5)
    assert alerts.look(found) is None
    other = view()
    other.run_id = other.state.run_id = "s"
    fail(other, "c", 5)
    assert alerts.look(other) is None


@pytest.mark.parametrize(
    ("status", "said", "severity"),
    [
        (RunStatus.COMPLETED, "orbit completed in 1m00s", "information"),
        (RunStatus.FAILED, "orbit failed after 1m00s: 0 tasks", "error"),
        (RunStatus.PAUSED, "orbit paused after 1m00s: interrupted from the keyboard (Ctrl+C)", "warning"),
    ],
)
def test_the_end_is_told(status: RunStatus, said: str, severity: str) -> None:
    alerts, found = Alerts(), view()
    alerts.look(found)
    found.live, found.state.status, found.state.reason = False, status, "SIGINT"
    assert alerts.look(found) == Alert(said, severity, loud=True, pinned=True)
    assert alerts.look(found) is None


def test_a_short_build_makes_no_sound() -> None:
    alerts, found = Alerts(), view(elapsed=3_000)
    alerts.look(found)
    found.live, found.state.status = False, RunStatus.COMPLETED
    alert = alerts.look(found)
    assert alert is not None
    assert not alert.loud


def test_a_deleted_run_has_not_ended() -> None:
    alerts, found = Alerts(), view()
    alerts.look(found)
    found.live, found.gone = False, True
    assert alerts.look(found) is None


def test_foreign_text_in_a_notification_is_inert() -> None:
    evil = "a\x07\x1b]52;c;eA==\x07\x9c\u202e;b" + "x" * 500
    assert sequence(evil, {}, unicode=True).startswith("\x1b]9;Specular: a··]52,c,eA==···,bxxx")
    assert sequence(evil, {}, unicode=True).count("\x07") == 1
    assert sequence("é", {"VTE_VERSION": "7200"}, unicode=False) == "\x1b]777;notify;Specular;e\x1b\\"
    assert len(sequence(evil, {"TERM": "foot"}, unicode=True)) < 250
