"""The list of runs: read in slices on a thread, newest first, and kept up to date."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence
from typing import Final

from msgspec.structs import replace

from specular_tui import workspace
from specular_tui.errors import SpecularError
from specular_tui.tui.bridge.beside import Beside
from specular_tui.tui.bridge.outlet import Outlet
from specular_tui.tui.messages import RunsListed
from specular_tui.tui.views import RunRow

#: Runs whose summaries are read in one go on a thread.
CHUNK: Final = 40
#: The list is looked through at most this often, in seconds.
PACE: Final = 0.05


class RunList:
    """Keeps the rows of the desk."""

    def __init__(self, outlet: Outlet, listed: Callable[[], None]) -> None:
        """`listed` is called whenever the list has been looked through."""
        self._outlet = outlet
        self._listed = listed
        self._wake = asyncio.Event()
        #: Set while no run is being opened: the run that somebody waits for comes first.
        self.quiet = asyncio.Event()
        self.quiet.set()
        self._stale: set[str] = set()
        #: Runs whose folders have changed since their bytes were counted.
        self._resized: set[str] = set()
        self.rows: dict[str, RunRow] = {}
        self._beside = Beside(outlet.root)
        #: When a live run may be looked at again.
        self._due: dict[str, float] = {}

    def start(self) -> None:
        """Begin to list."""
        self._wake.set()
        self._outlet.spawn(self._list, "list", True)

    def look(self, run_id: str | None = None) -> None:
        """Look for runs that have come or gone, and at the run named."""
        if run_id is not None:
            self._stale.add(run_id)
        self._wake.set()

    def note(self, run_id: str) -> None:
        """Something in the folder of a run may have changed; a live one is looked at once a second anyway."""
        row = self.rows.get(run_id)
        if row is None or not row.live:
            self.look(run_id)

    def changed(self, run_id: str) -> None:
        """Something in the folder of a run has changed: it may take more bytes, or fewer."""
        self._resized.add(run_id)
        self.note(run_id)

    def tick(self) -> None:
        """Look at what is live."""
        view, now = self._outlet.desk.view, time.monotonic()
        for row in [row for row in self._outlet.desk.runs if row.live]:
            if view is not None and view.live and view.run_id == row.run_id:
                # Its journal is being followed already.
                self.publish(frozenset({row.run_id}))
            elif now >= self._due.get(row.run_id, 0):
                self.look(row.run_id)

    async def _list(self) -> None:
        while True:
            await self._wake.wait()
            await self.quiet.wait()
            self._wake.clear()
            try:
                await self._list_once()
            except (SpecularError, OSError) as error:
                self._outlet.complain(error)
            if not self._outlet.desk.listed:
                self._outlet.desk.listed = True
                self._outlet.tell(RunsListed())
            self._listed()
            if any(row.size is None for row in self._outlet.desk.runs):
                self._outlet.spawn(self._measure, "measure", True)
            await asyncio.sleep(PACE)

    async def _list_once(self) -> None:
        ids = await asyncio.to_thread(workspace.run_ids, self._outlet.root)
        try:
            moved = await asyncio.to_thread(self._beside.read)
        except (SpecularError, OSError) as error:
            # The runs are there all the same; whoever removes some reads the pins again, and is refused.
            self._outlet.complain(error)
            moved = False
        if moved:
            self._outlet.desk.trash = self._beside.trash
            self.rows = {i: replace(row, pinned=i in self._beside.pinned) for i, row in self.rows.items()}
            self.publish(frozenset(self.rows))
        here = set(ids)
        lost = [run_id for run_id in self.rows if run_id not in here]
        for run_id in lost:
            del self.rows[run_id]
        new = [run_id for run_id in reversed(ids) if run_id not in self.rows]
        stale, self._stale = self._stale & here - set(new), set()
        if lost:
            self.publish(None)
        for wanted, whole in ((new, True), (sorted(stale), False)):
            for start in range(0, len(wanted), CHUNK):
                chunk = wanted[start : start + CHUNK]
                rows = await asyncio.to_thread(self._summarise, chunk)
                changed = [row for row in rows if self.rows.get(row.run_id) != row]
                self.rows.update((row.run_id, row) for row in changed)
                # A long list is shown once its newest are there, and then not at every slice.
                if changed and (not whole or start == 0 or start + CHUNK >= len(wanted) or start % (CHUNK * 8) == 0):
                    self.publish(None if whole else frozenset(row.run_id for row in changed))
        if not self._outlet.desk.listed:
            self._outlet.desk.listed = True
            self.publish(None)

    def _summarise(self, ids: Sequence[str]) -> list[RunRow]:
        rows = []
        for run_id in ids:
            began = time.monotonic()
            try:
                found = workspace.summarise_run(self._outlet.root, run_id)
            except (SpecularError, OSError):
                continue
            if found.live:
                # A long journal takes long to read: it is not read all the time.
                self._due[run_id] = time.monotonic() + 20 * (time.monotonic() - began)
            damage = found.damage.reason if found.damage else ""
            row = RunRow.of(run_id, found.metadata, live=found.live, damage=damage)
            row = replace(row, pinned=run_id in self._beside.pinned)
            known = self.rows.get(run_id)
            if known is not None and (row.live or self._as_counted(known, row)):
                row = replace(row, size=known.size, flaw=known.flaw)
            rows.append(row)
        return rows

    def _as_counted(self, known: RunRow, row: RunRow) -> bool:
        """Tell whether the bytes of a run that is not live are still those that were counted.

        At its end a build lets go of what it had set aside and packs its logs, with nothing new in its journal.
        """
        resized = row.run_id in self._resized
        self._resized.discard(row.run_id)
        return not resized and not known.live and known.updated_at == row.updated_at

    def publish(self, changed: frozenset[str] | None) -> None:
        """Put the rows on the desk: those `changed`, or all of them in their order."""
        desk = self._outlet.desk
        view = desk.view
        if view is not None and view.live and (row := self.rows.get(view.run_id)) is not None and row.live:
            self.rows[view.run_id] = row.seen(view.state, desk.clock.now())
        if changed is None:
            self._outlet.desk.runs = sorted(self.rows.values(), key=_age_key, reverse=True)
        else:
            # A run that has just gone stays listed until that is told.
            self._outlet.desk.runs = [
                self.rows.get(row.run_id, row) if row.run_id in changed else row for row in self._outlet.desk.runs
            ]
        self._outlet.tell(RunsListed(changed))

    async def _measure(self) -> None:
        """Count the bytes of runs whose size is not known, newest first, without hurry."""
        missing = [row.run_id for row in self._outlet.desk.runs if row.size is None]
        for start in range(0, len(missing), CHUNK):
            chunk = missing[start : start + CHUNK]
            sizes = await asyncio.to_thread(self._sizes, chunk)
            for run_id, (count, flaw) in sizes.items():
                if run_id in self.rows:
                    self.rows[run_id] = replace(self.rows[run_id], size=count, flaw=flaw)
            self.publish(frozenset(sizes))
            await asyncio.sleep(PACE)

    def _sizes(self, ids: Sequence[str]) -> dict[str, tuple[int, str]]:
        """Return what runs take on the disk, and what is wrong with them at a glance."""
        sizes = {}
        for run_id in ids:
            with contextlib.suppress(SpecularError, OSError):
                seen = workspace.glance_at_run(self._outlet.root, run_id)
                sizes[run_id] = seen.size, "".join(seen.flaws[:1])
        return sizes


def _age_key(row: RunRow) -> tuple[int, int, str]:
    return row.created_at, len(row.run_id), row.run_id
