"""The user's configuration in the application: keys, themes, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.widgets import Static

from specular_tui.tui.bridge.settings import Settings, read_settings
from specular_tui.tui.look import Look
from specular_tui.tui.screens.build import BuildScreen
from specular_tui.tui.screens.dialogs.palette import PaletteDialog
from specular_tui.tui.widgets.footer import KeyFooter
from tests.tui import recorded
from tests.tui.conftest import make_app, running, until


def settings(tmp_path: Path, text: str, **environ: str) -> Settings:
    (tmp_path / "specular").mkdir(exist_ok=True)
    (tmp_path / "specular" / "config.yaml").write_text(text)
    return read_settings({"XDG_CONFIG_HOME": str(tmp_path), "LANG": "C.UTF-8", **environ})


async def test_remapped_keys_act_and_are_shown_everywhere(root: Path, tmp_path: Path) -> None:
    wanted = settings(tmp_path, "keys:\n  app.mode.checkpoints: F2\n  run.pause: [F9, p]\n  app.help: F1\n")
    assert wanted.complaints == ()
    run = recorded.half_way(root)
    app = make_app(root, run.now, run.run_id, settings=wanted)
    async with running(app, (100, 30)) as pilot:
        footer = "".join(segment.text for segment in app.screen.query_one(KeyFooter).render_line(0))
        assert "F9 Pause" in footer
        assert footer.rstrip().endswith("F1 Help")
        await pilot.press("2")
        await pilot.pause()
        assert app.current_mode == "build", "the key that it had by itself does nothing any more"
        await pilot.press("f1")
        await until(pilot, lambda: app.screen.query("#details"))
        help_text = str(app.screen.query_one("#details", Static).render())
        assert "F9 p" in help_text
        await pilot.press("escape", "f2")
        await until(pilot, lambda: app.current_mode == "checkpoints")
    run.vanish()
    app = make_app(root, run.now, run.run_id)
    async with app.run_test(size=(100, 30)) as pilot:
        await pilot.press("2")
        await until(pilot, lambda: app.current_mode == "checkpoints")


async def test_what_is_wrong_is_said_and_the_application_starts(root: Path, tmp_path: Path) -> None:
    wanted = settings(tmp_path, "theme: drakula\nkeys:\n  run.paus: x\nmous: true\n")
    app = make_app(root, recorded.START, settings=wanted)
    async with running(app, (100, 30)):
        assert app.theme == "specular-dark"
        (said,) = [note.text for note in app.said.all]
    path = f"{tmp_path}/specular/config.yaml"
    assert said.splitlines() == [
        f"{path}:4:1: unknown setting 'mous'; did you mean 'mouse'?",
        f"{path}:3:3: unknown action 'run.paus'; did you mean 'run.pause'?",
        f"{path}:1:8: unknown theme 'drakula'; did you mean 'dracula'?",
    ]
    assert list(app.settings.complaints) == said.splitlines(), "said again when the terminal is the shell's"


async def test_themes_of_textual_and_our_own(root: Path, tmp_path: Path) -> None:
    for name in ("dracula", "textual-light", "specular-light"):
        app = make_app(root, recorded.START, settings=settings(tmp_path, f"theme: {name}\n"))
        async with running(app, (80, 24)):
            assert app.theme == name


def test_the_environment_has_the_last_word_about_colours(tmp_path: Path) -> None:
    assert settings(tmp_path, "monochrome: false\n", NO_COLOR="1").look == Look(colors=False)
    assert settings(tmp_path, "monochrome: true\n").look == Look(colors=False)
    assert settings(tmp_path, "unicode: false\n").look == Look(unicode=False)
    assert settings(tmp_path, "unicode: true\n", LC_ALL="C").look == Look()
    assert settings(tmp_path, "", LC_ALL="C").look == Look(unicode=False)


async def test_a_theme_that_is_chosen_says_what_keeps_it(root: Path, tmp_path: Path) -> None:
    wanted = settings(tmp_path, "theme: specular-light\n")
    app = make_app(root, recorded.START, settings=wanted)
    async with running(app, (160, 48)) as pilot:
        await pilot.press("ctrl+p", *"theme")
        await until(pilot, lambda: isinstance(app.screen, PaletteDialog) and app.screen.settled)
        palette = app.screen
        assert isinstance(palette, PaletteDialog)
        assert palette.hits.heading(80) == []
        assert len(palette.hits._names) == len(app.available_themes), "all of them"
        await pilot.press(*" nord", "enter")
        await until(pilot, lambda: app.theme == "nord")
        await until(pilot, lambda: app.said.all)
        file = tmp_path / "specular" / "config.yaml"
        assert app.said.all[0].text == f"until you leave; 'theme: nord' in {file} keeps it"


@pytest.mark.parametrize(("said", "first"), [("true", "  1  "), ("false", "cc ")])
async def test_lines_are_numbered_from_the_start_or_not(
    root: Path, run: recorded.RecordedRun, tmp_path: Path, said: str, first: str
) -> None:
    wanted = settings(tmp_path, f"line_numbers: {said}\n")
    app = make_app(root, run.now, run.run_id, settings=wanted)
    async with running(app, (60, 30) if said == "true" else (100, 30)) as pilot:
        assert isinstance(app.screen, BuildScreen)
        view = app.screen.log_view
        line = "".join(segment.text for segment in view.render_lines(view.size.region)[2])
        assert line.strip("\n")[1:].startswith(first)
        await pilot.press("number_sign")
        assert view.numbered == (said == "false")
