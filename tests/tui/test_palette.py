"""The palette: every action of every mode, every run and every task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from specular_tui.tui.app import SpecularApp
from specular_tui.tui.screens.build import BuildScreen
from specular_tui.tui.screens.checkpoints import CheckpointsScreen
from specular_tui.tui.screens.dialogs.palette import PaletteDialog
from specular_tui.tui.screens.timeline import TimelineScreen
from specular_tui.tui.screens.validation import ValidationScreen
from specular_tui.tui.widgets.log.pane import SearchBox
from specular_tui.workspace import steering
from tests.tui import recorded
from tests.tui.conftest import make_app, running, until


@pytest.fixture
def steered(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, str | None]]:
    """The commands that were sent, in place of a live engine."""
    sent: list[tuple[str, str, str | None]] = []

    def steer(root: Path, run_id: str, command: str, task: str | None = None, **options: Any) -> str:
        sent.append((run_id, command, task))
        return f"{command} it is"

    monkeypatch.setattr(steering, "steer", steer)
    return sent


async def found(pilot: Pilot[int], app: SpecularApp) -> PaletteDialog:
    """Wait until the palette has found what is searched for."""
    await until(pilot, lambda: isinstance(app.screen, PaletteDialog) and app.screen.settled)
    palette = app.screen
    assert isinstance(palette, PaletteDialog)
    await until(pilot, lambda: palette.settled and palette.hits.entry is not None)
    return palette


async def test_palette_finds_a_task(root: Path, run: recorded.RecordedRun) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        await pilot.press("2", "ctrl+p", *"pack/sign")
        await found(pilot, app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, BuildScreen))
        assert isinstance(app.screen, BuildScreen)
        assert app.screen.table.selected == "pack/sign"


async def choose(pilot: Pilot[int], app: SpecularApp, query: str) -> None:
    """Do what the palette finds first."""
    await pilot.press("ctrl+p")
    await until(pilot, lambda: isinstance(app.screen, PaletteDialog))
    palette = app.screen
    assert isinstance(palette, PaletteDialog)
    palette.input.value = query
    await until(pilot, lambda: palette.settled and palette.hits.entry is not None)
    await pilot.press("enter")
    await until(pilot, lambda: app.screen is not palette)


async def test_the_palette_has_the_actions_of_every_mode(
    root: Path, run: recorded.RecordedRun, steered: list[tuple[str, str, str | None]]
) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, (130, 36)) as pilot:
        await pilot.press("4", "ctrl+p", *"clean")
        await until(pilot, lambda: "in 2 Checkpoints: " in app.export_screenshot().replace("&#160;", " "))
        await pilot.press("escape")
        await choose(pilot, app, "retry failed")
        await until(pilot, lambda: steered == [(run.run_id, "retry", None)])
        assert isinstance(app.screen, BuildScreen)
        await choose(pilot, app, "clean up")
        await until(pilot, lambda: isinstance(app.screen, CheckpointsScreen) and app.screen.cleaning)
        await pilot.press("escape")
        await choose(pilot, app, "filter")
        await until(pilot, lambda: isinstance(app.screen, BuildScreen) and app.screen.filter.has_focus)
        await pilot.press("escape")
        await choose(pilot, app, "search")
        await until(pilot, lambda: isinstance(app.focused, SearchBox))
        await pilot.press("escape")
        await choose(pilot, app, "repair")
        await until(pilot, lambda: isinstance(app.screen, ValidationScreen))
        await until(pilot, lambda: "'Repair' cannot be done in 3 Validation" in app.said.all[0].text)
        await choose(pilot, app, "zoom to it")
        await until(pilot, lambda: isinstance(app.screen, TimelineScreen))
