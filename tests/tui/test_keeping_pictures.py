"""Deleting, cleaning up, moving and comparing runs, as pictures."""

from __future__ import annotations

from pathlib import Path

import pytest

from specular_tui.store.keeping import pins
from specular_tui.tui.app import SpecularApp
from specular_tui.tui.bridge.settings import Settings
from specular_tui.tui.look import Look
from specular_tui.workspace import keeping
from tests.tui.conftest import SIZES, Compare, everywhere, make_app, running, walk
from tests.tui.recorded import RecordedRun
from tests.tui.test_pictures import directory, sized

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


def kept(root: Path, look: Look | None = None) -> tuple[RecordedRun, SpecularApp]:
    run = directory(root)
    pins.pin(root, "nightly-41")
    return run, make_app(root, run.now + 2000, run.run_id, settings=Settings(look=look) if look else None)


@pytest.mark.parametrize("name", _STATES)
async def test_states(root: Path, picture: Compare, name: str) -> None:
    run, app = kept(root)
    async with running(app, SIZES[0]) as pilot:
        sized(app)
        await walk(pilot, app, _STATES[name])
        await everywhere(pilot, app, picture, name)
        await pilot.press("escape", "escape")
    run.vanish()


@pytest.mark.parametrize("name", _DIALOGS)
async def test_dialogs(root: Path, picture: Compare, name: str) -> None:
    run, app = kept(root)
    async with running(app, (80, 24)) as pilot:
        sized(app)
        await walk(pilot, app, _DIALOGS[name])
        picture(app, f"{name}-80x24-dark")
        await pilot.press("escape", "escape")
    run.vanish()


@pytest.mark.parametrize(("name", "look"), [("ascii", Look(unicode=False)), ("monochrome", Look(colors=False))])
async def test_a_clean_up_without_unicode_or_colours(root: Path, picture: Compare, name: str, look: Look) -> None:
    run, app = kept(root, look)
    async with running(app, (100, 30)) as pilot:
        sized(app)
        await walk(pilot, app, _STATES["checkpoints-clean"])
        picture(app, f"checkpoints-clean-100x30-{name}")
    run.vanish()
