"""The application: puts the screens together, and brings what they ask to the bridge and what it tells to them."""

from __future__ import annotations

import asyncio
import copy
import os
from collections.abc import Callable, Coroutine, Sequence
from functools import cached_property, partial
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, ClassVar

from specular_tui.tui.terminal import frames  # isort: skip  # before anything of Textual's
from textual.app import App
from textual.driver import Driver
from textual.filter import LineFilter
from textual.reactive import Reactive
from textual.screen import Screen
from textual.theme import Theme
from textual.timer import Timer
from textual.widget import AwaitMount
from textual.worker import WorkType

from specular_tui.errors import ExitCode, SpecularError
from specular_tui.model.run import RunStatus
from specular_tui.tui import keys, present, sixteen, theme
from specular_tui.tui.bridge.settings import Settings
from specular_tui.tui.clock import Clock
from specular_tui.tui.deeds import Do
from specular_tui.tui.messages import (
    CancelCheck,
    Inspect,
    Open,
    OpenOutside,
    PlanResume,
    ReadLog,
    Rehearse,
    Resume,
    RunMoved,
    RunShown,
    RunsListed,
    ShowTask,
    Steer,
    Told,
    Validate,
)
from specular_tui.tui.modes import MODES
from specular_tui.tui.screens.mode import ModeScreen
from specular_tui.tui.speaking import SpeakingApp
from specular_tui.tui.styling import Sheet, sheets
from specular_tui.tui.terminal.collector import Collector
from specular_tui.tui.views import Desk

if TYPE_CHECKING:
    from specular_tui.tui.announcing import Announcer
    from specular_tui.tui.bridge.bridge import Bridge
    from specular_tui.tui.palette import Entry
    from specular_tui.tui.wish import Wish

__all__ = ["SpecularApp", "frames"]


class SpecularApp(SpeakingApp):
    """The full-screen application on one checkpoint directory."""

    TITLE = "Specular"
    CSS_PATH: ClassVar[list[str | PurePath]] = sheets("app", "monochrome")
    BINDINGS = keys.bindings("app")
    ENABLE_COMMAND_PALETTE = False
    ansi_theme_dark = Reactive(sixteen.DARK, init=False)
    ansi_theme_light = Reactive(sixteen.LIGHT, init=False)

    def __init__(
        self,
        root: Path,
        *,
        run_id: str | None = None,
        owned: bool = False,
        clock: Clock | None = None,
        settings: Settings | None = None,
        driver_class: type[Driver] | None = None,
    ) -> None:
        """`run_id` is brought into view; `owned`: its build was started by whoever starts this.

        `driver_class` None: the one for this terminal.
        """
        # The first screen is made once, and not after another one that nobody sees.
        self.DEFAULT_MODE = "checkpoints" if run_id is None else "build"  # type: ignore[misc]
        super().__init__(clock or Clock(), driver_class=driver_class)
        for own in (theme.DARK, theme.LIGHT, theme.MONOCHROME):
            self.register_theme(own)
        self.settings = (settings or Settings()).checked(self.available_themes)
        self.look = self.settings.look
        self._look_filters = self.look.filters()
        self.no_color = not self.look.colors
        keys.remap(self.settings.keys)
        self.set_keymap(dict(self.settings.keys))
        if not self.look.colors:
            self._begin_with(theme.MONOCHROME)
        elif self.settings.theme or "TEXTUAL_THEME" not in os.environ:
            self._begin_with(self.available_themes[self.settings.theme or theme.DARK.name])
        self.stylesheet = self.sheet = Sheet(self.get_css_variables())
        # The first picture says which run is opened, before anything can be read.
        self.desk = Desk(self.clock, self.said, opening=run_id or "", line_numbers=self.settings.line_numbers)
        self.desk.root = present.short_path(str(root.resolve()), str(Path.home()))
        if owned and run_id is not None:
            self.desk.owned.add(run_id)
        self._root, self._wanted = root, run_id
        self._collector = Collector(lambda: self.typed_at)
        self.leaving = ""
        #: The task of a run that is being opened, to go to when it has come into view.
        self._wanted_task: tuple[str, str] | None = None
        self._second: Timer | None = None
        for mode, screen in MODES.items():
            self.add_mode(mode, partial(screen, self.desk))

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Return what all that is painted has to pass: see `look`. Without colours Textual's own have nothing to do."""
        return [*(super().get_line_filters() if self.look.colors else ()), *self._look_filters]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return this application's tokens for themes that do not define them."""
        current: Theme = self.current_theme
        return theme.tokens(current)

    # Start

    def _get_screen(self, screen: Screen[Any] | str) -> tuple[Screen[Any], AwaitMount]:
        """Have the sheets of a screen read before it is styled; Textual reads them after, and styles all once more."""
        if isinstance(screen, Screen):
            self.sheet.need(screen.css_path)
        return super()._get_screen(screen)

    def _begin_with(self, first: Theme) -> None:
        """Take a theme before anything is painted. To set `theme` would have the style sheets parsed once more."""
        self.set_reactive(App.theme, first.name)
        self._refresh_truecolor_filter(self.ansi_theme)
        self.set_class(first.dark, "-dark-mode", update=False)
        self.set_class(not first.dark, "-light-mode", update=False)

    @cached_property
    def bridge(self) -> Bridge:
        """What reads and writes for the screens; it is imported when they have been painted for the first time."""
        from specular_tui.tui.bridge.bridge import Bridge
        from specular_tui.tui.bridge.outlet import Outlet

        return Bridge(Outlet(self._root, self.desk, self.tell, self.say, self._spawn, self._settle))

    @cached_property
    def _announcer(self) -> Announcer:
        from specular_tui.tui.announcing import Announcer

        return Announcer(self)

    def on_mount(self) -> None:
        """Heed signals at once, and begin to look when there is something to be looked at."""
        self.heed_signals()
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        """Begin to look."""
        self._second = self.set_interval(1, self.bridge.tick, pause=True)
        self.bridge.start()
        if self._wanted is not None:
            self.bridge.open(self._wanted)
        if self.settings.complaints:
            self.say("\n".join(self.settings.complaints[:6]), "warning")
        self.set_timer(0.5, self._started)

    async def on_unmount(self) -> None:
        """Let what the bridge was doing come to its end."""
        self._collector.close()
        self.workers.cancel_all()
        await asyncio.gather(*(worker.wait() for worker in list(self.workers)), return_exceptions=True)

    def _started(self) -> None:
        """Settle, once the run that is wanted first is there."""
        if self.desk.opening:
            self.set_timer(0.5, self._started)
        else:
            self._settle()

    def _settle(self) -> None:
        """What is there now stays: the collector need not look at it again."""
        if not self.is_headless:
            self._collector.settle()

    # Between bridge and screens

    def _spawn(self, work: Callable[[], Coroutine[None, None, None]], group: str, exclusive: bool) -> None:
        started: WorkType[None] = work
        self.run_worker(started, group=group, exclusive=exclusive)

    def tell(self, message: Told) -> None:
        """Bring a message of the bridge to every mode that has been opened, and to what lies over it."""
        if self._wanted is None and isinstance(message, RunsListed) and self.desk.listed:
            self._wanted = ""
            live = [row.run_id for row in self.desk.runs if row.live]
            if len(live) == 1:
                self._open(live[0])
        if isinstance(message, RunsListed | RunShown | RunMoved) and self._second is not None:
            (self._second.resume if self.bridge.busy else self._second.pause)()
        self._announcer.heed(message)
        for stack in self._screen_stacks.values():
            for screen in stack:
                screen.post_message(copy.copy(message))
        view, wanted = self.desk.view, self._wanted_task
        if isinstance(message, RunShown) and wanted is not None and not self.desk.opening:
            self._wanted_task = None
            if view is not None and view.run_id == wanted[0]:
                self.call_later(self.show_task, wanted[1])

    def write_to_terminal(self, data: str) -> None:
        """Write what is no picture: a bell, a notification of the desktop."""
        if self._driver is not None:
            self._driver.write(data)

    def _open(self, run_id: str) -> None:
        self.bridge.open(run_id)
        self.switch_mode("build")

    def on_open(self, message: Open) -> None:
        """Show a run in Build."""
        self._open(message.run_id)

    def on_inspect(self, message: Inspect) -> None:
        """Read a run for the side pane."""
        self.bridge.inspect(message.run_id)

    def on_read_log(self, message: ReadLog) -> None:
        """Open a log."""
        self.bridge.read_log(message.run_id, message.task_id, message.attempt)

    async def on_open_outside(self, message: OpenOutside) -> None:
        """Open a log in the user's pager or editor."""
        from specular_tui.tui import outside

        try:
            await outside.open_log(self, self.bridge, message)
        except SpecularError as error:
            self.bridge.outlet.complain(error)

    async def on_validate(self, message: Validate) -> None:
        """Prove a run's checkpoint, and show how that goes."""
        self.desk.subject = message.run_id
        self.bridge.check(message.run_id)
        await self.switch_mode("validation")

    def on_cancel_check(self, message: CancelCheck) -> None:
        """Give up the check of a run."""
        self.bridge.cancel_check(message.run_id)

    async def on_show_task(self, message: ShowTask) -> None:
        """Go to a task, or a gate, of a run."""
        view = self.desk.view
        if view is not None and view.run_id == message.run_id:
            await self.show_task(message.task_id)
        else:
            self._wanted_task = (message.run_id, message.task_id)
            self._open(message.run_id)

    def on_steer(self, message: Steer) -> None:
        """Send a command to a live run."""
        self.bridge.steer(message.run_id, message.command, message.task, **message.options)

    def on_resume(self, message: Resume) -> None:
        """Go on with a stored run."""
        self.bridge.build(["--resume", message.run_id, *message.options])
        self.switch_mode("build")

    def on_plan_resume(self, message: PlanResume) -> None:
        """Show what going on with a stored run would do; start it where that is wanted."""
        from specular_tui.tui.bridge.bridge import program_for
        from specular_tui.tui.screens.resume import ResumeScreen

        screen = ResumeScreen(self.desk, message.wish, program_for(self.bridge.outlet.root))

        def answered(wish: Wish | None) -> None:
            if wish is not None and screen.answer is not None and screen.answer.mends:
                self.bridge.build(wish.words())  # nothing runs that could be looked at
            elif wish is not None:
                self.post_message(Resume(wish.run_id, *wish.options()))

        self.push_screen(screen, answered)

    def action_new_build(self) -> None:
        """Ask for a plan, and start its build."""
        from specular_tui.tui.bridge.bridge import program_for
        from specular_tui.tui.screens.dialogs.new_build import BuildDialog

        def answered(wish: Wish | None) -> None:
            if wish is not None:
                self.bridge.build(wish.words())
                self.switch_mode("build")

        if isinstance(self.screen, ModeScreen):
            self.push_screen(BuildDialog(program_for(self.bridge.outlet.root)), answered)

    def on_rehearse(self, message: Rehearse) -> None:
        """Find out what a build would do."""
        self.bridge.rehearse(message.wish)

    def on_do(self, message: Do) -> None:
        """Do something with stored runs."""
        self.bridge.keeper.do(message.deed)

    # Keys

    async def action_mode(self, mode: str) -> None:
        """Go to a mode. Validation is about the run that was at hand."""
        if mode == "validation" and isinstance(self.screen, ModeScreen):
            row = self.screen.run_at_hand()
            self.desk.subject = row.run_id if row is not None else self.desk.subject
        if mode == "build" and self.desk.view is None and not self.desk.opening and len(self.desk.runs) == 1:
            # There is no other that could be meant.
            only = self.desk.newest()
            if only is not None:
                self.bridge.open(only.run_id)
        await self.switch_mode(mode)

    def action_command_palette(self) -> None:
        """Offer every action, run and task by name."""
        from specular_tui.tui import possible
        from specular_tui.tui.screens.dialogs.palette import PaletteDialog

        def answered(entry: Entry | None) -> None:
            if entry is not None:
                self.call_later(entry.do)

        screen = self.screen
        if isinstance(screen, ModeScreen):
            self.push_screen(PaletteDialog(partial(possible.entries, self, screen)), answered)

    def action_open_newest(self) -> None:
        """Open what has begun, or ended, elsewhere; with no run open the newest that can go on, else the newest."""
        row = self.desk.arrived() or (self.desk.newest() if self.desk.view is None else None)
        if row is not None:
            self._open(row.run_id)
        elif self.desk.view is not None:
            self.say(f"{self.desk.view.run_id} is open, and no other build runs")
        else:
            self.say("there is no run yet")

    def action_help(self) -> None:
        """List the keys of where the user is."""
        if isinstance(self.screen, ModeScreen):
            from specular_tui.tui.screens.dialogs.help import HelpDialog

            active = (each.binding.id for each in self.screen.active_bindings.values())
            self.push_screen(HelpDialog(active, self.screen.SIGNS))

    def action_messages(self) -> None:
        """List what has been said; what stands has been read then."""
        if isinstance(self.screen, ModeScreen):
            from specular_tui.tui.screens.dialogs.messages import MessagesDialog

            self.clear_notifications()
            self.push_screen(MessagesDialog(self.said, self.desk.clock))

    async def show_task(self, task_id: str) -> None:
        """Go to a task of the run in view."""
        await self.switch_mode("build")
        from specular_tui.tui.screens.build import BuildScreen

        if isinstance(self.screen, BuildScreen):
            self.screen.go_to(task_id)

    async def action_quit(self) -> None:
        """Leave, as `q` does."""
        self.action_leave()

    def action_help_quit(self) -> None:
        """Leave by Ctrl+C as by `q`; what lies over the screen is closed first."""
        (self.action_leave if isinstance(self.screen, ModeScreen) else partial(self.simulate_key, "escape"))()

    def action_leave(self) -> None:
        """Leave; where a build that was started here goes on, ask what shall become of it."""
        view = self.desk.view
        if view is None or not (view.live and view.owned):
            self.exit(self._answer())
        elif isinstance(self.screen, ModeScreen):
            from specular_tui.tui.screens.dialogs import questions

            passed = f"the build has ended: {keys.pressed('app.leave')} leaves"
            self.push_screen(questions.leave(view).while_true(lambda: view.live, passed), self._leave)

    async def _leave(self, answer: str | None) -> None:
        view = self.desk.view
        if answer is None or view is None:
            return
        if answer != "detach" and view.live and not await self.bridge.obey(view.run_id, answer):
            return
        self.leaving = answer
        self.exit(self._answer())

    def _answer(self) -> int:
        """Return what the shell is answered: how the build that was started here ended, if it did."""
        view = self.desk.view
        failed = view is not None and view.owned and not view.live and view.state.status is RunStatus.FAILED
        return ExitCode.FAILED if failed else ExitCode.SUCCESS
