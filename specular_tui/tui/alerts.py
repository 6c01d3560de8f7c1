"""What is worth telling a user who looks elsewhere: the first failure of a build, and its end. Pure but for `send`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from specular_tui.model import quantity
from specular_tui.model.duration import humanise
from specular_tui.model.run import RunStatus, TaskStatus
from specular_tui.tui import present, present_task
from specular_tui.tui.glyphs import ascii_text
from specular_tui.tui.safe import plain
from specular_tui.tui.views import RunView

#: A build that took less than this, in milliseconds, is still being looked at.
LONG: Final = 20_000
_LONGEST: Final = 160
#: Seconds for which it is shown.
SHOWN: Final = 8.0


class Alert(Struct, frozen=True):
    """Something has happened."""

    text: str
    severity: str
    #: It is worth a sound, if nobody is looking.
    loud: bool
    #: Build says it by itself, for as long as it is so.
    pinned: bool = False


class Alerts:
    """Looks at the run in view whenever it has moved, and says once what is new."""

    def __init__(self) -> None:
        self._run: tuple[str, int] | None = None
        self._live = False
        self._failed = False

    def look(self, view: RunView | None) -> Alert | None:
        """Return what is to be told; nothing of what had happened before the run came into view."""
        if view is None:
            self._run = None
            return None
        run = (view.run_id, len(view.state.sessions))
        live, failed = self._live, self._failed
        known, self._run, self._live = self._run, run, view.live
        self._failed = bool(view.failed)
        if known is None or known[0] != run[0]:
            return None
        loud = view.state.elapsed_until(view.state.updated_at) >= LONG
        if live and not view.live and not view.gone:
            return self._ended(view, loud)
        if view.live and not failed and (first := view.first_failure()) is not None:
            task = view.state.tasks.get(first) or view.state.gates.get(first)
            how = present_task.outcome(task) if task is not None and task.status is TaskStatus.FAILED else ""
            return Alert(f"{_name(view)}: {first} failed" + (f" ({how})" if how else ""), "error", loud, pinned=True)
        return None

    def _ended(self, view: RunView, loud: bool) -> Alert:
        state = view.state
        took = humanise(state.elapsed_ms)
        match state.status:
            case RunStatus.COMPLETED:
                return Alert(f"{_name(view)} completed in {took}", "information", loud, pinned=True)
            case RunStatus.FAILED:
                failed = quantity.plural(len(view.failed), "task")
                return Alert(f"{_name(view)} failed after {took}: {failed}", "error", loud, pinned=True)
            case _:
                why = present.why_ended(state)
                said = f"{_name(view)} {state.status} after {took}" + (f": {why}" if why else "")
                return Alert(said, "warning", loud, pinned=True)


def _name(view: RunView) -> str:
    return view.state.plan_name or view.run_id


def sequence(text: str, environ: Mapping[str, str], *, unicode: bool) -> str:
    """Return what shows a notification of the desktop: OSC 777 where that is spoken, else OSC 9.

    Terminals that know neither pass over both.
    """
    said = plain(text).replace(";", ",")[:_LONGEST]
    said = said if unicode else ascii_text(said)
    if environ.get("TERM", "").startswith(("foot", "rxvt")) or "VTE_VERSION" in environ:
        return f"\x1b]777;notify;Specular;{said}\x1b\\"
    return f"\x1b]9;Specular: {said}\x07"


def send(alert: Alert, write: Callable[[str], object], environ: Mapping[str, str], *, unicode: bool) -> None:
    """Ring, and show a notification of the desktop."""
    write("\a" + sequence(alert.text, environ, unicode=unicode))
