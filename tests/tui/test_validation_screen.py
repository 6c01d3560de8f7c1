"""Validation: checking a run, giving that up, what is said of damage, and the gates."""

from __future__ import annotations

from pathlib import Path

import pytest

from specular_tui.store.checks.report import NAMES
from specular_tui.tui.app import SpecularApp
from specular_tui.tui.screens.build import BuildScreen
from specular_tui.tui.screens.checkpoints import CheckpointsScreen
from specular_tui.tui.screens.validation import ValidationScreen
from specular_tui.tui.views import CHECKS
from specular_tui.workspace import checking
from tests.tui import recorded
from tests.tui.checks import Slow
from tests.tui.conftest import make_app, running, shown, until

GATES = ("@lint", "@e2e")


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Slow:
    check = Slow()
    monkeypatch.setattr(checking, "check_run", check)
    return check


def validation(app: SpecularApp) -> ValidationScreen:
    assert isinstance(app.screen, ValidationScreen)
    return app.screen


def test_the_checks_are_those_of_a_report() -> None:
    assert CHECKS == NAMES


async def test_a_sound_run(root: Path) -> None:
    run = recorded.finished(root, "build-a", at=recorded.START)
    app = make_app(root, run.now, "build-a")
    async with running(app, (100, 40)) as pilot:
        await pilot.press("3")
        assert "Not checked yet" in shown(app)
        assert "The run has none." in shown(app)
        await pilot.press("v")
        await until(pilot, lambda: app.desk.checks["build-a"].sound)
        await until(pilot, lambda: all(f"✓ {name}" in shown(app) for name in CHECKS))
        assert "specular" not in shown(app)
        await pilot.press("2")
        assert isinstance(app.screen, CheckpointsScreen)


async def test_a_damaged_run_says_what_and_what_can_be_done(root: Path) -> None:
    recorded.finished(root, "build-b", at=recorded.START + 90_000_000)
    run = recorded.finished(root, "build-a", at=recorded.START)
    log = root / "build-a" / "outputs" / "test%2Funit.log"
    log.write_text(log.read_text().replace("ok", "no", 1))
    (root / "build-a" / "outputs" / "compile%2Fcore.log").unlink()
    app = make_app(root, run.now, "build-b")
    async with running(app, (120, 40)) as pilot:
        await pilot.press("2", "G", "v")
        await until(pilot, lambda: app.desk.checks["build-a"].proven)
        await until(pilot, lambda: "not the open run, but build-a" in shown(app))
        await until(pilot, lambda: "✗ Hashes match" in shown(app))
        said = shown(app)
        assert "✗ damaged  2 of 5 checks failed" in said
        assert "outputs/compile%2Fcore.log  is missing" in said
        assert "expected  blake3:" in said
        assert "found     blake3:" in said
        assert "R run again what is damaged: compile/core, test/unit" in said
        assert "specular build --resume build-a --repair" in said
        assert "specular checkpoint delete build-a" in said


async def test_a_check_is_given_up(root: Path, slow: Slow) -> None:
    run = recorded.finished(root, "build-a", at=recorded.START)
    app = make_app(root, run.now, "build-a")
    async with running(app, (100, 30)) as pilot:
        await pilot.press("3", "v")
        await until(pilot, lambda: "12 MB of 41 MB" in shown(app))
        await pilot.press("v")
        await pilot.pause()
        assert slow.begun == ["build-a"], "it is being checked already"
        await pilot.press("escape")
        await until(pilot, lambda: app.desk.checks["build-a"].cancelled)
        await until(pilot, lambda: "given up" in shown(app))
        await pilot.press("v")
        await until(pilot, lambda: len(slow.begun) == 2)
    assert slow.given_up == 2, "leaving ends a check"


async def test_another_check_ends_the_one_before(root: Path, slow: Slow) -> None:
    recorded.finished(root, "build-b", at=recorded.START + 90_000_000)
    run = recorded.finished(root, "build-a", at=recorded.START)
    app = make_app(root, run.now, "build-b")
    async with running(app, (100, 30)) as pilot:
        await pilot.press("3", "v")
        await until(pilot, lambda: slow.begun == ["build-b"])
        await pilot.press("2", "G", "v")
        await until(pilot, lambda: slow.begun == ["build-b", "build-a"])
        await until(pilot, lambda: app.desk.checks["build-b"].cancelled)
        assert app.desk.checks["build-a"].running


async def test_a_run_that_cannot_be_checked(root: Path) -> None:
    run = recorded.finished(root, "build-a", at=recorded.START)
    app = make_app(root, run.now, "build-a")
    async with running(app, (100, 30)) as pilot:
        await pilot.press("3")
        app.desk.subject = "build-z"
        app.bridge.check("build-z")
        await until(pilot, lambda: app.desk.checks["build-z"].problem)


async def test_the_log_of_a_gate(root: Path) -> None:
    recorded.finished(root, "build-b", at=recorded.START + 90_000_000)
    run = recorded.finished(root, "build-a", at=recorded.START, gates=GATES)
    app = make_app(root, run.now, "build-b")
    async with running(app, (100, 30)) as pilot:
        await pilot.press("2", "G", "3")
        screen = validation(app)
        await until(pilot, lambda: screen.gates.gates == list(GATES))
        await pilot.press("tab", "j", "enter")
        await until(pilot, lambda: isinstance(app.screen, BuildScreen) and app.screen.table.selected == "@e2e")
        assert app.desk.view is not None
        assert app.desk.view.run_id == "build-a"


async def test_without_a_run(root: Path) -> None:
    app = make_app(root, recorded.START)
    async with running(app, (100, 30)) as pilot:
        await pilot.press("3", "v", "escape", "tab")
        assert "There is no run to check." in shown(app)


async def test_hostile_names_stay_text(root: Path) -> None:
    run = recorded.finished(root, "build-a", at=recorded.START)
    (root / "build-a" / "[red]\x1b]52;c;aGk=\x07 \u202etxt").write_text("")
    app = make_app(root, run.now, "build-a")
    async with running(app, (100, 30)) as pilot:
        await pilot.press("3", "v")
        await until(pilot, lambda: "[red]" in shown(app))
        assert not {"\x1b", "\x07", "\u202e"} & set(shown(app))
