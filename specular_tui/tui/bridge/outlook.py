"""What is to be expected of the run in view: what its tasks usually take, its critical path, and when it will end.

Worked out on a thread: the past once for each run, the rest now and then while the run is live.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Mapping
from functools import partial
from typing import Final

from specular_tui.errors import SpecularError
from specular_tui.model.critical import critical_path
from specular_tui.model.forecast import expected_ms, forecast
from specular_tui.model.graph import Graph
from specular_tui.model.run import RunState
from specular_tui.model.usual import Usual
from specular_tui.tui.bridge.outlet import Outlet
from specular_tui.tui.bridge.threads import no_collections
from specular_tui.tui.messages import Foreseen
from specular_tui.tui.views import RunView
from specular_tui.workspace import history

#: It is worked out again after this many seconds at the earliest, and after so many times what that took.
PACE: Final = 2.0
#: While nothing happens to any task, what was worked out holds: it is looked at again after so many seconds.
CALM: Final = 10.0
SHARE: Final = 100


class Outlook:
    """Keeps `RunView.usual`, `critical` and `forecast`."""

    def __init__(self, outlet: Outlet) -> None:
        """What is expected is written to the run on the desk."""
        self._outlet = outlet
        self._due = 0.0
        #: When the last thing had happened that it was worked out from.
        self._up_to = -1
        #: The run that was looked at last, as it stood then, and the one whose past is known.
        self._looked: tuple[RunView | None, Graph | None, bool] = (None, None, False)
        self._view: RunView | None = None
        #: The run that it was last worked out for.
        self.done: RunView | None = None

    def look(self) -> None:
        """Work it out again if it is time: while the run goes on, and once when it has come into view, or ended."""
        view = self._outlet.desk.view
        looked = (view, view.graph, view.live) if view is not None else (None, None, False)
        again = looked != self._looked
        if again:
            self._looked, self._due, self._up_to = looked, 0.0, -1
        happened = view is not None and view.state.updated_at != self._up_to
        # What has happened just before a build was frozen counts for as long as that stands.
        if view is None or view.graph is None or not (view.moving or again or (view.live and happened)):
            return
        calm = 0.0 if happened else CALM - PACE
        if time.monotonic() >= self._due + calm:
            self._due = float("inf")
            self._outlet.spawn(partial(self._work, view, view.graph), "outlook", True)

    async def _work(self, view: RunView, graph: Graph) -> None:
        began = time.monotonic()
        known = self._view is view
        try:
            if not known:
                view.usual = await asyncio.to_thread(partial(self._past, view.run_id, view.state))
                self._view = view
                began = time.monotonic()
            self._up_to = view.state.updated_at
            now = self._outlet.desk.clock.now() if view.live else view.state.updated_at
            # Tasks come and go while a session starts: the next time will do.
            with no_collections(), contextlib.suppress(RuntimeError, KeyError):
                await asyncio.to_thread(partial(_foresee, view, graph, now))
                self._outlet.tell(Foreseen(past=not known))
                self.done = view
        finally:
            ended = time.monotonic()
            self._due = ended + max(PACE, SHARE * (ended - began))

    def _past(self, run_id: str, state: RunState) -> Mapping[str, Usual]:
        path = os.path.join(state.plan_folder, os.path.basename(state.plan_file))
        try:
            return history.past(self._outlet.root, path, but=run_id)
        except (SpecularError, OSError):
            return {}


def _foresee(view: RunView, graph: Graph, now: int) -> None:
    """Write what is to be expected to the run."""
    state = view.state
    critical = critical_path(state, graph, now, expected_ms(graph, view.usual))
    found = forecast(state, graph, now, view.usual) if view.live else None
    view.critical = critical
    view.forecast, view.foreseen = (found, now) if found is not None else None, True
