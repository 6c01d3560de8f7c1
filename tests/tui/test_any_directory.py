"""Whatever lies in a checkpoint directory is shown calmly, in every mode."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from specular_tui.store.keeping.removal import restore, trash
from specular_tui.tui.messages import Open
from specular_tui.tui.screens.checkpoints import CheckpointsScreen
from specular_tui.tui.screens.resume import ResumeScreen
from tests.tui import recorded
from tests.tui.conftest import make_app, running, settled, until

DATA = Path(__file__).parents[1] / "data"


def fill(root: Path) -> None:
    """Put everything there that may be found in a checkpoint directory."""
    root.mkdir(parents=True)
    stored = [path for path in DATA.rglob("journal.jsonl") if path.parent.is_dir()]
    assert stored, "checkpoints of older versions, and damaged ones"
    for number, path in enumerate(stored):
        shutil.copytree(path.parent, root / f"stored-{number}")
    recorded.finished(root, "whole", at=recorded.START)
    for name in ("half-deleted", "no-outputs", "no-plan", "cut"):
        shutil.copytree(root / "whole", root / name)
    for name in ("journal.jsonl", "state.json", "progress.json"):
        (root / "half-deleted" / name).unlink()
    shutil.rmtree(root / "no-outputs" / "outputs")
    (root / "no-plan" / "plan.json").unlink()
    with open(root / "cut" / "journal.jsonl", "r+b") as journal:
        journal.truncate(700)
    (root / "empty").mkdir()
    (root / "nothing-of-ours").mkdir()
    (root / "nothing-of-ours" / "holiday.jpg").write_bytes(os.urandom(100))
    (root / "a-file").write_text("no folder\n")
    os.symlink("/nowhere", root / "dangling")
    os.mkfifo(root / "a-pipe")
    one = recorded.RecordedRun(root, "one-task", steps=(("only", "The only one", (), 1),))
    one.begin()
    one.start("only")
    one.end("only", log="done\n")
    one.finish("completed")
    none = recorded.RecordedRun(root, "no-task", steps=())
    none.begin()
    none.finish("completed")
    killed = recorded.half_way(root, "killed")
    killed.vanish()


@pytest.mark.timeout(300)
async def test_everything_is_shown_in_every_mode(root: Path) -> None:
    fill(root)
    app = make_app(root, recorded.START + 1_000_000)
    async with running(app, (120, 30)) as pilot:
        screen = app.screen
        assert isinstance(screen, CheckpointsScreen)
        shown = [row.run_id for row in app.desk.runs]
        assert {"whole", "half-deleted", "cut", "one-task", "no-task", "killed"} <= set(shown)
        for run_id in shown:
            await app.switch_mode("checkpoints")
            screen.table.select(run_id)
            await pilot.press("v")
            check = app.desk.checks
            await until(pilot, lambda: run_id in check and not check[run_id].running, seconds=30)  # noqa: B023
            await pilot.press("2", "enter", "G", "n", "4", "1", "tab", "g", "escape")
            assert app.is_running
            row = app.desk.row(run_id)
            view = app.desk.view
            if row is not None and not row.damage:
                await until(pilot, lambda: app.desk.view is not None and app.desk.view.run_id == run_id)  # noqa: B023
            elif view is not None:
                assert view.run_id != run_id, "what cannot be read is not opened"


async def test_a_run_that_vanishes_under_the_cursor(root: Path) -> None:
    run = recorded.half_way(root)
    recorded.finished(root, "build-a", at=recorded.START - 1000)
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        run.vanish()
        shutil.rmtree(root / run.run_id)
        await until(pilot, lambda: app.desk.view is not None and app.desk.view.gone)
        await pilot.press("r")
        assert app.said.all[0].text == f"{run.run_id} has been deleted: there is nothing to resume"
        for key in ("j", "n", "tab", "slash", "x", "enter", "escape", "p", "r", "R", "3", "v", "4", "2", "enter"):
            await pilot.press(key)
            await pilot.press("escape")
        assert app.is_running
        shutil.rmtree(root)
        await until(pilot, lambda: not app.desk.runs)
        for key in ("1", "2", "3", "4", "2", "d", "v", "enter"):
            await pilot.press(key)
        assert app.is_running


async def test_a_run_that_is_deleted_is_shown_as_deleted_until_it_comes_back(root: Path) -> None:
    recorded.finished(root, "build-a", at=recorded.START, fail="compile/net")
    app = make_app(root, recorded.START + 1000, "build-a")
    async with running(app, (100, 30)) as pilot:
        put = trash(root, "build-a", recorded.START)
        await until(pilot, lambda: app.desk.view is not None and app.desk.view.gone)
        await until(pilot, lambda: "deleted" in app.export_screenshot())
        for key in "rRts":
            await pilot.press(key)
            assert app.said.all[0].text == "build-a has been deleted: there is nothing to resume"
        assert "Resume" not in app.export_screenshot()
        restore(root, "build-a", put.at)
        await until(pilot, lambda: app.desk.view is not None and not app.desk.view.gone)
        await settled(pilot, app)
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, ResumeScreen))


async def test_a_damaged_run_that_is_deleted_is_shown_as_deleted(root: Path) -> None:
    recorded.finished(root, "build-a", at=recorded.START)
    journal = root / "build-a" / "journal.jsonl"
    app = make_app(root, recorded.START + 1000, "build-a")
    async with running(app, (100, 30)) as pilot:
        assert app.desk.view is not None
        os.replace(shutil.copy(journal, root / "other"), journal)
        with journal.open("r+b") as damaged:
            damaged.write(b"0" * 300)
        await until(pilot, lambda: bool(app.said.all))
        shutil.rmtree(root / "build-a")
        await until(pilot, lambda: app.desk.view is not None and app.desk.view.gone)


async def test_a_run_that_cannot_be_opened_leaves_the_one_in_view_followed(
    root: Path, run: recorded.RecordedRun
) -> None:
    recorded.finished(root, "build-a", at=recorded.START - 100_000)
    (root / "build-a" / "journal.jsonl").write_bytes(b"not a journal\n")
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        view = app.desk.view
        assert view is not None
        app.post_message(Open("build-a"))
        await until(pilot, lambda: bool(app.said.all) and not app.desk.opening)
        assert app.desk.view is not None
        assert app.desk.view.run_id == run.run_id
        run.end("compile/plugins")
        await until(pilot, lambda: app.desk.view is not None and "compile/plugins" not in app.desk.view.state.running)
