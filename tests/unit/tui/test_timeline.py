"""The layout of the timeline: its line of time, its rows, and the bars in its cells."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specular_tui.model.run import Attempt, RunState, Session, TaskState, TaskStatus
from specular_tui.model.usual import Usual
from specular_tui.tui.widgets.timeline.axis import Axis, Window
from specular_tui.tui.widgets.timeline.bars import bars
from specular_tui.tui.widgets.timeline.rows import Chart, Order, Row, Span
from specular_tui.tui.widgets.timeline.stage import Stage

# Generated runs ------------------------------------------------------------------------------------------------------

_GAPS = st.integers(0, 5000)


@st.composite
def sessions(draw: st.DrawFn) -> RunState:
    """A run of some sessions with freezes in them; the last may still be going on, and stand frozen."""
    state = RunState()
    now = draw(st.integers(0, 10**6))
    for number in range(draw(st.integers(0, 4))):
        now += draw(_GAPS)
        session = Session(started_at=now, pid=1)
        state.sessions.append(session)
        for _ in range(draw(st.integers(0, 2))):
            since = now + draw(_GAPS)
            now = since + draw(st.integers(0, 10**6))
            state.freezes.append((since, now))
        now += draw(_GAPS)
        if number < 3 or draw(st.booleans()):
            session.ended_at = now
    if state.sessions and state.session is not None and draw(st.booleans()):
        state.frozen_since = now
    state.updated_at = now
    return state


@given(sessions(), st.integers(0, 10**6))
def test_time_never_goes_back_on_the_line(state: RunState, later: int) -> None:
    now = state.updated_at + later
    axis = Axis(state, now)
    moments = sorted({now, *(moment for piece in axis.pieces for moment in (piece.since, piece.until))})
    places = [axis.place(moment) for moment in moments]
    assert places == sorted(places)
    assert all(0 <= place <= axis.length + 1e-6 for place in places)
    assert [axis.worked(place) for place in places] == sorted(axis.worked(place) for place in places)
    for first, then in pairwise(axis.pieces):
        assert first.until <= then.since
        assert first.place + first.length == pytest.approx(then.place)


@given(sessions(), st.integers(0, 10**6), st.floats(0, 1))
def test_a_moment_is_where_its_place_says(state: RunState, later: int, share: float) -> None:
    axis = Axis(state, state.updated_at + later)
    for piece in axis.pieces:
        if piece.until > piece.since:
            moment = piece.since + int(share * (piece.until - piece.since - 1))
            near = (piece.until - piece.since) / piece.length + 1
            assert abs(axis.moment(axis.place(moment)) - moment) <= near


@given(sessions())
def test_what_was_worked_is_one_to_one_and_freezes_are_kept_short(state: RunState) -> None:
    axis = Axis(state, state.updated_at)
    worked = sum(piece.length for piece in axis.pieces if not piece.frozen)
    assert worked == sum(piece.until - piece.since for piece in axis.pieces if not piece.frozen)
    for piece in axis.pieces:
        assert piece.length <= piece.until - piece.since
        if piece.frozen:
            assert piece.length <= max(1000, worked / 8 + 1)


def test_a_freeze_and_a_night() -> None:
    state = RunState(
        sessions=[
            Session(started_at=0, pid=1, ended_at=10_000),
            Session(started_at=90_000, pid=1, ended_at=95_000),
        ],
        freezes=[(4_000, 6_000)],
    )
    axis = Axis(state, 99_999)
    assert axis.place(4_000) == 4_000
    assert axis.frozen(axis.place(5_000))
    assert not axis.frozen(axis.place(6_000))
    assert axis.place(10_000) == axis.place(50_000) == axis.place(90_000) == axis.cuts[0]
    assert axis.worked(axis.place(95_000)) == 13_000, "neither the freeze nor the night was work"
    assert axis.length == axis.place(95_000)


def test_a_run_that_has_not_begun() -> None:
    axis = Axis(RunState(), 5)
    assert axis.place(77) == 0
    assert axis.length > 0
    assert not axis.frozen(0)
    assert [label for _, label in axis.ticks(0, 1000, 400)] == ["0", "500ms", "1s"]


@given(sessions(), st.integers(1, 300), st.floats(0, 1), st.floats(0.01, 1))
def test_ticks_stand_apart_in_order_and_in_bounds(state: RunState, width: int, left: float, part: float) -> None:
    axis = Axis(state, state.updated_at)
    window = Window(axis.length * left, axis.length * part / width, width)
    apart = 12 * window.scale
    found = [place for place, _ in axis.ticks(window.left, window.right, apart)]
    assert all(window.left <= place <= window.right for place in found)
    assert all(then - first >= apart - 1e-6 for first, then in pairwise(found))


def test_ticks_are_said_shortly() -> None:
    state = RunState(sessions=[Session(started_at=0, pid=1, ended_at=7_200_000)])
    labels = [label for _, label in Axis(state, 0).ticks(0, 7_200_000, 1_000_000)]
    assert labels == ["0", "30m", "1h", "1h30m", "2h"]


@given(
    st.floats(1, 10**9),
    st.integers(1, 300),
    st.lists(st.tuples(st.sampled_from(["zoom", "pan"]), st.floats(-2, 2), st.floats(0, 1)), max_size=12),
)
def test_a_window_never_leaves_the_line(length: float, width: int, moves: list[tuple[str, float, float]]) -> None:
    window = Window.whole(length, width)
    for move, amount, at in moves:
        if move == "zoom":
            window = window.zoomed(2**amount, at * width, length)
        else:
            window = window.panned(amount * width, length)
        assert 0 <= window.left <= length
        assert window.right <= max(length, width) * (1 + 1e-9) + 1e-6
        assert window.scale >= 1


def test_what_is_looked_at_stays_where_it_is() -> None:
    window = Window.whole(100_000, 100)
    closer = window.zoomed(0.5, 40, 100_000)
    assert closer.left + closer.scale * 40 == pytest.approx(40_000)
    assert closer.zoomed(2, 40, 100_000) == window
    assert window.showing(5, 6, 100_000) == window
    assert closer.showing(90_000, 95_000, 100_000).right >= 95_000


@given(
    sessions(),
    st.integers(1, 200),
    st.none() | st.floats(0, 10**6),
    st.lists(st.tuples(st.sampled_from(["zoom", "pan", "show", "to"]), st.floats(-2, 2), st.floats(0, 1)), max_size=8),
)
def test_what_is_on_screen_is_in_order_and_a_live_run_is_followed(
    state: RunState, width: int, coming: float | None, moves: list[tuple[str, float, float]]
) -> None:
    stage = Stage()
    now = state.updated_at
    stage.lay_out(state, now, width, coming)
    assert stage.fits
    assert stage.window.right >= stage.axis.length - 1e-6, "all of it is on screen"
    for move, amount, at in moves:
        moment = int(now * at)
        match move:
            case "zoom":
                stage.zoom(2**amount, at * width)
            case "pan":
                stage.pan(amount * width)
            case "show":
                stage.show(moment, moment + 10)
            case _:
                stage.zoom_to(moment, moment + 10)
        stage.lay_out(state, now, width, coming)
        assert len(stage.edges) == width + 1
        assert stage.edges == sorted(stage.edges)
        assert stage.window.left >= 0
        cells = stage.cells(moment, moment + 10)
        assert cells.start >= 0
        assert cells.stop <= width
    assert not stage.lay_out(state, now, width, coming), "nothing has changed"


# Rows ----------------------------------------------------------------------------------------------------------------


def task(*times: tuple[int, int], outcome: str = "completed") -> TaskState:
    """A task with these attempts; all but the last failed, and the last runs where its end is not behind its start."""
    (start, end), number = times[-1], len(times)
    found = TaskState(
        status=TaskStatus.COMPLETED if end >= start else TaskStatus.IN_PROGRESS,
        attempt=number,
        started_at=start,
        earlier=tuple(
            Attempt(attempt=at, outcome="failed", started_at=s, completed_at=e, duration_ms=e - s)
            for at, (s, e) in enumerate(times[:-1], 1)
        ),
    )
    if end >= start:
        found.outcome, found.completed_at, found.duration_ms = outcome, end, end - start
    return found


@st.composite
def runs(draw: st.DrawFn, least: int = 0) -> RunState:
    tasks = {}
    for number in range(draw(st.integers(0, 25))):
        at, times = draw(st.integers(0, 100)), []
        for _ in range(draw(st.integers(1, 3))):
            end = at + draw(st.integers(least, 30))
            times.append((at, end))
            at = end + draw(st.integers(0, 9))
        if draw(st.integers(0, 4)) == 0:
            times[-1] = (times[-1][0], -1)
        tasks[f"t{number}"] = task(*times)
    return RunState(tasks=tasks)


def proven(chart: Chart) -> None:
    for number, row in enumerate(chart.rows):
        assert list(row.starts) == [span.start for span in row.spans]
        assert all((span.row, span.index) == (number, at) for at, span in enumerate(row.spans))
        for first, then in pairwise(row.spans):
            assert first.start <= first.end <= then.start, "attempts in a row do not overlap"
    assert chart.count == sum(len(row.spans) for row in chart.rows)


@given(runs(), st.sampled_from(["slot", "task"]))
def test_no_attempt_lies_over_another(state: RunState, order: Order) -> None:
    chart = Chart(order)
    chart.load(state)
    proven(chart)
    assert chart.count == sum(found.attempt for found in state.tasks.values())
    if order == "task":
        assert len(chart.rows) == len(state.tasks)
        assert [row.spans[0].start for row in chart.rows] == sorted(row.spans[0].start for row in chart.rows)


@given(runs())
def test_there_are_no_more_slots_than_ran_at_once(state: RunState) -> None:
    chart = Chart("slot")
    chart.load(state)
    spans = [span for row in chart.rows for span in row.spans]
    at_once = [sum(s.start <= moment < s.end for s in spans) for moment in {s.start for s in spans}]
    # One that took no time takes a slot as well, where all others are taken.
    assert max(at_once, default=0) <= len(chart.rows) <= max(at_once, default=0) + any(s.start == s.end for s in spans)


@given(runs(least=1), st.sampled_from(["slot", "task"]), st.data())
def test_following_a_run_makes_what_reading_it_at_once_makes(
    state: RunState, order: Order, data: st.DataObject
) -> None:
    events = sorted(
        (moment, kind, task_id, at)
        for task_id, found in state.tasks.items()
        for at, (start, end) in enumerate(
            [(e.started_at, e.completed_at) for e in found.earlier]
            + [(found.started_at or 0, found.completed_at if found.outcome else None)]
        )
        for moment, kind in ((start, 1), (end, 0))
        if moment is not None
    )
    followed, seen = Chart(order), RunState()
    touched: set[str] = set()
    for _, kind, task_id, at in events:
        final = state.tasks[task_id]
        known = seen.tasks.setdefault(task_id, TaskState())
        source = final.earlier[at] if at < len(final.earlier) else final
        if kind == 1:
            known.retire()
            known.attempt, known.started_at, known.outcome, known.completed_at = at + 1, source.started_at, "", None
        else:
            known.outcome, known.completed_at, known.duration_ms = (
                source.outcome,
                source.completed_at,
                source.duration_ms,
            )
        touched.add(task_id)
        if data.draw(st.booleans()):
            followed.touch(seen, touched)
            touched = set()
    followed.touch(seen, touched)
    proven(followed)
    whole = Chart(order)
    whole.load(state)
    assert {(s.task, s.attempt, s.start, s.end, s.outcome) for row in followed.rows for s in row.spans} == {
        (s.task, s.attempt, s.start, s.end, s.outcome) for row in whole.rows for s in row.spans
    }
    assert len(followed.rows) == len(whole.rows)


def test_what_stands_out_is_found_round_the_end() -> None:
    state = RunState(tasks={"a": task((0, 5)), "b": task((5, 50)), "c": task((50, 60), outcome="failed")})
    chart = Chart()
    chart.load(state)
    chart.compare(state, {"a": Usual(5, 5, 5, 3), "b": Usual(1, 1, 44, 3)})
    assert chart.slow == 0, "a second more is nothing"
    state.tasks["b"].duration_ms = 45_000
    chart.compare(state, {"b": Usual(1000, 1000, 1200, 3)})
    slow, failed = chart.latest["b"], chart.latest["c"]
    assert chart.is_slow(slow)
    assert chart.marked(None, 1, critical=False) is slow
    assert chart.marked(slow, 1, critical=False) is failed
    assert chart.marked(failed, 1, critical=False) is slow
    assert chart.marked(slow, -1, critical=False) is failed
    assert chart.marked(slow, 1, critical=True) is None
    assert chart.mark_critical(["a", "c"])
    assert not chart.mark_critical(["c", "a"])
    assert chart.marked(slow, 1, critical=True) is failed
    assert chart.mark_critical(["b"])
    assert [chart.is_critical(chart.latest[i]) for i in "abc"] == [False, True, False]


def test_the_nearest_attempt() -> None:
    row = Row()
    for number, (start, end) in enumerate([(10, 20), (30, 40)]):
        span = Span(f"t{number}", 1, start)
        span.end = end
        row.spans.append(span)
        row.starts.append(start)
    found = [near.task if (near := row.nearest(moment)) else None for moment in (0, 15, 22, 27, 99)]
    assert found == ["t0", "t0", "t0", "t1", "t1"]
    assert Row().nearest(5) is None


# Bars ----------------------------------------------------------------------------------------------------------------


@given(runs(), st.integers(1, 60), st.integers(0, 150), st.integers(1, 200))
def test_bars_lie_beside_each_other_and_leave_nothing_out(state: RunState, width: int, left: int, span: int) -> None:
    chart = Chart()
    chart.load(state)
    edges = [left + span * cell // width for cell in range(width + 1)]
    now = 180
    for row in chart.rows:
        found = bars(row, edges, now, frozen=False)
        assert all(0 <= bar.first < bar.end <= width for bar in found)
        assert all(first.end <= then.first for first, then in pairwise(found))
        covered = {cell for bar in found for cell in range(bar.first, bar.end)}
        for each in row.spans:
            for cell in range(width):
                low, high = edges[cell], max(edges[cell + 1], edges[cell] + 1)
                if each.start < high and each.end > low and low < now:
                    assert cell in covered
        assert any(bar.kind == "failed" for bar in found) or not any(
            row.spans[at].start >= edges[0] and row.spans[at].start < min(edges[-1], now) for at in row.failed
        )


def test_what_shares_a_cell_says_what_is_worst() -> None:
    state = RunState(tasks={"a": task((0, 2)), "b": task((2, 4), outcome="failed"), "c": task((4, 40))})
    chart = Chart()
    chart.load(state)
    first, then = bars(chart.rows[0], [0, 10, 20, 30, 40, 50], 99, frozen=False)
    assert (first.first, first.end, first.kind, first.span) == (0, 1, "failed", None)
    assert then.span is chart.latest["c"]
    assert (then.first, then.end, then.begins, then.ends) == (1, 4, False, True)


def test_an_attempt_that_the_next_one_follows_at_once_is_seen_to_end() -> None:
    state = RunState(tasks={"a": task((0, 25)), "b": task((25, 50))})
    chart = Chart()
    chart.load(state)
    first, then = bars(chart.rows[0], [0, 10, 20, 30, 40, 50], 99, frozen=False)
    assert (first.first, first.end, first.ends) == (0, 2, True), "a sign at its end has a place"
    assert (then.first, then.end, then.ends) == (2, 5, True)


def test_nothing_is_drawn_behind_the_present() -> None:
    state = RunState(tasks={"a": task((0, -1))})
    chart = Chart()
    chart.load(state)
    for frozen, kind in ((False, "running"), (True, "frozen")):
        (bar,) = bars(chart.rows[0], [0, 10, 20, 30, 40], 15, frozen=frozen)
        assert (bar.first, bar.end, bar.kind) == (0, 2, kind)
