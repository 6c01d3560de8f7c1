"""What is told of builds that are not in view: once, and nothing of what had been there before."""

from __future__ import annotations

from msgspec.structs import replace

from specular_tui.model.run import RunState
from specular_tui.tui.alerts import Alert
from specular_tui.tui.clock import Clock
from specular_tui.tui.elsewhere import Elsewhere
from specular_tui.tui.views import Desk, RunRow, RunView

OLD = RunRow("build-a", "completed", created_at=5)
LIVE = RunRow("build-b", "in_progress", live=True, created_at=15)


def desk(*rows: RunRow) -> Desk:
    return Desk(Clock(lambda: 10), runs=list(rows), listed=True)


def test_what_was_there_before_is_not_told() -> None:
    assert Elsewhere().look(desk(OLD, LIVE), None) == ([], [])


def test_nothing_is_known_before_the_list_has_been_read() -> None:
    elsewhere, found = Elsewhere(), desk(LIVE)
    found.listed = False
    assert elsewhere.look(found, None) == ([], [])
    found.listed = True
    assert elsewhere.look(found, None) == ([], [])


def test_a_build_that_begins_and_fails_is_told_twice() -> None:
    elsewhere, found = Elsewhere(), desk(OLD)
    elsewhere.look(found, None)
    found.runs = [LIVE, OLD]
    assert elsewhere.look(found, None) == (["build-b"], [])
    assert elsewhere.started(found, "build-b") == Alert("build-b started: O opens it", "information", loud=False)
    assert (found.arrived(), elsewhere.look(found, {"build-b"})) == (LIVE, ([], []))
    found.runs = [replace(LIVE, live=False, status="failed", failed=2, elapsed_ms=3000), OLD]
    _, ended = elsewhere.look(found, {"build-b"})
    assert ended == [Alert("build-b failed after 3.0s (2 tasks): O opens it", "error", loud=False)]
    assert found.arrived() == found.runs[0]
    assert elsewhere.look(found, None) == ([], [])


def test_a_build_too_quick_to_be_seen_running_is_told_and_an_old_run_that_comes_in_is_not() -> None:
    elsewhere, found = Elsewhere(), desk()
    elsewhere.look(found, None)
    found.runs = [RunRow("build-c", "completed", created_at=11, elapsed_ms=40), OLD]
    assert [alert.text for alert in elsewhere.look(found, None)[1]] == ["build-c completed after 0.04s: O opens it"]


def test_what_is_in_view_or_was_started_here_is_not_told_of_as_if_it_were_elsewhere() -> None:
    elsewhere, found = Elsewhere(), desk()
    elsewhere.look(found, None)
    found.runs = [LIVE]
    elsewhere.look(found, None)
    found.owned.add("build-b")
    assert elsewhere.started(found, "build-b") is None
    found.owned.clear()
    found.view = RunView("build-b", RunState(run_id="build-b"), live=True)
    assert elsewhere.started(found, "build-b") is None
    assert found.arrived() is None
    found.runs = [replace(LIVE, live=False, status="completed")]
    assert elsewhere.look(found, None) == ([], [])
