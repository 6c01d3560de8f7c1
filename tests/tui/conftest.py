"""What tests of the screens need: a fixed clock, recorded checkpoints, and pictures to compare with."""

from __future__ import annotations

import re
import stat
from collections.abc import Callable, Iterator
from datetime import UTC
from pathlib import Path
from typing import Protocol

import pytest
from textual.pilot import Pilot

from specular_tui.store import folder, room
from specular_tui.store.keeping import compress, removal
from specular_tui.tui.app import SpecularApp
from specular_tui.tui.bridge.settings import Settings
from specular_tui.tui.clock import Clock

GOLDEN = Path(__file__).parents[2] / "snapshots"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--snapshot-update", action="store_true", help="paint the golden SVGs again")


@pytest.fixture(autouse=True)
def plain_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "TEXTUAL_THEME", "TEXTUAL_ANIMATIONS", "TMUX"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def blockless_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a run take what its files hold, so that no picture depends on the file system that it was painted on."""
    of_files = lambda status: 0 if stat.S_ISDIR(status.st_mode) else status.st_size  # noqa: E731
    for module in (folder, compress, removal, room):
        monkeypatch.setattr(module, "room_on_disk", of_files)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints"


def make_app(
    root: Path, now: int, run_id: str | None = None, *, owned: bool = False, settings: Settings | None = None
) -> SpecularApp:
    """Return the application with a clock that stands still."""
    app = SpecularApp(root, run_id=run_id, owned=owned, clock=Clock(lambda: now, UTC), settings=settings)
    app.desk.root = "~/orbit/.specular/checkpoints"
    return app


async def until(pilot: Pilot[int], wanted: Callable[[], object], *, seconds: float = 10) -> None:
    """Wait until something is so; fail where it does not come to be."""
    for _ in range(int(seconds / 0.02)):
        await pilot.pause(0.02)
        if wanted():
            return
    raise AssertionError("it did not come to be")


async def settled(pilot: Pilot[int], app: SpecularApp) -> None:
    """Wait until the list, the sizes, the run in view, its log and what is to be expected of it are there."""
    desk = app.desk
    await until(pilot, lambda: desk.listed and all(row.size is not None for row in desk.runs) and not desk.opening)
    view = desk.view
    if view is not None and not view.gone:
        await until(pilot, lambda: desk.view is not view or view.graph is None or app.bridge.outlook.done is view)
    for _ in range(10):
        await pilot.pause(0.03)


#: The sizes and the themes in which each screen is painted.
SIZES = [(160, 48), (100, 30), (80, 24)]
THEMES = ["specular-dark", "specular-light"]


class Compare(Protocol):
    """Compares what is on the screen with the picture of that name."""

    def __call__(self, app: SpecularApp, name: str, folder: Path = GOLDEN) -> None: ...


@pytest.fixture
def picture(request: pytest.FixtureRequest) -> Iterator[Compare]:
    """Compare the screen with the golden SVG of a name, or paint that anew under `--snapshot-update`."""
    missed: list[str] = []

    def compare(app: SpecularApp, name: str, folder: Path = GOLDEN) -> None:
        # Rich names the styles of each picture by a checksum of its content.
        svg = re.sub(r"terminal-\d+", "terminal", app.export_screenshot())
        golden = folder / f"{name}.svg"
        if request.config.getoption("--snapshot-update", default=False):
            golden.parent.mkdir(parents=True, exist_ok=True)
            golden.write_text(svg, encoding="utf-8")
        elif not golden.exists() or golden.read_text(encoding="utf-8") != svg:
            missed.append(name)
            found = Path(request.config.rootpath, ".pytest_cache", "pictures")
            found.mkdir(parents=True, exist_ok=True)
            (found / golden.name).write_text(svg, encoding="utf-8")

    yield compare
    assert not missed, f"not as in snapshots/: {', '.join(missed)}; see .pytest_cache/pictures, or make snapshots"


async def everywhere(pilot: Pilot[int], app: SpecularApp, picture: Compare, name: str) -> None:
    """Compare the screen in every size and theme: one start of the application for all of them."""
    for size in SIZES:
        await pilot.resize_terminal(*size)
        await settled(pilot, app)
        for theme in THEMES:
            app.theme = theme
            for _ in range(3):
                await pilot.pause(0.03)
            picture(app, f"{name}-{size[0]}x{size[1]}-{theme.removeprefix('specular-')}")
