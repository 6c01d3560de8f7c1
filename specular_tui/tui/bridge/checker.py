"""The check of a run, on a thread: how far it is, what came of it, and giving it up."""

from __future__ import annotations

import asyncio
import threading
from functools import partial

from msgspec.structs import replace

from specular_tui.errors import SpecularError
from specular_tui.tui.bridge.outlet import Outlet
from specular_tui.tui.bridge.threads import finished
from specular_tui.tui.messages import CheckMoved
from specular_tui.tui.views import RunCheck
from specular_tui.workspace import checking


class Checker:
    """Checks one run at a time; a new wish ends the check before it."""

    def __init__(self, outlet: Outlet) -> None:
        """What it finds lies on the desk."""
        self._outlet = outlet
        self._cancel = threading.Event()
        #: What ends the check of a run that is checked as one of several.
        self._among: dict[str, threading.Event] = {}

    def check(self, run_id: str) -> None:
        """Begin to check a run; one that is being checked already goes on."""
        known = self._outlet.desk.checks.get(run_id)
        if known is None or not known.running:
            self._cancel.set()
            self._cancel = cancel = threading.Event()
            self._put(RunCheck(run_id))
            self._outlet.spawn(partial(self._check, run_id, cancel), "check", True)

    async def prove(self, run_id: str, cancel: threading.Event) -> None:
        """Check a run, as one of several; `cancel` ends them all."""
        self._put(RunCheck(run_id))
        self._among[run_id] = cancel
        try:
            await self._check(run_id, cancel)
        finally:
            del self._among[run_id]

    def cancel(self, run_id: str) -> None:
        """Give up the check of a run; where it is one of several, those that would come after it are given up too."""
        known = self._outlet.desk.checks.get(run_id)
        if known is not None and known.running:
            self._among.get(run_id, self._cancel).set()

    def _put(self, check: RunCheck) -> None:
        self._outlet.desk.checks[check.run_id] = check
        self._outlet.tell(CheckMoved(check.run_id))

    async def _check(self, run_id: str, cancel: threading.Event) -> None:
        desk, loop = self._outlet.desk, asyncio.get_running_loop()

        def moved(done: int, total: int) -> None:
            if desk.checks[run_id].running and not cancel.is_set():
                self._put(replace(desk.checks[run_id], done=done, total=total))

        def progress(done: int, total: int) -> None:
            loop.call_soon_threadsafe(moved, done, total)

        row = desk.row(run_id)
        check = RunCheck(run_id, updated_at=row.updated_at if row is not None else 0)
        try:
            report = await finished(
                partial(checking.check_run, self._outlet.root, run_id, progress, cancel), cancel.set
            )
        except asyncio.CancelledError:
            if desk.checks[run_id].running:
                self._put(replace(check, ended_at=desk.clock.now(), cancelled=True))
            raise
        except (SpecularError, OSError) as error:
            why = error.message if isinstance(error, SpecularError) else str(error)
            given_up = cancel.is_set()
            self._put(replace(check, ended_at=desk.clock.now(), cancelled=given_up, problem="" if given_up else why))
            return
        self._put(
            replace(
                check,
                ended_at=desk.clock.now(),
                found=tuple(line.details if line.details or line.ok else ("failed",) for line in report.checks),
                notes=report.notes,
                damaged=report.damaged_tasks,
                files=report.damaged_files,
                live=report.live,
            )
        )
