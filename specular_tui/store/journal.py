"""The journal: one line of JSON for each event, numbered and chained.

    {"seq":7,"event":"task_started","at":1705314645123,"task":"lint","attempt":1,"chain":"<32 hex digits>"}

`chain` is the BLAKE3 (16 bytes) of the chain value before it and of the line's bytes up to `,"chain"`. The first
record of a run follows the empty chain value. A `folded` record holds the whole state before it, with the sequence
number and the chain value that it follows, and so may stand first.

Bytes behind the last line feed are a torn record. Damage in front of what is known to be on disk (`synced` in later
records, or the mark that the caller brings from metadata.json) is corruption; damage behind it is what a power cut may
leave of records that nobody had been promised, and is dropped like a torn record.
"""

from __future__ import annotations

import contextlib
import re
from itertools import islice
from typing import Final

import msgspec
from blake3 import blake3
from msgspec.structs import replace

from specular_tui.model.event import AnyEvent, Folded
from specular_tui.model.fold import apply
from specular_tui.model.quote import plain
from specular_tui.model.run import FoldError, RunState
from specular_tui.store.chain import LENGTH, TAIL, follows, said

_DECODER: Final = msgspec.json.Decoder(AnyEvent)
_ENCODER: Final = msgspec.json.Encoder()
_LONGEST_REASON: Final = 300
#: So many tasks of a folded state are one piece.
_AT_A_TIME: Final = 2_000
_FOLDED: Final = re.compile(rb'\{"seq":(\d{1,15}),"event":"folded",')


class _ChainOnly(msgspec.Struct):
    chain: str = ""


class _FoldedHead(msgspec.Struct):
    state: _ChainOnly


class JournalDamage(ValueError):
    """A record that is not what was written: which one, where, and what is wrong with it."""

    def __init__(self, seq: int, offset: int, reason: str, *, genuine: bool = False) -> None:
        """`seq` is the number that the record should have; `offset` its first byte in the file.

        `genuine`: its chain value is right, so that no power cut made it what it is: another version wrote it, or
        somebody forged it.
        """
        # A forged record may have anything in it, and what is wrong with it repeats some of that.
        reason = plain(reason[:_LONGEST_REASON])
        super().__init__(f"record {seq} at byte {offset}: {reason}")
        self.genuine = genuine
        self.seq = seq
        self.offset = offset
        self.reason = reason


def encode(seq: int, event: AnyEvent, chain: str) -> tuple[bytes, str]:
    """Return the line of `event` as record `seq` behind `chain`, and the chain value after it."""
    body = b'{"seq":%d,%b' % (seq, _ENCODER.encode(event)[1:-1])
    after = blake3(chain.encode() + body).hexdigest(length=LENGTH // 2)
    return b'%b,"chain":"%b"}\n' % (body, after.encode()), after


def decode(line: bytes, seq: int, chain: str, offset: int = 0) -> tuple[AnyEvent, str]:
    """Return the event of record `seq` and the chain value after it; `line` is without its line feed.

    Raises:
        JournalDamage: the line is not record `seq` behind `chain`.
    """
    body, found = line[:-TAIL], line[-LENGTH - 2 : -2]
    if line[-TAIL:] != b',"chain":"%b"}' % found:
        raise JournalDamage(seq, offset, "it does not end as a record ends")
    expected = blake3(chain.encode() + body).hexdigest(length=LENGTH // 2)
    if found != expected.encode():
        raise JournalDamage(seq, offset, "its chain value does not match its bytes")
    if not body.startswith(b'{"seq":%d,' % seq):
        raise JournalDamage(seq, offset, "its number is not the next one")
    try:
        return _DECODER.decode(line), expected
    except (ValueError, RecursionError) as error:
        raise JournalDamage(seq, offset, f"it is no event: {error}", genuine=True) from None


class _SyncedOnly(msgspec.Struct):
    synced: int | None = None


def promised(data: bytes, damaged: int) -> int:
    """Return how far the records behind a damaged one say that the journal was on disk; 0 where they say nothing.

    `data` is the whole journal and `damaged` the offset of the damaged record. A record behind it counts where it
    follows the chain value of the record in front of it, so that neither the damage nor chance can speak.
    """
    found = 0
    start = data.find(b"\n", damaged) + 1
    before = data[damaged : start - 1] if start else b""
    while start and (end := data.find(b"\n", start)) >= 0:
        line = data[start:end]
        if follows(line, said(before)):
            with contextlib.suppress(ValueError, RecursionError):
                found = max(found, msgspec.json.decode(line, type=_SyncedOnly).synced or 0)
        before, start = line, end + 1
    return found


class JournalReader:
    """Folds a journal as its bytes arrive.

    `state` holds what the records so far say; `offset` is where the next one starts in the file.
    """

    def __init__(self) -> None:
        """Start at the beginning of a file."""
        self.state = RunState()
        self.offset = 0
        #: The events of the last call of `feed`.
        self.recovered: list[AnyEvent] = []
        self._rest = b""

    @property
    def torn(self) -> int:
        """How many bytes stand behind the last whole record."""
        return len(self._rest)

    def feed(self, data: bytes) -> list[AnyEvent]:
        """Fold the whole records of `data`, which follows what was fed before, and return their events.

        Raises:
            JournalDamage: a record is not what was written. What came before it has been folded, and is `recovered`.
        """
        self.recovered = events = []
        data = self._rest + data if self._rest else data
        start = 0
        try:
            while (end := data.find(b"\n", start)) >= 0:
                events.append(self._fold(data[start:end]))
                self.offset += end + 1 - start
                start = end + 1
        finally:
            self._rest = data[start:]
        return events

    def _fold(self, line: bytes) -> AnyEvent:
        state = self.state
        seq, chain = state.seq + 1, state.chain
        if seq == 1 and (folded := _FOLDED.match(line)):
            seq, chain = int(folded[1]), _chain_before(line, int(folded[1]), self.offset)
        event, after = decode(line, seq, chain, self.offset)
        if isinstance(event, Folded) and state.seq:
            raise JournalDamage(seq, self.offset, "a folded record stands behind others", genuine=True)
        try:
            self.state = apply(state, event)
        except (FoldError, ValueError, RecursionError) as error:
            raise JournalDamage(seq, self.offset, str(error), genuine=True) from None
        if isinstance(event, Folded) and self.state.seq != seq - 1:
            reason = f"it stands for the records up to {self.state.seq}"
            raise JournalDamage(seq, self.offset, reason, genuine=True)
        self.state.seq, self.state.chain = seq, after
        return event


def _chain_before(line: bytes, seq: int, offset: int) -> str:
    """Return the chain value that a folded record says it follows; `decode` then proves it."""
    try:
        before: str = msgspec.json.decode(line, type=_FoldedHead).state.chain
    except (ValueError, RecursionError) as error:
        raise JournalDamage(seq, offset, f"it is no folded record: {error}") from None
    return before


def fold(state: RunState, at: int) -> tuple[list[bytes], int, str]:
    """Return the line that stands for all records up to now, its sequence number and the chain value after it.

    The line comes in pieces of a few thousand tasks each: as a whole it would be another copy of a large state.
    """
    seq = state.seq + 1
    rest = _ENCODER.encode(replace(state, tasks={}))
    pieces = [b'{"seq":%d,"event":"folded","at":%d,"state":%b' % (seq, at, rest[:-1])]
    items = iter(state.tasks.items())
    behind = b'"tasks":{' if rest == b"{}" else b',"tasks":{'
    while some := dict(islice(items, _AT_A_TIME)):
        pieces += (behind, _ENCODER.encode(some)[1:-1])
        behind = b","
    pieces.append(b"}}" if state.tasks else b"}")
    hasher = blake3(state.chain.encode())
    for piece in pieces:
        hasher.update(piece)
    chain = hasher.hexdigest(length=LENGTH // 2)
    pieces.append(b',"chain":"%b"}\n' % chain.encode())
    return pieces, seq, chain
