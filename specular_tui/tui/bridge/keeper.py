"""Carries out deeds: one chore at a time, on a thread, with progress; and tells what came of each."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from msgspec.structs import replace

from specular_tui.errors import SpecularError
from specular_tui.model.quantity import plural, size
from specular_tui.tui import deeds, keys
from specular_tui.tui.bridge import doing
from specular_tui.tui.bridge.checker import Checker
from specular_tui.tui.bridge.doing import Effort, Outcome
from specular_tui.tui.bridge.outlet import Outlet
from specular_tui.tui.bridge.run_list import RunList
from specular_tui.tui.bridge.threads import finished
from specular_tui.tui.deeds import Chore, ChoreMoved, Compared, Deed, Going, Previewed, Refused, Trouble
from specular_tui.workspace import comparing, keeping
from specular_tui.workspace.keeping import Survey, TrashedRun

_DOING: Final[dict[type, str]] = {
    deeds.Trash: "deleting",
    deeds.Undo: "taking back",
    deeds.Compress: "compressing",
    deeds.Check: "checking",
    deeds.Export: "exporting",
    deeds.Import: "importing",
    deeds.Abandon: "abandoning",
    deeds.Clean: "cleaning up",
}
#: Seconds that leaving may take for what is in the trash.
_PATIENCE: Final = 0.3
#: So many runs that something was not done to are named.
_NAMED: Final = 4


_Result = TypeVar("_Result")


class Keeper:
    """Does what is asked with stored runs."""

    def __init__(self, outlet: Outlet, runs: RunList, checker: Checker, stir: Callable[[], None]) -> None:
        """`stir` is called when the run in view may have gone or come back."""
        self._outlet = outlet
        self._runs = runs
        self._checker = checker
        self._stir = stir
        self._turn = asyncio.Lock()
        self._effort: Effort | None = None
        self._waiting = 0
        #: What was deleted here, the latest last; what was deleted together is taken back together.
        self._deletions: list[list[TrashedRun]] = []
        self._survey: Survey | None = None

    def do(self, deed: Deed) -> None:
        """Begin to carry out a deed; a chore waits for the one before it."""
        match deed:
            case deeds.GiveUp():
                self._give_up()
            case deeds.Preview():
                self._outlet.spawn(partial(self._preview, deed), "preview", True)
            case deeds.Compare():
                self._outlet.spawn(partial(self._compare, deed), "compare", True)
            case deeds.Pin():
                self._outlet.spawn(partial(self._pin, deed), "pin", False)
            case _:
                self._waiting += 1
                self._outlet.spawn(partial(self._take_turn, deed), "keep", False)

    def empty_own_trash(self) -> tuple[list[str], bool]:
        """Delete for good what was deleted here and not taken back; return what is to be said, and whether it went.

        Blocks for a moment at most: what takes longer is left to a process that goes on by itself.
        """
        puts = [put for group in self._deletions for put in group]
        self._deletions.clear()
        try:
            gone, freed = keeping.discard_trash(self._outlet.root, puts, _PATIENCE)
        except (SpecularError, OSError) as error:
            return [f"the trash could not be emptied: {doing.why(error)}"], False
        if not gone:
            return [], True
        what = f"{plural(len(gone), 'deleted run')}, {size(sum(put.size for put in gone))}"
        now = "gone for good" if freed else "gone for good; the space is freed in the background"
        return [f"{what}: {now}"], True

    # Chores

    async def _take_turn(self, deed: Deed) -> None:
        if self._outlet.desk.chore is not None:
            self._put(replace(self._outlet.desk.chore, waiting=self._waiting))
        async with self._turn:
            loop = asyncio.get_running_loop()

            def tell(run_id: str, number: int, of: int, done: int, total: int) -> None:
                loop.call_soon_threadsafe(self._moved, run_id, number, of, done, total)

            self._effort = Effort(self._outlet.root, tell)
            self._waiting -= 1
            self._put(Chore(_DOING[type(deed)], waiting=self._waiting))
            try:
                await self._carry_out(deed, self._effort)
            except (SpecularError, OSError) as error:
                if not self._effort.cancel.is_set():
                    self._refuse(deed, error)
                else:
                    self._outlet.notify(f"{_DOING[type(deed)]} was given up", "information")
            finally:
                self._effort = None
                self._put(None)
                self._runs.look()
                # Their locks were held meanwhile: whoever looked then has seen them live.
                for run_id in _concerned(deed):
                    self._runs.look(run_id)

    def _put(self, chore: Chore | None) -> None:
        self._outlet.desk.chore = chore
        self._outlet.tell(ChoreMoved())

    def _moved(self, run_id: str, number: int, of: int, done: int, total: int) -> None:
        chore = self._outlet.desk.chore
        if chore is not None and self._effort is not None:
            self._put(replace(chore, run_id=run_id, number=number, of=of, done=done, total=total))

    def _give_up(self) -> None:
        chore = self._outlet.desk.chore
        if chore is not None and self._effort is not None:
            self._effort.cancel.set()
            self._put(replace(chore, cancelled=True))

    async def _carry_out(self, deed: Deed, effort: Effort) -> None:
        match deed:
            case deeds.Trash():
                await self._trash(effort, deed.run_ids)
            case deeds.Clean():
                await self._clean(effort, deed)
            case deeds.Undo():
                await self._undo(effort)
            case deeds.Compress():
                outcome = await self._on_thread(effort, partial(doing.compress, effort, deed.run_ids))
                self._forget_sizes(outcome.done)
                self._report("compressed", outcome, f"{size(max(0, outcome.size))} saved")
            case deeds.Check():
                await self._check(effort, deed.run_ids)
            case deeds.Export():
                await self._export(effort, deed)
            case deeds.Import():
                await self._import(effort, deed)
            case deeds.Abandon():
                # What writes to a run is not loaded to look at it.
                from specular_tui.workspace import abandoning

                await self._on_thread(effort, partial(abandoning.abandon, effort.root, deed.run_id, "by hand"))
                self._runs.look(deed.run_id)
                self._stir()
                self._outlet.notify(f"{deed.run_id} is abandoned", "information")
            case _:
                raise TypeError(deed)

    async def _on_thread(self, effort: Effort, work: Callable[[], _Result]) -> _Result:
        return await finished(work, effort.cancel.set)

    # Deleting

    async def _trash(self, effort: Effort, run_ids: tuple[str, ...]) -> None:
        puts: list[TrashedRun] = []
        try:
            outcome = await self._on_thread(effort, partial(doing.trash, effort, run_ids, puts))
        finally:
            if puts:
                self._deletions.append(puts)
        self._stir()
        self._report(
            "deleted",
            outcome,
            f"{size(outcome.size)}; {keys.pressed('checkpoints.undo')} takes {_them(outcome.done)} back",
        )

    async def _clean(self, effort: Effort, deed: deeds.Clean) -> None:
        found = await self._on_thread(effort, partial(keeping.survey, effort.root))
        going = await self._on_thread(
            effort, partial(doing.decide, effort.root, found, deed.rules, self._outlet.desk.clock.now())
        )
        wanted = set(deed.run_ids)
        await self._trash(effort, tuple(removal.run_id for removal in going if removal.run_id in wanted))

    async def _undo(self, effort: Effort) -> None:
        puts = self._deletions.pop() if self._deletions else []
        if not puts:
            puts = await self._on_thread(effort, partial(doing.latest_deletion, effort.root))
        if not puts:
            self._outlet.notify("there is nothing to take back", "information")
            return
        outcome, still = await self._on_thread(effort, partial(doing.take_back, effort, puts))
        if still:
            self._deletions.append(still)
        self._stir()
        self._report("taken back", outcome, size(outcome.size))

    def _report(self, done: str, outcome: Outcome, more: str) -> None:
        """Say what was done, and to which runs it was not, and why."""
        lines = []
        if outcome.done:
            what = outcome.done[0] if len(outcome.done) == 1 else plural(len(outcome.done), "run")
            lines.append(f"{what} {done}, {more}")
        if outcome.left:
            stay = "run was" if outcome.left == 1 else "runs were"
            lines.append(f"given up: {outcome.left:,} {stay} left as before")
        if outcome.spared:
            if not outcome.done:
                lines.append(f"nothing was {done}")
            lines += [f"{run_id}: {reason}" for run_id, reason in outcome.spared[:_NAMED]]
            if len(outcome.spared) > _NAMED:
                lines.append(f"and {len(outcome.spared) - _NAMED:,} more")
        if lines:
            self._outlet.notify("\n".join(lines), "warning" if outcome.spared else "information")

    def _forget_sizes(self, run_ids: tuple[str, ...]) -> None:
        for run_id in run_ids:
            if run_id in self._runs.rows:
                self._runs.rows[run_id] = replace(self._runs.rows[run_id], size=None)
        self._runs.publish(frozenset(run_ids))

    # Proving, moving

    async def _check(self, effort: Effort, run_ids: tuple[str, ...]) -> None:
        damaged = 0
        for number, run_id in enumerate(run_ids, 1):
            if effort.cancel.is_set():
                return
            self._moved(run_id, number, len(run_ids), 0, 0)
            await self._checker.prove(run_id, effort.cancel)
            check = self._outlet.desk.checks[run_id]
            damaged += bool(check.problem) or (check.proven and not check.sound)
        said = f"{plural(damaged, 'run')} of {len(run_ids):,} damaged" if damaged else "all of it is as it was written"
        self._outlet.notify(f"{plural(len(run_ids), 'run')} checked: {said}", "warning" if damaged else "information")

    async def _export(self, effort: Effort, deed: deeds.Export) -> None:
        path = await asyncio.to_thread(_resolved, deed.path)
        if not deed.force and await asyncio.to_thread(os.path.lexists, path):
            self._outlet.tell(Refused(deed, Trouble(f"{path} is there already", taken=True)))
            return
        written = await self._on_thread(
            effort, partial(doing.export, effort, deed.run_id, path, redact=deed.redact, force=deed.force)
        )
        self._outlet.notify(f"{deed.run_id} exported to {path}, {size(written)}", "information")

    async def _import(self, effort: Effort, deed: deeds.Import) -> None:
        path = await asyncio.to_thread(_resolved, deed.path)
        if deed.instead_of:
            run_id, put = await self._on_thread(effort, partial(doing.take_in_instead, effort, path, deed.instead_of))
            self._deletions.append([put])
            self._outlet.desk.checks.pop(run_id, None)
            self._runs.rows.pop(run_id, None)
            self._outlet.notify(f"{run_id} restored; what was damaged waits in the trash", "information")
        else:
            run_id, gone = await self._on_thread(effort, partial(doing.take_in, effort, path))
            lines = [f"{run_id} imported", *(f"removed {going.run_id}: {going.reason}" for going in gone)]
            self._outlet.notify("\n".join(lines), "information")
        self._runs.look(run_id)
        self._stir()

    def _refuse(self, deed: Deed, error: Exception) -> None:
        if isinstance(deed, deeds.Export | deeds.Import):
            trouble = Trouble(str(error))
            if isinstance(error, SpecularError):
                trouble = Trouble(error.message, error.details, error.hint or "")
            self._outlet.tell(Refused(deed, trouble))
        else:
            self._outlet.complain(error)

    # What takes no turn

    async def _pin(self, deed: deeds.Pin) -> None:
        work = keeping.pin_run if deed.on else keeping.unpin_run
        await self._outlet.attempt(lambda: work(self._outlet.root, deed.run_id))
        self._runs.look(deed.run_id)

    async def _preview(self, deed: deeds.Preview) -> None:
        try:
            if self._survey is None or deed.anew:
                self._survey = await asyncio.to_thread(keeping.survey, self._outlet.root)
            found = self._survey
            now = self._outlet.desk.clock.now()
            removals = await asyncio.to_thread(doing.decide, self._outlet.root, found, deed.rules, now)
        except (SpecularError, OSError) as error:
            self._outlet.tell(Previewed(deed.rules, (), doing.why(error)))
            return
        going = [Going(removal.run_id, removal.reason, removal.size) for removal in removals]
        self._outlet.tell(Previewed(deed.rules, going))

    async def _compare(self, deed: deeds.Compare) -> None:
        found = await self._outlet.attempt(lambda: comparing.compare(self._outlet.root, deed.run_id, deed.other))
        if found is not None:
            self._outlet.tell(Compared(found))


def _concerned(deed: Deed) -> tuple[str, ...]:
    match deed:
        case deeds.Trash() | deeds.Compress() | deeds.Check() | deeds.Clean():
            return deed.run_ids
        case deeds.Export() | deeds.Abandon():
            return (deed.run_id,)
        case _:
            return ()


def _them(run_ids: tuple[str, ...]) -> str:
    return "it" if len(run_ids) == 1 else "them"


def _resolved(path: str) -> Path:
    """Return a path as a shell would take it: `~` is home, where there is such a user."""
    return Path(os.path.expanduser(path))
