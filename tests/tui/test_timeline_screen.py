"""Timeline: the bars of a stored and of a live run, and what the keys and the mouse do."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual import events
from textual.pilot import Pilot
from textual.widgets import Static

from specular_tui.model import event as ev
from specular_tui.tui.app import SpecularApp
from specular_tui.tui.screens.build import BuildScreen
from specular_tui.tui.screens.dialogs.help import HelpDialog
from specular_tui.tui.screens.timeline import TimelineScreen
from specular_tui.tui.widgets.timeline.axis import Window
from specular_tui.tui.widgets.timeline.timeline import Timeline
from tests.tui import recorded
from tests.tui.conftest import SIZES, Compare, everywhere, make_app, running, settled, until
from tests.tui.test_pictures import directory, failed, frozen


def chart(app: SpecularApp) -> Timeline:
    assert isinstance(app.screen, TimelineScreen)
    return app.screen.bars


async def opened(pilot: Pilot[int], app: SpecularApp) -> Timeline:
    await settled(pilot, app)
    await pilot.press("4")
    await until(pilot, lambda: isinstance(app.screen, TimelineScreen) and app.screen.bars.chart.count)
    await pilot.pause()
    return chart(app)


def at(bars: Timeline) -> str:
    return bars.at.task if bars.at is not None else ""


def said(app: SpecularApp) -> str:
    return app.export_screenshot().replace("&#160;", " ")


async def test_the_keys_move_from_bar_to_bar(root: Path) -> None:
    run = failed(root)
    app = make_app(root, run.now, run.run_id)
    async with app.run_test(size=(100, 30)) as pilot:
        bars = await opened(pilot, app)
        assert at(bars) == "compile/net", "what failed first is under the cursor"
        for keys, task in (
            ("l", "docs/html"),
            ("h", "compile/net"),
            ("k", "compile/ui"),
            ("j", "compile/net"),
            ("g", "deps/install"),
            ("G", "compile/plugins"),
            ("n", "compile/net"),
            ("N", "compile/net"),
            ("g", "deps/install"),
            ("c", "gen/parser"),
            ("C", "deps/install"),
        ):
            await pilot.press(keys)
            await pilot.pause()
            assert at(bars) == task, keys
        await pilot.pause()
        assert "critical path, 1 of" in said(app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, BuildScreen))
        assert isinstance(app.screen, BuildScreen)
        assert app.screen.table.selected == "deps/install"


async def test_keys_that_come_before_the_rows_are_made_anew_do_no_harm(root: Path) -> None:
    run = failed(root)
    app = make_app(root, run.now, run.run_id)
    async with app.run_test(size=(100, 30)) as pilot:
        bars = await opened(pilot, app)
        assert isinstance(app.screen, TimelineScreen)
        for anew in (bars.action_cycle_order, lambda: bars.show(app.desk.view) if app.desk.view else None):
            anew()
            bars.action_bar_after()
            bars.action_bar_before()
            app.screen.action_next()
            app.screen.action_next_critical()
            app.screen.on_timeline_selected(Timeline.Selected())
            await until(pilot, lambda: bars.chart.count)
            assert at(bars) == "compile/net"


async def test_zoom_and_pan_stay_on_the_line(root: Path) -> None:
    run = failed(root)
    app = make_app(root, run.now, run.run_id)
    async with app.run_test(size=(100, 30)) as pilot:
        bars = await opened(pilot, app)
        whole = Window.whole(bars.stage.axis.length, bars.stage.window.width)
        assert bars.stage.window == whole
        await pilot.press("minus", "H", "L")
        assert bars.stage.window == whole, "there is no more than the whole"
        await pilot.press("plus", "equals_sign")
        assert bars.stage.window.scale == pytest.approx(whole.scale / 4)
        before = bars.stage.window.left
        await pilot.press("L")
        assert bars.stage.window.left == pytest.approx(before + bars.stage.window.scale * bars.stage.window.width / 4)
        await pilot.press(*["L"] * 12)
        assert bars.stage.window.right == pytest.approx(bars.stage.axis.length)
        await pilot.press(*["H"] * 40)
        assert bars.stage.window.left == 0
        await pilot.press("G")
        await pilot.pause()
        assert bars.stage.window.left > 0, "the window follows the cursor"
        await pilot.press("z")
        assert bars.at is not None
        length = bars.at.end - bars.at.start
        assert bars.stage.window.scale * bars.stage.window.width == pytest.approx(3 * length)
        await pilot.pause()
        assert "of 2m36s" in said(app)
        await pilot.press("0")
        assert bars.stage.window == whole


async def test_the_wheel_zooms_at_the_pointer_and_pans(root: Path) -> None:
    run = failed(root)
    app = make_app(root, run.now, run.run_id)
    async with app.run_test(size=(100, 30)) as pilot:
        bars = await opened(pilot, app)
        whole = bars.stage.window

        def wheel(kind: type[events.MouseEvent], x: int, *, shift: bool = False, ctrl: bool = False) -> None:
            bars.post_message(kind(bars, x, 3, 0, 0, 0, shift, False, ctrl))

        wheel(events.MouseScrollUp, 40)
        await pilot.pause()
        closer = bars.stage.window
        assert closer.scale < whole.scale
        cell = 40 - (bars.size.width - 1 - whole.width)
        assert closer.left + closer.scale * cell == pytest.approx(whole.left + whole.scale * cell)
        wheel(events.MouseScrollDown, 40, shift=True)
        await pilot.pause()
        assert bars.stage.window.left > closer.left
        wheel(events.MouseScrollUp, 40, shift=True)
        wheel(events.MouseScrollRight, 40)
        wheel(events.MouseScrollLeft, 40)
        await pilot.pause()
        assert bars.stage.window.left == pytest.approx(closer.left)
        wheel(events.MouseScrollDown, 40, ctrl=True)
        await pilot.pause()
        assert bars.stage.window == whole


async def test_a_row_for_each_task(root: Path) -> None:
    run = failed(root)
    app = make_app(root, run.now, run.run_id)
    async with app.run_test(size=(100, 30)) as pilot:
        bars = await opened(pilot, app)
        assert len(bars.chart.rows) == 3
        await pilot.press("o")
        await until(pilot, lambda: len(bars.chart.rows) == 9)
        assert at(bars) == "compile/net", "the cursor stays on its task"
        await pilot.press("j")
        assert at(bars) == "docs/html"
        await pilot.press("o")
        await pilot.pause()
        assert len(bars.chart.rows) == 3
        assert at(bars) == "docs/html"


async def test_a_click_selects_and_two_open(root: Path) -> None:
    run = failed(root)
    app = make_app(root, run.now, run.run_id)
    async with app.run_test(size=(100, 30)) as pilot:
        bars = await opened(pilot, app)
        await pilot.click(Timeline, offset=(10, 1))
        assert at(bars) == "deps/install"
        await pilot.click(Timeline, offset=(90, 14))
        assert at(bars) == "deps/install", "there is no bar"
        await pilot.click(Timeline, offset=(10, 3), times=2)
        await until(pilot, lambda: isinstance(app.screen, BuildScreen))


async def test_a_live_run_is_followed(root: Path, run: recorded.RecordedRun) -> None:
    app = make_app(root, run.now, run.run_id)
    async with app.run_test(size=(100, 30)) as pilot:
        bars = await opened(pilot, app)
        assert at(bars) == "compile/plugins", "what runs is under the cursor"
        assert bars.at is not None
        run.end("compile/plugins")
        run.start("link/plugins")
        await until(pilot, lambda: bars.at is not None and not bars.at.running and "link/plugins" in bars.chart.latest)
        plugins, link = bars.chart.latest["compile/plugins"], bars.chart.latest["link/plugins"]
        assert plugins.row == link.row, "the slot that became free is taken"
        await pilot.press("1")
        run.end("link/plugins")
        await until(pilot, lambda: app.desk.view is not None and not app.desk.view.state.running)
        await pilot.press("4")
        await until(
            pilot, lambda: "link/plugins" in bars.chart.latest and not bars.chart.latest["link/plugins"].running
        )


async def test_what_is_slower_than_usual_is_said(root: Path) -> None:
    steps = (("a", "", (), 10), ("b", "", ("a",), 10))
    for number in range(3):
        past = recorded.RecordedRun(root, f"build-{number}", at=recorded.START - 10**7 * (3 - number), steps=steps)
        past.begin()
        past.start("a")
        past.wait(9 + number)
        past.end("a")
        past.finish("completed")
    run = recorded.RecordedRun(root, "build-x", steps=steps)
    run.begin()
    run.start("a")
    run.wait(40)
    run.end("a")
    run.wait(3)
    run.start("b")
    run.wait(10)
    run.end("b")
    run.finish("completed")
    app = make_app(root, run.now, "build-x")
    async with app.run_test(size=(120, 30)) as pilot:
        bars = await opened(pilot, app)
        await until(pilot, lambda: bars.chart.slow == 1)
        await pilot.press("n")
        await pilot.pause()
        assert at(bars) == "a"
        assert "usually ~10s (~9–11s in 3 runs)" in said(app)
        assert "slower than usual" in said(app)
        await pilot.press("l")
        await pilot.pause()
        assert "started after" in said(app)
        assert "waited 3.0s for a free slot" in said(app)


async def test_nothing_has_started(root: Path) -> None:
    run = recorded.RecordedRun(root, "build-x", steps=(("a", "", (), 1),))
    run.begin()
    app = make_app(root, run.now, "build-x")
    async with running(app, (100, 30)) as pilot:
        await pilot.press("4", "o", "j", "h", "l", "n", "c", "z", "plus", "enter", "y", "g", "G")
        await until(pilot, lambda: "nothing has started yet" in said(app))
        run.start("a")
        await until(pilot, lambda: at(chart(app)) == "a")
    run.vanish()


async def test_no_run_is_open(root: Path) -> None:
    app = make_app(root, recorded.START)
    async with running(app, (100, 30)) as pilot:
        await pilot.press("4", "n", "plus", "o", "enter", "z", "0")
        await pilot.pause()
        assert "No run is open." in said(app)


async def test_hostile_ids_and_many_tasks(root: Path) -> None:
    steps = tuple((f"pkg{n // 100}/step-{n % 100}", "[/x] \x1b]52;c;aGk=\x07\u202e", (), 1) for n in range(3000))
    run = recorded.RecordedRun(root, "burst", steps=steps)
    run.begin()
    for number, (task_id, *_) in enumerate(steps):
        run.start(task_id)
        run.wait(0.05)
        run.end(task_id, "failed" if number == 1500 else "completed", reason="\x1b[2J[/nope]")
    run.finish("failed", "a task failed")
    app = make_app(root, run.now, "burst")
    async with app.run_test(size=(100, 30)) as pilot:
        bars = await opened(pilot, app)
        await until(pilot, lambda: bars.chart.count == 3000)
        assert len(bars.chart.rows) == 1
        await pilot.press("n")
        await pilot.pause()
        assert at(bars) == "pkg15/step-0"
        for text in ("\x1b", "\u202e"):
            assert text not in said(app)
        await pilot.press("o")
        await until(pilot, lambda: len(bars.chart.rows) == 3000)
        await pilot.press("G", "ctrl+u", "k")
        await pilot.pause()
        assert "pkg29/step-" in said(app)
        bars.post_message(events.MouseScrollUp(bars, 40, 3, 0, 0, 0, False, False, False))
        await pilot.pause()
        assert bars.stage.window == Window.whole(
            bars.stage.window.scale * bars.stage.window.width, bars.stage.window.width
        )


# Pictures ------------------------------------------------------------------------------------------------------------


async def test_timeline(root: Path, picture: Compare) -> None:
    run = directory(root)
    app = make_app(root, run.now + 2000, run.run_id)
    async with app.run_test(size=SIZES[0]) as pilot:
        await opened(pilot, app)
        await everywhere(pilot, app, picture, "timeline")
    run.vanish()


async def test_timeline_by_task(root: Path, picture: Compare) -> None:
    run = directory(root)
    app = make_app(root, run.now + 2000, run.run_id)
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(pilot, app)
        await pilot.press("o", "c")
        await settled(pilot, app)
        picture(app, "timeline-tasks-100x30-dark")
    run.vanish()


async def test_timeline_of_a_frozen_run(root: Path, picture: Compare) -> None:
    run = frozen(root)
    run.add(ev.Thawed(at=run.now))
    run.wait(9)
    run.add(ev.Frozen(at=run.now))
    run.wait(30)
    app = make_app(root, run.now, run.run_id)
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(pilot, app)
        await settled(pilot, app)
        picture(app, "timeline-frozen-100x30-dark")
    run.vanish()


async def test_the_help_says_what_the_signs_mean(root: Path, run: recorded.RecordedRun) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 60)) as pilot:
        for mode, words in (("4", "it took longer than its task usually takes"), ("1", "what it needs has failed")):
            await pilot.press(mode, "question_mark")
            await until(pilot, lambda: isinstance(app.screen, HelpDialog))
            said = str(app.screen.query_one("#details", Static).render())
            assert "Signs" in said
            assert words in said
            await pilot.press("escape")
            await until(pilot, lambda: not isinstance(app.screen, HelpDialog))
