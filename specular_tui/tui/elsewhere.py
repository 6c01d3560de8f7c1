"""What happens to runs that are not in view: builds that another shell starts, and how they end. Pure."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from specular_tui.model import quantity
from specular_tui.model.duration import humanise
from specular_tui.model.run import RunStatus
from specular_tui.tui import keys
from specular_tui.tui.alerts import LONG, Alert
from specular_tui.tui.views import Desk, RunRow

_SAID: Final[dict[str, tuple[str, str]]] = {
    RunStatus.COMPLETED: ("completed", "information"),
    RunStatus.FAILED: ("failed", "error"),
}


class Elsewhere:
    """Looks at the list whenever it has changed, and says once of each run what is new."""

    def __init__(self) -> None:
        #: Whether a run was live when it was looked at last; None before the list has been read.
        self._live: dict[str, bool] | None = None
        #: When the list was looked at last: what was created later has come since, and is no run taken from an archive.
        self._looked_at = 0

    def look(self, desk: Desk, changed: Collection[str] | None) -> tuple[list[str], list[Alert]]:
        """Return the runs that are built, or go on, since the last look, and what is to be told of those that ended.

        `changed` are the runs whose rows alone are others now; None: all are to be looked at.
        """
        known, now = self._live, desk.clock.now()
        if known is None:
            if desk.listed:
                self._live, self._looked_at = {row.run_id: row.live for row in desk.runs}, now
            return [], []
        started: list[str] = []
        ended: list[Alert] = []
        for row in desk.runs if changed is None else [row for row in desk.runs if row.run_id in changed]:
            before = known.get(row.run_id)
            known[row.run_id] = row.live
            if row.live and not before:
                started.append(row.run_id)
            over = not row.live and (before or (before is None and row.created_at > self._looked_at))
            if over and (alert := self._ended(desk, row)) is not None:
                ended.append(alert)
        self._looked_at = now
        return started, ended

    def started(self, desk: Desk, run_id: str) -> Alert | None:
        """Return what is to be told of a run that has begun; nothing of what this program itself has started."""
        row = desk.row(run_id)
        if row is None or not row.live or run_id in desk.owned or _in_view(desk, run_id):
            return None
        desk.noticed = run_id
        return Alert(f"{run_id} started: {_opens()}", "information", loud=False)

    def _ended(self, desk: Desk, row: RunRow) -> Alert | None:
        if _in_view(desk, row.run_id):
            return None
        desk.noticed = row.run_id
        word, severity = _SAID.get(row.status, ("was interrupted" if row.interrupted else row.status, "warning"))
        failed = f" ({quantity.plural(row.failed, 'task')})" if row.status == RunStatus.FAILED and row.failed else ""
        text = f"{row.run_id} {word} after {humanise(row.elapsed_ms)}{failed}: {_opens()}"
        return Alert(text, severity, loud=row.elapsed_ms >= LONG)


def _in_view(desk: Desk, run_id: str) -> bool:
    return run_id in (desk.opening, desk.view.run_id if desk.view is not None else "")


def _opens() -> str:
    return f"{keys.pressed('app.open_newest')} opens it"
