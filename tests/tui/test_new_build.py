"""Starting a build: what is typed is proven, and said, before it starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot

from specular_tui.tui.app import SpecularApp
from specular_tui.tui.bridge import bridge
from specular_tui.tui.screens.dialogs.new_build import BuildDialog
from specular_tui.workspace import steering
from tests.tui import recorded
from tests.tui.conftest import Compare, make_app, running, settled, until
from tests.tui.test_resume_screen import Started
from tests.unit.workspace.site import Site, task


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path)
    site.policy("execution: {jobs: 3}\n")
    site.plan(task("a", estimate=60), task("b", "true", "a", estimate=60))
    return site


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    calls = Started()
    monkeypatch.setattr(steering, "start_build", calls)
    monkeypatch.setattr(bridge, "program_for", lambda root: "specular")
    return calls


async def opened(pilot: Pilot[int], app: SpecularApp) -> BuildDialog:
    await settled(pilot, app)
    await pilot.press("b")
    await until(pilot, lambda: isinstance(app.screen, BuildDialog) and app.screen.answer is not None)
    assert isinstance(app.screen, BuildDialog)
    return app.screen


async def proven(pilot: Pilot[int], dialog: BuildDialog) -> str:
    await until(pilot, lambda: not dialog._pending)
    await pilot.pause()
    return dialog.app.export_screenshot().replace("&#160;", " ")


async def test_the_plan_of_this_folder_and_enter(site: Site, started: Started) -> None:
    app = make_app(site.root, recorded.START)
    async with app.run_test(size=(100, 30)) as pilot:
        dialog = await opened(pilot, app)
        shown = await proven(pilot, dialog)
        assert "site" in shown
        assert "2 tasks, ~1–3m with 3 jobs" in shown
        await pilot.press("enter")
        await until(pilot, lambda: started == [([], site.folder)])


async def test_what_is_typed_counts(site: Site, started: Started) -> None:
    site.plan(task("only"), name="my plan.json")
    site.policy("execution: {jobs: 2}\n", name="p.yaml")
    app = make_app(site.root, recorded.START)
    async with app.run_test(size=(100, 30)) as pilot:
        dialog = await opened(pilot, app)
        await pilot.press(*"my plan.json", "tab", *"p.yaml", "tab", *"7", "tab", "space")
        shown = await proven(pilot, dialog)
        assert dialog._keep_going.value
        assert "1 task, nobody knows how long with 7 jobs" in shown
        command = "specular build --plan 'my plan.json' --policy p.yaml --keep-going --jobs 7"
        assert dialog.wish.command("specular") == command
        await pilot.press("enter")
        words = ["--plan", "my plan.json", "--policy", "p.yaml", "--keep-going", "--jobs", "7"]
        await until(pilot, lambda: started.words == [words])


async def test_a_plan_that_is_wrong_says_where(site: Site, started: Started) -> None:
    (site.folder / "bad.json").write_text('{"version": 1,\n "tasks": [{"id": "a[/x]"}]}')
    app = make_app(site.root, recorded.START)
    async with app.run_test(size=(100, 30)) as pilot:
        dialog = await opened(pilot, app)
        await pilot.press(*"bad.json")
        shown = await proven(pilot, dialog)
        assert "bad.json:2:" in shown
        assert "a[/x]" in shown
        await pilot.press("enter")
        await pilot.pause()
        assert app.screen is dialog, "it does not start"
        (site.folder / "bad.json").write_text('{"version": 1,\n "tasks": [{"id": "a", "command": "true"}]}')
        await pilot.press("backspace", "n")
        await until(pilot, lambda: not dialog._pending)
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is not dialog)
        assert started == []


async def test_jobs_are_a_number_and_a_plan_that_is_not_there_is_said(site: Site, started: Started) -> None:
    app = make_app(site.root, recorded.START)
    async with app.run_test(size=(100, 30)) as pilot:
        dialog = await opened(pilot, app)
        await pilot.press("tab", "tab", *"many")
        assert "jobs: a number from 1 to 10,000" in await proven(pilot, dialog)
        await pilot.press("enter")
        await pilot.pause()
        assert app.screen is dialog
        await pilot.press(*["backspace"] * 4, "shift+tab", "shift+tab", *"nowhere.json")
        assert "nowhere.json" in await proven(pilot, dialog)
        assert dialog.answer is not None
        assert dialog.answer.problem
        assert started == []


async def test_enter_before_it_is_proven_waits_for_that(site: Site, started: Started) -> None:
    site.plan(task("x"), name="x.json")
    app = make_app(site.root, recorded.START)
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(pilot, app)
        await pilot.press(*"x.json", "enter")
        await until(pilot, lambda: started.words == [["--plan", "x.json"]])


async def test_a_real_build_starts_and_comes_into_view(site: Site) -> None:
    site.plan(task("a"), task("b", "true", "a"))
    app = SpecularApp(site.root)
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(pilot, app)
        await pilot.press("enter")
        await until(pilot, lambda: app.desk.view is not None and app.desk.view.state.status == "completed", seconds=60)
        assert app.desk.view is not None
        assert app.desk.view.owned
    assert set(site.statuses().values()) == {"completed"}


@pytest.mark.parametrize("size", [(40, 12), (20, 5), (1, 1)])
async def test_tiny_terminals(site: Site, started: Started, size: tuple[int, int]) -> None:
    app = make_app(site.root, recorded.START)
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(pilot, app)
        await pilot.resize_terminal(*size)
        await pilot.press("a", "tab", "tab", "b", "escape")
        await pilot.pause()
        assert not isinstance(app.screen, BuildDialog)


async def test_pictures(site: Site, started: Started, picture: Compare) -> None:
    (site.folder / "bad.json").write_text('{"version": 1,\n "tasks": [{"id": "a", "comand": "make"}]}')
    for theme in ("dark", "light"):
        app = make_app(site.root, recorded.START)
        app.theme = f"specular-{theme}"
        async with app.run_test(size=(100, 30)) as pilot:
            dialog = await opened(pilot, app)
            await proven(pilot, dialog)
            picture(app, f"new-build-100x30-{theme}")
            await pilot.press(*"bad.json")
            await proven(pilot, dialog)
            picture(app, f"new-build-wrong-100x30-{theme}")


async def test_picture_of_skipping(root: Path, run: recorded.RecordedRun, picture: Compare) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        await pilot.press("s")
        await pilot.pause()
        await settled(pilot, app)
        picture(app, "build-skip-100x30-dark")
