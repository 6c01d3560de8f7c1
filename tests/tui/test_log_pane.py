"""The pane of the log: its search, its place at any width, and what it leaves to other programs."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from textual.events import MouseDown, MouseMove, MouseUp

from specular_tui.errors import SpecularError
from specular_tui.model import event as ev
from specular_tui.tui.app import SpecularApp
from specular_tui.tui.bridge import follower
from specular_tui.tui.outside import command_of
from specular_tui.tui.screens.build import BuildScreen
from specular_tui.tui.widgets.task import table as task_table
from tests.tui import recorded
from tests.tui.conftest import make_app, running, until
from tests.tui.terminal import Terminal


def build(app: SpecularApp) -> BuildScreen:
    assert isinstance(app.screen, BuildScreen)
    return app.screen


@pytest.mark.parametrize("size", [(160, 48), (100, 30), (60, 16)])
async def test_the_mouse_selects_what_is_under_it(root: Path, run: recorded.RecordedRun, size: tuple[int, int]) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, size) as pilot:
        await pilot.press("c")
        view = build(app).log_view
        await until(pilot, lambda: "error" in view.selected_text())
        painted = ["".join(part.text for part in strip) for strip in view.render_lines(view.size.region)]
        y = next(y for y, text in enumerate(painted) if "net/tls.c:218" in text)
        x = painted[y].index("tls.c")
        await pilot._post_mouse_events([MouseDown], view, (x, y), 1)
        await pilot._post_mouse_events([MouseMove], view, (x + 5, y), 1)
        await pilot._post_mouse_events([MouseUp], view, (x + 5, y), 1)
        assert view.selected_text() == "tls.c"
        await pilot.press("y")
        assert app.clipboard == "tls.c"


@pytest.mark.parametrize("size", [(160, 48), (100, 30), (80, 24), (60, 16)])
async def test_the_search_is_typed_at_the_log(root: Path, run: recorded.RecordedRun, size: tuple[int, int]) -> None:
    with open(root / run.run_id / "outputs" / "compile%2Fplugins.log", "a") as log:
        log.writelines(f"line {number} of plugins\n" for number in range(2000))
    app = make_app(root, run.now, run.run_id)
    async with running(app, size) as pilot:
        pane = build(app).pane
        await pilot.press("enter", "slash")
        assert pane.box.has_focus
        assert pane.region.contains_region(pane.box.region), "below the log that is searched"
        await pilot.press(*"1999")
        await until(pilot, lambda: pane.log_view.match_text == "1/1")
        await pilot.press("backspace", "backspace", "backspace", "backspace", *"plugins")
        await until(pilot, lambda: pane.log_view.match_text.endswith("/2,003"))
        await pilot.press("enter")
        assert pane.log_view.has_focus
        at = pane.log_view.match_line
        await pilot.press("N")
        assert pane.log_view.match_line == (at or 0) - 1
        await pilot.press("escape")
        assert not pane.log_view.searching
        assert not pane.box.display
        assert pane.log_view.has_focus
        await pilot.press("escape")
        assert build(app).table.has_focus


async def test_a_search_that_is_given_up_leaves_nothing(root: Path, run: recorded.RecordedRun) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        pane = build(app).pane
        await pilot.press("enter", "slash", *"cc", "escape")
        assert not pane.log_view.searching
        assert not pane.box.display
        await pilot.press("slash")
        assert pane.box.value == ""
        await pilot.press("escape", "escape")
        await pilot.press("G", "tab", "slash")
        assert not pane.box.display, "a pending task has no log"


async def test_no_other_log_comes_under_the_hands_of_somebody_who_searches(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_table, "DWELL", 0)
    run = recorded.half_way(root)
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        screen, view = build(app), app.desk.view
        assert view is not None
        assert screen.table.selected == "compile/plugins"
        await pilot.press("tab", "slash", *"plug")
        await until(pilot, lambda: screen.pane.log_view.match_text.startswith("1/"))
        run.end("compile/plugins")
        run.start("link/plugins")
        await until(pilot, lambda: "link/plugins" in view.state.running)
        await pilot.pause()
        assert screen.table.selected == "compile/plugins" == screen.pane.task_id
        await pilot.press("p")
        assert screen.pane.box.value == "plugp", "it was no command"
        await pilot.press("escape")
        await until(pilot, lambda: screen.table.selected == "link/plugins")

        run.write("link/plugins", "".join(f"line {number}\n" for number in range(99)))
        await until(pilot, lambda: screen.pane.log_view.line_count == 99)
        await pilot.press("k", "k")
        run.finish("failed", "a task failed")
        await until(pilot, lambda: not view.live)
        await pilot.pause()
        assert screen.pane.task_id == "link/plugins", "it is being read"


async def test_a_search_goes_on_in_the_log_of_the_next_attempt(root: Path, run: recorded.RecordedRun) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        pane, view = build(app).pane, app.desk.view
        assert view is not None
        await pilot.press("tab", "slash", *"plug")
        await until(pilot, lambda: pane.log_view.match_text.startswith("1/"))
        run.end("compile/plugins", "failed", exit_code=1)
        run.add(ev.TaskReset(at=run.now, task="compile/plugins", reason="retried"))
        outputs = root / run.run_id / "outputs"
        (outputs / "compile%2Fplugins.log").rename(outputs / "compile%2Fplugins.1.log")
        run.write("compile/plugins", "plugh\nplugs\nelse\n")
        run.start("compile/plugins")
        await until(pilot, lambda: "attempt 2" in pane.log_view.title)
        await until(pilot, lambda: pane.log_view.match_text.endswith("/2"))
        assert pane.box.has_focus
        await pilot.press("h")
        assert (pane.box.value, pane.log_view.match_text) == ("plugh", "1/1")


async def test_gates_alone(root: Path) -> None:
    run = recorded.finished(root, "build-a", at=recorded.START, gates=("@lint", "@tests"))
    app = make_app(root, run.now, "build-a")
    async with running(app, (100, 30)):
        table = build(app).table
        for text, rows in {":gates": 2, ":g": 2, ":gates :failed": 1, ":gates lint": 1, ":done": 19}.items():
            table.filter_text = text
            assert table.row_count == rows, text


async def test_a_new_failure_leaves_the_cursor_and_following_alone(root: Path) -> None:
    run = recorded.half_way(root)
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        screen = build(app)
        await pilot.press("g")
        selected = screen.table.selected
        run.start("test/net")
        run.end("test/net", "failed", exit_code=1, log="no route\n")
        run.add(ev.SessionEnded(at=run.now, status="failed", reason="a task failed", elapsed_ms=1))
        run.close()
        view = app.desk.view
        await until(pilot, lambda: view is not None and not view.live)
        assert screen.table.selected == selected
        assert screen.log_view.follow
        assert screen.table.sort == "state", "failures stand first at the end"


def test_which_program() -> None:
    assert command_of("pager", {"PAGER": "less -S"}) == ["less", "-S"]
    assert command_of("editor", {"EDITOR": "vi", "VISUAL": "code --wait"}) == ["code", "--wait"]
    with pytest.raises(SpecularError, match="cannot be read"):
        command_of("editor", {"EDITOR": "vi 'oops"})
    with pytest.raises(SpecularError, match="there is no editor here"):
        command_of("editor", {"PATH": "/nowhere"})


@pytest.mark.parametrize(("key", "variable"), [("v", "PAGER"), ("e", "VISUAL")])
def test_a_log_in_another_program(tmp_path: Path, key: str, variable: str) -> None:
    run = recorded.half_way(tmp_path / ".specular" / "checkpoints")
    run.recorder.flush()
    program = tmp_path / "show"
    program.write_text('#!/bin/sh\necho "SHOWN: $(stat -c %a "$1") $(tail -n 1 "$1")"\nread answer\n')
    program.chmod(0o700)
    with Terminal([], tmp_path, env={variable: str(program)}) as terminal:
        terminal.until(b"plugins/gamma.c")
        terminal.press(key)
        terminal.until(b"SHOWN: ")
        terminal.until(b"cc plugins/gamma.c\r\n")
        mode = b"SHOWN: 400 " if key == "e" else b"SHOWN: 600 "
        assert mode in terminal.output, "an editor gets a copy, which cannot be written to"
        assert terminal.left_on == set(), "the program has the terminal as the shell has it"
        terminal.output = b""
        terminal.press("\x03")
        terminal.until(b"plugins/gamma.c")
        assert {"?1049", "stty"} <= terminal.left_on, "Ctrl+C has ended the program alone"
        terminal.press("q")
        assert terminal.end() == 0
    logs = tmp_path / ".specular" / "checkpoints" / run.run_id / "outputs"
    assert all(stat.S_IMODE(os.stat(path).st_mode) == 0o600 for path in logs.glob("*.log"))
    run.vanish()


@pytest.mark.parametrize(("key", "variable"), [("v", "PAGER"), ("e", "VISUAL")])
def test_a_program_that_is_not_there_is_told_of_on_the_screen(tmp_path: Path, key: str, variable: str) -> None:
    run = recorded.half_way(tmp_path / ".specular" / "checkpoints")
    run.recorder.flush()
    with Terminal([], tmp_path, size=(160, 48), env={variable: "/nowhere/at-all"}) as terminal:
        terminal.until(b"plugins/gamma.c")
        terminal.output = b""
        terminal.press(key)
        terminal.until(b"cannot start '/nowhere/at-all'")
        assert {"?1049", "stty"} <= terminal.left_on, "the application is back"
        terminal.press("q")
        assert terminal.end() == 0
        assert terminal.left_on == set()
    run.vanish()


@pytest.mark.parametrize(("size", "lines"), [((160, 48), 5), ((100, 30), 4), ((80, 24), 3), ((60, 16), 1)])
async def test_at_the_end_the_failures_are_told_with_their_last_lines(
    root: Path, size: tuple[int, int], lines: int
) -> None:
    run = recorded.RecordedRun(root)
    run.begin()
    for number, task in enumerate(["gen/parser", "deps/install", "docs/html", "test/net", "test/ui"], 1):
        run.start(task)
        run.wait(1)
        run.end(task, "failed", exit_code=number, log=f"cc {task}\nerror {number}\n")
    run.finish("failed", "a task failed")
    app = make_app(root, run.now, run.run_id)
    async with running(app, size) as pilot:
        screen = build(app)
        await until(pilot, lambda: "error 1" in str(screen.notice.render()))
        said = str(screen.notice.render()).splitlines()[:lines]
        assert said[0].startswith("✗ gen/parser failed (exit 1): error 1")
        assert screen.notice.content_size.height == lines + (lines > 1)
        if lines > 1:
            assert [line.split()[1] for line in said] == [
                "gen/parser",
                "deps/install",
                "docs/html",
                "test/net",
                "test/ui",
            ][:lines]
            assert all(f": error {number}" in line for number, line in enumerate(said, 1))
            below = str(screen.notice.render()).splitlines()[lines]
            assert below.startswith(f"and {5 - lines} more" if lines < 5 else "n N ")
            assert below.endswith("R all again")
            await pilot.click(screen.notice, offset=(5, 2))
            await until(pilot, lambda: screen.table.selected == "docs/html")
            await pilot.click(screen.notice, offset=(5, lines))
            await pilot.press("c")
            assert screen.log_view.selected_text() == "error 3", "of the task under the cursor"


async def test_the_line_that_says_why_it_failed(root: Path, run: recorded.RecordedRun) -> None:
    run.start("test/net")
    noise = "".join(f"ok {number}\n" for number in range(400))
    run.end("test/net", "failed", exit_code=1, log=f"{noise}E   AssertionError: no route\n{noise}1 failed\n")
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        screen = build(app)
        await pilot.press("c")
        await until(pilot, lambda: "error" in screen.log_view.selected_text())
        assert screen.table.selected == "compile/net", "what failed first, where the cursor is on nothing that failed"
        assert "too few arguments" in screen.log_view.selected_text()
        screen.table.select("test/net")
        await pilot.press("c")
        await until(pilot, lambda: screen.log_view.selected_text() == "E   AssertionError: no route")
        assert screen.log_view.has_focus
        assert not screen.log_view.follow
        shown = app.export_screenshot().replace("&#160;", " ")
        assert "AssertionError: no route" in shown
        assert " of 802" in shown, "where it is"
        await pilot.press("g")
        await pilot.press("c")
        await until(pilot, lambda: screen.log_view.selected_text() == "E   AssertionError: no route")


@pytest.mark.parametrize("patience", [5, 0])
async def test_the_log_of_a_failed_task_is_opened_at_the_line_that_says_why(
    root: Path, run: recorded.RecordedRun, patience: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "PATIENCE", patience)
    run.start("test/net")
    noise = "".join(f"cleaning up unit {number}\n" for number in range(400))
    run.end("test/net", "failed", exit_code=1, log=f"E   AssertionError: no route\n{noise}")
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        screen = build(app)
        screen.table.select("test/net")
        await until(pilot, lambda: screen.log_view.selected_text() == "E   AssertionError: no route")
        assert not screen.log_view.follow
        assert "AssertionError: no route" in app.export_screenshot().replace("&#160;", " ")
        screen.table.select("compile/plugins")
        await until(pilot, lambda: screen.pane.task_id == "compile/plugins" and screen.log_view.follow)


async def test_a_log_that_says_no_reason_is_not_passed_off_as_saying_one(root: Path) -> None:
    run = recorded.RecordedRun(root)
    run.begin()
    run.start("gen/parser", "deps/install")
    run.wait(1)
    run.end("gen/parser", "failed", exit_code=1, log="".join(f"unit {number}\n" for number in range(200_000)))
    run.wait(1)
    run.end("deps/install", "failed", exit_code=1, log="one\ntwo\n")
    run.finish("failed", "a task failed")
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        screen = build(app)
        said = "✗ gen/parser failed (exit 1), last line: unit 199999"
        await until(pilot, lambda: said in str(screen.notice.render()))
        await pilot.press("c")
        await until(pilot, lambda: app.said.shown)
        assert app.said.shown is not None
        assert app.said.shown.text == "the last 1.0 MB of its log do not say why: / searches all of it"
        assert screen.log_view.follow
        screen.table.select("deps/install")
        await pilot.press("c")
        await until(pilot, lambda: app.said.all[0].text == "its log does not say why: this is its end")
        assert app.said.all[0].count == 1
        await pilot.press("c")
        await until(pilot, lambda: app.said.all[0].count == 2)
