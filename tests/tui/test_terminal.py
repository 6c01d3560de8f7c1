"""The application on real terminals: how it leaves them, slow ones, lost ones, and those it does not run on."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.tui import recorded
from tests.tui.terminal import Terminal

#: A program that is the application with an error in it.
CRASHING = """
import sys
from specular_tui.__main__ import main
from specular_tui.tui.screens.mode import ModeScreen
def broken(self):
    raise ValueError("the [red]moon[/] is \\x1b[31m missing")
ModeScreen.action_pause = broken
sys.argv[0] = "specular"
main()
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    """A folder with a live build."""
    run = recorded.half_way(tmp_path / ".specular" / "checkpoints")
    run.recorder.flush()
    yield tmp_path
    run.vanish()


def opened(project: Path, **options: object) -> Terminal:
    terminal = Terminal([], project, **options)  # type: ignore[arg-type]
    terminal.until(b"plugins/gamma.c")
    return terminal


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129), (signal.SIGINT, 130)], ids=["TERM", "HUP", "INT"]
)
def test_a_signal_leaves_the_terminal_clean(project: Path, number: int, code: int) -> None:
    with opened(project) as terminal:
        assert {"?1049", "?1000", "?1003", "?1006", "?1004", "?2004", "?25", "kitty", "stty"} <= terminal.left_on
        terminal.process.send_signal(number)
        assert terminal.end() == code
        assert terminal.left_on == set()
        assert "specular_tui dashboard build-2024-01-15T10-30-45" in terminal.last_words, "the build goes on"


def test_leaving_says_how_to_come_back(project: Path) -> None:
    with opened(project) as terminal:
        terminal.press("q")
        assert terminal.end() == 0
        assert terminal.left_on == set()
        assert "specular_tui dashboard build-2024-01-15T10-30-45" in terminal.last_words


def test_a_crash_says_where_the_traceback_is(project: Path) -> None:
    with opened(project, program=[sys.executable, "-c", CRASHING]) as terminal:
        terminal.press("p")
        assert terminal.end() == 1
        assert terminal.left_on == set()
        first, second, *_ = terminal.last_words.strip().splitlines()
    assert first == "specular: internal error: ValueError: the [red]moon[/] is ·[31m missing"
    assert "the traceback is in" in second
    (kept,) = (project / "state" / "specular").iterdir()
    assert str(kept) in second
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "ValueError: the [red]moon" in kept.read_text()


def test_to_the_shell_and_back(project: Path) -> None:
    with opened(project) as terminal:
        terminal.press("\x1a")
        terminal.until(lambda: os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED | os.WNOHANG) is not None)
        terminal.read()
        assert terminal.left_on == set(), "the shell has its terminal as it was"
        terminal.output = b""
        terminal.process.send_signal(signal.SIGCONT)
        terminal.until(b"plugins/gamma.c")
        assert {"?1049", "?1000", "stty"} <= terminal.left_on
        terminal.press("q")
        assert terminal.end() == 0
        assert terminal.left_on == set()


def test_it_ends_when_its_terminal_is_gone_even_if_nobody_says_so(project: Path) -> None:
    with opened(project, ignore=(signal.SIGHUP,)) as terminal:
        os.close(terminal.slave)
        os.close(terminal.master)
        terminal.master = terminal.slave = -1
        terminal.process.wait(20)
        assert terminal.process.returncode == 129


def test_a_terminal_that_takes_nothing_keeps_nobody_from_ending_it(project: Path) -> None:
    with opened(project, size=(300, 80)) as terminal:
        for _ in range(60):
            terminal.press("12")
            time.sleep(0.02)
        time.sleep(0.5)
        terminal.process.send_signal(signal.SIGTERM)
        terminal.process.wait(20)
        assert terminal.process.returncode == 143


def test_what_a_slow_terminal_has_missed_is_painted_once(project: Path) -> None:
    with opened(project) as terminal:
        for _ in range(40):
            terminal.press("21")
        terminal.press("2")
        time.sleep(1.5)
        terminal.until(b"process works on it")
        assert len(terminal.read(0.3)) < 200_000
        terminal.press("q")
        assert terminal.end() == 0


@pytest.mark.parametrize("size", [(10, 5), (1, 1), (60, 16)])
def test_any_size_and_storms_of_sizes(project: Path, size: tuple[int, int]) -> None:
    with opened(project) as terminal:
        for number in range(100):
            terminal.resize(*(size if number % 2 else (40 + number, 10 + number % 30)))
            terminal.read(0.001)
        terminal.resize(100, 30)
        terminal.output = b""
        terminal.press("2")
        terminal.until(b"process works on it")
        terminal.press("q")
        assert terminal.end() == 0
        assert terminal.left_on <= {"?1004"}  # it was turned on before `output` was emptied


def test_without_unicode_and_colours_no_byte_is_left_of_them(project: Path) -> None:
    with opened(project, env={"LC_ALL": "C", "NO_COLOR": "1"}) as terminal:
        for keys in ("?", "\x1b", "\x10", "\x1b", "2", "3", "v", "1", "G", "n", "X", "\x1b"):
            terminal.press(keys)
            terminal.read(0.3)
        terminal.press("q")
        assert terminal.end() == 0
        assert terminal.output.isascii()
        colours = rb"\x1b\[[0-9;]*[34]8;[0-9;]*m|\x1b\[(?:[0-9;]*;)?(?:3|4|9|10)[0-7][0-9;]*m"
        assert re.findall(colours, terminal.output) == []


def test_what_is_wrong_with_the_configuration_is_said_at_the_end_too(project: Path) -> None:
    (project / "config" / "specular").mkdir(parents=True)
    (project / "config" / "specular" / "config.yaml").write_text("mouse: false\nkeys:\n  run.paus: p\n")
    with opened(project) as terminal:
        assert not terminal.left_on & {"?1000", "?1003"}, "no mouse"
        terminal.press("q")
        assert terminal.end() == 0
        assert "config.yaml:3:3: unknown action 'run.paus'; did you mean 'run.pause'?" in terminal.last_words


def test_no_terminal_to_speak_of(project: Path) -> None:
    with Terminal([], project, env={"TERM": "dumb"}) as terminal:
        assert terminal.end() == 2
        assert "needs a terminal that can move its cursor" in terminal.output.decode()
        assert b"\x1b" not in terminal.output


@pytest.mark.parametrize("focus", ["\x1b[O", "", "\x1b[I"], ids=["elsewhere", "unknown", "here"])
def test_the_end_is_told_aloud_where_nobody_looks(tmp_path: Path, focus: str) -> None:
    run = recorded.half_way(tmp_path / ".specular" / "checkpoints")
    run.recorder.flush()
    with opened(tmp_path) as terminal:
        terminal.press(focus)
        terminal.read(0.3)
        run.end("compile/plugins", log="cc plugins/*.c\n")
        run.finish("failed", "a task failed")
        terminal.until(b"FAILED")
        terminal.press("q")
        assert terminal.end() == 0
        aloud = re.search(rb"\x07\x1b\]9;Specular: orbit failed after [0-9ms]+: 1 task\x07", terminal.output)
        assert bool(aloud) == (focus != "\x1b[I")


def test_keys_that_are_typed_ahead_go_where_they_should(project: Path) -> None:
    with opened(project) as terminal:
        terminal.press("\t/gamma\r")
        terminal.until(b"1/1")
        terminal.press("q")
        assert terminal.end() == 0
