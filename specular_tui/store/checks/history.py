"""A journal read whole, to prove the other files by: what it says at some of its records, and what it ends with."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from specular_tui.model.event import AnyEvent, Folded, SessionEnded, SessionStarted, TaskEnded
from specular_tui.model.run import RunState
from specular_tui.store.journal import JournalDamage, JournalReader, promised

#: Is given the state as of one record, and the offset behind that record (None where the journal no longer has it).
Look = Callable[[RunState, int | None], None]


class History(msgspec.Struct):
    """What a check needs to know of a journal."""

    #: The state at the end of what could be read; the last session is left open as the journal has it.
    state: RunState = msgspec.field(default_factory=RunState)
    #: Number of the first record; more than 1 in a journal that was folded.
    first: int = 0
    #: Bytes of the records that could be read.
    length: int = 0
    #: Bytes behind them.
    rest: int = 0
    damage: JournalDamage | None = None
    #: How far the records, damaged ones' successors included, say that the journal is on disk.
    synced: int = 0
    #: The last record that names each task.
    named: dict[str, int] = {}
    #: The last record that ended an attempt of each task.
    ended: dict[str, int] = {}
    #: The last record that may concern every task: a session's start or end, or a folded one.
    general: int = 0

    def touched(self, task: str, since: int) -> bool:
        """Tell whether a record behind record `since` may have changed what is known of `task`."""
        return max(self.general, self.named.get(task, 0)) > since


def read(data: bytes, wanted: Iterable[int], look: Callable[[int], Look]) -> History:
    """Fold the journal `data`, and let `look(seq)` see the state at each record of `wanted`.

    A record that is not there, or that a fold has taken in, is not looked at; the one right before a folded record is.
    """
    found = History()
    reader = JournalReader()
    pending = sorted(set(wanted))
    start = 0
    while (end := data.find(b"\n", start)) >= 0:
        try:
            (event,) = reader.feed(data[start : end + 1])
        except JournalDamage as damage:
            found.damage = damage
            break
        start = end + 1
        seq = reader.state.seq
        found.first = found.first or seq
        _note(found, event, seq)
        if pending and isinstance(event, Folded) and (seq - 1) in pending:
            look(seq - 1)(msgspec.json.decode(event.state, type=RunState), None)
        while pending and pending[0] <= seq:
            if pending.pop(0) == seq:
                look(seq)(reader.state, start)
    found.state = reader.state
    found.length = reader.offset
    found.rest = len(data) - reader.offset
    found.synced = reader.state.synced
    if found.damage is not None:
        found.synced = max(found.synced, promised(data, reader.offset))
    return found


def _note(found: History, event: AnyEvent, seq: int) -> None:
    if isinstance(event, SessionStarted | SessionEnded | Folded):
        found.general = seq
        return
    task = getattr(event, "task", None)
    if task is not None:
        found.named[task] = seq
        if isinstance(event, TaskEnded):
            found.ended[task] = seq
