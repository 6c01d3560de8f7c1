"""The screens as pictures: every layout, dark and light, compared with snapshots/."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from specular_tui.model import event as ev
from specular_tui.tui.app import SpecularApp
from specular_tui.workspace import checking
from tests.tui import recorded
from tests.tui.checks import Slow
from tests.tui.conftest import SIZES, Compare, everywhere, make_app, running, settled, until, walk


def directory(root: Path) -> recorded.RecordedRun:
    """Make a directory as it looks after some days of work; return the build that is going on."""
    day = 86_400_000
    recorded.finished(root, "build-2024-01-12T09-12-00", at=recorded.START - 3 * day)
    recorded.finished(root, "build-2024-01-13T17-45-31", at=recorded.START - 2 * day, fail="test/unit")
    recorded.finished(root, "nightly-41", at=recorded.START - day, name="orbit-nightly")
    stopped = recorded.RecordedRun(root, "build-2024-01-15T08-01-10", at=recorded.START - 9_000_000)
    stopped.begin()
    stopped.start("deps/install")
    stopped.wait(20)
    stopped.end("deps/install")
    stopped.finish("paused", "SIGINT")
    killed = recorded.RecordedRun(root, "build-2024-01-15T09-00-00", at=recorded.START - 5_000_000)
    killed.begin()
    killed.start("deps/install")
    killed.vanish()
    damaged = root / "build-2024-01-10T00-00-00"
    damaged.mkdir()
    (damaged / "journal.jsonl").write_text("not a journal\n")
    run = recorded.half_way(root)
    run.recorder.flush()
    return run


def frozen(root: Path) -> recorded.RecordedRun:
    run = recorded.half_way(root)
    run.add(ev.Frozen(at=run.now))
    run.wait(75)
    return run


def failed(root: Path) -> recorded.RecordedRun:
    run = recorded.half_way(root)
    run.end("compile/plugins", log="cc plugins/*.c\n")
    run.finish("failed", "a task failed")
    return run


def sized(app: SpecularApp) -> None:
    """Sizes differ from file system to file system: give every run one that does not."""
    from msgspec.structs import replace

    rows = [replace(row, size=272_000 + 1000 * number) for number, row in enumerate(app.desk.runs)]
    app.bridge.runs.rows = {row.run_id: row for row in rows}
    app.bridge.runs.publish(None)


async def test_build(root: Path, picture: Compare) -> None:
    run = directory(root)
    app = make_app(root, run.now + 2000, run.run_id)
    async with running(app, SIZES[0]) as pilot:
        await pilot.press("n")
        await everywhere(pilot, app, picture, "build")
    run.vanish()


async def test_checkpoints(root: Path, picture: Compare) -> None:
    run = directory(root)
    app = make_app(root, run.now + 2000, run.run_id)
    async with running(app, SIZES[0]) as pilot:
        await walk(pilot, app, "2jjjj")
        sized(app)
        await everywhere(pilot, app, picture, "checkpoints")
    run.vanish()


def validated(root: Path) -> recorded.RecordedRun:
    """A stored run with gates, and one from before."""
    recorded.finished(root, "nightly-41", at=recorded.START - 86_400_000, name="orbit-nightly")
    return recorded.finished(
        root, "build-2024-01-15T10-30-45", at=recorded.START, gates=("@lint", "@unit-tests", "@e2e")
    )


def damage(run: recorded.RecordedRun) -> None:
    """A log that was changed, a record that is gone, a plan that is another, and a file of nobody's."""
    folder = run.root / run.run_id
    (folder / "outputs" / "test%2Funit.log").write_text("tests/test_all.py ... ok, believe me\n")
    (folder / "outputs" / "compile%2Fcore.json").unlink()
    plan = folder / "plan.json"
    plan.write_bytes(plan.read_bytes().replace(b"make", b"fake", 1))
    (folder / "notes.txt").write_text("mine\n")


@pytest.mark.parametrize("how", ["before", "sound", "damaged", "running"])
async def test_validation(root: Path, picture: Compare, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    run = validated(root)
    if how == "damaged":
        damage(run)
    if how == "running":
        checks = Slow()
        monkeypatch.setattr(checking, "check_run", checks)
    app = make_app(root, run.now + 200_000, run.run_id)
    async with running(app, SIZES[0]) as pilot:
        await pilot.press("3")
        await pilot.pause()
        if how != "before":
            await pilot.press("v")
            check = app.desk.checks
            if how == "running":
                await until(pilot, lambda: run.run_id in check and check[run.run_id].total)
            else:
                await until(pilot, lambda: run.run_id in check and not check[run.run_id].running)
        # That its plan is another was said when it came into view, with a path that differs from test to test.
        app.clear_notifications()
        await everywhere(pilot, app, picture, f"validation-{how}")
        await pilot.press("escape")


@pytest.mark.parametrize(
    ("name", "make", "keys"),
    [
        ("build-frozen", frozen, []),
        ("build-failed", failed, []),
        ("build-filter", directory, ["slash", *"comp"]),
        ("build-waiting", directory, ["G"]),
        ("build-help", directory, ["question_mark"]),
        ("build-stop", directory, ["X"]),
        ("checkpoints-delete", directory, ["2", "j", "j", "d"]),
    ],
)
async def test_states(
    root: Path,
    picture: Compare,
    name: str,
    make: Callable[[Path], recorded.RecordedRun],
    keys: list[str],
) -> None:
    run = make(root)
    app = make_app(root, run.now + 2000, run.run_id)
    async with running(app, (100, 30)) as pilot:
        sized(app)
        await walk(pilot, app, keys)
        picture(app, f"{name}-100x30-dark")
    run.vanish()


async def test_no_runs(root: Path, picture: Compare) -> None:
    app = make_app(root, recorded.START)
    async with running(app, (100, 30)):
        picture(app, "checkpoints-empty-100x30-dark")


async def test_too_small(root: Path, run: recorded.RecordedRun, picture: Compare) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, (40, 12)):
        picture(app, "too-small-40x12-dark")


async def test_the_picture_of_the_readme(root: Path, picture: Compare) -> None:
    run = directory(root)
    app = make_app(root, run.now + 2000, run.run_id)
    async with running(app, (124, 30)) as pilot:
        await pilot.press("n")
        await settled(pilot, app)
        picture(app, "build", Path(__file__).parents[2] / "docs" / "images")
    run.vanish()
