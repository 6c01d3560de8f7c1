"""The resume plan: what it shows, what its switches do, and what starts."""

from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest
from textual.pilot import Pilot

from specular_tui.model import event as ev
from specular_tui.model.resume import Action
from specular_tui.store import reopening
from specular_tui.tui.app import SpecularApp
from specular_tui.tui.bridge import bridge
from specular_tui.tui.bridge.settings import Settings
from specular_tui.tui.look import Look
from specular_tui.tui.screens.build import BuildScreen
from specular_tui.tui.screens.dialogs.choice import ChoiceDialog
from specular_tui.tui.screens.dialogs.help import HelpDialog
from specular_tui.tui.screens.resume import ResumeScreen
from specular_tui.tui.widgets.switch_bar import SwitchBar
from specular_tui.tui.wish import Wish
from specular_tui.workspace import rehearsing, steering
from specular_tui.workspace.rehearsing import Rehearsal, Rehearser
from specular_tui.workspace.request import BuildRequest
from tests.tui import recorded, rest
from tests.tui.conftest import SIZES, Compare, everywhere, make_app, running, settled, until
from tests.unit.workspace.site import Site, task


class Started(list[tuple[list[str], Path]]):
    """The builds that were started, in place of real ones."""

    def __call__(self, args: list[str], cwd: Path, root: Path | None = None) -> str:
        self.append((args, cwd))
        return args[1] if len(args) > 1 else "new"

    @property
    def words(self) -> list[list[str]]:
        return [args for args, _ in self]


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> Started:
    calls = Started()
    monkeypatch.setattr(steering, "start_build", calls)
    monkeypatch.setattr(bridge, "program_for", lambda root: "specular")
    return calls


@pytest.fixture
def failed(tmp_path: Path) -> Site:
    """a <- b <- c, and d; b failed, c and d wait."""
    site = Site(tmp_path)
    site.policy("execution: {jobs: 3}\n")
    site.plan(
        task("a", title="First", priority="P0"),
        task("b", "echo [/x]; test -e mended", "a", priority="P0"),
        task("c", "true", "b"),
        task("d", estimate=30),
    )
    assert site.code(run_id="one") == 1
    return site


async def opened(pilot: Pilot[int], app: SpecularApp, key: str = "r") -> ResumeScreen:
    await settled(pilot, app)
    await pilot.press(key)
    await until(pilot, lambda: isinstance(app.screen, ResumeScreen) and app.screen.answer is not None)
    assert isinstance(app.screen, ResumeScreen)
    return app.screen


def made(site: Site) -> SpecularApp:
    return make_app(site.root, site.state("one").updated_at + 2000, "one")


def done(screen: ResumeScreen) -> dict[str, str]:
    assert screen.answer is not None
    return {decision.task: decision.action.value for decision in screen.answer.decisions}


def switches(screen: ResumeScreen) -> list[str]:
    return [switch.label for switch in screen.query_one(SwitchBar)._switches]


async def press(pilot: Pilot[int], screen: ResumeScreen, *keys: str) -> None:
    """Press keys, and wait until it is known what comes of them."""
    for key in keys:
        await pilot.press(key)
        await until(pilot, lambda: not screen._pending)


class Held(Rehearser):
    """Finds out nothing before it is let go."""

    gate = threading.Event()

    def rehearse(self, request: BuildRequest) -> Rehearsal:
        if request.retry_failed or not request.skip_failed:
            assert self.gate.wait(30)
        return super().rehearse(request)


async def test_a_single_job_is_no_jobs(failed: Site) -> None:
    app = made(failed)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await opened(pilot, app)
        assert "3 jobs" in switches(screen)
        await press(pilot, screen, "minus", "minus")
        assert "1 job" in switches(screen)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    Held.gate = threading.Event()
    monkeypatch.setattr(rehearsing, "Rehearser", Held)
    return Held.gate


async def test_it_says_what_will_be_done_and_enter_starts_it(failed: Site, started: Started) -> None:
    app = made(failed)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await opened(pilot, app)
        assert done(screen) == {"a": "reuse", "b": "run", "c": "run", "d": "run"}
        assert screen.list.selected == "b", "what runs stands first"
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(app.screen, BuildScreen))
        assert started == []
        screen = await opened(pilot, app)
        await pilot.press("enter")
        await until(pilot, lambda: started.words == [["--resume", "one"]])
        assert started[0][1] == failed.folder, "it starts in its workspace"
        assert isinstance(app.screen, BuildScreen)


async def test_r_and_enter_are_enough(failed: Site, started: Started, held: threading.Event) -> None:
    app = made(failed)
    async with running(app, (100, 30)) as pilot:
        await pilot.press("r", "enter")
        held.set()
        await until(pilot, lambda: started.words == [["--resume", "one"]])


async def test_r_and_enter_are_not_enough_where_the_plan_has_changed(
    failed: Site, started: Started, held: threading.Event
) -> None:
    failed.plan(task("a", "echo other"), task("b", "true", "a"))
    app = made(failed)
    async with running(app, (100, 30)) as pilot:
        await pilot.press("r", "enter")
        held.set()
        await until(pilot, lambda: isinstance(app.screen, ResumeScreen) and app.screen.answer is not None)
        await pilot.pause()
        assert started == []
        shown = app.export_screenshot().replace("&#160;", " ")
        for words in ("the plan has changed since", "changed: a (its command)", "removed: c"):
            assert words in shown
        await pilot.press("enter")
        await until(pilot, lambda: started.words == [["--resume", "one"]])


@pytest.mark.parametrize(
    ("keys", "options", "actions"),
    [
        (["f"], ["--retry-failed"], {"a": "reuse", "b": "run", "c": "run", "d": "blocked"}),
        (["s"], ["--skip-failed"], {"a": "reuse", "b": "skip", "c": "skip", "d": "run"}),
        (["s", "d"], ["--skip-failed", "--run-dependents"], {"a": "reuse", "b": "skip", "c": "run", "d": "run"}),
        (["s", "d", "s"], [], {"a": "reuse", "b": "run", "c": "run", "d": "run"}),
        (["G", "t"], ["--from-task", "a"], {"a": "run", "b": "run", "c": "run", "d": "run"}),
        (["t", "o"], ["--from-task", "b", "--alone"], {"a": "reuse", "b": "run", "c": "blocked", "d": "blocked"}),
        (["a", "a"], ["--no-keep-going"], {}),
        (["v", "V", "a"], ["--validate", "--revalidate", "--keep-going"], {}),
        (["plus", "plus", "minus"], ["--jobs", "4"], {}),
    ],
)
async def test_switches(
    failed: Site, started: Started, keys: list[str], options: list[str], actions: dict[str, str]
) -> None:
    app = made(failed)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await opened(pilot, app)
        await press(pilot, screen, *keys)
        if actions:
            assert done(screen) == actions
        command = " ".join(["specular build --resume one", *options])
        await pilot.pause()
        assert command in app.export_screenshot().replace("&#160;", " ")
        await pilot.press("enter")
        await until(pilot, lambda: started.words == [["--resume", "one", *options]])


async def test_a_switch_takes_back_what_contradicts_it(failed: Site, started: Started) -> None:
    app = made(failed)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await opened(pilot, app)
        await press(pilot, screen, "f", "s")
        assert screen.wish == Wish("one", skip_failed=True)
        await press(pilot, screen, "f")
        assert screen.wish == Wish("one", retry_failed=True)
        await press(pilot, screen, "t")
        assert screen.wish == Wish("one", from_task="b")
        await press(pilot, screen, "f")
        assert screen.wish == Wish("one", retry_failed=True)
        await press(pilot, screen, "o")
        assert screen.wish == Wish("one", from_task="b", alone=True), "which is said of the task under the cursor"
        assert done(screen) == {"a": "reuse", "b": "run", "c": "blocked", "d": "blocked"}
        assert not app.said.all


async def test_what_cannot_be_is_not_switched_on_and_said_in_the_words_of_the_switches(
    failed: Site, started: Started
) -> None:
    app = made(failed)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await opened(pilot, app)
        await press(pilot, screen, "j", "t")
        await pilot.pause()
        assert screen.wish.from_task == "", "c needs b, which failed"
        said = [note.text for note in app.said.all][-1]
        assert "cannot start from c" in said
        assert "resume without 'from this task' (key t), or name an earlier task" in said
        assert "--" not in said


async def test_a_damaged_checkpoint_is_said_and_repaired(failed: Site, started: Started) -> None:
    (failed.root / "one" / "outputs" / "a.json").write_text("{}")
    app = made(failed)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await opened(pilot, app)
        assert screen.answer is not None
        assert screen.answer.problem[0].startswith("checkpoint validation failed")
        shown = " ".join(app.export_screenshot().replace("&#160;", " ").replace("&#x27;", "'").split())
        assert "run the damaged tasks again (key e), or start afresh (key b)" in shown
        await pilot.press("enter")
        await pilot.pause()
        assert started == []
        await press(pilot, screen, "e")
        assert done(screen)["a"] == "run"
        await pilot.press("enter")
        await until(pilot, lambda: started.words == [["--resume", "one", "--repair"]])


async def test_commands_from_elsewhere_are_asked_about(failed: Site, started: Started) -> None:
    at = failed.state("one").updated_at
    opening = reopening.open_run(failed.root, "one", tasks={}, now=at)
    opening.recorder.append(ev.Imported(at=at))
    opening.recorder.release()
    (failed.folder / "plan.json").unlink()
    app = made(failed)
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(pilot, app)
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ChoiceDialog))
        shown = app.export_screenshot().replace("&#160;", " ")
        assert "b: echo [/x]; test -e mended" in shown
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ResumeScreen))
        assert started == [], "no is the answer that Enter gives"
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(app.screen, ChoiceDialog))
        await pilot.press("y")
        await until(pilot, lambda: started.words == [["--resume", "one", "--trust-plan"]])


async def test_the_latest_wish_counts(failed: Site, started: Started, held: threading.Event) -> None:
    app = made(failed)
    async with running(app, (100, 30)) as pilot:
        await pilot.press("r")
        await until(pilot, lambda: isinstance(app.screen, ResumeScreen))
        screen = app.screen
        assert isinstance(screen, ResumeScreen)
        await pilot.press("f", "f", "s")
        await until(pilot, lambda: not screen._pending)
        assert done(screen)["b"] == "skip"
        held.set()
        await rest.threads_ended()
        await pilot.pause()
        assert done(screen)["b"] == "skip", "what was found out too late is not shown"


async def test_moving_help_and_mouse(failed: Site, started: Started) -> None:
    app = made(failed)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await opened(pilot, app)
        await pilot.press("G")
        assert screen.list.selected == "a"
        await pilot.press("k")
        assert screen.list.selected == "d"
        await pilot.press("j", "g", "tab")
        assert screen.list.selected == "a"
        await pilot.press("n", "ctrl+d", "ctrl+u", "pagedown", "pageup")
        assert screen.list.selected == "b"
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(app.screen, HelpDialog))
        await pilot.press("escape")
        await until(pilot, lambda: app.screen is screen)
        await pilot.click(SwitchBar, offset=(2, 0))
        await until(pilot, lambda: screen.wish.retry_failed and not screen._pending)
        await pilot.click("#heading")
        await press(pilot, screen, "f")
        await pilot.click(screen.list, offset=(5, 3))
        assert screen.list.selected == "d"


async def test_it_opens_from_the_list_and_for_one_task(failed: Site, started: Started) -> None:
    app = made(failed)
    async with running(app, (100, 30)) as pilot:
        await pilot.press("2")
        screen = await opened(pilot, app)
        assert screen.wish.run_id == "one"
        await pilot.press("escape", "1", "g", "G", "k", "k", "k")
        await pilot.pause()
        screen = await opened(pilot, app, "t")
        await until(pilot, lambda: not screen._pending)
        assert screen.wish == Wish("one", from_task="b", alone=True), "t on a stored run: that task, and nothing else"


async def test_many_tasks_and_tiny_terminals(root: Path, started: Started) -> None:
    steps = tuple((f"t{n}", "[@click=app.quit]x[/]\u202e", (), 1) for n in range(3000))
    run = recorded.RecordedRun(root, "burst", steps=steps)
    run.begin()
    run.start("t0")
    run.finish("paused", "SIGINT")
    app = make_app(root, run.now, "burst")
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await opened(pilot, app)
        assert screen.answer is not None
        assert screen.answer.count(Action.RUN) == 3000
        await pilot.press("G")
        assert screen.list.selected == "t2999"
        assert "\u202e" not in app.export_screenshot()
        for size in ((40, 10), (20, 5), (1, 1), (160, 48)):
            await pilot.resize_terminal(*size)
            await pilot.press("k", "tab", "f")
        await until(pilot, lambda: not screen._pending)
        await pilot.press("escape")


async def test_a_real_build_goes_on(failed: Site) -> None:
    (failed.folder / "mended").write_text("")
    app = SpecularApp(failed.root, run_id="one")
    async with app.run_test(size=(100, 30)) as pilot:
        await opened(pilot, app)
        await pilot.press("enter")
        await until(pilot, lambda: app.desk.view is not None and app.desk.view.state.status == "completed", seconds=60)
    assert failed.statuses("one") == dict.fromkeys("abcd", "completed")


# Pictures ------------------------------------------------------------------------------------------------------------


def half(root: Path) -> recorded.RecordedRun:
    root.parent.mkdir(parents=True, exist_ok=True)
    recorded.finished(root, "build-2024-01-12T09-12-00", at=recorded.START - 90_000_000, folder=str(root.parent))
    run = recorded.half_way(root, folder=str(root.parent))
    run.end("compile/plugins", log="cc plugins/*.c\n")
    run.finish("failed", "a task failed")
    return run


async def painted(pilot: Pilot[int], app: SpecularApp) -> None:
    screen = await opened(pilot, app)
    await press(pilot, screen, "plus")  # so that the number of this machine's processors does not matter
    while screen.answer is not None and screen.answer.jobs != 4:
        await press(pilot, screen, "plus" if screen.answer.jobs < 4 else "minus")
    await press(pilot, screen, "f")


async def test_resume(root: Path, picture: Compare, started: Started) -> None:
    run = half(root)
    app = make_app(root, run.now + 2000, run.run_id)
    async with app.run_test(size=SIZES[0]) as pilot:
        await painted(pilot, app)
        await everywhere(pilot, app, picture, "resume")


@pytest.mark.parametrize(("name", "look"), [("ascii", Look(unicode=False)), ("monochrome", Look(colors=False))])
async def test_without_unicode_or_colours(
    root: Path, picture: Compare, started: Started, name: str, look: Look
) -> None:
    run = half(root)
    app = make_app(root, run.now + 2000, run.run_id, settings=Settings(look=look))
    async with app.run_test(size=(100, 30)) as pilot:
        await painted(pilot, app)
        await settled(pilot, app)
        picture(app, f"resume-100x30-{name}")


@pytest.fixture
def replanned(tmp_path: Path) -> Site:
    """A completed run with another plan in the place of its own."""
    site = Site(tmp_path)
    site.plan(task("a"))
    assert site.code(run_id="one") == 0
    (site.root / "one" / "plan.json").write_text("{}\n")
    return site


async def test_a_repair_that_runs_nothing_is_done_where_it_was_asked_for(replanned: Site) -> None:
    app = made(replanned)
    async with running(app, (100, 30)) as pilot:
        await pilot.press("3", "v")
        await until(pilot, lambda: "one" in app.desk.checks and app.desk.checks["one"].proven)
        await until(pilot, lambda: "! its plan.json is not the plan that it was built by" in words(app))
        await until(pilot, lambda: "R put plan.json back from this folder, if it is the same there" in words(app))
        screen = await opened(pilot, app, "R")
        assert screen.answer is not None
        assert screen.answer.mends
        await until(pilot, lambda: "no task runs: what is damaged is mended" in words(app))
        await pilot.press("enter")
        await until(pilot, lambda: app.desk.checks["one"].sound)
        told = "one is repaired: no task has to run again for that"
        await until(pilot, lambda: told in {each.lines[0] for each in app.said.all})
        await until(pilot, lambda: "✓ sound" in words(app))


def words(app: SpecularApp) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", app.export_screenshot()).replace("&#160;", " ").split())


async def test_the_time_of_a_task_stands_near_its_name_however_wide_the_screen_is(failed: Site) -> None:
    app = made(failed)
    async with app.run_test(size=(200, 48)) as pilot:
        screen = await opened(pilot, app)
        drawn = ["".join(part.text for part in screen.list.render_line(y)) for y in range(screen.list.size.height)]
        (line,) = [line for line in drawn if line.startswith(" ● d ")]
        assert line.rstrip().endswith("~30s")
        assert len(line.rstrip()) < 80
        assert len({len(line) for line in drawn}) == 1


@pytest.fixture
def ungated(tmp_path: Path) -> Site:
    """A run whose tasks are all done, with a gate that passed and one that failed."""
    site = Site(tmp_path)
    site.policy(
        "formatters: {python: {enabled: true, cmd: 'true'}}\n"
        "tests: {enabled: true, cmd: 'test -e mended', required: true, require_pass: true}\n"
    )
    site.plan(task("a"), task("b", "true", "a"))
    assert site.code(run_id="one") == 1
    return site


@pytest.mark.parametrize("key", ["r", "R"])
async def test_gates_are_shown_behind_the_tasks_and_counted(ungated: Site, started: Started, key: str) -> None:
    app = made(ungated)
    async with app.run_test(size=(100, 30)) as pilot:
        screen = await opened(pilot, app, key)
        assert done(screen) == {"a": "reuse", "b": "reuse"}
        assert screen.list.selected == "@tests"
        shown = words(app)
        assert "nothing to run" not in shown
        assert "2 reuse then 1 gate" in shown
        assert "run 1 gate it runs" in shown
        assert "@tests failed before" in shown
        assert "reuse 2 + 1 gate its result is kept" in shown
        await pilot.press("t")
        await until(pilot, lambda: "nothing can start from one" in words(app))
        assert screen.wish.from_task == ""
        await press(pilot, screen, "v")
        await pilot.press("enter")
        await until(pilot, lambda: len(started) == 1)
