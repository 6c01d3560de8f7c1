"""Each screen names the style sheets that it is painted with, so that no other has to be parsed for it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from textual.screen import Screen

from specular_tui.tui import screens
from specular_tui.tui.app import SpecularApp
from specular_tui.tui.screens.dialogs.dialog import Dialog
from specular_tui.tui.screens.mode import ModeScreen
from specular_tui.tui.screens.steering import SteeringScreen
from tests.recorded import Recorded

STYLES = Path(__file__).resolve().parents[2] / "styles"
#: Screens that others are made of.
PARTS = {Dialog, ModeScreen, SteeringScreen}


def modules(package: ModuleType) -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        yield importlib.import_module(found.name)


def screen_classes() -> set[type[Screen[object]]]:
    return {
        value
        for module in modules(screens)
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Screen) and value.__module__ == module.__name__
    } - PARTS


def test_every_style_sheet_is_named_and_every_name_is_one_of_a_style_sheet() -> None:
    named = {Path(path) for path in SpecularApp.CSS_PATH}
    for screen in screen_classes():
        if screen.CSS_PATH is not None:
            assert isinstance(screen.CSS_PATH, list)
            named |= {Path(path) for path in screen.CSS_PATH}

    assert named == set(STYLES.glob("*.tcss"))


@pytest.mark.parametrize("screen", sorted(screen_classes(), key=str))
def test_what_is_styled_by_the_name_of_a_screen_is_in_a_sheet_of_that_screen(screen: type[Screen[object]]) -> None:
    about = {path for path in STYLES.glob("*.tcss") if f"{screen.__name__} {{" in path.read_text()}
    named = {Path(path) for cls in screen.__mro__ for path in vars(cls).get("CSS_PATH") or ()}

    assert about <= named


async def test_a_sheet_is_read_when_its_screen_is_opened(tmp_path: Path) -> None:
    run = Recorded(tmp_path, "run")
    run.begin()
    run.finish("completed")
    app = SpecularApp(tmp_path)
    async with app.run_test() as pilot:
        assert not app.stylesheet.has_source(str(STYLES / "timeline.tcss"), "")
        await pilot.press("4")
        await pilot.pause()

        assert app.stylesheet.has_source(str(STYLES / "timeline.tcss"), "")
