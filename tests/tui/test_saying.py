"""What is said to the user: where it stands, that it hides nothing, and that it can be read again."""

from __future__ import annotations

from pathlib import Path

import pytest

from specular_tui.tui.app import SpecularApp
from specular_tui.tui.screens.build import BuildScreen
from specular_tui.tui.screens.dialogs.help import HelpDialog
from specular_tui.tui.screens.dialogs.messages import MessagesDialog
from specular_tui.tui.screens.resume import ResumeScreen
from specular_tui.tui.terminal import tmux
from tests.tui import recorded
from tests.tui.conftest import Compare, make_app, running, settled, shown, until

REFUSED = "build-2024-01-15T10-30-45 is held by another process\nit runs on workbench, as 4711\nwait for it"


def lines(app: SpecularApp) -> list[str]:
    return shown(app).split("\n")


@pytest.mark.parametrize("size", [(80, 24), (100, 30), (160, 48)])
async def test_a_message_hides_neither_the_row_of_the_cursor_nor_the_keys(root: Path, size: tuple[int, int]) -> None:
    run = recorded.finished(root, "build-a", at=recorded.START)
    app = make_app(root, run.now, "build-a")
    async with running(app, size) as pilot:
        for key, row in (("g", "deps/install"), ("G", "pack/sign")):
            await pilot.press(key)
            app.say(REFUSED.replace("build", key), "error")
            await pilot.pause()
            there = lines(app)
            assert f"error: {key}-2024-01-15T10-30-45 is held" in there[2]
            assert there[3:5] == ["   it runs on workbench, as 4711", "   wait for it"]
            assert any(row in line and "log" not in line for line in there[5:]), "the row of the cursor"
            assert "Quit" in there[-1]
            await pilot.press("escape")
            await pilot.pause()
            assert lines(app)[2].split()[:2] == ["1", "Build"]


async def test_an_error_stays_until_escape_and_nothing_else_is_closed_with_it(root: Path) -> None:
    run = recorded.finished(root, "build-a", at=recorded.START)
    app = make_app(root, run.now, "build-a")
    async with running(app, (80, 24)) as pilot:
        await pilot.press("slash", *"pack")
        app.say("disk full", "error")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, BuildScreen)
        await pilot.press("escape")
        assert app.said.shown is None
        assert screen.table.filter_text == "pack"
        await pilot.press("escape")
        assert screen.table.filter_text == ""


async def test_what_is_said_again_is_counted_and_what_was_said_is_listed(root: Path, picture: Compare) -> None:
    run = recorded.finished(root, "build-a", at=recorded.START)
    app = make_app(root, run.now, "build-a")
    async with running(app, (80, 24)) as pilot:
        await pilot.press("R", "R", "R")
        await pilot.pause()
        assert lines(app)[2].endswith("nothing has failed  3 times")
        picture(app, "message-80x24-dark")
        app.say(REFUSED, "error")
        await pilot.pause()
        picture(app, "message-error-80x24-dark")
        await pilot.press("m")
        assert isinstance(app.screen, MessagesDialog)
        await pilot.pause()
        picture(app, "messages-80x24-dark")
        await pilot.press("m")
        assert isinstance(app.screen, BuildScreen)
        assert app.said.shown is None, "it has been read"


async def test_what_is_said_behind_a_dialog_waits_for_its_end(root: Path) -> None:
    run = recorded.finished(root, "build-a", at=recorded.START)
    app = make_app(root, run.now, "build-a")
    async with running(app, (80, 24)) as pilot:
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpDialog)
        app.say("build-b is abandoned", lasting=0.05)
        await pilot.pause()
        assert app.said.shown is not None
        await pilot.press("escape")
        await until(pilot, lambda: app.said.shown is None)


async def test_an_error_stands_in_the_other_modes_too(root: Path) -> None:
    run = recorded.finished(root, "build-a", at=recorded.START)
    app = make_app(root, run.now, "build-a")
    async with running(app, (100, 30)) as pilot:
        await pilot.press("4")
        await settled(pilot, app)
        await pilot.press("1")
        app.say("disk full", "error")
        await pilot.press("4")
        await settled(pilot, app)
        assert "disk full" in lines(app)[2]
        await pilot.press("escape")
        await pilot.press("1")
        await settled(pilot, app)
        assert "disk full" not in lines(app)[2]


async def test_a_click_takes_it_away(root: Path) -> None:
    run = recorded.finished(root, "build-a", at=recorded.START)
    app = make_app(root, run.now, "build-a")
    async with running(app, (80, 24)) as pilot:
        app.say(REFUSED, "error")
        await pilot.pause()
        await pilot.click(offset=(10, 3))
        assert app.said.shown is None
        assert app.current_mode == "build"


async def test_the_resume_plan_says_things_too(root: Path) -> None:
    run = recorded.finished(root, "build-a", at=recorded.START, fail="test/unit")
    app = make_app(root, run.now, "build-a")
    async with running(app, (80, 24)) as pilot:
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, ResumeScreen) and app.screen.answer is not None)
        app.say("build-b is abandoned")
        await pilot.pause()
        assert " build-b is abandoned" in shown(app)
        assert "Start" in lines(app)[-1]


@pytest.mark.parametrize("size", [(160, 48), (100, 30), (80, 24), (60, 16)])
async def test_the_help_cuts_nothing_off(root: Path, size: tuple[int, int]) -> None:
    run = recorded.finished(root, "build-a", at=recorded.START)
    app = make_app(root, run.now, "build-a")
    async with running(app, size) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        screen = app.screen
        assert isinstance(screen, HelpDialog)
        text = screen.query_one("#details")
        assert "…" not in str(text.render())
        assert text.region.width <= screen.query_one("#dialog").content_region.width
        await pilot.press("G")
        await pilot.pause()
        assert any("leave; a build started here" in line for line in lines(app))


@pytest.mark.parametrize("answer", ["external", "off", "on", "", None])
async def test_in_tmux_it_is_said_once_that_copies_go_nowhere(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str | None
) -> None:
    if answer is not None:
        program = tmp_path / "bin" / "tmux"
        program.parent.mkdir()
        program.write_text(f'#!/bin/sh\n[ "$*" = "show-options -sv set-clipboard" ] && echo {answer}\n')
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=":" if answer is not None else None)
    monkeypatch.setenv("TMUX", "/tmp/tmux-0/default,1,0")
    run = recorded.finished(root, "build-a", at=recorded.START)
    app = make_app(root, run.now, "build-a")
    async with running(app, (80, 24)) as pilot:
        await pilot.press("g", "y")
        assert app.clipboard == "deps/install"
        if answer == "on":
            await until(pilot, lambda: not any(worker.group == "tmux" for worker in app.workers))
            await pilot.pause()
            assert [message.text for message in app.said.all] == ["copied deps/install"]
            return
        await until(pilot, lambda: app.said.shown is not None and app.said.shown.text == tmux.HINT)
        assert any("tmux set -s set-clipboard on" in line for line in lines(app)), "it is read whole at 80 columns"
        await pilot.press("y")
        await pilot.pause()
        assert [message.text for message in app.said.all] == ["copied deps/install", tmux.HINT, "copied deps/install"]


async def test_elsewhere_nothing_is_said_of_tmux(root: Path) -> None:
    run = recorded.finished(root, "build-a", at=recorded.START)
    app = make_app(root, run.now, "build-a")
    async with running(app, (80, 24)) as pilot:
        await pilot.press("g", "y")
        await pilot.pause()
        assert [message.text for message in app.said.all] == ["copied deps/install"]
