"""What is done with stored runs in Checkpoints and Validation: deleting and undo, clean-up, archives, comparing."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from textual.pilot import Pilot
from textual.widgets import Input

from specular_tui.errors import RunHeldError, SpecularError
from specular_tui.store import archive, checkpoint
from specular_tui.store.checks.check import check
from specular_tui.store.effort import CancelledError, Effort
from specular_tui.store.keeping import pins, removal
from specular_tui.store.keeping.compress import Compressed
from specular_tui.tui.app import SpecularApp
from specular_tui.tui.bridge import keeper
from specular_tui.tui.screens.build import BuildScreen
from specular_tui.tui.screens.checkpoints import CheckpointsScreen
from specular_tui.tui.screens.comparison import ComparisonScreen
from specular_tui.tui.screens.dialogs.choice import ChoiceDialog
from specular_tui.tui.screens.dialogs.path import PathDialog, as_typed
from specular_tui.tui.screens.resume import ResumeScreen
from specular_tui.tui.screens.validation import ValidationScreen
from specular_tui.workspace import checking, keeping, steering
from tests.tui import recorded
from tests.tui.conftest import make_app, running, settled, shown, until

DAY = 86_400_000
#: A moment at which the runs of `runs` are some days old.
NOW = recorded.START + 10 * DAY


@pytest.fixture
def runs(root: Path) -> Path:
    """Four runs, a day apart; `build-1` failed, `build-3` is the newest."""
    for number, fail in enumerate(("", "test/unit", "", "")):
        recorded.finished(root, f"build-{number}", at=recorded.START + number * DAY, fail=fail)
    return root


@pytest.fixture
def app(runs: Path) -> SpecularApp:
    return make_app(runs, NOW)


def ids(root: Path) -> list[str]:
    return checkpoint.run_ids(root)


def listed(app: SpecularApp) -> list[str]:
    return [row.run_id for row in app.desk.runs]


def checkpoints(app: SpecularApp) -> CheckpointsScreen:
    screen = app.screen_stack[0]
    assert isinstance(screen, CheckpointsScreen)
    return screen


def told(app: SpecularApp) -> str:
    return "\n".join(note.text for note in app.said.all)


async def answer(pilot: Pilot[int], app: SpecularApp, key: str) -> str:
    """Wait for a question, give the answer, and return what was asked."""
    await until(pilot, lambda: isinstance(app.screen, ChoiceDialog))
    await pilot.pause()
    asked = shown(app)
    await pilot.press(key)
    return asked


async def type_path(pilot: Pilot[int], app: SpecularApp, path: object) -> str:
    """Wait for the path dialog, type a path, and return what it said before."""
    await until(pilot, lambda: isinstance(app.screen, PathDialog))
    await pilot.pause()
    said = shown(app)
    app.screen.query_one(Input).value = str(path)
    await pilot.press("enter")
    return said


# Deleting


async def test_what_is_marked_goes_together_and_comes_back_together(app: SpecularApp, runs: Path) -> None:
    async with running(app, (130, 36)) as pilot:
        await pilot.press("space", "j", "space")
        assert checkpoints(app).table.marked == {"build-3", "build-1"}
        assert "2 marked" in shown(app)
        await pilot.press("d")
        asked = await answer(pilot, app, "d")
        assert "Delete 2 checkpoints?" in asked
        assert "1 of them could be resumed" in asked
        assert "KB on disk, freed when Specular is closed" in asked
        await until(pilot, lambda: listed(app) == ["build-2", "build-0"])
        assert ids(runs) == ["build-0", "build-2"]
        await until(pilot, lambda: checkpoints(app).table.marked == set())
        await until(pilot, lambda: app.desk.trash[0] == 2)
        assert "2 runs deleted" in told(app)
        await pilot.press("d")
        await answer(pilot, app, "d")
        await until(pilot, lambda: len(listed(app)) == 1)
        await pilot.press("u")
        await until(pilot, lambda: len(listed(app)) == 2)
        await until(pilot, lambda: "taken back" in told(app))
        assert "u takes" not in shown(app), "that has been done"
        await pilot.press("u")
        await until(pilot, lambda: len(listed(app)) == 4)
        assert all(check(runs, run_id).ok for run_id in ids(runs))
        await pilot.press("u")
        await until(pilot, lambda: "there is nothing to take back" in told(app))


async def test_esc_takes_the_marks_away(app: SpecularApp, runs: Path) -> None:
    async with running(app, (100, 30)) as pilot:
        await pilot.press("space", "space", "escape")
        assert checkpoints(app).table.marked == set()
        await pilot.press("space")
        shutil.rmtree(runs / "build-1")
        await until(pilot, lambda: len(listed(app)) == 3)
        # The table hears of it after the desk.
        await until(pilot, lambda: checkpoints(app).table.marked <= set(ids(runs)))


async def test_what_was_deleted_goes_for_good_at_the_end(app: SpecularApp, runs: Path) -> None:
    removal.trash(runs, "build-0", 1)
    async with running(app, (100, 30)) as pilot:
        await pilot.press("d")
        await answer(pilot, app, "d")
        await until(pilot, lambda: "build-3" not in listed(app))
    (said,), went = app.bridge.keeper.empty_own_trash()
    assert went
    assert re.fullmatch(r"1 deleted run, [0-9.]+ KB: gone for good", said)
    assert [put.run_id for put in removal.trashed(runs)] == ["build-0"], "what others deleted is not touched"
    assert app.bridge.keeper.empty_own_trash() == ([], True), "there is nothing more to say"


async def test_leaving_does_not_wait_for_what_takes_long_to_delete(
    app: SpecularApp, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(app, (100, 30)) as pilot:
        await pilot.press("space", "space", "d")
        await answer(pilot, app, "d")
        await until(pilot, lambda: len(listed(app)) == 2)
    monkeypatch.setattr(keeper, "_PATIENCE", 0)
    swept = held_sweep(monkeypatch)
    (said,), went = app.bridge.keeper.empty_own_trash()
    assert went
    assert said.startswith("2 deleted runs, ")
    assert said.endswith(": gone for good; the space is freed in the background")
    assert removal.trashed(runs) == []
    assert ids(runs) == ["build-0", "build-1"]
    (process,) = swept
    assert process.wait(60) == 0
    assert sorted(os.listdir(runs)) == [".trash", "build-0", "build-1"]


def held_sweep(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Have nothing be deleted here; return the processes that are started beside this one."""
    started: list[subprocess.Popen[bytes]] = []

    def late(root: Path, effort: Effort) -> None:
        raise CancelledError

    def start(*args: Any, **options: Any) -> subprocess.Popen[bytes]:
        started.append(popen(*args, **options))
        return started[-1]

    popen = subprocess.Popen
    monkeypatch.setattr(removal, "sweep", late)
    monkeypatch.setattr(subprocess, "Popen", start)
    return started


async def test_what_an_earlier_session_deleted_comes_back(app: SpecularApp, runs: Path) -> None:
    removal.trash(runs, "build-0", 1)
    removal.trash(runs, "build-2", 2)
    removal.trash(runs, "build-1", 2)
    async with running(app, (100, 30)) as pilot:
        assert "in the trash" in shown(app)
        await pilot.press("u")
        await until(pilot, lambda: len(listed(app)) == 3)
        assert "build-0" not in listed(app), "the latest deletion comes back"


async def test_a_run_that_became_live_or_vanished_meanwhile_is_passed_over(
    app: SpecularApp, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = keeping.trash_run

    def trash_run(root: Path, run_id: str, at: int | None = None, *, sync: bool = True) -> removal.TrashedRun:
        if run_id == "build-2":
            raise RunHeldError("build-2 is being built")
        return real(root, run_id, at, sync=sync)

    monkeypatch.setattr(keeping, "trash_run", trash_run)
    async with running(app, (130, 36)) as pilot:
        await pilot.press("space", "space", "space", "d")
        shutil.rmtree(runs / "build-1")
        await answer(pilot, app, "d")
        await until(pilot, lambda: "build-2: it is being built" in told(app))
        assert "build-1: it was gone already" in told(app)
        assert ids(runs) == ["build-0", "build-2"]


async def test_a_name_that_is_taken_again_is_said_and_nothing_is_lost(app: SpecularApp, runs: Path) -> None:
    async with running(app, (130, 36)) as pilot:
        await pilot.press("d")
        await answer(pilot, app, "d")
        await until(pilot, lambda: "build-3" not in listed(app))
        recorded.finished(runs, "build-3", at=NOW)
        await until(pilot, lambda: "build-3" in listed(app))
        await pilot.press("u")
        await until(pilot, lambda: "a run of this name is there again" in told(app))
        assert [put.run_id for put in removal.trashed(runs)] == ["build-3"]


# Pins


async def test_pinning(app: SpecularApp, runs: Path) -> None:
    async with running(app, (130, 36)) as pilot:
        await pilot.press("j", "K")
        await until(pilot, lambda: app.desk.runs[1].pinned)
        assert pins.pinned(runs) == {"build-2"}
        await until(pilot, lambda: "◆ pinned" in shown(app))
        await pilot.press("d")
        assert "It is pinned." in await answer(pilot, app, "escape")
        await pilot.press("k", "space", "space", "K")
        await until(pilot, lambda: pins.pinned(runs) == {"build-3", "build-2"})
        await until(pilot, lambda: app.desk.runs[0].pinned)
        await pilot.press("K")
        await until(pilot, lambda: pins.pinned(runs) == frozenset())
        pins.pin(runs, "build-0")
        await until(pilot, lambda: app.desk.runs[3].pinned)


# Clean-up


async def test_pins_that_cannot_be_read_are_told_of_and_the_runs_are_listed(app: SpecularApp, runs: Path) -> None:
    (runs / pins.PINNED).symlink_to("elsewhere")
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: len(listed(app)) == 4)
        await until(pilot, lambda: "failed to read the pins" in told(app))


async def test_a_clean_up_shows_what_goes_before_it_does(app: SpecularApp, runs: Path) -> None:
    pins.pin(runs, "build-0")
    async with running(app, (130, 36)) as pilot:
        await pilot.press("c")
        screen = checkpoints(app)
        assert screen.cleaning
        assert "nothing goes" in shown(app)
        await pilot.press("2")
        await until(pilot, lambda: "1 run goes" in shown(app))
        assert "✗ remove" in shown(app)
        assert "not among the newest 2" in shown(app)
        assert "specular checkpoint clean --keep-last 2" in " ".join(shown(app).replace("\n", " ").split())
        await pilot.press("down", *"30d")
        await until(pilot, lambda: "No run meets that." in shown(app))
        await pilot.press("enter")
        assert screen.is_current, "there is nothing to ask about"
        await pilot.press("backspace", "x", "s")
        await until(pilot, lambda: "1 run goes" in shown(app))
        await pilot.press("backspace")
        await until(pilot, lambda: "write a time as" in shown(app))
        await pilot.press("s", "down")
        await until(pilot, lambda: "Enter Remove" in str(screen.footer.render()))
        screen.cleaner.keep_last.value = "9"
        await until(pilot, lambda: "No run meets that." in shown(app))
        await until(pilot, lambda: "Remove" not in str(screen.footer.render()))
        screen.cleaner.keep_last.value = "2"
        await pilot.press("space")
        await until(pilot, lambda: "1 run goes" in shown(app))
        assert screen.cleaner.rules is not None
        assert screen.cleaner.rules.failed
        assert ids(runs) == [f"build-{number}" for number in range(4)], "nothing has happened yet"
        await pilot.press("enter")
        asked = await answer(pilot, app, "d")
        assert "specular checkpoint clean --keep-last 2 --older-than 30s --failed" in asked
        await until(pilot, lambda: listed(app) == ["build-3", "build-2", "build-0"])
        assert not screen.cleaning
        await pilot.press("u")
        await until(pilot, lambda: len(listed(app)) == 4)


async def test_without_a_run_there_is_nothing_to_clean_up_and_a_deletion_can_be_undone(
    app: SpecularApp, runs: Path
) -> None:
    async with running(app, (130, 36)) as pilot:
        await pilot.press("c")
        screen = checkpoints(app)
        assert screen.cleaning
        for run_id in ids(runs):
            keeping.trash_run(runs, run_id)
        await until(pilot, lambda: app.desk.listed and not app.desk.runs)
        await until(pilot, lambda: not screen.cleaning)
        await pilot.press("c")
        await until(pilot, lambda: "there is no run to clean up" in told(app))
        assert not screen.cleaning
        await until(pilot, lambda: "u Undo" in str(screen.footer.render()))
        await pilot.press("q")
        await pilot.pause()
    assert app.return_value == 0


async def test_the_policy_cleans_up_too_and_esc_changes_nothing(
    app: SpecularApp, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    policy = tmp_path / ".specular" / "policy.yaml"
    policy.parent.mkdir()
    policy.write_text("checkpoints: {retention: {max_count: 1, max_age_days: 400}}\n")
    async with running(app, (130, 36)) as pilot:
        await pilot.press("c", "up", "space")
        await until(pilot, lambda: "3 runs go" in shown(app))
        assert "max_count: 1" in shown(app)
        await pilot.press("d")
        assert checkpoints(app).is_current, "single runs are left alone meanwhile"
        assert checkpoints(app).cleaner.keep_last.disabled
        policy.write_text("checkpoints: {retention: {max_count: -1}}\n")
        await pilot.press("space", "space")
        await until(pilot, lambda: "max_count" in shown(app) and "runs go" not in shown(app))
        await pilot.press("escape")
        assert not checkpoints(app).cleaning
        assert "integrity" in shown(app) or "state" in shown(app)
        assert len(ids(runs)) == 4


async def test_a_run_that_was_gone_on_with_since_the_preview_stays(app: SpecularApp, runs: Path) -> None:
    async with running(app, (130, 36)) as pilot:
        await pilot.press("c", "0")
        await until(pilot, lambda: "4 runs go" in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ChoiceDialog))
        pins.pin(runs, "build-2")
        recorded.finished(runs, "build-9", at=NOW)
        await pilot.press("d")
        await until(pilot, lambda: ids(runs) == ["build-2", "build-9"])


# Packing and archives


async def test_compressing(app: SpecularApp, runs: Path) -> None:
    async with running(app, (130, 36)) as pilot:
        size = app.desk.runs[0].size
        await pilot.press("space", "space", "z")
        assert "Compress 2 runs?" in await answer(pilot, app, "z")
        await until(pilot, lambda: "2 runs compressed" in told(app))
        assert (runs / "build-3" / "state.json.gz").exists()
        await until(pilot, lambda: app.desk.runs[0].size not in (None, size))
        assert check(runs, "build-3").ok
        await until(pilot, lambda: app.desk.chore is None and not any(row.live for row in app.desk.runs))
        await pilot.press("escape", "g", "z")
        await answer(pilot, app, "z")
        await until(pilot, lambda: "nothing was left to compress" in told(app))


async def test_a_chore_shows_how_far_it_is_and_can_be_given_up(
    app: SpecularApp, runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    def compress_run(
        root: Path, run_id: str, progress: Callable[[int, int], None], cancel: threading.Event
    ) -> Compressed:
        begun.append(run_id)
        progress(12_000_000, 48_000_000)
        assert cancel.wait(30)
        raise SpecularError("cancelled")

    monkeypatch.setattr(keeping, "compress_run", compress_run)
    async with running(app, (130, 36)) as pilot:
        await pilot.press("space", "space", "z")
        await answer(pilot, app, "z")
        await until(pilot, lambda: "12 MB of 48 MB" in shown(app))
        assert "compressing  1 of 2  build-3" in shown(app)
        await pilot.press("escape")
        await until(pilot, lambda: app.desk.chore is None)
        assert begun == ["build-3"]
        assert "given up: 2 runs were left as before" in told(app)
        await pilot.press("z")
        await answer(pilot, app, "z")
        await until(pilot, lambda: len(begun) == 2)
        await until(pilot, lambda: "12 MB of 48 MB" in shown(app))
        await pilot.press("u")
        await until(pilot, lambda: "1 waiting" in shown(app))
    assert len(ids(runs)) == 4, "leaving ends what is under way, and what waits does not begin"


async def test_exporting_replaces_nothing_unasked(app: SpecularApp, runs: Path, tmp_path: Path) -> None:
    out = tmp_path / "taken.tar.gz"
    out.write_text("precious")
    async with running(app, (130, 36)) as pilot:
        await pilot.press("e")
        said = await type_path(pilot, app, out)
        assert "specular checkpoint export build-3 --out build-3.tar.gz" in said
        assert "Replace this file?" in await answer(pilot, app, "escape")
        await until(pilot, lambda: isinstance(app.screen, PathDialog))
        assert out.read_text() == "precious"
        await type_path(pilot, app, out)
        await answer(pilot, app, "y")
        await until(pilot, lambda: "exported to" in told(app))
        assert out.read_bytes()[:2] == b"\x1f\x8b"
        await pilot.press("e")
        said = await type_path(pilot, app, tmp_path / "none" / "x.tar.gz")
        await until(pilot, lambda: isinstance(app.screen, PathDialog) and "no such file" in shown(app))
        await pilot.press("escape")


async def test_a_home_that_is_not_there_is_a_folder_that_is_not_there(app: SpecularApp) -> None:
    async with running(app, (130, 36)) as pilot:
        for key in ("e", "i"):
            await pilot.press(key)
            await type_path(pilot, app, "~nobody-is-called-so/x.tar.gz")
            await until(pilot, lambda: isinstance(app.screen, PathDialog) and "no such file" in shown(app))
            await pilot.press("escape")
        assert app.is_running


@pytest.mark.parametrize("path", ["~/my runs/x.tar.gz", "~/", "~root/x y", "it's", "a b/c", "./~/x", "~", "~x y/z"])
def test_a_path_is_shown_as_a_shell_takes_it(path: str) -> None:
    printed = subprocess.run(["sh", "-c", f"printf %s {as_typed(path)}"], capture_output=True, text=True, check=True)
    assert printed.stdout == os.path.expanduser(path)


async def test_secrets_are_masked_where_that_is_wanted(
    app: SpecularApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with running(app, (130, 36)) as pilot:
        await pilot.press("e")
        await until(pilot, lambda: isinstance(app.screen, PathDialog))
        await pilot.press("tab", "space")
        await pilot.pause()
        assert "--redact" in shown(app)
        await pilot.press("shift+tab", "enter")
        await until(pilot, lambda: (tmp_path / "build-3.tar.gz").exists())


async def test_importing(app: SpecularApp, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    policy = tmp_path / ".specular" / "policy.yaml"
    policy.parent.mkdir()
    policy.write_text("checkpoints: {retention: {max_age_days: 36600}}\n")
    out = tmp_path / "it.tar.gz"
    archive.export_run(runs, "build-2", out)
    bad = tmp_path / "bad.tar.gz"
    bad.write_bytes(out.read_bytes()[:-200])
    async with running(app, (130, 36)) as pilot:
        await pilot.press("i")
        await type_path(pilot, app, out)
        await until(pilot, lambda: isinstance(app.screen, PathDialog) and "is already there" in shown(app))
        shutil.rmtree(runs / "build-2")
        await type_path(pilot, app, bad)
        await until(pilot, lambda: isinstance(app.screen, PathDialog) and "the archive is cut off" in shown(app))
        assert "specular checkpoint export RUN --out FILE" in shown(app), "the way on is said too"
        await type_path(pilot, app, out)
        await until(pilot, lambda: "build-2 imported" in told(app))
        await until(pilot, lambda: "build-2" in listed(app))
        assert check(runs, "build-2").ok


async def test_giving_a_run_up(app: SpecularApp, runs: Path) -> None:
    async with running(app, (130, 36)) as pilot:
        await pilot.press("a")
        await pilot.pause()
        assert "there is nothing to give up" in told(app)
        await pilot.press("j", "j", "a")
        assert "specular checkpoint abandon build-1" in await answer(pilot, app, "a")
        await until(pilot, lambda: app.desk.runs[2].status == "abandoned")
        assert checkpoint.load(runs, "build-1").state.status == "abandoned"


# Comparing


async def test_two_runs_side_by_side(app: SpecularApp) -> None:
    async with running(app, (130, 36)) as pilot:
        await pilot.press("j", "o")
        await until(pilot, lambda: isinstance(app.screen, ComparisonScreen))
        screen = app.screen
        assert isinstance(screen, ComparisonScreen)
        assert (screen.comparison.before, screen.comparison.after) == ("build-1", "build-2")
        await until(pilot, lambda: "succeeds now" in shown(app))
        assert "specular checkpoint compare build-1 build-2" in shown(app)
        differing = len(screen.table._shown)
        assert screen.table.selected == "test/unit"
        await pilot.press("n")
        assert screen.table.selected != "test/unit"
        await pilot.press("N", "A")
        assert len(screen.table._shown) == len(recorded.STEPS) > differing
        await pilot.press("o", "o")
        assert [task.task for task in screen.table._shown] == [step[0] for step in recorded.STEPS]
        await pilot.press("escape")
        assert isinstance(app.screen, CheckpointsScreen)
        await pilot.press("space", "G", "o")
        await until(pilot, lambda: isinstance(app.screen, ComparisonScreen))
        assert isinstance(app.screen, ComparisonScreen)
        assert (app.screen.comparison.before, app.screen.comparison.after) == ("build-0", "build-2")
        await until(pilot, lambda: "No task differs." in shown(app))
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, BuildScreen))
        await until(pilot, lambda: app.desk.view is not None and app.desk.view.run_id == "build-2")


async def test_there_may_be_nothing_to_compare_with(app: SpecularApp, runs: Path) -> None:
    async with running(app, (130, 36)) as pilot:
        await pilot.press("G", "o")
        await pilot.pause()
        assert "no older run of this plan" in told(app)
        await pilot.press("g", "space", "space", "space", "o")
        await pilot.pause()
        assert "mark one or two" in told(app)
        await pilot.press("escape", "g", "o")
        shutil.rmtree(runs / "build-3")
        await until(pilot, lambda: len(listed(app)) == 3)


async def test_ten_thousand_tasks_side_by_side(root: Path) -> None:
    steps = tuple((f"part/{number}", f"Part {number}", (), 1) for number in range(10_000))
    for number in range(2):
        run = recorded.RecordedRun(root, f"build-{number}", at=recorded.START + number * DAY, steps=steps)
        run.begin()
        run.start("part/7")
        run.wait(3 + number)
        run.end("part/7")
        run.finish("paused", "SIGINT")
    app = make_app(root, NOW)
    async with running(app, (130, 36)) as pilot:
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, ComparisonScreen), seconds=30)
        assert isinstance(app.screen, ComparisonScreen)
        table = app.screen.table
        await until(pilot, lambda: [task.task for task in table._shown] == ["part/7"])
        await pilot.press("A", "G")
        for _ in range(30):
            await pilot.press("k")
        assert app.screen.table.index == 9_999 - 30


# Proving, and what can be done about damage


async def test_checking_what_is_marked(app: SpecularApp, runs: Path) -> None:
    log = runs / "build-1" / "outputs" / "compile%2Fui.log"
    log.write_text("other")
    async with running(app, (160, 36)) as pilot:
        assert "unchecked" in shown(app)
        await pilot.press("space", "space", "space", "v")
        await until(pilot, lambda: "3 runs checked: 1 run of 3 damaged" in told(app))
        assert isinstance(app.screen, CheckpointsScreen), "it is done in the background"
        assert app.desk.checks["build-3"].sound
        await until(pilot, lambda: "✗ damaged" in shown(app))
        assert "✓ ok now" in shown(app)


async def test_a_check_of_several_is_given_up_where_one_of_them_is_looked_at(
    app: SpecularApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[str] = []

    def check_run(root: Path, run_id: str, progress: object, cancel: threading.Event) -> object:
        begun.append(run_id)
        assert cancel.wait(30)
        raise SpecularError("cancelled")

    monkeypatch.setattr(checking, "check_run", check_run)
    async with app.run_test(size=(130, 36)) as pilot:
        await settled(pilot, app)
        await pilot.press("space", "space", "v")
        await until(pilot, lambda: begun == ["build-3"])
        await pilot.press("g", "3")
        await until(pilot, lambda: isinstance(app.screen, ValidationScreen))
        await pilot.press("escape")
        await until(pilot, lambda: app.desk.chore is None)
        assert app.desk.checks["build-3"].cancelled
        assert begun == ["build-3"]


async def test_taking_back_leaves_an_error_standing(app: SpecularApp, runs: Path) -> None:
    async with app.run_test(size=(130, 36)) as pilot:
        await settled(pilot, app)
        app.say("the disk is full", "error")
        await pilot.press("d")
        await answer(pilot, app, "d")
        await until(pilot, lambda: "deleted" in told(app))
        await pilot.press("u")
        await until(pilot, lambda: len(ids(runs)) == 4)
        assert "u takes" not in shown(app)
        assert app.said.standing == 1


async def test_the_list_may_know_better_than_the_row_that_is_compared(app: SpecularApp) -> None:
    async with app.run_test(size=(130, 36)) as pilot:
        await settled(pilot, app)
        app.desk.runs = [replace(row, elapsed_ms=row.elapsed_ms + 1) for row in app.desk.runs]
        await pilot.press("o")
        await until(pilot, lambda: isinstance(app.screen, ComparisonScreen))


@pytest.fixture
def damaged(runs: Path) -> Path:
    (runs / "build-2" / "outputs" / "compile%2Fui.log").write_text("other")
    return runs


async def open_damaged(pilot: Pilot[int], app: SpecularApp) -> None:
    await settled(pilot, app)
    await pilot.press("j", "v")
    await until(pilot, lambda: isinstance(app.screen, ValidationScreen) and "✗ damaged" in shown(app))


async def test_damaged_tasks_run_again(app: SpecularApp, damaged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[list[str]] = []

    def start_build(args: list[str], cwd: Path, root: Path | None = None) -> str:
        calls.append(args)
        return args[1]

    monkeypatch.setattr(steering, "start_build", start_build)
    async with app.run_test(size=(130, 36)) as pilot:
        await open_damaged(pilot, app)
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, ResumeScreen) and app.screen.answer is not None)
        await pilot.pause()
        asked = shown(app)
        assert "compile/ui" in asked
        assert "--resume build-2 --repair" in asked
        assert calls == []
        await pilot.press("enter")
        await until(pilot, lambda: calls == [["--resume", "build-2", "--repair"]])


async def test_a_damaged_run_is_restored_from_an_archive(
    app: SpecularApp, runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    policy = tmp_path / ".specular" / "policy.yaml"
    policy.parent.mkdir()
    policy.write_text("checkpoints: {retention: {max_age_days: 36600}}\n")
    good, other = tmp_path / "good.tar.gz", tmp_path / "other.tar.gz"
    archive.export_run(runs, "build-2", good)
    archive.export_run(runs, "build-0", other)
    shutil.rmtree(runs / "build-0")
    log = runs / "build-2" / "outputs" / "compile%2Fui.log"
    log.write_text("other")
    async with app.run_test(size=(130, 36)) as pilot:
        await open_damaged(pilot, app)
        await pilot.press("i")
        await type_path(pilot, app, tmp_path / "none")
        await until(pilot, lambda: isinstance(app.screen, PathDialog) and "cannot read" in shown(app))
        assert log.read_text() == "other", "it came back from the trash"
        await type_path(pilot, app, other)
        await until(pilot, lambda: isinstance(app.screen, PathDialog) and "holds another run, build-0" in shown(app))
        assert log.read_text() == "other"
        await type_path(pilot, app, good)
        await until(pilot, lambda: "build-2 restored" in told(app))
        assert check(runs, "build-2").ok
        assert [put.run_id for put in removal.trashed(runs)] == ["build-2"]
        await until(pilot, lambda: "Not checked yet" in shown(app))


async def test_a_damaged_run_is_deleted_from_where_it_is_seen(app: SpecularApp, damaged: Path) -> None:
    async with app.run_test(size=(130, 36)) as pilot:
        await open_damaged(pilot, app)
        await pilot.press("d")
        await answer(pilot, app, "d")
        await until(pilot, lambda: "There is no run to check." in shown(app))
        assert "build-2" not in ids(damaged)
        await pilot.press("u")
        await until(pilot, lambda: "build-2" in listed(app))


async def test_a_sound_run_offers_no_repair(app: SpecularApp) -> None:
    async with running(app, (130, 36)) as pilot:
        await pilot.press("v")
        await until(pilot, lambda: "✓ sound" in shown(app))
        await pilot.press("R", "i")
        await pilot.pause()
        assert isinstance(app.screen, ValidationScreen)


# What others have written


async def test_hostile_names_and_texts_stay_text(root: Path) -> None:
    evil = "[red]\x1b]52;c;aGk=\x07\u202etxt[/]"
    steps = (("a", evil, (), 1), ("b", evil, (), 1))
    for number in range(2):
        run = recorded.RecordedRun(root, f"build-{number}", at=recorded.START + number, name=evil, steps=steps)
        run.begin()
        run.start("a")
        run.end("a", "failed", exit_code=None, signal=evil, reason=evil)
        run.finish("failed", evil)
    app = make_app(root, NOW)
    async with running(app, (130, 36)) as pilot:
        for keys in (["space", "d"], ["escape", "z"], ["escape", "a"], ["escape", "e"], ["escape", "escape", "o"]):
            await pilot.press(*keys)
            await pilot.pause()
            assert not {"\x1b", "\x07", "\u202e"} & set(shown(app))
        await pilot.press("i")
        await type_path(pilot, app, f"/tmp/none/{evil}")
        await until(pilot, lambda: isinstance(app.screen, PathDialog) and "cannot read" in shown(app))
        assert "[red]" in shown(app)
        assert not {"\x1b", "\x07", "\u202e"} & set(shown(app))
