"""Deleting, cleaning up, moving and comparing runs, as pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from specular_tui.store import pins
from specular_tui.workspace import keeping
from tests.tui.conftest import Compare, make_app, settled
from tests.tui.test_pictures import SIZES, THEMES, directory, sized

_FAILED_AGO = ["2", "j", "j", "j", "j"]
_STATES = {
    "checkpoints-marked": ["2", "j", "j", "space", "j", "space"],
    "checkpoints-clean": ["2", "c", "1", "down", *"1d"],
    "checkpoints-compare": [*_FAILED_AGO, "o"],
}
#: Dialogs are the same at any size; the narrowest is where they could be cut.
_DIALOGS = {
    "checkpoints-clean-asks": ["2", "c", "1", "down", *"1d", "enter"],
    "checkpoints-delete-two": ["2", "j", "space", "j", "space", "d"],
    "checkpoints-compress": ["2", "j", "z"],
    "checkpoints-abandon": ["2", "j", "a"],
    "checkpoints-export": ["2", "j", "e"],
    "checkpoints-import-refused": ["2", "i", *"/none.tgz", "enter"],
}


@pytest.fixture(autouse=True)
def same_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes differ from file system to file system: a clean-up finds some that do not."""
    real = keeping.survey

    def survey(root: Path) -> keeping.Survey:
        found = real(root)
        return keeping.Survey(tuple(run._replace(size=272_000) for run in found.runs), found.pinned)

    monkeypatch.setattr(keeping, "survey", survey)


async def paint(root: Path, picture: Compare, name: str, keys: list[str], size: tuple[int, int], theme: str) -> None:
    run = directory(root)
    pins.pin(root, "nightly-41")
    app = make_app(root, run.now + 2000, run.run_id)
    app.theme = theme
    async with app.run_test(size=size) as pilot:
        await settled(pilot, app)
        sized(app)
        for key in keys:
            await pilot.press(key)
            await pilot.pause(0.1)
        await pilot.pause(0.3)
        await settled(pilot, app)
        picture(app, f"{name}-{size[0]}x{size[1]}-{theme.removeprefix('specular-')}")
        await pilot.press("escape", "escape")
    run.vanish()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("name", _STATES)
async def test_states(root: Path, picture: Compare, name: str, size: tuple[int, int], theme: str) -> None:
    await paint(root, picture, name, _STATES[name], size, theme)


@pytest.mark.parametrize("name", _DIALOGS)
async def test_dialogs(root: Path, picture: Compare, name: str) -> None:
    await paint(root, picture, name, _DIALOGS[name], (80, 24), "specular-dark")
