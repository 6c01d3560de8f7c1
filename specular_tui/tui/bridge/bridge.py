"""The bridge itself: does what the screens ask, and watches the directory."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from specular_tui import workspace
from specular_tui.errors import SpecularError
from specular_tui.tui.bridge.checker import Checker
from specular_tui.tui.bridge.follower import Follower
from specular_tui.tui.bridge.keeper import Keeper
from specular_tui.tui.bridge.outlet import Outlet
from specular_tui.tui.bridge.outlook import Outlook
from specular_tui.tui.bridge.rehearsals import Rehearsals
from specular_tui.tui.bridge.run_list import RunList
from specular_tui.tui.messages import LogGrew, RunInspected, Ticked
from specular_tui.workspace import comparing, invocation, keeping, lending, steering

#: The newest runs that are watched, so that a resume from elsewhere is seen; the others are seen when they are listed.
WATCHED: Final = 32


class Bridge:
    """Keeps the desk up to date, and does what the screens ask."""

    def __init__(self, outlet: Outlet) -> None:
        """`outlet` is what it works with."""
        self.outlet = outlet
        self.runs = RunList(outlet, self._listed)
        self.outlook = Outlook(outlet)
        self._follower = Follower(outlet, self.runs, self.outlook.look)
        self._checker = Checker(outlet)
        self.check = self._checker.check
        self.cancel_check = self._checker.cancel
        self.rehearse = Rehearsals(outlet).rehearse
        self.keeper = Keeper(outlet, self.runs, self._checker, self._follower.stir)
        self.open = self._follower.open
        self.read_log = self._follower.read_log
        self._watching: tuple[Path, ...] = ()
        #: The run in view was not there when the runs were listed last.
        self._missed = ""

    def start(self) -> None:
        """Begin to list the runs and to watch the directory."""
        self.runs.start()

    def inspect(self, run_id: str) -> None:
        """Read a run for the side pane; only the latest wish counts."""
        self.outlet.spawn(partial(self._inspect, run_id), "inspect", True)

    def steer(self, run_id: str, command: str, task: str | None = None, **options: bool) -> None:
        """Send a command to a live run and say what came of it."""
        self.outlet.spawn(partial(self._steer, run_id, command, task, **options), "steer", False)

    async def obey(self, run_id: str, command: str) -> bool:
        """Send a command to a live run and tell whether it was obeyed."""
        return await self.outlet.attempt(lambda: steering.steer(self.outlet.root, run_id, command)) is not None

    def build(self, args: Sequence[str]) -> None:
        """Start `specular build` with these arguments, and bring its run into view."""
        self.outlet.spawn(partial(self._build, args), "steer", False)

    async def lend(self, run_id: str, task_id: str, attempt: int | None, folder: Path, *, copy: bool) -> Path | None:
        """Return a file with a task's log, or None where there is none (which is then said): see `lend_log`."""
        return await self.outlet.attempt(
            lambda: lending.lend_log(self.outlet.root, run_id, task_id, attempt, folder, copy=copy)
        )

    def tick(self) -> None:
        """A second has gone by: see whether what runs still runs."""
        self._follower.stir()
        self.outlook.look()
        self.outlet.tell(Ticked())
        self.runs.tick()

    @property
    def busy(self) -> bool:
        """Whether anything on the desk is live, so that seconds matter."""
        view = self.outlet.desk.view
        return (view is not None and view.live) or any(row.live for row in self.outlet.desk.runs)

    # What changes by itself

    def _listed(self) -> None:
        """The runs have been looked through: the one in view may have been deleted, or have come back."""
        view = self.outlet.desk.view
        missed, self._missed = self._missed, ""
        if view is not None and view.run_id not in self.runs.rows:
            self._missed = view.run_id
            self._follower.stir()
        elif view is not None and view.gone and view.run_id == missed and not self.outlet.desk.opening:
            self.open(view.run_id)
        self._watch()

    def _watch(self) -> None:
        """Watch what is on the desk; nothing happens where that is watched already."""
        paths = [self.outlet.root if self.outlet.root.is_dir() else _nearest(self.outlet.root)]
        ids = [row.run_id for row in self.outlet.desk.runs[:WATCHED]]
        ids += [row.run_id for row in self.outlet.desk.runs[WATCHED:] if row.live]
        view = self.outlet.desk.view
        if view is not None and not view.gone:
            ids.append(view.run_id)
            paths.append(self.outlet.root / view.run_id / "outputs")
        paths += [self.outlet.root / name for name in (*dict.fromkeys(ids), keeping.PINNED, keeping.TRASH)]
        wanted = tuple(path for path in paths if path.is_dir())
        if wanted != self._watching:
            self._watching = wanted
            self.outlet.spawn(partial(self._heed, wanted), "watch", True)

    async def _heed(self, paths: tuple[Path, ...]) -> None:
        try:
            async with contextlib.aclosing(workspace.changes(list(paths))) as changes:
                async for changed in changes:
                    self._noticed(changed)
        except (OSError, RuntimeError) as error:
            # A watched folder has vanished, or the system has no watches left: the list says what is there now.
            self._watching = ()
            self.runs.look()
            if not isinstance(error, FileNotFoundError):
                self.outlet.notify(f"changes are not noticed by themselves: {error}", "warning")

    def _noticed(self, changed: set[str]) -> None:
        root, view = str(self.outlet.root), self.outlet.desk.view
        if not changed:
            self._catch_up()
            return
        inside = f"{root}/{view.run_id}" if view is not None else ""
        grown = False
        for path in changed:
            folder, _, name = path.rpartition("/")
            if inside and folder == f"{inside}/outputs":
                grown = grown or name.endswith(".log")
                continue
            if folder == inside:
                self._follower.stir()
            if folder in (root, f"{root}/{keeping.PINNED}", f"{root}/{keeping.TRASH}") or not folder.startswith(root):
                self.runs.look()
            else:
                self.runs.changed(folder[len(root) + 1 :].split("/", 1)[0])
        if grown:
            self.outlet.tell(LogGrew())

    def _catch_up(self) -> None:
        """Look at what may have changed before it was watched."""
        self._follower.stir()
        self.runs.look()
        for path in self._watching:
            if path.parent == self.outlet.root:
                self.runs.note(path.name)

    # What is asked, done

    async def _inspect(self, run_id: str) -> None:
        try:
            stored = await asyncio.to_thread(workspace.load_run, self.outlet.root, run_id)
        except SpecularError as error:
            self.outlet.tell(RunInspected(run_id, None, error.message))
        except OSError as error:
            self.outlet.tell(RunInspected(run_id, None, str(error)))
        else:
            self.outlet.tell(RunInspected(run_id, stored.state))
            with contextlib.suppress(SpecularError, OSError):
                drift = await asyncio.to_thread(comparing.drift, self.outlet.root, run_id, stored.state, Path.cwd())
                self.outlet.tell(RunInspected(run_id, stored.state, drift=drift))

    async def _steer(self, run_id: str, command: str, task: str | None, **options: bool) -> None:
        # That the build refuses, most often because what was meant has just ended, has broken nothing.
        answer = await self.outlet.attempt(
            lambda: steering.steer(self.outlet.root, run_id, command, task, **options), "warning"
        )
        # That the run in view stands still, goes on, or starts nothing new, is seen in the header, as long as it is so.
        view = self.outlet.desk.view
        seen = view is not None and view.run_id == run_id and command in ("pause", "unpause", "drain")
        if answer and not seen:
            self.outlet.notify(answer, "information")
        self._follower.stir()

    async def _build(self, args: Sequence[str]) -> None:
        root = self.outlet.root
        home = invocation.home_of(root, Path.cwd())
        started = await self.outlet.attempt(lambda: steering.start_build(list(args), home, root))
        if started is not None:
            self.outlet.desk.owned.add(started)
            self.runs.look(started)
            self.open(started)
        elif "--repair" in args and (run_id := args[args.index("--resume") + 1]) in self.outlet.desk.checks:
            # It may be repaired with no task run again: what was found of it holds no longer.
            self.runs.look(run_id)
            self.check(run_id)


def _nearest(path: Path) -> Path:
    """Return the nearest folder above `path` that exists."""
    return next((parent for parent in path.parents if parent.is_dir()), Path("/"))


def program_for(root: Path) -> str:
    """Return what to type for `specular` in the shell that the application was started from."""
    return invocation.program_for(root, Path.cwd())
