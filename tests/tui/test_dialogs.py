"""What all dialogs have in common: each closes once. And what was said may outlast every screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from textual.events import Key

from tests.tui import recorded
from tests.tui.conftest import make_app, running


@pytest.mark.parametrize(
    ("opened_by", "closing"),
    [("question_mark", "question_mark"), ("m", "q"), ("d", "n"), ("r question_mark", "question_mark")],
)
async def test_a_key_that_was_on_its_way_when_a_dialog_closed_closes_nothing_else(
    root: Path, opened_by: str, closing: str
) -> None:
    run = recorded.finished(root, "build-a", at=recorded.START, fail="test/unit")
    app = make_app(root, run.now)
    async with running(app, (100, 30)) as pilot:
        await pilot.press(*opened_by.split())
        dialog, below = app.screen, app.screen_stack[:-1]
        for _ in range(2):
            dialog.post_message(Key(closing, closing if len(closing) == 1 else None))
        await pilot.pause()
        assert app.screen_stack == below


async def test_what_was_said_is_let_go_when_no_screen_is_left(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = make_app(root, recorded.START)
    async with running(app, (100, 30)):
        timers: list[Callable[[], None]] = []
        monkeypatch.setattr(app, "set_timer", lambda delay, callback, name: timers.append(callback))
        app.say("build-b started")
    (over,) = timers
    over()
