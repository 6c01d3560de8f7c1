"""The log view in a small host: what is painted of logs that grow, turn, break and end."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import pytest
from rich.style import Style
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.events import MouseDown, MouseMove, MouseScrollDown, MouseScrollUp, MouseUp
from textual.pilot import Pilot
from textual.strip import Strip
from textual.timer import Timer

from specular_tui.model.cause import Cause
from specular_tui.store.logs.file import LogFile
from specular_tui.tui.terminal.frames import BEAT
from specular_tui.tui.theme import tokens
from specular_tui.tui.widgets.log.text import broken, index_at, occurrences
from specular_tui.tui.widgets.log.view import LogView

STYLES = Path(__file__).parents[2] / "styles"


class View(LogView):
    BINDINGS: ClassVar[list[BindingType]] = [
        ("j,down", "cursor_down"),
        ("k,up", "cursor_up"),
        ("g,home", "go_top"),
        ("G,end", "go_bottom"),
        ("ctrl+d", "half_page_down"),
        ("ctrl+u", "half_page_up"),
        ("pagedown", "page_down"),
        ("pageup", "page_up"),
        ("l,right", "scroll_right"),
        ("h,left", "scroll_left"),
        ("f", "toggle_follow"),
        ("w", "toggle_wrap"),
        ("number_sign", "toggle_numbers"),
        ("n", "next_match"),
        ("N", "previous_match"),
        ("y", "copy"),
        ("shift+up", "select_up"),
        ("shift+down", "select_down"),
    ]


class Host(App[None]):
    CSS_PATH: ClassVar = [STYLES / "log_view.tcss"]

    def __init__(self) -> None:
        super().__init__()
        self.view = View()
        self.follows: list[bool] = []

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return tokens(self.current_theme)

    def compose(self) -> ComposeResult:
        yield self.view

    def on_mount(self) -> None:
        self.view.focus()

    def on_log_view_follow_changed(self, message: LogView.FollowChanged) -> None:
        self.follows.append(message.follow)


class TypedAt(Host):
    """An application that knows when the last key came."""

    typed_at = 0.0


def painted(app: Host) -> list[str]:
    return ["".join(segment.text for segment in strip).rstrip() for strip in strips(app)]


def strips(app: Host) -> list[Strip]:
    return app.view.render_lines(app.view.size.region)


def styles(app: Host, y: int) -> list[tuple[str, Style]]:
    return [(segment.text, segment.style or Style()) for segment in strips(app)[y]]


async def until(pilot: Pilot[None], wanted: Callable[[], bool]) -> None:
    for _ in range(300):
        if wanted():
            return
        await pilot.pause(0.01)
    raise AssertionError("it did not come to be")


async def settle(pilot: Pilot[None]) -> None:
    await pilot.pause()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "task.log"


def numbered(path: Path, count: int) -> Path:
    path.write_bytes(b"".join(b"line %d\n" % n for n in range(count)))
    return path


def more(path: Path, data: bytes) -> None:
    with path.open("ab") as out:
        out.write(data)


async def test_it_opens_at_the_end(log: Path) -> None:
    app = Host()
    async with app.run_test(size=(60, 11)) as pilot:
        app.view.show(LogFile(numbered(log, 1234)), title="api/unit")
        await settle(pilot)
        lines = painted(app)
        assert lines[0].startswith("api/unit ")
        assert lines[0].endswith("1,234 lines   11 KB")
        assert [line.rstrip("▐ ") for line in lines[1:]] == [f"line {n}" for n in range(1224, 1234)]
        assert lines[-1].endswith("▐")


async def test_a_short_log_stands_at_the_top(log: Path) -> None:
    app = Host()
    async with app.run_test(size=(60, 11)) as pilot:
        app.view.show(LogFile(numbered(log, 3)), title="t")
        await pilot.press("k", "g", "pageup")
        await settle(pilot)
        assert painted(app)[1:] == ["line 0", "line 1", "line 2", *[""] * 7]
        assert app.view.follow


async def test_following(log: Path) -> None:
    app = Host()
    async with app.run_test(size=(60, 11)) as pilot:
        view = app.view
        view.show(LogFile(numbered(log, 100)), title="t")
        await settle(pilot)
        more(log, b"new\n")
        view.poll()
        await settle(pilot)
        assert "new" in painted(app)[10]
        await pilot.press("k")
        assert not view.follow
        before = [line.rstrip("▐ ") for line in painted(app)[1:10]]
        more(log, b"more\n" * 412)
        view.poll()
        await until(pilot, lambda: view.new_lines == 412)
        assert [line.rstrip("▐ ") for line in painted(app)[1:10]] == before
        assert "412 new lines ↓" in painted(app)[10]
        await pilot.press("G")
        assert view.follow
        assert painted(app)[10].startswith("more")
        assert "new lines" not in painted(app)[10]
        await pilot.press("f")
        assert not view.follow
        assert painted(app)[10].startswith("more")
        await pilot.press("f")
        assert app.follows == [False, True, False, True]


async def test_growth_alone_never_turns_following_off(log: Path) -> None:
    app = Host()
    async with app.run_test(size=(60, 11)) as pilot:
        app.view.show(LogFile(numbered(log, 2)), title="t")
        for _ in range(20):
            more(log, b"x\n" * 100)
            app.view.poll()
            await pilot.pause()
        await pilot.press("j", "pagedown", "G", "w")
        await pilot.resize_terminal(30, 5)
        await settle(pilot)
        assert app.view.follow
        assert app.follows == []


async def test_scrolling_back_to_the_end_follows_again(log: Path) -> None:
    app = Host()
    async with app.run_test(size=(60, 11)) as pilot:
        app.view.show(LogFile(numbered(log, 100)), title="t")
        await settle(pilot)
        await pilot._post_mouse_events([MouseScrollUp], app.view, (5, 5), 0)
        await settle(pilot)
        assert not app.view.follow
        assert painted(app)[1].startswith("line 87")
        for _ in range(2):
            await pilot._post_mouse_events([MouseScrollDown], app.view, (5, 5), 0)
        await settle(pilot)
        assert app.view.follow


async def test_it_looks_once_a_second_where_nobody_says_that_it_grew(log: Path) -> None:
    app = Host()
    async with app.run_test(size=(60, 11)) as pilot:
        app.view.show(LogFile(numbered(log, 2)), title="t")
        await settle(pilot)
        more(log, b"unannounced\n")
        app.view.tick()
        await until(pilot, lambda: "unannounced" in painted(app)[3])


async def test_many_polls_are_one_look(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = LogFile(numbered(log, 2))
    app = Host()
    async with app.run_test(size=(60, 11)) as pilot:
        app.view.show(source, title="t")
        await settle(pilot)
        looks: list[int] = []
        poll = source.poll

        def counting() -> str:
            looks.append(1)
            return poll()

        monkeypatch.setattr(source, "poll", counting)
        for _ in range(1000):
            app.view.poll()
        await settle(pilot)
        assert len(looks) == 1


async def test_a_key_that_has_just_come_is_painted_before_the_log(log: Path) -> None:
    app = TypedAt()
    async with app.run_test(size=(60, 11)) as pilot:
        app.view.show(LogFile(numbered(log, 2)), title="t")
        await settle(pilot)
        more(log, b"the next\n")
        app.typed_at = time.monotonic()

        app.view._look()

        assert app.view.line_count == 2
        await until(pilot, lambda: app.view.line_count == 3)


async def test_somebody_who_goes_on_typing_sees_the_log_grow(log: Path) -> None:
    app = TypedAt()
    async with app.run_test(size=(60, 11)) as pilot:
        app.view.show(LogFile(numbered(log, 2)), title="t")
        await settle(pilot)
        more(log, b"the next\n")
        app.typed_at = time.monotonic() + 3600

        app.view._look()
        app.view._look()

        assert app.view.line_count == 3


async def test_a_log_that_races_is_painted_half_as_often(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = Host()
    async with app.run_test(size=(60, 11)) as pilot:
        app.view.show(LogFile(numbered(log, 2)), title="t")
        await settle(pilot)
        waits: list[float] = []
        set_timer = app.view.set_timer

        def noted(delay: float, *args: Any, **kwargs: Any) -> Timer:
            if kwargs.get("name") == "log-view-frame":
                waits.append(delay)
            return set_timer(delay, *args, **kwargs)

        monkeypatch.setattr(app.view, "set_timer", noted)
        for lines in (1, 20, 1):
            more(log, b"x\n" * lines)
            app.view._look()
            assert app.view._looking is not None
            app.view._looking.stop()
            app.view._looking = None

        assert [wait > BEAT for wait in waits] == [False, True, False]


async def test_a_million_lines_are_there_at_once(log: Path) -> None:
    log.write_bytes(b"".join(b"%07d some words of output\n" % n for n in range(1_000_000)))
    app = Host()
    async with app.run_test(size=(60, 11)) as pilot:
        app.view.show(LogFile(log), title="t")
        await pilot.pause()
        assert painted(app)[10].startswith("0999999")
        await pilot.press("k", "k", "k")
        assert painted(app)[10].startswith("0999996")
        await until(pilot, lambda: app.view.line_count == 1_000_000)
        await settle(pilot)
        assert painted(app)[10].startswith("0999996")
        assert "of 1,000,000 " in painted(app)[0]
        assert app.view.new_lines == 0
        await pilot.press("g")
        assert painted(app)[1].startswith("0000000")
        await pilot.press("pagedown", "j")
        assert painted(app)[1].startswith("0000010")
        await pilot.press("G")
        assert painted(app)[10].startswith("0999999")


async def test_progress_is_rendered_in_place(log: Path) -> None:
    log.write_bytes(b"start\n10%")
    app = Host()
    async with app.run_test(size=(60, 11)) as pilot:
        app.view.show(LogFile(log), title="t")
        await settle(pilot)
        assert painted(app)[2] == "10%"
        more(log, b"\r20%\r\x1b[32m100%\x1b[0m")
        app.view.poll()
        await settle(pilot)
        assert painted(app)[2] == "100%"
        more(log, b"\rdone\nnext\n")
        app.view.poll()
        await settle(pilot)
        assert painted(app)[1:4] == ["start", "done", "next"]


async def test_colours_are_kept_and_carried(log: Path) -> None:
    log.write_bytes(b"\x1b[31mred\nstill\x1b[0m\nplain \x1b[1;38;5;208mbold\x1b[0m\n" + b"x\n" * 50)
    app = Host()
    async with app.run_test(size=(60, 6)) as pilot:
        app.view.show(LogFile(log), title="t")
        await settle(pilot)
        await pilot.press("g", "j")
        plain = styles(app, 3)[0][1]
        text, style = styles(app, 1)[0]
        assert text == "still"
        assert style.color is not None
        assert style.color.triplet is not None
        red, green, blue = style.color.triplet
        assert red > max(green, blue)
        text, style = styles(app, 2)[1]
        assert (text, style.bold, plain.bold) == ("bold", True, None)
        assert style.color != plain.color
        assert style.bgcolor is not None


async def test_without_colour_only_shapes_of_letters_are_kept(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    log.write_bytes(b"plain\n\x1b[1;31mred\x1b[0m\n")
    app = Host()
    async with app.run_test(size=(60, 6)) as pilot:
        app.view.show(LogFile(log), title="t")
        await settle(pilot)
        text, style = styles(app, 2)[0]
        assert (text, style.bold) == ("red", True)
        assert style.color == styles(app, 1)[0][1].color


async def test_nothing_in_a_log_reaches_the_terminal_as_a_command(log: Path) -> None:
    log.write_bytes(
        b"\x1b]52;c;aGk=\x07copy\n\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\\n\xc2\x9b2Jc1\n[/x][@click=app.quit]markup\n\x1bP1$r\x1b\\dcs\n"
    )
    app = Host()
    async with app.run_test(size=(60, 8)) as pilot:
        app.view.show(LogFile(log), title="[/x]\x1b[2J")
        await settle(pilot)
        assert painted(app)[0].startswith("[/x]·[2J")
        assert painted(app)[1:6] == ["copy", "link", "c1", "[/x][@click=app.quit]markup", "dcs"]
        rendered = "".join(strip.render(app.console) for strip in strips(app))
        for command in ("\x1b]", "\x9b", "\x1b[2J", "\x1bP"):
            assert command not in rendered


async def test_wrap(log: Path) -> None:
    log.write_bytes(b"start\n" + b"".join(b"%03d" % n for n in range(100)) + b"\nend\n")
    app = Host()
    async with app.run_test(size=(61, 11)) as pilot:
        app.view.show(LogFile(log), title="t")
        await settle(pilot)
        assert painted(app)[2].endswith("018019›")
        await pilot.press("w")
        await settle(pilot)
        lines = painted(app)
        assert "wrap" in lines[0]
        assert lines[1] == "start"
        assert [line[:3] for line in lines[2:7]] == ["000", "020", "040", "060", "080"]
        assert lines[7] == "end"
        await pilot.resize_terminal(61, 5)
        await settle(pilot)
        assert [line[:3] for line in painted(app)[1:]] == ["040", "060", "080", "end"]
        await pilot.press("k")
        assert [line[:3] for line in painted(app)[1:]] == ["020", "040", "060", "080"]
        await pilot.press("k", "k", "k", "k")
        assert painted(app)[1].startswith("start")
        await pilot.press("j", "j")
        assert painted(app)[1].startswith("020")
        await pilot.press("j", "j")
        assert app.view.follow


async def test_long_lines_scroll_sideways(log: Path) -> None:
    log.write_bytes(b"0123456789" * 20 + b"\n" + "日本語".encode() * 40 + b"\n")
    app = Host()
    async with app.run_test(size=(41, 5)) as pilot:
        app.view.show(LogFile(log), title="t")
        await settle(pilot)
        await pilot.press("l")
        assert painted(app)[1].startswith("8901")
        assert painted(app)[2].startswith("本語日")
        assert len(painted(app)[1]) == 40 + len("›")
        await pilot.press("h", "h")
        assert painted(app)[1].startswith("0123")


async def test_search_goes_through_the_whole_log(log: Path) -> None:
    log.write_bytes(b"".join((b"an Error in %d\n" if n % 1000 == 500 else b"line %d\n") % n for n in range(10_000)))
    app = Host()
    async with app.run_test(size=(60, 11)) as pilot:
        view = app.view
        view.show(LogFile(log), title="t")
        await settle(pilot)
        view.search("error")
        await until(pilot, lambda: "10/10" in view.match_text)
        assert view.match_line == 9500
        assert not view.follow
        y = next(y for y, line in enumerate(painted(app)) if "Error in 9500" in line)
        marked = [(text, style) for text, style in styles(app, y) if text == "Error"]
        assert len(marked) == 1
        assert marked[0][1].bgcolor != styles(app, y)[0][1].bgcolor
        await pilot.press("n")
        assert view.match_line == 500
        assert "1/10" in painted(app)[0]
        assert any("Error in 500" in line for line in painted(app))
        await pilot.press("n", "n", "N")
        assert view.match_line == 1500
        await pilot.press("y")
        assert app.clipboard == "an Error in 1500"
        view.search("nowhere to be found")
        await until(pilot, lambda: view.match_text == "no match")
        await pilot.press("n")
        view.search("")
        assert not view.searching
        await settle(pilot)


async def test_search_goes_on_as_the_log_grows(log: Path) -> None:
    app = Host()
    async with app.run_test(size=(60, 11)) as pilot:
        app.view.show(LogFile(numbered(log, 50)), title="t")
        await settle(pilot)
        app.view.search("line 4")
        await until(pilot, lambda: app.view.match_text == "11/11")
        more(log, b"line 4 again\n")
        app.view.poll()
        await until(pilot, lambda: app.view.match_text == "11/12")


async def test_selecting_with_the_mouse_and_copying(log: Path) -> None:
    app = Host()
    async with app.run_test(size=(60, 11)) as pilot:
        view = app.view
        view.show(LogFile(numbered(log, 5)), title="t")
        await settle(pilot)
        await pilot.press("y")
        assert app.clipboard == "line 0\nline 1\nline 2\nline 3\nline 4"
        await pilot._post_mouse_events([MouseDown], view, (2, 2), 1)
        await pilot._post_mouse_events([MouseMove], view, (4, 4), 1)
        await pilot._post_mouse_events([MouseUp], view, (4, 4), 1)
        assert view.selected_text() == "ne 1\nline 2\nline"
        assert [text for text, style in styles(app, 2)][:2] == ["li", "ne 1"]
        await pilot.press("y")
        assert app.clipboard == "ne 1\nline 2\nline"
        assert view.clear_selection()
        await pilot.click(view, offset=(3, 3), times=2)
        assert view.selected_text() == "line 2"


async def test_lines_are_numbered_where_there_is_room(log: Path) -> None:
    log.write_text("one\n" + "x" * 100 + "\nthree\n")
    app = Host()
    async with app.run_test(size=(70, 8)) as pilot:
        app.view.show(LogFile(log), title="t")
        await settle(pilot)
        assert painted(app)[1:] == ["  1  one", "  2  " + "x" * 64 + "›", "  3  three", *[""] * 4]
        await pilot.press("w")
        assert painted(app)[1:5] == ["  1  one", "  2  " + "x" * 64, "     " + "x" * 36, "  3  three"]
        await pilot.press("w", "l")
        assert painted(app)[1:3] == ["  1", "  2  " + "x" * 64 + "›"]
        await pilot.press("h", "number_sign")
        assert painted(app)[1:3] == ["one", "x" * 69 + "›"]
        await pilot.press("number_sign")
        assert painted(app)[1] == "  1  one"


async def test_a_narrow_log_is_numbered_where_that_is_asked_for(log: Path) -> None:
    app = Host()
    async with app.run_test(size=(60, 5)) as pilot:
        app.view.show(LogFile(numbered(log, 2)), title="t")
        await settle(pilot)
        assert painted(app)[1:3] == ["line 0", "line 1"]
        await pilot.press("number_sign")
        assert painted(app)[1:3] == ["  1  line 0", "  2  line 1"]
        await pilot.resize_terminal(22, 5)
        await settle(pilot)
        assert painted(app)[1] == "line 0"


async def test_a_number_is_said_when_it_is_known(log: Path) -> None:
    app = Host()
    log.write_bytes(b"x" * 49 + b"\n")
    log.write_bytes(log.read_bytes() * 200_000)
    source = LogFile(log)
    async with app.run_test(size=(80, 5)) as pilot:
        view = app.view
        # As long as somebody else has the processor.
        source.advance = lambda budget: source.ready  # type: ignore[method-assign]
        view.show(source, title="t")
        await settle(pilot)
        assert not source.ready
        assert painted(app)[0].endswith("counting 0 %")
        assert [line.strip("▐ ") for line in painted(app)[1:]] == ["x" * 49] * 4
        del source.advance
        view._work()
        await until(pilot, lambda: source.ready)
        await settle(pilot)
        assert painted(app)[4].startswith("200000  xxx")


async def test_numbers_are_neither_selected_nor_copied(log: Path) -> None:
    log.write_text("first line\n日本語 text\nthird line\n")
    app = Host()
    async with app.run_test(size=(80, 8)) as pilot:
        view = app.view
        view.show(LogFile(log), title="t")
        await settle(pilot)
        await pilot.press("y")
        assert app.clipboard == "first line\n日本語 text\nthird line"
        for start, end, text in (
            ((7, 1), (9, 3), "rst line\n日本語 text\nthir"),
            ((1, 1), (10, 1), "first"),
            ((7, 2), (5 + 8, 2), "本語 t"),
        ):
            await pilot._post_mouse_events([MouseDown], view, start, 1)
            await pilot._post_mouse_events([MouseMove], view, end, 1)
            await pilot._post_mouse_events([MouseUp], view, end, 1)
            assert view.selected_text() == text
        await pilot.click(view, offset=(1, 3), times=2)
        assert view.selected_text() == "third line"


async def test_selecting_with_the_keyboard(log: Path) -> None:
    app = Host()
    async with app.run_test(size=(60, 6)) as pilot:
        app.view.show(LogFile(numbered(log, 50)), title="t")
        await settle(pilot)
        await pilot.press("shift+up", "shift+up")
        assert app.view.selected_text() == "line 48\nline 49\n"
        await pilot.press(*["shift+up"] * 8)
        assert app.view.selected_text().startswith("line 40\n")
        assert painted(app)[1].startswith("line 40")


async def test_a_placeholder_stands_in_for_a_log(log: Path) -> None:
    app = Host()
    async with app.run_test(size=(60, 8)) as pilot:
        app.view.show(None, title="publish", placeholder="waits for\n  [/x] lint\x1b[2J")
        await pilot.press("k", "j", "g", "G", "n", "w", "w", "f", "y", "l", "shift+up")
        await settle(pilot)
        lines = painted(app)
        assert lines[0] == "publish"
        assert lines[2:4] == ["waits for", "  [/x] lint·[2J"]
        app.view.show(None, title="publish", placeholder=Content.assemble("waits for ", ("lint", "bold")))
        await settle(pilot)
        assert painted(app)[2] == "waits for lint"
        log.write_bytes(b"")
        app.view.show(LogFile(log), title="publish", placeholder="nothing printed yet")
        await settle(pilot)
        assert painted(app)[2] == "nothing printed yet"
        more(log, b"first\n")
        app.view.poll()
        await settle(pilot)
        assert painted(app)[1] == "first"


async def test_the_line_that_says_why_is_found_far_from_the_end(log: Path) -> None:
    app = Host()
    async with app.run_test(size=(60, 8)) as pilot:
        log.write_bytes(b"a.c:1:2: error: x\n" + b"go on\n" * 15_000 + b"make: *** [a.o] Error 1\n")
        app.view.show(LogFile(log), title="cc")
        await settle(pilot)
        app.view.show_cause(Cause(0, "a.c:1:2: error: x", below=15_001))
        assert app.view.selected_text() == "a.c:1:2: error: x"


@pytest.mark.parametrize("wrap", [False, True])
async def test_what_stood_at_its_end_stays_there_in_any_size(log: Path, wrap: bool) -> None:
    app = Host()
    async with app.run_test(size=(60, 10)) as pilot:
        log.write_bytes(b"cc one\ncc two\ncc three\ncc four\na.c:1:2: error: x\nmake: ***\nover\n")
        view = app.view
        view.wrap = wrap
        view.show(LogFile(log), title="cc")
        await settle(pilot)
        view.show_cause(Cause(0, "a.c:1:2: error: x", below=2), asked=False)
        await settle(pilot)
        assert not view.follow, "nobody asked for the end"
        assert "cc one" in painted(app)[1]
        for size in ((40, 5), (60, 7), (30, 6)):
            await pilot.resize_terminal(*size)
            await settle(pilot)
            assert "over" in painted(app)[-1], size
            assert any("error: x" in line for line in painted(app))
        await pilot.resize_terminal(40, 3)
        await settle(pilot)
        assert any("error: x" in line for line in painted(app)), "what says why stays on the screen"
        view.action_go_top()
        await settle(pilot)
        await pilot.resize_terminal(40, 4)
        await settle(pilot)
        assert "cc one" in painted(app)[1], "what did not stand at its end stays where it stands"


async def test_lines_that_are_still_being_counted_are_no_new_ones(log: Path) -> None:
    log.write_bytes(b"a line of some length, so that counting takes more than a moment\n" * 1_000_000)
    source = LogFile(log)
    app = Host()
    async with app.run_test(size=(60, 8)) as pilot:
        app.view.wrap = True
        app.view.show(source, title="cc")
        assert not source.ready
        app.view.show_cause(Cause(0, "none", below=3))
        for _ in range(200):
            await pilot.pause(0.02)
            if source.ready:
                break
        assert (source.line_count, app.view.new_lines, app.view.follow) == (1_000_000, 0, False)
        assert "new line" not in "".join(painted(app))
        more(log, b"one more\n")
        app.view.poll()
        await settle(pilot)
        assert app.view.new_lines == 1


async def test_every_line_takes_the_cells_that_it_says(log: Path) -> None:
    """What is longer than it says is taken for blank where it is not: letters of it stay on the terminal."""
    app = Host()
    async with app.run_test(size=(60, 8)) as pilot:
        numbered(log, 3)
        words = Content.assemble("ready; waits for a free ", ("slot", "bold"))
        for source, placeholder in ((None, "waits for\n  日本"), (None, words), (LogFile(log), "nothing yet")):
            app.view.show(source, title="publish 日本", placeholder=placeholder)
            await settle(pilot)
            found = [(sum(segment.cell_length for segment in strip), strip.cell_length) for strip in strips(app)]
            assert found == [(60, 60)] * 8


async def test_another_file_in_its_place(log: Path) -> None:
    app = Host()
    async with app.run_test(size=(60, 8)) as pilot:
        app.view.show(LogFile(numbered(log, 100)), title="t")
        await settle(pilot)
        app.view.search("line")
        await pilot.press("g")
        os.truncate(log, 0)
        more(log, b"again\n")
        app.view.poll()
        await until(pilot, lambda: painted(app)[1] == "again")
        log.unlink()
        app.view.poll()
        await settle(pilot)
        assert painted(app)[1] == "again"
        log.write_bytes(b"a new file\n")
        app.view.poll()
        await until(pilot, lambda: painted(app)[1] == "a new file")


async def test_the_view_closes_what_it_no_longer_shows(log: Path) -> None:
    app = Host()
    async with app.run_test(size=(60, 8)) as pilot:
        first, second = LogFile(numbered(log, 10)), LogFile(log)
        app.view.show(first, title="t")
        app.view.show(second, title="t")
        await settle(pilot)
        assert first._fd == -1
        app.view.show(second, title="other")
        assert second._fd >= 0
    assert second._fd == -1


async def test_any_size_will_do(log: Path) -> None:
    app = Host()
    async with app.run_test(size=(60, 8)) as pilot:
        app.view.show(LogFile(numbered(log, 100)), title="title")
        for size in ((1, 1), (2, 2), (3, 1), (1, 10), (200, 60)):
            await pilot.resize_terminal(*size)
            await pilot.press("w", "k", "j", "g", "l", "G")
            await settle(pilot)
        assert painted(app)[59].startswith("100  line 99")


@pytest.mark.parametrize("width", [2, 3, 7])
@pytest.mark.parametrize("text", ["", "abcdefghij", "日本語日本語", "a日b本c語", "e\u0301e\u0301e\u0301e\u0301"])
def test_broken_rows_fit_and_lose_nothing(text: str, width: int) -> None:
    rows = broken(text, width)
    assert "".join(text[start:end] for start, end in rows) == text
    for start, end in rows:
        assert index_at(text[start:end], width) == end - start


def test_occurrences() -> None:
    assert occurrences("An error, Error", "error") == [(3, 8), (10, 15)]
    assert occurrences("An error, Error", "Error") == [(10, 15)]
    assert occurrences("aaa", "aa") == [(0, 2)]
    assert occurrences("x", "") == []
