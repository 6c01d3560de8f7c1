"""Build: attaching to a recorded run, following it, and what the keys ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from textual.widgets import OptionList

from specular_tui.errors import NotLiveError, SpecularError
from specular_tui.model import event as ev
from specular_tui.model.forecast import forecast
from specular_tui.model.plan import Task
from specular_tui.model.run import TaskStatus
from specular_tui.store.reopening import open_run
from specular_tui.tui import present, present_forecast, present_task
from specular_tui.tui.app import SpecularApp
from specular_tui.tui.messages import Told
from specular_tui.tui.screens.build import BuildScreen
from specular_tui.tui.screens.checkpoints import CheckpointsScreen
from specular_tui.tui.screens.dialogs.choice import ChoiceDialog
from specular_tui.tui.screens.resume import ResumeScreen
from specular_tui.tui.widgets.footer import KeyFooter
from specular_tui.tui.widgets.mode_tabs import ModeTabs
from specular_tui.tui.widgets.task import table as task_table
from specular_tui.workspace import steering
from tests.tui import recorded
from tests.tui.conftest import make_app, running, settled, until


class Steered(list[tuple[str, str, str | None]]):
    """The commands that were sent, in place of a live engine."""

    def __call__(self, root: Path, run_id: str, command: str, task: str | None = None, **options: Any) -> str:
        self.append((run_id, command, task))
        return f"{command} it is"


@pytest.fixture
def steered(monkeypatch: pytest.MonkeyPatch) -> Steered:
    sent = Steered()
    monkeypatch.setattr(steering, "steer", sent)
    return sent


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    calls: list[list[str]] = []

    def start_build(args: list[str], cwd: Path, root: Path | None = None) -> str:
        calls.append(args)
        return args[1]

    monkeypatch.setattr(steering, "start_build", start_build)
    return calls


def build(app: SpecularApp) -> BuildScreen:
    assert isinstance(app.screen, BuildScreen)
    return app.screen


async def test_the_one_live_run_is_opened(root: Path, run: recorded.RecordedRun) -> None:
    recorded.finished(root, "build-2024-01-12T09-12-00", at=recorded.START - 90_000_000)
    app = make_app(root, run.now)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.desk.view is not None)
        await settled(pilot, app)
        assert app.desk.view is not None
        assert app.desk.view.run_id == run.run_id
        assert build(app).table.selected == "compile/plugins", "the running task is under the cursor"


async def test_several_live_runs_are_listed(root: Path) -> None:
    runs = [recorded.half_way(root, f"build-{n}") for n in range(2)]
    app = make_app(root, runs[0].now)
    async with running(app, (100, 30)):
        assert isinstance(app.screen, CheckpointsScreen)
        assert app.desk.view is None
    for run in runs:
        run.vanish()


async def test_it_follows_the_journal(root: Path) -> None:
    run = recorded.half_way(root)
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        view = app.desk.view
        assert view is not None
        run.end("compile/plugins")
        run.start("link/plugins")
        await until(pilot, lambda: "link/plugins" in view.state.running)
        assert view.state.tasks["compile/plugins"].status is TaskStatus.COMPLETED
        run.finish("failed", "a task failed")
        await until(pilot, lambda: not view.live)
        await until(pilot, lambda: build(app).table.sort == "state")  # failures stand first once it has ended
        assert build(app).table.selected == "compile/net", "the first of them, for nobody has moved the cursor"


async def test_a_killed_build_is_noticed(root: Path) -> None:
    run = recorded.half_way(root)
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        view = app.desk.view
        assert view is not None
        assert view.live
        run.vanish()
        await until(pilot, lambda: not view.live)
        assert view.state.interrupted
        assert not view.state.running


async def test_a_folded_journal_is_read_anew(root: Path, run: recorded.RecordedRun) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        run.recorder.fold(run.now)
        run.end("compile/plugins")
        view = app.desk.view
        assert view is not None
        await until(pilot, lambda: view.state.tasks["compile/plugins"].status is TaskStatus.COMPLETED)


async def test_a_burst_is_few_messages(root: Path) -> None:
    steps = tuple((f"t{n}", "", (), 1) for n in range(2000))
    run = recorded.RecordedRun(root, "burst", steps=steps)
    run.begin()
    app = make_app(root, run.now, "burst")
    told: list[object] = []
    async with running(app, (100, 30)) as pilot:
        tell = app.bridge.outlet.tell

        def count(message: Told) -> None:
            told.append(message)
            tell(message)

        app.bridge.outlet.tell = count
        for task_id, *_ in steps:
            run.start(task_id)
            run.end(task_id)
        view = app.desk.view
        assert view is not None
        await until(pilot, lambda: view.state.count(TaskStatus.COMPLETED) == 2000)
        assert len(told) < 100
    run.vanish()


async def test_pause_and_resume(root: Path, run: recorded.RecordedRun, steered: Steered) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        await pilot.press("r")
        await pilot.pause()
        assert steered == [], "resuming what runs is harmless"
        await pilot.press("p")
        await until(pilot, lambda: steered == [(run.run_id, "pause", None)])


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (["P"], ("drain", None)),
        (["R"], ("retry", None)),
        (["n", "t"], ("retry", "compile/net")),
        (["n", "s", "s"], ("skip", "compile/net")),
        (["x", "x"], ("stop_task", "compile/plugins")),
        (["X", "x"], ("stop", None)),
    ],
)
async def test_steering(
    root: Path, run: recorded.RecordedRun, steered: Steered, keys: list[str], expected: tuple[str, str | None]
) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        for key in keys:
            await pilot.press(key)
            await pilot.pause()
        await until(pilot, lambda: steered == [(run.run_id, *expected)])


async def test_a_build_that_is_stopping_says_so_and_can_only_be_killed(
    root: Path, run: recorded.RecordedRun, steered: Steered
) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        await pilot.press("X")
        await until(pilot, lambda: isinstance(app.screen, ChoiceDialog))
        run.add(ev.Stopping(at=run.now, reason="stopped"))
        run.recorder.flush()
        await until(pilot, lambda: isinstance(app.screen, BuildScreen))
        assert app.said.all[0].text == "the build has ended, or is stopping already"
        await until(pilot, lambda: "STOPPING" in app.export_screenshot())
        for key in "prPsx":
            app.said.all.clear()
            await pilot.press(key)
            await until(pilot, lambda: app.said.all)
            assert app.said.all[0].text.startswith(f"{run.run_id} is stopping: X in Build kills")
        assert steered == []
        await pilot.press("X")
        await until(pilot, lambda: isinstance(app.screen, ChoiceDialog))
        assert "Kill what still runs?" in app.export_screenshot().replace("&#160;", " ")
        await pilot.press("x")
        await until(pilot, lambda: steered == [(run.run_id, "kill", None)])


async def test_x_never_stops_more_than_one_task(root: Path, run: recorded.RecordedRun, steered: Steered) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        await pilot.press("g", "x", "x")
        await pilot.pause()
        assert isinstance(app.screen, BuildScreen)
        assert app.said.all[0].text == "deps/install is not running: X stops the build"
        assert steered == []


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("x", "compile/plugins has ended: nothing is stopped"),
        ("X", "the build has ended, or is stopping already"),
        ("s", "things have changed: nothing is skipped"),
    ],
)
async def test_a_question_goes_with_what_it_is_about(
    root: Path, run: recorded.RecordedRun, steered: Steered, key: str, said: str
) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        await pilot.press(key)
        await until(pilot, lambda: isinstance(app.screen, ChoiceDialog))
        run.end("compile/plugins", log="cc plugins/*.c\n")
        if key != "x":
            run.finish("failed", "a task failed")
        else:
            run.recorder.flush()
        await until(pilot, lambda: isinstance(app.screen, BuildScreen))
        assert said in [message.text for message in app.said.all]
        assert steered == []


@pytest.mark.parametrize(("answer", "options"), [("s", {"run_dependents": False}), ("d", {"run_dependents": True})])
async def test_skipping_says_what_it_is_about(
    root: Path, run: recorded.RecordedRun, monkeypatch: pytest.MonkeyPatch, answer: str, options: dict[str, bool]
) -> None:
    sent: list[tuple[str, str | None, dict[str, Any]]] = []

    def steer(root: Path, run_id: str, command: str, task: str | None = None, **given: Any) -> str:
        sent.append((command, task, given))
        return "yes"

    monkeypatch.setattr(steering, "steer", steer)
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, ChoiceDialog))
        shown = app.export_screenshot().replace("&#160;", " ")
        for words in ("compile/net", "8 tasks need it:", "link/app", "and 2 more", "leave those out too", "run those"):
            assert words in shown
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, BuildScreen))
        assert sent == [], "Enter changes nothing"
        await pilot.press("s", answer)
        await until(pilot, lambda: sent == [("skip", "compile/net", options)])


@pytest.mark.parametrize(("keys", "options"), [([], []), (["d"], ["--run-dependents"])])
async def test_a_stored_run_goes_on_without_what_failed(
    root: Path, started: list[list[str]], keys: list[str], options: list[str]
) -> None:
    run = recorded.finished(root, "build-a", at=recorded.START, fail="test/unit")
    app = make_app(root, run.now, "build-a")
    async with running(app, (100, 30)) as pilot:
        await pilot.press("G", "s")
        await until(pilot, lambda: isinstance(app.screen, ResumeScreen) and app.screen.answer is not None)
        assert started == [], "it is shown first"
        await pilot.press(*keys, "enter")
        await until(pilot, lambda: started == [["--resume", "build-a", "--skip-failed", *options]])


async def test_nothing_that_failed_is_nothing_to_skip(root: Path) -> None:
    run = recorded.finished(root, "build-a", at=recorded.START)
    app = make_app(root, run.now, "build-a")
    async with running(app, (100, 30)) as pilot:
        await pilot.press("s")
        await until(pilot, lambda: len(app.said.all) == 1)
        assert isinstance(app.screen, BuildScreen)


async def test_escape_and_enter_change_nothing_where_it_is_grave(
    root: Path, run: recorded.RecordedRun, steered: Steered
) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        for answer in ("escape", "enter"):
            await pilot.press("X")
            await pilot.pause()
            assert isinstance(app.screen, ChoiceDialog)
            assert app.screen.query_one(OptionList).highlighted == 1
            await pilot.press(answer)
            await pilot.pause()
            assert isinstance(app.screen, BuildScreen)
        assert steered == []


async def test_a_refusal_is_shown(root: Path, run: recorded.RecordedRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **options: Any) -> str:
        raise NotLiveError("[/x] is not running", hint="go on")

    monkeypatch.setattr(steering, "steer", refuse)
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        await pilot.press("p")
        await until(pilot, lambda: len(app.said.all) == 1)
        assert [note.text for note in app.said.all] == ["[/x] is not running\ngo on"]


async def test_a_stored_run_is_resumed(root: Path, started: list[list[str]]) -> None:
    run = recorded.finished(root, "build-a", at=recorded.START, fail="test/unit")
    app = make_app(root, run.now, "build-a")
    async with running(app, (100, 30)) as pilot:
        assert build(app).table.selected == "test/unit", "what failed first is under the cursor"
        await pilot.press("p")
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, ResumeScreen) and app.screen.answer is not None)
        await pilot.press("enter")
        await until(pilot, lambda: started == [["--resume", "build-a"]])
        assert "build-a" in app.desk.owned
        await pilot.press("R")
        await until(pilot, lambda: isinstance(app.screen, ResumeScreen) and app.screen.answer is not None)
        assert len(started) == 1, "it is shown first"
        await pilot.press("enter")
        await until(pilot, lambda: started[1:] == [["--resume", "build-a", "--retry-failed"]])


async def test_the_log_of_a_task_that_was_too_quick_to_have_one_is_shown_when_it_has_ended(
    root: Path, run: recorded.RecordedRun
) -> None:
    run.start("pack/sign")
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        build(app).table.select("pack/sign")
        await until(pilot, lambda: build(app).pane.task_id == "pack/sign")
        await pilot.pause()
        assert build(app).log_view.source is None
        run.end("pack/sign", log="here it is\n")
        await until(pilot, lambda: build(app).log_view.source is not None)


async def test_filter_and_back(root: Path, run: recorded.RecordedRun) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        await pilot.press("slash", *"comp", "slash", "n")
        await pilot.pause()
        assert build(app).table.filter_text == "comp/n"
        await pilot.press("backspace", "backspace", "enter")
        assert build(app).table.has_focus
        assert build(app).table.filter_text == "comp"
        await pilot.press("escape")
        assert build(app).table.filter_text == ""
        assert not build(app).filter.display


async def test_log_and_back(root: Path, run: recorded.RecordedRun) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        screen = build(app)
        await pilot.press("n")
        await until(pilot, lambda: screen.log_view.line_count == 6)
        await pilot.press("enter")
        assert screen.log_view.has_focus
        await pilot.press("slash", *"tls", "enter")
        await until(pilot, lambda: screen.log_view.searching and screen.log_view.match_line is not None)
        assert screen.log_view.has_focus
        await pilot.press("n", "escape")
        assert not screen.log_view.searching
        followed = screen.log_view.follow
        await pilot.press("f", "w", "escape")
        assert screen.table.has_focus
        assert screen.log_view.wrap
        assert screen.log_view.follow is not followed
        await pilot.press("tab")
        assert screen.log_view.has_focus


async def test_a_growing_log_is_followed(root: Path, run: recorded.RecordedRun) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        screen = build(app)
        await until(pilot, lambda: screen.log_view.line_count == 3)
        with run.recorder.log_path("compile/plugins").open("a") as log:
            log.write("cc plugins/delta.c\n" * 100)
        await until(pilot, lambda: screen.log_view.line_count == 103)


async def test_hostile_text_stays_text(root: Path) -> None:
    title = "[@click=app.quit]x[/] \x1b]52;c;aGk=\x07 \u202etxt [/nope]"
    run = recorded.RecordedRun(root, "build-x", name=title, steps=(("a", title, (), 1),))
    run.begin()
    run.start("a")
    run.end("a", "failed", exit_code=None, reason=title, log=title + "\n")
    run.finish("failed", title)
    app = make_app(root, run.now, "build-x")
    async with running(app, (160, 40)) as pilot:
        for key in ("2", "d", "escape", "1", "question_mark", "escape", "ctrl+p", "escape"):
            await pilot.press(key)
            await pilot.pause()
            shown = app.export_screenshot()
            assert "\u202e" not in shown
            assert "\x1b" not in shown


async def test_the_header_says_when_it_will_end(root: Path, run: recorded.RecordedRun) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, (120, 30)) as pilot:
        await until(pilot, lambda: app.desk.view is not None and app.desk.view.forecast is not None)
        view = app.desk.view
        assert view is not None
        # By the plan 38 s of the plugins, then 9 for linking them; what needs the failed task waits for somebody.
        assert view.forecast is not None
        left, since = view.forecast
        assert since == run.now
        assert 47_000 <= left.likely_ms < 70_000
        assert left.low_ms < left.likely_ms < left.high_ms
        assert present.text(present_forecast.time_left(view, app.desk.clock)).endswith(" left, until 10:33–10:34")
        run.add(ev.Frozen(at=run.now))
        run.recorder.flush()
        await until(pilot, lambda: view.state.frozen_since is not None)
        assert present.text(present_forecast.time_left(view, app.desk.clock)).endswith("s left")


async def test_what_is_so_no_more_is_taken_back(root: Path, run: recorded.RecordedRun) -> None:
    run.add(ev.Frozen(at=run.now))
    run.recorder.flush()
    app = make_app(root, run.now, run.run_id)
    async with running(app, (120, 30)) as pilot:
        await pilot.press("p")
        shown = app.said.shown
        assert shown is not None
        assert "stands still already" in shown.text
        run.add(ev.Thawed(at=run.now))
        run.recorder.flush()
        await until(pilot, lambda: app.said.shown is None)
        await pilot.press("r")
        shown = app.said.shown
        assert shown is not None
        assert shown.text == f"{run.run_id} is going on"


async def test_past_runs_say_when_it_will_end(root: Path) -> None:
    steps = (("a", "", (), 0), ("b", "", ("a",), 0))
    past = recorded.RecordedRun(root, "build-a", at=recorded.START - 86_400_000, steps=steps)
    past.begin()
    for task_id in ("a", "b"):
        past.start(task_id)
        past.wait(600)
        past.end(task_id)
    past.finish("completed")
    run = recorded.RecordedRun(root, "build-b", steps=steps)
    run.begin()
    run.start("a")
    run.recorder.flush()
    app = make_app(root, run.now, "build-b")
    async with app.run_test(size=(120, 30)) as pilot:
        await until(pilot, lambda: app.desk.view is not None and app.desk.view.forecast is not None)
        assert app.desk.view is not None
        found = app.desk.view.forecast
        assert found is not None
        assert found[0].likely_ms == 1_200_000, "one after the other, whatever the jobs"
        assert app.desk.view.usual["b"].median == 600_000
    run.vanish()


async def test_nobody_knows_when_it_will_end(root: Path) -> None:
    run = recorded.RecordedRun(root, "build-b", steps=(("a", "", (), 0),))
    run.begin()
    run.start("a")
    run.recorder.flush()
    app = make_app(root, run.now, "build-b")
    async with running(app, (120, 30)):
        assert app.desk.view is not None
        assert app.bridge.outlook.done is app.desk.view, "it has been looked for"
        assert app.desk.view.forecast is None
        assert present_forecast.time_left(app.desk.view, app.desk.clock) == []
    run.vanish()


def thrice(root: Path) -> recorded.RecordedRun:
    """A live run of a task that has failed twice and runs a third time, and of one that has run once."""
    run = recorded.RecordedRun(root, "build-r", steps=(("a", "", (), 5), ("b", "", (), 5)))
    run.begin()
    for number in (1, 2, 3):
        run.write("a", f"try {number}\n" * number)
        run.start("a")
        if number < 3:
            run.wait(number)
            run.end("a", "failed", exit_code=number)
            run.add(ev.TaskReset(at=run.now, task="a", reason="retried"))
    run.start("b")
    run.recorder.flush()
    return run


async def test_the_logs_of_earlier_attempts(root: Path) -> None:
    run = thrice(root)
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        log = build(app).log_view
        await until(pilot, lambda: log.line_count == 3)
        assert "attempt 3 of 3" in log.title
        await pilot.press("]")
        assert len(app.said.all) == 1, "there is none after it"
        await pilot.press("[")
        await until(pilot, lambda: log.line_count == 2)
        assert log.title == "a  ✗ failed (exit 2)  attempt 2 of 3  2.0s"
        await pilot.press("[")
        await until(pilot, lambda: log.line_count == 1)
        assert "(exit 1)  attempt 1 of 3" in log.title
        await pilot.press("[")
        assert "attempt 1 of 3" in log.title
        await pilot.press("j")
        await until(pilot, lambda: log.title.startswith("b"))
        await pilot.press("[")
        assert "attempt" not in log.title
        await pilot.press("k")
        await until(pilot, lambda: "attempt 1 of 3" in log.title)
        await pilot.press("]", "]")
        await until(pilot, lambda: log.line_count == 3)
        run.end("a", "failed", exit_code=3)
        run.recorder.flush()
        await until(pilot, lambda: "failed (exit 3)  attempt 3 of 3" in log.title)
    run.vanish()


async def test_an_ended_log_is_not_looked_at_any_more(root: Path) -> None:
    run = thrice(root)
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        log = build(app).log_view
        await until(pilot, lambda: log.line_count == 3)
        assert log.live
        with run.recorder.log_path("a").open("a") as file:
            file.write("the last word\n")
        run.vanish()
        await until(pilot, lambda: app.desk.view is not None and not app.desk.view.live)
        await until(pilot, lambda: not log.live)
        await until(pilot, lambda: log.line_count == 4)


def test_shapes_are_those_of_the_table() -> None:
    assert {present_task.task_shape(status)[0] for status in TaskStatus} == {"○", "●", "✓", "✗", "⊘"}


def footer(app: SpecularApp) -> str:
    return "".join(segment.text for segment in app.screen.query_one(KeyFooter).render_line(0))


@pytest.mark.parametrize("size", [(160, 48), (100, 30), (80, 24), (60, 16)])
async def test_the_footer_offers_what_makes_sense(root: Path, run: recorded.RecordedRun, size: tuple[int, int]) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, size) as pilot:
        words = footer(app).split()
        assert "Pause" in words
        assert "Resume" not in words
        assert words[-4:] == ["q", "Quit", "?", "Help"], "the way out is there at any width"
        assert "".join(words).isascii()
        assert set(words[1::2]) <= {
            *("Pause", "Drain", "Retry", "failed", "Why", "Stop", "task", "Filter", "Quit", "Help"),
            *("/", "R", "c", "x", "q", "?"),
        }, "no word is cut"
        run.add(ev.Frozen(at=run.now))
        run.recorder.flush()
        await until(pilot, lambda: "Resume" in footer(app))
        assert "Pause" not in footer(app)
        assert "Drain" not in footer(app)


async def test_a_command_that_the_build_refuses_is_a_warning_that_goes(
    root: Path, run: recorded.RecordedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def steer(root: Path, run_id: str, command: str, task: str | None = None, **options: Any) -> str:
        raise SpecularError(f"task {task} is not running")

    monkeypatch.setattr(steering, "steer", steer)
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        await pilot.press("x", "x")
        await until(pilot, lambda: app.said.shown)
        assert app.said.shown is not None
        assert (app.said.shown.severity, app.said.standing) == ("warning", 0)
        assert app.said.shown.lasting is not None


async def test_nothing_to_retry_is_not_offered_and_said(root: Path) -> None:
    run = recorded.finished(root, "build-a", at=recorded.START)
    app = make_app(root, run.now, "build-a")
    async with running(app, (100, 30)) as pilot:
        assert footer(app).split() == ["/", "Filter", "b", "New", "build", "q", "Quit", "?", "Help"]
        for key, said in {
            "R": "nothing has failed",
            "p": "build-a is not running",
            "r": "build-a is completed: there is nothing to resume",
            "P": "build-a is not running",
            "x": "nothing is running here",
        }.items():
            app.clear_notifications()
            await pilot.press(key)
            await pilot.pause()
            assert said in [note.text for note in app.said.all]


@pytest.mark.parametrize("size", [(160, 48), (100, 30), (80, 24), (60, 16)])
async def test_the_modes_are_named_at_any_width_and_clicked(
    root: Path, run: recorded.RecordedRun, size: tuple[int, int]
) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, size) as pilot:
        line = "".join(segment.text for segment in app.screen.query_one(ModeTabs).render_line(0))
        assert line.startswith(" 1 Build  2 Checkpoints  3 Validation")
        await pilot.click(ModeTabs, offset=(line.index("Checkpoints"), 0))
        await until(pilot, lambda: app.current_mode == "checkpoints")
        await pilot.click(ModeTabs, offset=(2, 0))
        await until(pilot, lambda: app.current_mode == "build")


async def test_the_cursor_goes_with_what_runs_until_it_is_moved(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(task_table, "DWELL", 0)
    run = recorded.half_way(root)
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        screen = build(app)
        assert screen.table.selected == "compile/plugins"
        run.end("compile/plugins", log="cc plugins/*.c\n")
        run.start("test/plugins")
        await until(pilot, lambda: screen.table.selected == "test/plugins" == screen.pane.task_id)
        await pilot.press("k")
        run.end("test/plugins")
        run.start("link/plugins")
        view = app.desk.view
        assert view is not None
        await until(pilot, lambda: "link/plugins" in view.state.running)
        await pilot.pause()
        assert screen.table.selected == "test/ui", "moved by hand: it stays"
        await pilot.press("a")
        assert screen.table.selected == "link/plugins"
        run.end("link/plugins")
        run.start("test/unit")
        await until(pilot, lambda: screen.table.selected == "test/unit")
    run.vanish()


MANY = tuple((f"unit/{number}", f"Unit {number}", (), 1) for number in range(60))


async def test_what_runs_is_in_view_when_it_stands_frozen_right_after_it_began(root: Path) -> None:
    run = recorded.RecordedRun(root, steps=MANY)
    run.begin()
    run.start("unit/1")
    app = make_app(root, run.now, run.run_id)
    async with running(app, (80, 24)) as pilot:
        table = build(app).table
        assert table.selected == "unit/1"
        run.end("unit/1")
        run.start("unit/2")
        run.recorder.flush()
        await until(pilot, lambda: table.selected == "unit/2")
        run.end("unit/2")
        run.start("unit/50", "unit/51")
        run.add(ev.Frozen(at=run.now))
        run.recorder.flush()
        await until(pilot, lambda: table.selected == "unit/50")
        await until(pilot, lambda: "Unit 51" in app.export_screenshot().replace("&#160;", " "))
    run.vanish()


@pytest.mark.parametrize("hands", [False, True])
async def test_the_cursor_goes_with_a_stored_run_that_is_resumed_unless_somebody_has_moved_it(
    root: Path, hands: bool
) -> None:
    run = recorded.RecordedRun(root, steps=MANY)
    run.begin()
    run.start("unit/0")
    run.end("unit/0", "failed", exit_code=1)
    run.finish("failed", "a task failed")
    app = make_app(root, run.now, run.run_id)
    async with running(app, (80, 24)) as pilot:
        screen = build(app)
        await until(pilot, lambda: screen.table.selected == "unit/0")
        if hands:
            await pilot.press("j")
        tasks = {name: Task(id=name, title=title, command="make") for name, title, _, _ in MANY}
        again = open_run(root, run.run_id, tasks=tasks, now=run.now).recorder
        again.append(ev.SessionStarted(at=run.now, pid=1, host="workbench", jobs=2, keep_going=True, status="retrying"))
        again.append(ev.TaskStarted(at=run.now, task="unit/50", attempt=1, pid=2))
        again.flush()
        view = app.desk.view
        assert view is not None
        await until(pilot, lambda: view.live and "unit/50" in view.state.running)
        if hands:
            await until(pilot, lambda: "a Running" in footer(app))
            assert screen.table.selected == "unit/1"
            await pilot.press("a")
        await until(pilot, lambda: screen.table.selected == "unit/50")
        assert "a Running" not in footer(app)
        again.release()


async def test_the_time_that_is_left_counts_what_had_happened_just_before_a_build_was_frozen(
    root: Path, run: recorded.RecordedRun
) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        view = app.desk.view
        assert view is not None
        await until(pilot, lambda: view.forecast is not None)
        assert view.forecast is not None
        before = view.forecast[0]
        run.end("compile/plugins", log="cc plugins/*.c\n")
        run.start("link/plugins")
        run.add(ev.Frozen(at=run.now))
        run.recorder.flush()
        await until(pilot, lambda: view.state.frozen_since is not None)
        await until(pilot, lambda: view.forecast is not None and view.forecast[0] != before)
        assert view.graph is not None
        assert view.forecast[0] == forecast(view.state, view.graph, run.now, view.usual), "as in the shell"


async def test_what_a_failure_blocks_is_counted_and_marked(root: Path, run: recorded.RecordedRun) -> None:
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        view = app.desk.view
        assert view is not None
        below = {"link/app", "test/unit", "test/net", "test/ui", "test/plugins", "pack/deb", "pack/rpm", "pack/sign"}
        assert view.blocked == below
        await pilot.press("slash", *":blocked", "enter")
        table = build(app).table
        await until(pilot, lambda: table.row_count == len(below))
        table.select("pack/sign")
        await until(pilot, lambda: build(app).pane.task_id == "pack/sign")
        await pilot.pause()
        shown = app.export_screenshot().replace("&#160;", " ")
        assert "8</text>" in shown
        assert "blocked" in shown
        assert "until compile/net completes, or is skipped" in shown
        run.start("compile/net")
        await until(pilot, lambda: not view.blocked and table.row_count < len(below))


async def test_a_skipped_task_keeps_the_log_that_it_has(root: Path, run: recorded.RecordedRun) -> None:
    run.add(ev.TaskSkipped(at=run.now, task="compile/net", reason="skipped on request"))
    app = make_app(root, run.now, run.run_id)
    async with running(app, (100, 30)) as pilot:
        build(app).table.select("compile/net")
        await until(pilot, lambda: build(app).log_view.source is not None)
        await until(pilot, lambda: build(app).log_view.line_count == 6)
        assert "skipped (skipped on request)" in build(app).log_view.title


async def test_the_demo_says_what_to_see_and_to_try(root: Path) -> None:
    run = recorded.RecordedRun(root)
    run.begin()
    run.start("deps/install")
    app = make_app(root, run.now, run.run_id)
    app.desk.tour = run.run_id
    async with running(app, (100, 30)) as pilot:
        notice = build(app).notice
        assert "X stops it" in str(notice.render())
        run.add(ev.Frozen(at=run.now))
        await until(pilot, lambda: "r lets them go on" in str(notice.render()))
        run.add(ev.Thawed(at=run.now))
        run.end("deps/install")
        run.finish("paused", "stopped")
        await until(pilot, lambda: "1 task completed, and will not run again" in str(notice.render()))
        assert "Enter there starts it" in str(notice.render())
    again = recorded.finished(root, "build-b", at=recorded.START)
    app = make_app(root, again.now, "build-b")
    app.desk.tour = "build-b"
    async with running(app, (60, 16)) as pilot:
        assert "proves the checkpoint" in str(build(app).notice.render()), "a low screen has room for the keys alone"
