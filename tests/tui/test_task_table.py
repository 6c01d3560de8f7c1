"""The task table in a small host: what is painted, where the cursor is, and what it costs to stand still."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import ClassVar

import pytest
from rich.cells import cell_len
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.events import MouseScrollDown
from textual.geometry import Region
from textual.pilot import Pilot

from specular_tui.model.duration import rough
from specular_tui.model.event import AnyEvent, Frozen, RunCreated, SessionStarted, TaskEnded, TaskStarted, Thawed
from specular_tui.model.fold import apply
from specular_tui.model.graph import Graph
from specular_tui.model.plan import Task
from specular_tui.model.run import RunState, TaskState, TaskStatus
from specular_tui.tui.theme import tokens
from specular_tui.tui.widgets.task.cells import Cells
from specular_tui.tui.widgets.task.columns import columns, fit_id, heading, pieces
from specular_tui.tui.widgets.task.filter import Filter
from specular_tui.tui.widgets.task.rows import SORTS, Rows
from specular_tui.tui.widgets.task.table import TaskTable

STYLES = Path(__file__).parents[2] / "styles"
START = 1_700_000_000_000


class Clock:
    """A clock that the test turns."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> int:
        return self.now


class Table(TaskTable):
    BINDINGS: ClassVar[list[BindingType]] = [
        ("j,down", "cursor_down"),
        ("k,up", "cursor_up"),
        ("g,home", "go_top"),
        ("G,end", "go_bottom"),
        ("ctrl+d", "half_page_down"),
        ("ctrl+u", "half_page_up"),
        ("pagedown", "page_down"),
        ("pageup", "page_up"),
        ("enter", "open"),
        ("n", "next_failure"),
        ("N", "previous_failure"),
        ("a", "next_running"),
        ("o", "cycle_sort"),
    ]


class Host(App[None]):
    CSS_PATH: ClassVar = [STYLES / "task_table.tcss"]

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run_ = run
        self.table = Table(clock=run.clock)
        self.heard: list[str] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return tokens(self.current_theme)

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        self.table.show(self.run_.state, self.run_.graph)
        self.table.focus()

    def on_task_table_selected(self, message: TaskTable.Selected) -> None:
        self.heard.append(message.task_id)

    def on_task_table_opened(self, message: TaskTable.Opened) -> None:
        self.heard.append(f"open {message.task_id}")


class Run:
    """A run whose events the test writes."""

    def __init__(self, tasks: Iterable[Task], gates: tuple[str, ...] = ()) -> None:
        self.clock = Clock()
        self.graph = Graph(list(tasks))
        self.state = RunState()
        self.apply(
            RunCreated(
                at=START,
                run_id="build-1",
                plan_file="plan.json",
                plan_folder="/",
                plan_name="p",
                plan_hash="",
                tasks=tuple(self.graph.tasks),
                gates=gates,
            ),
            SessionStarted(at=START, status="in_progress", pid=1),
        )

    def apply(self, *events: AnyEvent) -> None:
        for event in events:
            self.state = apply(self.state, event)

    def start(self, *ids: str, attempt: int = 1) -> None:
        self.apply(*(TaskStarted(at=self.clock.now, task=i, attempt=attempt) for i in ids))

    def end(
        self, task_id: str, outcome: str = "completed", ms: int = 1000, code: int | None = 0, signal: str | None = None
    ) -> None:
        self.apply(
            TaskEnded(
                at=self.clock.now,
                task=task_id,
                attempt=self.state.task(task_id).attempt,
                outcome=outcome,
                duration_ms=ms,
                exit_code=code,
                signal=signal,
            )
        )


def webapp() -> Run:
    run = Run(
        [
            Task(id="setup", title="Install", command="x"),
            Task(id="lint", title="Check the [/x] sources\x1b[31m", command="x", depends_on=("setup",), estimate=60),
            Task(id="unit", title="Unit tests", command="x", depends_on=("setup",), estimate=120),
            Task(id="web", title="日本語 bundle", command="x", depends_on=("setup", "lint")),
            Task(id="publish", title="Publish", command="x", depends_on=("lint", "unit", "web"), estimate=5),
        ],
        gates=("@ruff",),
    )
    run.start("setup")
    run.end("setup", ms=12_400)
    run.start("lint", "unit")
    run.clock.now += 65_000
    run.end("lint", "failed", ms=9_300, code=2)
    return run


def many(count: int) -> Run:
    return Run(Task(id=f"t{n:05d}", title=f"Task {n}", command="x") for n in range(count))


def painted(app: Host) -> list[str]:
    strips = app.table.render_lines(app.table.size.region)
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips]


async def settle(pilot: Pilot[None]) -> None:
    """Let the table paint what it has gathered, however busy the machine is."""
    await pilot.pause()
    table = pilot.app.query_one(TaskTable)
    for _ in range(100):
        if not table._timers:
            return
        await pilot.pause(0.01)


async def test_every_row_says_its_state() -> None:
    app = Host(webapp())
    async with app.run_test(size=(100, 12)) as pilot:
        await settle(pilot)
        lines = painted(app)
    assert lines[0].split() == ["task", "title", "time", "/", "usual", "exit", "/", "waits", "for"]
    assert lines[1].split() == ["✓", "setup", "Install", "12s"]
    assert lines[2].split() == ["✗", "lint", "Check", "the", "[/x]", "sources·[31m", "9.3s", "exit", "2"]
    assert lines[3].split() == ["●", "unit", "Unit", "tests", "1m05s", "/", "~2m"]
    assert lines[4].split() == ["○", "web", "日本語", "bundle", "lint"]
    assert lines[5].split() == ["○", "publish", "Publish", "~5s", "lint", "+2"]
    assert lines[6].split() == ["○", "@ruff"]
    assert lines[7:] == [""] * 5


async def test_columns_stand_under_their_names() -> None:
    app = Host(webapp())
    async with app.run_test(size=(100, 12)) as pilot:
        await settle(pilot)
        lines = painted(app)
    assert lines[0].index("task") == lines[1].index("setup")
    assert lines[0].index("title") == lines[1].index("Install")
    assert lines[0].index("time") + 4 == lines[1].index("12s") + 3 == lines[3].index("1m05s") + 5
    assert lines[0].index("exit") == lines[2].index("exit 2")


def test_the_shortest_titles_stand_under_a_whole_name() -> None:
    layout = columns(100, ids=8, titles=1, estimates=True, attempts=False)
    assert " title " in heading(layout, 100, "")[0]


@pytest.mark.parametrize("width", [1, 2, 5, 12, 20, 30, 40, 60, 80, 100, 160, 300])
@pytest.mark.parametrize(("ids", "titles"), [(5, 0), (5, 60), (128, 60), (128, 0)])
def test_columns_fit_any_width(width: int, ids: int, titles: int) -> None:
    found = columns(width, ids=ids, titles=titles, estimates=True, attempts=True)
    used = 3 + found.id + sum(2 + cells for cells in (found.title, found.time, found.attempt, found.detail) if cells)
    assert used + found.estimate <= max(width, 4)
    if width >= 79:
        assert found.time
        assert found.id >= min(ids, 12)
        assert found.title >= 18 or not titles


async def test_keys_move_the_cursor() -> None:
    app = Host(many(500))
    async with app.run_test(size=(80, 21)) as pilot:
        table = app.table
        for keys, expected in [
            ("j", 1),
            ("down", 2),
            ("k", 1),
            ("ctrl+d", 11),
            ("pagedown", 30),
            ("pageup", 11),
            ("ctrl+u", 1),
            ("G", 499),
            ("j", 499),
            ("home", 0),
            ("up", 0),
            ("end", 499),
        ]:
            await pilot.press(keys)
            assert table.selected == f"t{expected:05d}", keys
        await settle(pilot)
        assert "t00499" in painted(app)[20]
        assert app.heard[-1] == "t00499"


async def test_a_moving_cursor_does_not_tell_of_each_row() -> None:
    app = Host(many(500))
    async with app.run_test(size=(80, 21)) as pilot:
        await settle(pilot)
        for _ in range(50):
            app.table.action_cursor_down()
        await pilot.pause()
        assert app.heard[0] == "t00000"
        assert app.heard[-1] == "t00050"
        assert len(app.heard) <= 4


async def test_the_cursor_stays_on_its_task() -> None:
    run = many(100)
    app = Host(run)
    async with app.run_test(size=(80, 21)) as pilot:
        table = app.table
        table.select("t00050")
        table.sort = "state"
        assert table.selected == "t00050"
        run.start("t00090", "t00091")
        table.touch(["t00090", "t00091"])
        await settle(pilot)
        lines = painted(app)
        assert table.selected == "t00050"
        assert any("t00050" in line for line in lines)
        table.action_go_top()
        assert table.selected == "t00090"
        run.end("t00090")
        table.touch(["t00090"])
        await settle(pilot)
        assert table.selected == "t00090"
        table.filter_text = "t0009"
        assert table.selected == "t00090"
        assert table.count_text == "10 of 100"
        table.filter_text = "t0003"
        assert table.selected == "t00030"


async def test_filter_by_text_and_state() -> None:
    app = Host(webapp())
    async with app.run_test(size=(100, 12)) as pilot:
        table = app.table

        def shown(text: str) -> list[str]:
            table.filter_text = text
            return [line.split()[1] for line in painted(app)[1:] if line and "nothing" not in line]

        assert shown("BUNDLE") == []
        assert shown("bundle") == ["web"]
        assert shown("unit") == ["unit"]
        assert shown(":failed") == ["lint"]
        assert shown(":running") == ["unit"]
        assert shown(":done") == shown(":completed") == ["setup"]
        assert shown(":pending p") == ["publish"]
        assert shown(":failed :running") == ["lint", "unit"]
        assert shown(":fa") == ["lint"]
        assert shown("nowhere") == []
        assert "nothing matches, neither id, title nor state (failed" in "".join(painted(app))
        assert shown("") == ["setup", "lint", "unit", "web", "publish", "@ruff"]
        await settle(pilot)


async def test_a_task_under_the_cursor_stays_when_the_filter_no_longer_fits() -> None:
    run = webapp()
    run.start("web")
    app = Host(run)
    async with app.run_test(size=(100, 12)) as pilot:
        table = app.table
        table.filter_text = ":running"
        assert table.row_count == 2
        assert table.selected == "unit"
        run.end("unit")
        table.touch(["unit"])
        await settle(pilot)
        assert table.selected == "unit"
        assert [line.split()[:2] for line in painted(app)[1:3]] == [["✓", "unit"], ["●", "web"]]
        await pilot.press("j")
        assert table.selected == "web"
        assert table.row_count == 1


async def test_sorting() -> None:
    app = Host(webapp())
    async with app.run_test(size=(100, 12)) as pilot:
        await pilot.press("o")
        assert app.table.sort == "state"
        lines = painted(app)
        assert "by state" in lines[0]
        assert [line.split()[1] for line in lines[1:7]] == ["lint", "unit", "web", "publish", "@ruff", "setup"]
        await pilot.press("o")
        assert [line.split()[1] for line in painted(app)[1:4]] == ["unit", "setup", "lint"]
        await pilot.press("o")
        assert "by " not in painted(app)[0]


async def test_failures_and_running_ones_are_a_key_away() -> None:
    run = many(1000)
    for number in (7, 500, 900):
        run.start(f"t{number:05d}")
        run.end(f"t{number:05d}", "failed", code=1)
    run.start("t00700")
    app = Host(run)
    async with app.run_test(size=(80, 21)) as pilot:
        seen = []
        for key in ("n", "n", "n", "n", "N", "a"):
            await pilot.press(key)
            seen.append(app.table.selected)
        assert seen == ["t00007", "t00500", "t00900", "t00007", "t00900", "t00700"]
        assert any("t00700" in line for line in painted(app))
        app.table.filter_text = "t0001"
        assert not app.table.next_failure()


async def test_all_failures_can_be_brought_to_the_top() -> None:
    """What failed first need not be the first of them in the order of the plan, nor on the first row."""
    run = many(100)
    for number in (60, 10):
        run.start(f"t{number:05d}")
        run.end(f"t{number:05d}", "failed", code=1)
    app = Host(run)
    async with app.run_test(size=(80, 21)) as pilot:
        app.table.select("t00060", by_hand=False)
        await settle(pilot)
        app.table.sort = "state"
        app.table.select("t00060", by_hand=False)
        app.table.show_top()
        await settle(pilot)
        assert [line.split()[1] for line in painted(app)[1:3]] == ["t00010", "t00060"]
        assert app.table.selected == "t00060"
        await pilot.press("G")
        app.table.show_top()
        assert any("t00099" in line for line in painted(app)), "the cursor stays in sight"


async def test_changes_are_painted_soon_and_together(monkeypatch: pytest.MonkeyPatch) -> None:
    run = many(1000)
    app = Host(run)
    async with app.run_test(size=(80, 21)) as pilot:
        await settle(pilot)
        calls: list[int] = []
        refresh = app.table.refresh

        def counting(
            *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False
        ) -> TaskTable:
            calls.append(len(regions))
            return refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

        monkeypatch.setattr(app.table, "refresh", counting)
        for number in range(0, 1000, 3):
            run.start(f"t{number:05d}")
            app.table.touch([f"t{number:05d}"])
        await settle(pilot)
        assert calls == [7]
        assert [line[1] for line in painted(app)[1:5]] == ["●", "○", "○", "●"]


async def test_time_that_is_frozen_does_not_count() -> None:
    run = webapp()
    app = Host(run)
    async with app.run_test(size=(100, 12)) as pilot:
        await settle(pilot)
        run.apply(Frozen(at=run.clock.now))
        app.table.touch([])
        await settle(pilot)
        assert painted(app)[3][1] == "‖"
        app.table.tick()
        assert not app.table._timers, "no timer wakes what has nothing to say"
        run.apply(Thawed(at=run.clock.now))
        app.table.touch([])
        await settle(pilot)
        assert painted(app)[3][1] == "●"
        run.end("unit")
        app.table.touch(["unit"])
        await settle(pilot)
        app.table.tick()
        assert not app.table._timers


async def test_elapsed_time_moves_once_a_second() -> None:
    run = webapp()
    app = Host(run)
    async with app.run_test(size=(100, 12)) as pilot:
        await settle(pilot)
        run.clock.now += 3000
        app.table.tick()
        await settle(pilot)
        assert "1m08s / ~2m" in painted(app)[3]


async def test_how_a_task_ended() -> None:
    run = webapp()
    app = Host(run)
    async with app.run_test(size=(100, 12)) as pilot:
        for code, signal, reason, allowed, said in (
            (7, None, None, False, "exit 7"),
            (None, "SIGSEGV", None, False, "SIGSEGV"),
            (None, "SIGKILL", "timeout", False, "timeout"),
            (1, None, None, True, "exit 1, allowed"),
        ):
            task = run.state.task("lint")
            task.exit_code, task.signal, task.reason, task.allowed = code, signal, reason, allowed
            app.table.touch(["lint"])
            await settle(pilot)
            assert painted(app)[2].endswith(f"  {said}")


async def test_attempts_show_when_there_are_any() -> None:
    run = webapp()
    app = Host(run)
    async with app.run_test(size=(100, 12)) as pilot:
        await settle(pilot)
        assert "try" not in painted(app)[0]
        run.end("unit", "interrupted", code=None)
        run.start("unit", attempt=2)
        app.table.touch(["unit"])
        await settle(pilot)
        lines = painted(app)
        assert "try" in lines[0]
        assert lines[3].split()[-1] == "2"


async def test_mouse() -> None:
    app = Host(many(500))
    async with app.run_test(size=(80, 21)) as pilot:
        await pilot.click(app.table, offset=(5, 4))
        assert app.table.selected == "t00003"
        await pilot.click(app.table, offset=(5, 6), times=2)
        assert app.table.selected == "t00005"
        await settle(pilot)
        assert app.heard[-1] == "open t00005"
        await pilot._post_mouse_events([MouseScrollDown], app.table, (5, 5), 0)
        await settle(pilot)
        assert app.table.selected == "t00005"
        assert "t00003" in painted(app)[1]
        await pilot.click(app.table, offset=(79, 20))
        await settle(pilot)
        assert "t00499" in painted(app)[20]


async def test_enter_opens() -> None:
    app = Host(many(5))
    async with app.run_test(size=(80, 21)) as pilot:
        await pilot.press("j", "enter")
        await settle(pilot)
        assert app.heard == ["t00000", "t00001", "open t00001"]


async def test_a_thumb_shows_only_if_there_is_more() -> None:
    app = Host(many(100))
    async with app.run_test(size=(80, 21)) as pilot:
        await settle(pilot)
        assert sum("▐" in line for line in painted(app)) == 4
        await pilot.resize_terminal(80, 120)
        await settle(pilot)
        assert not any("▐" in line for line in painted(app))
        for size in ((1, 1), (3, 2), (80, 1), (200, 60)):
            await pilot.resize_terminal(*size)
            await settle(pilot)


async def test_a_run_without_tasks_and_the_same_run_again() -> None:
    run = webapp()
    app = Host(run)
    async with app.run_test(size=(100, 12)) as pilot:
        app.table.select("web")
        app.table.show(run.state, run.graph)
        assert app.table.selected == "web"
        app.table.show(run.state, None)
        assert "日本語" not in "".join(painted(app))
        app.table.show(RunState())
        await settle(pilot)
        assert app.table.selected is None
        assert "no tasks" in "".join(painted(app))
        await pilot.press("j", "G", "n", "enter", "o")


def test_estimates_are_rough() -> None:
    assert [rough(ms) for ms in (200, 70_000, 120_000, 5_400_000, 36_000_000, 5 * 86_400_000)] == [
        "<1s",
        "~70s",
        "~2m",
        "~1h30m",
        "~10h",
        "~5d",
    ]


def test_rows_in_order_are_what_sorting_anew_gives() -> None:
    state = RunState(tasks={f"t{n}": TaskState() for n in range(50)}, counts={"pending": 50})
    for sort in SORTS:
        for text in ("", ":running", "t1", ":failed t", "failed", "t1 running"):
            rows = Rows()
            rows.load(state, None, None)
            rows.sort, rows.filter = sort, Filter(text)
            rows.arrange(START)
            for number in range(0, 200, 7):
                task = state.tasks[f"t{number % 50}"]
                task.status = list(TaskStatus)[number % 5]
                task.duration_ms = number * 37 % 1000
                task.started_at = START - 5
                rows.moved([f"t{number % 50}"], START)
                fresh = Rows()
                fresh.load(state, None, None)
                fresh.sort, fresh.filter = rows.sort, rows.filter
                fresh.arrange(START)
                order = [rows.position(row) for row in range(len(rows))]
                assert order == [fresh.position(row) for row in range(len(fresh))]
                assert [rows.row(at) for at in order] == list(range(len(rows)))


def test_a_long_id_is_cut_in_its_middle() -> None:
    assert fit_id("module-102/compile-and-link-the-renderer", 20) == "module-102…-renderer"
    assert fit_id("short", 8) == "short   "
    for width in range(1, 30):
        assert cell_len(fit_id("模块/コンパイル/link-the-app", width)) == width


def test_the_reason_of_a_failure_has_the_place_of_what_it_usually_takes() -> None:
    layout = columns(77, ids=40, titles=20, estimates=True, attempts=False)
    reason = "program not found"
    assert layout.detail < len(reason)
    failed = Cells("failed", "a/b", "Title", "2s", "~1s", False, "", reason)
    text = "".join(piece for _, piece in pieces(failed, "x", layout, 77))
    assert reason in text
    assert len(text) == 77
    done = failed._replace(kind="completed", detail="")
    assert "~1s" in "".join(piece for _, piece in pieces(done, "x", layout, 77))


@pytest.mark.parametrize(("width", "ids", "titles"), [(99, 45, 20), (159, 60, 50), (159, 80, 0), (79, 30, 12)])
def test_no_id_is_cut_where_there_is_room_for_all_of_it(width: int, ids: int, titles: int) -> None:
    layout = columns(width, ids=ids, titles=titles, estimates=True, attempts=False)
    assert layout.id == ids


def test_the_name_of_a_state_finds_what_stands_so_and_what_is_called_so() -> None:
    state = RunState(tasks={name: TaskState() for name in ("a", "failed-login", "c", "d")})
    state.tasks["c"].status = TaskStatus.FAILED
    rows = Rows()
    rows.load(state, None, None, {"d"})

    def found(text: str) -> list[str]:
        rows.filter = Filter(text)
        rows.arrange(START)
        return [rows.ids[rows.position(row)] for row in range(len(rows))]

    assert found("failed") == ["failed-login", "c"]
    assert found(":failed") == ["c"]
    assert found("blocked") == ["d"]
    assert found("fail") == ["failed-login"], "the whole word alone"
    assert found("failed login") == ["failed-login"]
