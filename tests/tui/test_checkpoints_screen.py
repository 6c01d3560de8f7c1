"""Checkpoints: the list, what it says of a run, deletion, and many runs."""

from __future__ import annotations

import os
import shutil
from datetime import UTC
from pathlib import Path

import pytest

from specular_tui.model import event as ev
from specular_tui.tui import present
from specular_tui.tui.app import SpecularApp
from specular_tui.tui.clock import Clock
from specular_tui.tui.messages import RunInspected
from specular_tui.tui.screens.build import BuildScreen
from specular_tui.tui.screens.checkpoints import CheckpointsScreen
from specular_tui.tui.screens.dialogs.choice import ChoiceDialog
from specular_tui.tui.screens.resume import ResumeScreen
from specular_tui.workspace import steering
from tests.tui import recorded
from tests.tui.conftest import make_app, running, until


def checkpoints(app: SpecularApp) -> CheckpointsScreen:
    assert isinstance(app.screen, CheckpointsScreen)
    return app.screen


def state_of(read: RunInspected) -> str:
    return read.state.status if read.state is not None else ""


@pytest.fixture
def three(root: Path) -> Path:
    day = 86_400_000
    for number, fail in enumerate(("", "test/unit", "")):
        recorded.finished(root, f"build-{number}", at=recorded.START + number * day, fail=fail)
    return root


async def test_newest_first_and_opening(three: Path) -> None:
    app = make_app(three, recorded.START)
    async with running(app, (120, 30)) as pilot:
        assert [row.run_id for row in app.desk.runs] == ["build-2", "build-1", "build-0"]
        await pilot.press("j", "enter")
        await until(pilot, lambda: app.desk.view is not None)
        assert isinstance(app.screen, BuildScreen)
        assert app.desk.view is not None
        assert app.desk.view.run_id == "build-1"
        assert not app.desk.view.live


async def test_deleting_asks_and_says_what_is_lost(three: Path) -> None:
    app = make_app(three, recorded.START)
    async with running(app, (120, 30)) as pilot:
        await pilot.press("j", "d")
        await until(pilot, lambda: isinstance(app.screen, ChoiceDialog))
        await pilot.press("escape")
        assert (three / "build-1").is_dir()
        await pilot.press("d")
        await until(pilot, lambda: isinstance(app.screen, ChoiceDialog))
        await pilot.press("d")
        await until(pilot, lambda: not (three / "build-1").exists())
        await until(pilot, lambda: len(app.desk.runs) == 2)
        assert checkpoints(app).table.row is not None


async def test_a_live_run_is_not_deleted(root: Path, run: recorded.RecordedRun) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, (120, 30)) as pilot:
        await pilot.press("2", "d")
        await pilot.pause()
        assert isinstance(app.screen, CheckpointsScreen)
        assert len(app.said.all) == 1


async def test_resuming(three: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[str]] = []

    def start_build(args: list[str], cwd: Path, root: Path | None = None) -> str:
        calls.append(args)
        return args[1]

    monkeypatch.setattr(steering, "start_build", start_build)
    app = make_app(three, recorded.START)
    async with running(app, (120, 30)) as pilot:
        await pilot.press("r")
        await pilot.pause()
        assert calls == [], "a completed run has nothing to resume"
        await pilot.press("j", "r")
        await until(pilot, lambda: isinstance(app.screen, ResumeScreen) and app.screen.answer is not None)
        await pilot.press("enter")
        await until(pilot, lambda: calls == [["--resume", "build-1"]])
        await until(pilot, lambda: isinstance(app.screen, BuildScreen))


async def test_runs_come_and_go(three: Path) -> None:
    app = make_app(three, recorded.START)
    async with running(app, (120, 30)) as pilot:
        await pilot.press("j")
        recorded.finished(three, "build-9", at=recorded.START + 900_000_000)
        await until(pilot, lambda: app.desk.runs[0].run_id == "build-9")
        shutil.rmtree(three / "build-0")
        await until(pilot, lambda: len(app.desk.runs) == 3)
        # The list is on the desk before its table has been told.
        await until(pilot, lambda: len(checkpoints(app).table._rows) == 3)
        row = checkpoints(app).table.row
        assert row is not None
        assert row.run_id == "build-1", "the cursor stays on its run"


async def test_the_directory_may_come_later(root: Path) -> None:
    app = make_app(root, recorded.START)
    async with running(app, (120, 30)) as pilot:
        assert checkpoints(app).query_one("#empty").display
        recorded.finished(root, "build-1", at=recorded.START)
        await until(pilot, lambda: len(app.desk.runs) == 1)
        await until(pilot, lambda: not checkpoints(app).query_one("#empty").display)


async def test_a_damaged_run_is_said_to_be(three: Path) -> None:
    (three / "build-2" / "journal.jsonl").write_text("not a journal\n")
    app = make_app(three, recorded.START)
    async with running(app, (120, 30)) as pilot:
        (damaged,) = [row for row in app.desk.runs if row.damage]
        assert damaged.run_id == "build-2"
        await pilot.press("g", "enter")
        await pilot.pause()
        assert isinstance(app.screen, CheckpointsScreen), "there is nothing to open"
        assert len(app.said.all) == 1
        await pilot.press("d", "d")
        await until(pilot, lambda: not (three / "build-2").exists())


async def test_many_runs_stay_fluent(root: Path) -> None:
    recorded.finished(root, "build-0", at=recorded.START)
    metadata, journal = ((root / "build-0" / name).read_text() for name in ("metadata.json", "journal.jsonl"))
    for number in range(1, 1500):
        folder = root / f"build-{number}"
        folder.mkdir()
        (folder / "metadata.json").write_text(metadata.replace('"build-0"', f'"build-{number}"'))
        (folder / "journal.jsonl").write_text(journal)
    app = make_app(root, recorded.START)
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: app.desk.listed, seconds=30)
        assert len(app.desk.runs) == 1500
        for _ in range(60):
            await pilot.press("j")
        await pilot.press("G")
        row = checkpoints(app).table.row
        assert row is not None
        assert row.run_id == app.desk.runs[-1].run_id


async def test_the_side_pane_says_how_a_build_ended(three: Path) -> None:
    run = recorded.half_way(three, "build-now", at=recorded.START + 9 * 86_400_000)
    app = make_app(three, run.now, "build-now")
    async with running(app, (130, 36)) as pilot:
        await pilot.press("2", "g")
        screen = checkpoints(app)
        await until(pilot, lambda: screen._read is not None and screen._read.run_id == "build-now")
        await pilot.press("1")
        run.end("compile/plugins")
        run.finish("failed", "a task failed")
        await until(pilot, lambda: app.desk.runs[0].status == "failed")
        await pilot.press("2")
        await until(pilot, lambda: screen._read is not None and state_of(screen._read) == "failed")
        await pilot.pause()
        shown = app.export_screenshot().replace("&#160;", " ")
        assert "still going" not in shown
        assert "a task failed" in shown


@pytest.mark.parametrize("size", [(160, 48), (100, 30), (80, 24)])
async def test_ids_that_differ_at_their_ends_are_told_apart(root: Path, size: tuple[int, int]) -> None:
    ids = [f"build-2024-01-15T10-30-45-nightly-{number}" for number in (1, 2)]
    for run_id in ids:
        run = recorded.finished(root, run_id, at=recorded.START)
    app = make_app(root, run.now)
    async with running(app, size) as pilot:
        for key in ("g", "c"):
            await pilot.press(key)
            await pilot.pause()
            screen = app.screen
            assert isinstance(screen, CheckpointsScreen)
            table = screen.table
            drawn = ["".join(part.text for part in table.render_line(y)) for y in (1, 2)]
            for run_id, line in zip(reversed(ids), drawn, strict=True):
                assert (
                    run_id in line if size[0] >= 100 else line.split()[-1].endswith(run_id[-1]) or run_id[-6:] in line
                )


async def test_ages_go_on_with_nothing_happening(root: Path) -> None:
    run = recorded.finished(root, "build-a", at=recorded.START)
    now = [run.now + 59_700]
    app = make_app(root, run.now)
    app.clock = app.desk.clock = Clock(lambda: now[0], UTC)
    async with running(app, (120, 30)) as pilot:
        table = checkpoints(app).table
        assert "50 s" in present.text(table.line(0, 100))
        painted = app.export_screenshot
        await until(pilot, lambda: "50&#160;s" in painted())
        now[0] = run.now + 61_000
        await until(pilot, lambda: "1&#160;min" in painted())
        await pilot.press("3")
        await until(pilot, lambda: "1&#160;min&#160;ago" in painted())
        assert not app.bridge.busy, "no second is counted"


async def test_what_a_run_takes_is_counted_anew_when_it_has_ended(root: Path) -> None:
    run = recorded.half_way(root)
    run.write("compile/plugins", "cc plugins/alpha.c\n" * 5000)
    run.recorder.flush()
    app = make_app(root, run.now)
    async with running(app, (120, 30)) as pilot:
        await pilot.press("2")
        live = app.desk.runs[0].size
        assert live is not None
        # It lets go of its log, with nothing more in its journal, and then of its lock.
        os.truncate(root / run.run_id / "outputs" / "compile%2Fplugins.log", 0)
        run.vanish()
        await until(pilot, lambda: not app.desk.runs[0].live)
        await until(pilot, lambda: app.desk.runs[0].size is not None and app.desk.runs[0].size < live - 50_000)
        before = app.desk.runs[0].size
        assert before is not None
        # Another program packs it.
        (root / run.run_id / "packed").write_bytes(b"x" * 7000)
        # What counts is what it takes on the disk, which is in blocks.
        await until(pilot, lambda: (app.desk.runs[0].size or 0) >= before + 7000)


async def test_the_list_says_of_a_build_that_it_starts_nothing_new(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steered: list[str] = []
    monkeypatch.setattr(steering, "steer", lambda root, run_id, command, task=None, **options: steered.append(command))
    stored = recorded.finished(root, "build-a", at=recorded.START - 86_400_000)
    run = recorded.half_way(root)
    app = make_app(root, run.now, stored.run_id)
    async with running(app, (120, 30)) as pilot:
        await pilot.press("2", "g")
        await until(pilot, lambda: "running" in said(app, run.run_id))
        run.add(ev.Draining(at=run.now, on=True))
        run.recorder.flush()
        await until(pilot, lambda: "draining" in said(app, run.run_id))
        run.add(ev.Stopping(at=run.now, reason="stopped"))
        run.recorder.flush()
        await until(pilot, lambda: "stopping" in said(app, run.run_id))
        await pilot.press("p")
        await until(pilot, lambda: app.said.shown is not None)
        assert app.said.all[0].text.startswith(f"{run.run_id} is stopping: X in Build kills"), "as where it is open"
        assert steered == []
        run.vanish()
        await until(pilot, lambda: "paused" in said(app, run.run_id))


def said(app: SpecularApp, run_id: str) -> str:
    """Return the line of a run in the list as it is painted, left of the side pane."""
    strips = app.screen._compositor.render_strips()
    lines = ["".join(segment.text for segment in strip) for strip in strips]
    return next((line for line in lines if run_id in line[:60]), "")


async def test_of_a_build_that_is_not_in_view_it_is_said_what_came_of_a_key(
    root: Path, run: recorded.RecordedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = recorded.finished(root, "build-a", at=recorded.START - 86_400_000)
    monkeypatch.setattr(steering, "steer", lambda root, run_id, command, task=None, **options: f"{run_id}: {command}")
    app = make_app(root, run.now, stored.run_id)
    async with running(app, (120, 30)) as pilot:
        await pilot.press("2", "g", "P")
        await until(pilot, lambda: app.said.shown is not None)
        assert app.said.all[0].text == f"{run.run_id}: drain", "the header is about another run"
        run.add(ev.Draining(at=run.now, on=True))
        run.recorder.flush()
        await until(pilot, lambda: checkpoints(app)._draining(app.desk.runs[0]))
        await pilot.press("P")
        await until(pilot, lambda: app.said.all[0].text == f"{run.run_id}: unpause")
        run.add(ev.Draining(at=run.now, on=False))
        run.recorder.flush()
        await until(pilot, lambda: not checkpoints(app)._draining(app.desk.runs[0]))
        await pilot.press("enter")
        await until(pilot, lambda: app.desk.view is not None and app.desk.view.run_id == run.run_id)
        said = len(app.said.all)
        await pilot.press("P")
        await pilot.pause()
        assert len(app.said.all) == said, "the header says it"
