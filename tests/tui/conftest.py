"""What tests of the screens need: a fixed clock, recorded checkpoints, and pictures to compare with."""

from __future__ import annotations

import contextlib
import re
import stat
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
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
from tests.tui import recorded, rest

#: Seconds for which a cursor rests before what it stands on is looked at, and a little more.
_REST = 0.2
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


@pytest.fixture(autouse=True)
def no_idle_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for the application to be at rest, and not for a length of time."""
    rest.install(monkeypatch)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints"


@pytest.fixture
def run(root: Path) -> Iterator[recorded.RecordedRun]:
    """A live build half way, which ends as a killed one does unless the test has ended it."""
    made = recorded.half_way(root)
    yield made
    made.vanish()


def make_app(
    root: Path, now: int, run_id: str | None = None, *, owned: bool = False, settings: Settings | None = None
) -> SpecularApp:
    """Return the application with a clock that stands still."""
    app = SpecularApp(root, run_id=run_id, owned=owned, clock=Clock(lambda: now, UTC), settings=settings)
    app.desk.root = "~/orbit/.specular/checkpoints"
    return app


async def until(pilot: Pilot[int], wanted: Callable[[], object], *, seconds: float = 10) -> None:
    """Wait until something is so; fail where it does not come to be."""
    for _ in range(int(seconds / 0.01)):
        await pilot.pause(0.01)
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
    await pilot.pause()


@contextlib.asynccontextmanager
async def running(app: SpecularApp, size: tuple[int, int]) -> AsyncIterator[Pilot[int]]:
    """Run the application until the block ends; enter that when all is there."""
    async with app.run_test(size=size) as pilot:
        await settled(pilot, app)
        yield pilot


async def walk(pilot: Pilot[int], app: SpecularApp, keys: Iterable[str]) -> None:
    """Press keys one by one, each when all that the one before it has led to is there."""
    for key in keys:
        await pilot.press(key)
        await pilot.pause()
    await rest.at_rest(_REST)
    await settled(pilot, app)


def shown(app: SpecularApp) -> str:
    """Return the lines that are on the screen, without the blanks at their ends."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).rstrip() for strip in strips)


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
            await pilot.pause()
            picture(app, f"{name}-{size[0]}x{size[1]}-{theme.removeprefix('specular-')}")
