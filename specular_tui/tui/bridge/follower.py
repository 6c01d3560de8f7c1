"""The run in view: its journal read on and folded, its plan, and the logs of its tasks.

The journal is opened on a thread, and then read on in small slices on the loop, so that no screen ever sees a state in
the middle of a change.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import Final, Protocol

from specular_tui import workspace
from specular_tui.errors import SpecularError
from specular_tui.model.cause import Cause, find_cause
from specular_tui.model.event import AnyEvent, Folded, RunCreated, SessionStarted
from specular_tui.model.fold import as_seen_dead
from specular_tui.model.graph import Graph
from specular_tui.model.run import RunState
from specular_tui.tui.bridge.outlet import Outlet
from specular_tui.tui.bridge.run_list import RunList
from specular_tui.tui.bridge.threads import finished, no_collections, opened
from specular_tui.tui.messages import LogRead, RunMoved, RunShown
from specular_tui.tui.safe import ansi_line
from specular_tui.tui.views import RunView

#: Bytes of a journal that are folded on the loop at a time: some 3 ms.
SLICE: Final = 64 << 10
#: Bytes at a time while a run is being opened, on a thread.
FIRST_SLICE: Final = 4 << 20
#: So many seconds a log waits for the line that it is opened at.
PATIENCE: Final = 0.05
#: Messages about the run are at least this far apart, in seconds.
PACE: Final = 0.05


class _Tail(Protocol):
    @property
    def state(self) -> RunState: ...
    def poll(self, limit: int = ...) -> tuple[list[AnyEvent], bool]: ...
    def live(self) -> bool: ...
    def close(self) -> None: ...


class Follower:
    """Keeps the run that is on the desk."""

    def __init__(self, outlet: Outlet, runs: RunList, foresee: Callable[[], None]) -> None:
        """`runs` is told when a run has ended or vanished; `foresee` is called when its plan is read, or it ends."""
        self._outlet = outlet
        self._runs = runs
        self._foresee = foresee
        self._stir = asyncio.Event()

    def open(self, run_id: str) -> None:
        """Bring a run into view."""
        self._outlet.desk.opening = run_id
        self._runs.quiet.clear()
        self._outlet.spawn(partial(self._follow, run_id), "follow", True)

    def read_log(self, run_id: str, task_id: str, attempt: int | None = None) -> None:
        """Open a task's log; only the latest wish counts."""
        self._outlet.spawn(partial(self._read_log, run_id, task_id, attempt), "log", True)

    def stir(self) -> None:
        """Something of the run may have changed: look."""
        self._stir.set()

    async def _follow(self, run_id: str) -> None:
        """Bring a run into view and keep it up to date; where it cannot be read, the one that was in view stays so."""
        await self._bring(run_id)
        view = self._outlet.desk.view
        if view is not None and view.run_id != run_id and not view.gone:
            await self._bring(view.run_id)
        # What cannot be followed any more is looked after for as long as it is there.
        while (view := self._outlet.desk.view) is not None and not view.gone:
            if not (self._outlet.root / view.run_id).is_dir():
                self._vanished(view.run_id)
                break
            await self._stir.wait()
            self._stir.clear()

    async def _bring(self, run_id: str) -> None:
        """Follow a run from its first record on; return where that ends."""
        try:
            tail = await opened(partial(workspace.tail, self._outlet.root, run_id))
        except (SpecularError, OSError) as error:
            self._give_up(error)
            return
        try:
            with no_collections():
                live = tail.live()
                while (await finished(partial(tail.poll, FIRST_SLICE)))[1]:
                    pass
                view = self._show(run_id, tail.state, live)
                await self._add_graph(view)
            self._outlet.settle()
            await self._keep_up(view, tail)
        except FileNotFoundError:
            self._vanished(run_id)
        except (SpecularError, ValueError, OSError) as error:
            await self._show_stored(run_id, error)
        finally:
            tail.close()

    async def _graph(self, view: RunView) -> Graph | None:
        def read() -> Graph:
            return Graph(workspace.plan_of(self._outlet.root, view.run_id, view.state).tasks)

        try:
            return await asyncio.to_thread(read)
        except (SpecularError, OSError, KeyError) as error:
            self._outlet.complain(error)
            return None

    def _show(self, run_id: str, state: RunState, live: bool) -> RunView:
        if not live:
            as_seen_dead(state)
        desk = self._outlet.desk
        desk.opening = ""
        desk.view = view = RunView(run_id, state, live=live, owned=run_id in desk.owned)
        view.recount()
        self._outlet.tell(RunShown())
        self._runs.quiet.set()
        self._runs.look()
        self._look_for_failure(view)
        return view

    async def _add_graph(self, view: RunView) -> None:
        """Who needs whom is in the plan, which takes longer to read than the journal."""
        view.plan(await self._graph(view))
        self._outlet.tell(RunShown())
        self._foresee()

    async def _keep_up(self, view: RunView, tail: _Tail) -> None:
        more = False
        while True:
            if not more:
                await self._stir.wait()
                self._stir.clear()
            # In this order: a run that is found dead now can have no record written after its journal is read.
            live = tail.live()
            events, more = tail.poll(SLICE)
            state = tail.state
            if state is not view.state and (more or not state.run_id):
                # The journal has been folded, and is read anew: what is on the screen stays until that is done.
                await asyncio.sleep(0)
                continue
            whole = state is not view.state or any(
                isinstance(event, SessionStarted | Folded | RunCreated) for event in events
            )
            ended = not live and not more and (view.live or state.session is not None)
            if ended:
                as_seen_dead(state)
            if view.live != live or events or whole or ended:
                view.state, view.live = state, live
                touched = frozenset(task for event in events if (task := getattr(event, "task", None)))
                if whole or ended:
                    view.recount()
                else:
                    view.touch(touched)
                self._outlet.tell(RunShown() if whole or ended else RunMoved(touched))
                self._look_for_failure(view)
            if ended:
                self._runs.look(view.run_id)
                self._foresee()
            if whole:
                await self._add_graph(view)
            if events or more:
                # What comes meanwhile comes in one go.
                await asyncio.sleep(PACE if not more else 0)

    def _look_for_failure(self, view: RunView) -> None:
        missing = [task_id for task_id in view.pinned() if task_id not in view.causes]
        if missing:
            self._outlet.spawn(partial(self._explain, view, missing), "failure", False)

    async def _explain(self, view: RunView, task_ids: list[str]) -> None:
        """Find the line of each of these tasks' logs that most likely says why it failed."""
        for task_id in task_ids:
            await self._find_cause(view, task_id)
        self._outlet.tell(RunMoved(frozenset()))

    async def _find_cause(self, view: RunView, task_id: str) -> None:
        def read(window: int) -> bytes:
            return workspace.read_log_end(self._outlet.root, view.run_id, task_id, window, view.state)

        attempt = view.state.task(task_id).attempt
        cause = None
        with contextlib.suppress(SpecularError, OSError, ValueError):
            cause = await asyncio.to_thread(why_failed, read)
        if task_id in view.failed and view.state.task(task_id).attempt == attempt:
            view.causes[task_id] = cause

    async def _read_log(self, run_id: str, task_id: str, attempt: int | None) -> None:
        view = self._outlet.desk.view
        state = view.state if view is not None and view.run_id == run_id else None
        finding = None
        unexplained = view is not None and task_id in view.failed and task_id not in view.causes
        if view is not None and state is not None and attempt is None and unexplained:
            # It is opened at that line, if that does not take long; else it is gone to when it has been found.
            finding = asyncio.ensure_future(self._find_cause(view, task_id))
            await asyncio.wait([finding], timeout=PATIENCE)
        try:
            source = await opened(partial(workspace.open_log, self._outlet.root, run_id, task_id, attempt, state))
        except (SpecularError, OSError):
            source = None
        self._outlet.tell(LogRead(run_id, task_id, source, attempt))
        if finding is not None:
            await finding
            self._outlet.tell(RunMoved(frozenset({task_id})))

    async def _show_stored(self, run_id: str, error: Exception) -> None:
        """Show what can be read of a run whose journal cannot be followed."""
        try:
            stored = await asyncio.to_thread(workspace.load_run, self._outlet.root, run_id)
        except (SpecularError, OSError):
            self._give_up(error)
            return
        await self._add_graph(self._show(run_id, stored.state, stored.live))
        for notice in stored.notices:
            self._outlet.notify(notice, "warning")

    def _give_up(self, error: Exception) -> None:
        """Say why a run cannot be brought into view; what was there before stays."""
        self._outlet.desk.opening = ""
        self._runs.quiet.set()
        self._outlet.complain(error)
        self._outlet.tell(RunShown())

    def _vanished(self, run_id: str) -> None:
        view = self._outlet.desk.view
        self._outlet.desk.opening = ""
        self._runs.quiet.set()
        if view is not None and view.run_id == run_id:
            view.gone, view.live = True, False
            self._outlet.tell(RunShown())
        else:
            self._outlet.notify(f"{run_id} is not there any more", "warning")
        self._runs.look()


def why_failed(read: Callable[[int], bytes]) -> Cause | None:
    """Return the line of a log that most likely says why its task failed; `read` returns so many bytes of its end."""

    def lines(window: int) -> list[str]:
        return [ansi_line(raw).text for raw in read(window).removesuffix(b"\n").split(b"\n")]

    found = find_cause(lines)
    return found[0] if found is not None else None
