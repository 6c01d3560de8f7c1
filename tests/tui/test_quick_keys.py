"""A key for a list is acted on and painted at once; what was typed before it comes first all the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.events import Key
from textual.strip import Strip

from specular_tui.tui.screens.build import BuildScreen
from specular_tui.tui.widgets.task.table import TaskTable
from tests.tui import recorded
from tests.tui.conftest import make_app, running, settled


def key(name: str) -> Key:
    return Key(name, name if len(name) == 1 else None)


async def test_a_key_is_done_and_painted_in_one_turn(
    root: Path, run: recorded.RecordedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        table = app.screen.query_one(TaskTable)
        await pilot.press("g")
        await settled(pilot, app)
        first = table.selected
        lines: list[int] = []
        render_line = table.render_line

        def noted(y: int) -> Strip:
            lines.append(y)
            return render_line(y)

        monkeypatch.setattr(table, "render_line", noted)

        await app.on_event(key("j"))

        assert table.selected != first
        assert lines == [1, 2], "the row that it was on, and the one that it is on"


async def test_a_key_is_done_once(root: Path, run: recorded.RecordedRun) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        table = app.screen.query_one(TaskTable)
        ids = list(run.recorder.state.tasks)
        await pilot.press("g", "j", "j", "j", "k")
        await pilot.pause()
        assert table.selected == ids[2]


async def test_a_key_behind_one_that_is_on_its_way_takes_the_same_way(root: Path, run: recorded.RecordedRun) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        table = app.screen.query_one(TaskTable)
        ids = list(run.recorder.state.tasks)
        await pilot.press("g")
        before = key("j")
        app._on_their_way.add(before)

        await app.on_event(key("j"))

        assert table.selected == ids[0]
        await settled(pilot, app)
        assert table.selected == ids[1]


async def test_a_key_for_a_box_is_typed(root: Path, run: recorded.RecordedRun) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        screen = app.screen
        assert isinstance(screen, BuildScreen)
        for name in ("slash", "j", "k"):
            app.post_message(key(name))
        await settled(pilot, app)
        assert screen.filter.value == "jk"
