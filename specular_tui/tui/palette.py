"""The command palette: every action that is possible here, every run, every task."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, cast

from textual.command import CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.widgets import Input

from specular_tui.tui import keys, present
from specular_tui.tui.messages import Open
from specular_tui.tui.safe import plain

if TYPE_CHECKING:
    from specular_tui.tui.app import SpecularApp

#: Candidates that are looked at between two turns of the loop.
_SLICE = 500
#: Nobody reads more hits of one kind.
_MOST = 50


class Palette(CommandPalette):
    """The palette with a cursor that stands still: nothing wakes an idle program."""

    def on_mount(self) -> None:
        """Let it stand still."""
        self.query_one(Input).cursor_blink = False


class _Entry(NamedTuple):
    text: str
    help: str
    do: Callable[[], object]


class _Entries(Provider):
    """Offers entries by their text; texts may be foreign, and are never markup."""

    @property
    def _app(self) -> SpecularApp:
        return cast("SpecularApp", self.app)

    def entries(self) -> Iterator[_Entry]:
        """Yield all there is to offer."""
        yield from ()

    async def search(self, query: str) -> Hits:
        """Yield what matches, in slices."""
        matcher = self.matcher(query)
        found = 0
        for number, entry in enumerate(self.entries()):
            if number % _SLICE == _SLICE - 1:
                await asyncio.sleep(0)
            if (score := matcher.match(entry.text)) > 0:
                yield Hit(score, matcher.highlight(entry.text), entry.do, entry.text, plain(entry.help))
                found += 1
                if found >= _MOST:
                    return


class Actions(_Entries):
    """What the keys do, by name."""

    def entries(self) -> Iterator[_Entry]:
        """Yield each action that is bound where the palette was asked for."""
        screen = self.screen
        active = {active.binding.id: active for active in screen.active_bindings.values() if active.enabled}
        for key in keys.by_id(active):
            if key.palette:
                found = active[key.id]
                do = partial(self.app.run_action, found.binding.action, found.node)
                yield _Entry(f"{key.label}  {keys.shown(keys.acting(key))}", key.help, do)
        yield _Entry("Theme", "choose the colours", self.app.action_change_theme)

    async def discover(self) -> Hits:
        """Offer all of it before anything is typed."""
        for entry in self.entries():
            yield DiscoveryHit(Content(entry.text), entry.do, entry.text, entry.help)


class Runs(_Entries):
    """The runs of the directory."""

    def entries(self) -> Iterator[_Entry]:
        """Yield each run, newest first."""
        for row in self._app.desk.runs:
            badge = present.run_badge(row.status, live=row.live)[0]
            yield _Entry(plain(row.run_id), f"{badge}  {row.plan_name}", partial(self._open, row.run_id))

    def _open(self, run_id: str) -> None:
        self.app.post_message(Open(run_id))


class Tasks(_Entries):
    """The tasks of the run in view."""

    def entries(self) -> Iterator[_Entry]:
        """Yield each task in the order of the plan."""
        view = self._app.desk.view
        if view is None:
            return
        for task_id, task in view.state.tasks.items():
            label = view.graph.tasks[task_id].title if view.graph and task_id in view.graph.tasks else ""
            shape = present.task_shape(task.status)[0]
            text = plain(f"{task_id}  {label}" if label and label != task_id else task_id)
            yield _Entry(text, f"{shape} {task.status}", partial(self._app.show_task, task_id))
