"""The journal's records: any event comes back as it was, and no bytes are more than damage."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specular_tui.errors import SpecularError
from specular_tui.model import event as ev
from specular_tui.model.event import OutputFile
from specular_tui.model.run import RunState
from specular_tui.store import checkpoint, journal, layout
from specular_tui.store.checks.check import check
from specular_tui.store.journal import JournalDamage, JournalReader
from tests import recorded
from tests.recorded import RUN

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
WORD = TEXT | st.none()
NUMBER = st.integers(0, 2**53)
NAMES = st.lists(TEXT, max_size=3).map(tuple)
REASONS = st.dictionaries(TEXT, TEXT, max_size=3)
OUTPUTS = st.lists(st.builds(OutputFile, path=TEXT, size=NUMBER, hash=TEXT), max_size=2).map(tuple)
VALUES: st.SearchStrategy[Any] = st.dictionaries(
    TEXT,
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers(-(2**53), 2**53)
        | TEXT
        | st.floats(allow_nan=False, allow_infinity=False),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=3,
)
SYNCED: dict[str, Any] = {"at": NUMBER, "synced": st.none() | NUMBER}

EVENTS: st.SearchStrategy[ev.AnyEvent] = st.one_of(
    st.builds(
        ev.RunCreated, run_id=TEXT, plan_file=TEXT, plan_folder=TEXT, plan_name=TEXT, plan_hash=TEXT, policy_file=WORD,
        tasks=NAMES, gates=NAMES, imported=st.booleans(), **SYNCED,
    ),
    st.builds(
        ev.SessionStarted, pid=NUMBER, status=TEXT, plan_hash=WORD, tasks=st.none() | NAMES, reset=REASONS,
        skipped=REASONS, **SYNCED,
    ),
    st.builds(ev.TaskStarted, task=TEXT, attempt=NUMBER, pid=st.none() | NUMBER, container=WORD, **SYNCED),
    st.builds(
        ev.TaskEnded, task=TEXT, attempt=NUMBER, outcome=TEXT, duration_ms=NUMBER, exit_code=st.none() | NUMBER,
        signal=WORD, reason=WORD, log_size=NUMBER, log_hash=TEXT, outputs=OUTPUTS, **SYNCED,
    ),
    st.builds(ev.TaskExited, task=TEXT, attempt=NUMBER, duration_ms=NUMBER, key=TEXT, **SYNCED),
    st.builds(ev.TaskSkipped, task=TEXT, reason=TEXT, **SYNCED),
    st.builds(ev.TaskReset, task=TEXT, reason=TEXT, **SYNCED),
    st.builds(ev.Frozen, by=TEXT, **SYNCED),
    st.builds(ev.Thawed, frozen_ms=NUMBER, **SYNCED),
    st.builds(ev.Draining, on=st.booleans(), **SYNCED),
    st.builds(ev.Stopping, reason=TEXT, **SYNCED),
    st.builds(ev.ContextSet, values=VALUES, **SYNCED),
    st.builds(ev.SessionEnded, status=TEXT, reason=TEXT, elapsed_ms=NUMBER, **SYNCED),
    st.builds(ev.RunAbandoned, reason=TEXT, **SYNCED),
    st.builds(ev.LogLost, task=TEXT, attempt=NUMBER, **SYNCED),
    st.builds(ev.Imported, **SYNCED),
)  # fmt: skip


@given(EVENTS, st.integers(1, 10**14), st.text("0123456789abcdef", min_size=32, max_size=32) | st.just(""))
def test_any_event_comes_back_as_it_was(event: ev.AnyEvent, seq: int, chain: str) -> None:
    line, after = journal.encode(seq, event, chain)
    assert line.count(b"\n") == 1
    assert journal.decode(line[:-1], seq, chain) == (event, after)
    for other_seq, other_chain in ((seq + 1, chain), (seq, "0" * 32 if chain != "0" * 32 else "")):
        with pytest.raises(JournalDamage):
            journal.decode(line[:-1], other_seq, other_chain)


@given(EVENTS, st.data())
def test_no_changed_byte_of_a_record_passes(event: ev.AnyEvent, data: st.DataObject) -> None:
    line, _ = journal.encode(7, event, "a" * 32)
    bad = bytearray(line[:-1])
    at = data.draw(st.integers(0, len(bad) - 1))
    bad[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(JournalDamage):
        journal.decode(bytes(bad), 7, "a" * 32)


@given(st.binary(max_size=400))
def test_any_bytes_are_a_journal_or_damage(data: bytes) -> None:
    with contextlib.suppress(JournalDamage):
        JournalReader().feed(data)
    journal.promised(data, 0)


@given(st.lists(EVENTS, max_size=6))
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_events_in_any_order_are_folded_or_damage(events: list[ev.AnyEvent]) -> None:
    lines, chain = b"", ""
    for seq, event in enumerate(events, 1):
        line, chain = journal.encode(seq, event, chain)
        lines += line
    reader = JournalReader()
    found: JournalDamage | None = None
    try:
        assert reader.feed(lines) == events
    except JournalDamage as damage:
        found = damage
    assert found is None or (found.genuine and found.seq == reader.state.seq + 1)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | TEXT,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(RunState.__struct_fields__), inner),
        max_leaves=12,
    )
)
def test_any_folded_state_is_read_or_damage(state: Any) -> None:
    with contextlib.suppress(OverflowError, ValueError):
        line, _ = journal.encode(5, ev.Folded(at=1, state=msgspec.Raw(msgspec.json.encode(state))), "")
        with contextlib.suppress(JournalDamage):
            JournalReader().feed(line)


# A recorded journal, cut and flipped at every byte --------------------------------------------------------------------


@cache
def _states() -> tuple[bytes, tuple[str, ...]]:
    """Return a recorded journal, and the state after each of its records."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        run = recorded.completed(Path(folder))
        data = (run.path / layout.JOURNAL).read_bytes()
    reader = JournalReader()
    states = [_plain(reader.state)]
    for line in data.splitlines(keepends=True):
        reader.feed(line)
        states.append(_plain(reader.state))
    return data, tuple(states)


def _plain(state: RunState) -> str:
    return msgspec.json.encode(state).decode()


def test_cut_at_every_byte_it_is_the_journal_as_it_was_then() -> None:
    data, states = _states()
    for at in range(len(data) + 1):
        reader = JournalReader()
        reader.feed(data[:at])
        whole = data[:at].count(b"\n")
        assert _plain(reader.state) == states[whole]
        assert reader.offset + reader.torn == at


@pytest.mark.parametrize("kind", ["flip", "drop", "double", "zero"])
def test_changed_at_every_byte_it_is_never_another_history(kind: str) -> None:
    data, states = _states()
    for at in range(len(data)):
        bad = bytearray(data)
        match kind:
            case "flip":
                bad[at] ^= 1 << at % 8
            case "drop":
                del bad[at]
            case "double":
                bad.insert(at, bad[at])
            case _:
                bad[at] = 0
        if bad == data:
            continue
        reader = JournalReader()
        with contextlib.suppress(JournalDamage):
            reader.feed(bytes(bad))
        whole = data[: at + (kind == "double")].count(b"\n")
        assert reader.state.seq <= whole, (kind, at)
        assert _plain(reader.state) == states[reader.state.seq]


def _copies(run: recorded.Recorded, at: int) -> Iterator[bytes]:
    data = (run.path / layout.JOURNAL).read_bytes()
    yield data[:at]
    bad = bytearray(data)
    bad[at] ^= 0x10
    yield bytes(bad)


@pytest.mark.parametrize("make", [recorded.completed, recorded.killed])
def test_readers_and_the_check_agree_and_never_raise_anything_else(
    tmp_path: Path, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded.no_sync(monkeypatch)
    run = make(tmp_path / "good")
    path = run.path / layout.JOURNAL
    size = path.stat().st_size
    copy = tmp_path / "bad" / RUN
    shutil.copytree(run.path, copy)
    for at in range(0, size, 11):
        for data in _copies(run, at):
            (copy / layout.JOURNAL).write_bytes(data)
            found = check(tmp_path / "bad", RUN)
            try:
                checkpoint.load(tmp_path / "bad", RUN)
            except SpecularError:
                assert not found.ok
            else:
                assert not found.journal_damaged
            checkpoint.summaries(tmp_path / "bad")
