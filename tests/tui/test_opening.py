"""Which run Build shows where none has been opened, and the answers that questions take."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from textual.widgets import OptionList

from specular_tui.tui.app import SpecularApp
from specular_tui.tui.screens.build import BuildScreen
from specular_tui.tui.screens.dialogs.choice import ChoiceDialog
from specular_tui.tui.screens.resume import ResumeScreen
from tests.tui import recorded
from tests.tui.conftest import make_app, running, until

DAY = 86_400_000


async def test_build_shows_the_only_run(root: Path) -> None:
    run = recorded.finished(root, "build-a", at=recorded.START)
    app = make_app(root, run.now)
    async with running(app, (80, 24)) as pilot:
        await pilot.press("1")
        await until(pilot, lambda: app.desk.view is not None and app.desk.view.run_id == "build-a")


async def test_the_first_picture_says_which_run_is_read(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = recorded.finished(root, "build-a", at=recorded.START)
    monkeypatch.setattr(SpecularApp, "_begin", lambda _: None)  # nothing has been read yet
    app = make_app(root, run.now, "build-a")
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        shown = app.export_screenshot().replace("&#160;", " ")
        assert "reading build-a" in shown
        assert "No run is open" not in shown


async def test_of_several_a_key_opens_the_newest_that_can_go_on(root: Path) -> None:
    recorded.finished(root, "build-a", at=recorded.START - DAY, fail="test/unit")
    run = recorded.finished(root, "build-b", at=recorded.START)
    app = make_app(root, run.now)
    async with running(app, (80, 24)) as pilot:
        await pilot.press("1")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, BuildScreen)
        assert "O opens build-a, which can go on." in str(screen.query_one("#empty").render())
        assert "Open newest" in str(screen.footer.render())
        await pilot.press("O")
        await until(pilot, lambda: app.desk.view is not None and app.desk.view.run_id == "build-a")
        assert "Open newest" not in str(screen.footer.render())


@pytest.mark.parametrize(("key", "gone"), [("n", False), ("y", True), ("enter", False), ("escape", False)])
async def test_a_question_takes_yes_and_no(root: Path, key: str, gone: bool) -> None:
    run = recorded.finished(root, "build-a", at=recorded.START)
    app = make_app(root, run.now)
    async with running(app, (80, 24)) as pilot:
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ChoiceDialog))
        await pilot.press(key)
        await until(pilot, lambda: not isinstance(app.screen, ChoiceDialog))
        await until(pilot, lambda: not (root / "build-a").exists() or not gone)
        await pilot.pause()
        assert (root / "build-a").exists() is not gone


@pytest.mark.parametrize("keys", [("enter", "enter"), ("enter", "escape")])
@pytest.mark.parametrize("opened_by", ["e", "i", "b", "d", "question_mark", "m", "ctrl+p", "o", "r"])
async def test_a_dialog_ends_once_however_fast_its_keys_come(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened_by: str, keys: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, at in (("build-a", recorded.START), ("build-b", recorded.START - 100_000)):
        recorded.finished(root, name, at=at, fail="test/unit")
    app = make_app(root, recorded.START + 900_000)
    async with running(app, (80, 24)) as pilot:
        below = app.screen
        await pilot.press(opened_by)
        await until(pilot, lambda: app.screen is not below or opened_by == "o")
        for key in keys:
            app.simulate_key(key)
        await pilot.pause()
        assert app.is_running
        assert app.screen_stack[0] is below or app.current_mode != "checkpoints"


async def test_an_answer_that_is_clicked_twice_is_given_once(root: Path) -> None:
    run = recorded.finished(root, "build-a", at=recorded.START)
    app = make_app(root, run.now)
    async with running(app, (80, 24)) as pilot:
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ChoiceDialog))
        await pilot.click(OptionList, offset=(4, 0), times=2)
        await until(pilot, lambda: not (root / "build-a").exists())
        assert app.is_running


async def test_a_resume_plan_of_a_run_that_goes_offers_no_start(root: Path) -> None:
    run = recorded.finished(root, "build-a", at=recorded.START, fail="test/unit")
    app = make_app(root, run.now, "build-a")
    async with running(app, (80, 24)) as pilot:
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, ResumeScreen) and app.screen.answer is not None)
        screen = app.screen
        assert isinstance(screen, ResumeScreen)
        shutil.rmtree(root / "build-a")
        await until(pilot, lambda: screen.answer is not None and screen.answer.problem)
        assert screen.answer is not None
        assert screen.answer.problem[0] == "checkpoint not found: build-a"
        assert "Start" not in str(screen._footer.render())


async def test_t_is_about_the_task_under_the_cursor_alone(root: Path) -> None:
    run = recorded.finished(root, "build-a", at=recorded.START, fail="test/unit")
    app = make_app(root, run.now, "build-a")
    async with running(app, (80, 24)) as pilot:
        await pilot.press("n", "t")
        await until(pilot, lambda: isinstance(app.screen, ResumeScreen) and app.screen.answer is not None)
        screen = app.screen
        assert isinstance(screen, ResumeScreen)
        assert screen.answer is not None
        assert [each.task for each in screen.answer.decisions if each.action.value == "run"] == ["test/unit"]
        assert "only test/unit runs; o runs what needs it and the rest too" in str(screen._notices.render())
        await pilot.press("o")
        await until(pilot, lambda: not screen._pending)
        assert screen.answer.count(screen.answer.decisions[0].action.RUN) > 1


async def test_a_build_that_another_shell_starts_is_told_of_and_a_key_opens_it(root: Path) -> None:
    old = recorded.finished(root, "build-a", at=recorded.START)
    app = make_app(root, old.now, "build-a")
    async with running(app, (100, 30)) as pilot:
        other = recorded.RecordedRun(root, "build-b", at=old.now + 1000)
        other.begin()
        other.start("deps/install")
        await until(pilot, lambda: app.said.shown and app.said.shown.text == "build-b started: O opens it")
        screen = app.screen
        assert isinstance(screen, BuildScreen)
        assert screen.view is not None
        assert screen.view.run_id == "build-a"
        await until(pilot, lambda: "O Open newest" in str(screen.footer.render()))
        other.wait(31)
        other.end("deps/install", "failed", exit_code=1)
        other.finish("failed", "a task failed")
        await until(pilot, lambda: "build-b failed after 31s (1 task): O opens it" in [m.text for m in app.said.all])
        assert screen.view.run_id == "build-a"
        await pilot.press("O")
        await until(pilot, lambda: app.desk.view is not None and app.desk.view.run_id == "build-b")
        await until(pilot, lambda: app.said.shown is None)


async def test_a_build_that_another_shell_starts_opens_by_itself_where_none_is_open(root: Path) -> None:
    recorded.finished(root, "build-a", at=recorded.START - DAY)
    old = recorded.finished(root, "build-b", at=recorded.START)
    app = make_app(root, old.now)
    async with running(app, (100, 30)) as pilot:
        await pilot.press("1")
        other = recorded.RecordedRun(root, "build-c", at=old.now + 1000)
        other.begin()
        await until(pilot, lambda: app.desk.view is not None and app.desk.view.run_id == "build-c")
        other.close()
