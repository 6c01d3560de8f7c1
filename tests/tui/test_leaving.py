"""Leaving: the choices of `q`, what is printed, signals, and terminals that it does not run on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from specular_tui.errors import UsageError
from specular_tui.model import event as ev
from specular_tui.tui import present
from specular_tui.tui.screens.dialogs.choice import ChoiceDialog
from specular_tui.tui.start import run_app
from specular_tui.workspace import steering
from tests.tui import recorded
from tests.tui.conftest import make_app, running, until


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    commands: list[str] = []

    def steer(root: Path, run_id: str, command: str, task: str | None = None, **options: Any) -> str:
        commands.append(command)
        return "yes"

    monkeypatch.setattr(steering, "steer", steer)
    return commands


async def test_an_attached_build_is_left_at_once(root: Path, run: recorded.RecordedRun, sent: list[str]) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        await pilot.press("q")
        await pilot.pause()
    assert app.return_value == 0
    assert sent == []
    assert f"  come back:  specular dashboard {run.run_id}" in present.closing_words(app.desk.view, leaving="")


@pytest.mark.parametrize(
    ("answer", "commands", "words"),
    [
        ("d", [], "goes on in the background"),
        ("p", ["pause"], "stands frozen"),
        ("s", ["stop"], "is stopping"),
    ],
)
async def test_an_own_build_asks(
    root: Path, run: recorded.RecordedRun, sent: list[str], answer: str, commands: list[str], words: str
) -> None:
    app = make_app(root, run.now, run.run_id, owned=True)
    async with running(app, (100, 30)) as pilot:
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, ChoiceDialog))
        await pilot.press("escape")
        await pilot.pause()
        assert app.return_value is None, "staying is an answer too"
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, ChoiceDialog))
        await pilot.press(answer)
        await pilot.pause()
    assert app.return_value == 0
    assert sent == commands
    assert words in present.closing_words(app.desk.view, leaving=app.leaving)[0]


async def test_an_own_build_that_is_stopping_can_be_left_to_end_or_killed(
    root: Path, run: recorded.RecordedRun, sent: list[str]
) -> None:
    run.add(ev.Stopping(at=run.now, reason="stopped"))
    app = make_app(root, run.now, run.run_id, owned=True)
    async with running(app, (100, 30)) as pilot:
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, ChoiceDialog))
        await pilot.press("p")
        await pilot.pause()
        assert app.return_value is None, "it cannot be paused any more"
        await pilot.press("k")
        await pilot.pause()
    assert sent == ["kill"]
    assert "is stopping" in present.closing_words(app.desk.view, leaving="detach")[0]


async def test_an_own_build_that_stands_frozen_is_not_said_to_go_on(
    root: Path, run: recorded.RecordedRun, sent: list[str]
) -> None:
    run.add(ev.Frozen(at=run.now))
    app = make_app(root, run.now, run.run_id, owned=True)
    async with running(app, (100, 30)) as pilot:
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, ChoiceDialog))
        await pilot.press("p")
        await pilot.pause()
        assert app.return_value is None, "it is frozen already"
        await pilot.press("d")
        await pilot.pause()
    assert app.return_value == 0
    assert sent == []
    assert present.closing_words(app.desk.view, leaving=app.leaving)[0] == f"{run.run_id} stands frozen."


async def test_an_own_build_that_failed_answers_one(root: Path) -> None:
    run = recorded.finished(root, "build-a", at=recorded.START, fail="test/unit")
    app = make_app(root, run.now, "build-a", owned=True)
    async with running(app, (100, 30)) as pilot:
        await pilot.press("q")
        await pilot.pause()
    assert app.return_value == 1
    assert present.closing_words(app.desk.view, leaving="")[-1] == "  go on:  specular build --resume build-a"


@pytest.mark.parametrize("size", [(10, 5), (1, 1), (59, 16), (60, 15), (60, 16)])
async def test_tiny_terminals(root: Path, run: recorded.RecordedRun, size: tuple[int, int]) -> None:
    app = make_app(root, run.now, run.run_id, owned=True)
    async with running(app, size) as pilot:
        for key in ("j", "2", "d", "escape", "1", "x", "escape", "question_mark", "escape", "slash", "a", "enter"):
            await pilot.press(key)
        await pilot.resize_terminal(100, 30)
        await pilot.resize_terminal(*size)
        await pilot.press("q")
        await pilot.pause()
        await pilot.press("d")
        await pilot.pause()
    assert app.return_value == 0


def test_no_terminal(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="needs a terminal"):
        run_app(root)
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    with pytest.raises(UsageError, match="needs a terminal"):
        run_app(root)


@pytest.mark.parametrize("key", ["ctrl+c", "ctrl+q", "q"])
async def test_every_way_out_asks_what_becomes_of_an_own_build(root: Path, sent: list[str], key: str) -> None:
    run = recorded.half_way(root)
    app = make_app(root, run.now, run.run_id, owned=True)
    async with running(app, (100, 30)) as pilot:
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, ChoiceDialog))
        await pilot.press("ctrl+c")
        await until(pilot, lambda: not isinstance(app.screen, ChoiceDialog))
        assert app.said.all == []
        assert app.is_running
        await pilot.press("q")
        await until(pilot, lambda: isinstance(app.screen, ChoiceDialog))
        run.finish("completed")
        await until(pilot, lambda: not isinstance(app.screen, ChoiceDialog))
        assert app.said.shown is not None
        assert app.said.shown.text == "the build has ended: q leaves"
    assert sent == []
