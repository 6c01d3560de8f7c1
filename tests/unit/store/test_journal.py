"""The journal: framing, chain, folding, and what is said of damage."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from specular_tui.model import event as ev
from specular_tui.model.fold import apply
from specular_tui.model.run import RunState, RunStatus, TaskState, TaskStatus
from specular_tui.store import journal
from specular_tui.store.journal import JournalDamage, JournalReader

CREATED = ev.RunCreated(
    at=1, run_id="r", plan_file="plan.json", plan_folder="/p", plan_name="p", plan_hash="blake3:0", tasks=("a", "b")
)
EVENTS: tuple[ev.AnyEvent, ...] = (
    CREATED,
    ev.SessionStarted(at=2, pid=1),
    ev.TaskStarted(at=3, task="a", attempt=1),
    ev.TaskEnded(at=4, task="a", attempt=1, outcome="completed", duration_ms=1, synced=2),
    ev.TaskStarted(at=5, task="b", attempt=1, synced=4),
    ev.SessionEnded(at=6, status="paused"),
)


def written(events: Sequence[ev.AnyEvent]) -> bytes:
    lines, chain = b"", ""
    for seq, event in enumerate(events, 1):
        line, chain = journal.encode(seq, event, chain)
        lines += line
    return lines


def test_a_record_is_one_line_that_says_its_number_its_event_and_its_chain() -> None:
    line, chain = journal.encode(1, CREATED, "")
    found = msgspec.json.decode(line)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert list(found)[:2] == ["seq", "event"]
    assert found["chain"] == chain
    assert len(chain) == 32
    assert line.startswith(b'{"seq":1,"event":"run_created",')


def test_line_feeds_in_texts_do_not_end_a_record() -> None:
    line, chain = journal.encode(1, ev.TaskSkipped(at=1, task="a", reason="two\nlines\x1b"), "")
    assert line.count(b"\n") == 1
    assert journal.decode(line[:-1], 1, "") == (ev.TaskSkipped(at=1, task="a", reason="two\nlines\x1b"), chain)


def test_what_was_written_is_read() -> None:
    reader = JournalReader()
    assert reader.feed(written(EVENTS)) == list(EVENTS)
    assert reader.state.status is RunStatus.PAUSED
    assert (reader.state.seq, reader.state.synced) == (6, 4)
    assert reader.torn == 0


def test_bytes_may_come_in_any_slices() -> None:
    data = written(EVENTS)
    for size in (1, 7, 100):
        reader = JournalReader()
        events = [event for i in range(0, len(data), size) for event in reader.feed(data[i : i + size])]
        assert events == list(EVENTS)
        assert reader.offset == len(data)


def test_a_torn_end_waits_for_the_rest() -> None:
    data = written(EVENTS)
    reader = JournalReader()
    reader.feed(data[:-5])
    assert reader.state.seq == 5
    assert reader.torn > 0
    assert reader.feed(data[-5:]) == [EVENTS[-1]]
    assert reader.torn == 0


def test_a_damaged_record_is_named_and_what_stands_before_it_counts() -> None:
    data = written(EVENTS)
    lines = data.splitlines(keepends=True)
    bad = b"".join(lines[:2]) + lines[2].replace(b'"at":3', b'"at":9') + b"".join(lines[3:])
    reader = JournalReader()
    with pytest.raises(JournalDamage) as caught:
        reader.feed(bad)
    assert (caught.value.seq, caught.value.offset) == (3, len(lines[0]) + len(lines[1]))
    assert reader.state.seq == 2
    assert reader.recovered == list(EVENTS[:2])


@pytest.mark.parametrize("drop", [0, 1, 3])
def test_a_missing_record_breaks_the_chain(drop: int) -> None:
    lines = written(EVENTS).splitlines(keepends=True)
    del lines[drop]
    with pytest.raises(JournalDamage) as caught:
        JournalReader().feed(b"".join(lines))
    assert caught.value.seq == drop + 1


def test_swapped_and_doubled_records_break_the_chain() -> None:
    lines = written(EVENTS).splitlines(keepends=True)
    for order in ([0, 1, 2, 4, 3, 5], [0, 1, 1, 2, 3, 4, 5]):
        with pytest.raises(JournalDamage):
            JournalReader().feed(b"".join(lines[i] for i in order))


def forged(*bodies: bytes) -> bytes:
    """Return records that chain as they should, whatever they say."""
    from blake3 import blake3

    data, chain = b"", ""
    for seq, body in enumerate(bodies, 1):
        text = b'{"seq":%d,%b' % (seq, body)
        chain = blake3(chain.encode() + text).hexdigest(length=16)
        data += b'%b,"chain":"%b"}\n' % (text, chain.encode())
    return data


FIRST = journal.encode(1, CREATED, "")[0][9:-45]


@pytest.mark.parametrize(
    "body",
    [
        b'"event":"task_started","at":1,"task":"zzz","attempt":1',
        b'"event":"nonsense","at":1',
        b'"event":"session_started","at":1,"pid":1,"status":"flying"',
        b'"event":"session_started","at":1,"pid":"x"',
        b'"event":"task_ended","at":1,"task":"a","attempt":1,"outcome":"completed","duration_ms":1',
        b'"event":"context_set","at":1,"values":' + b'{"a":' * 5000 + b"1" + b"}" * 5000,
        b'"event":"session_ended","at":1,"status":"\xff"',
        b'"event":"run_created","at":1,"run_id":"r","plan_file":"","plan_folder":"","plan_name":"","plan_hash":""',
        b'"event":"folded","at":1,"state":{}',
        b'"event":"log_lost","at":1,"task":"a","attempt":7',
        b"\xff\xfe",
        b"",
    ],
)
def test_forged_records_are_damage_and_nothing_else(body: bytes) -> None:
    reader = JournalReader()
    with pytest.raises(JournalDamage) as caught:
        reader.feed(forged(FIRST, body))
    assert caught.value.seq == 2


@pytest.mark.parametrize(
    "state",
    [
        b'{"run_id":"r","tasks":{"a":{}},"counts":{"pending":2},"seq":1}',
        b'{"run_id":"r","tasks":{"a":{}},"counts":{},"seq":1}',
        b'{"run_id":"r","tasks":{"a":{"status":"in_progress"}},"counts":{"in_progress":1},"seq":1}',
        b'{"run_id":"r","running":{"a":null},"seq":1}',
        b'{"run_id":"r","status":"flying","seq":1}',
        b'{"run_id":7}',
        b"[]",
    ],
)
def test_a_forged_fold_is_damage(state: bytes) -> None:
    with pytest.raises(JournalDamage):
        JournalReader().feed(forged(b'"event":"folded","at":1,"state":' + state))


def test_folding_gives_the_same_state_in_one_record() -> None:
    reader = JournalReader()
    reader.feed(written(EVENTS))
    pieces, seq, chain = journal.fold(reader.state, reader.state.updated_at)
    assert seq == 7
    again = JournalReader()
    (event,) = again.feed(b"".join(pieces))
    assert isinstance(event, ev.Folded)
    assert (again.state.seq, again.state.chain) == (7, chain)
    reader.state.seq, reader.state.chain = seq, chain
    assert msgspec.to_builtins(again.state) == msgspec.to_builtins(reader.state)
    more, _ = journal.encode(8, ev.RunAbandoned(at=9), chain)
    assert again.feed(more) == [ev.RunAbandoned(at=9)]


@pytest.mark.parametrize("tasks", [0, 1, 2, 3, 5])
def test_a_fold_in_pieces_is_one_record(monkeypatch: pytest.MonkeyPatch, tasks: int) -> None:
    monkeypatch.setattr(journal, "_AT_A_TIME", 2)
    state = RunState(seq=3, tasks={f"t{number}": TaskState(attempt=number) for number in range(tasks)})
    state.counts = {TaskStatus.PENDING: tasks} if tasks else {}
    pieces, seq, chain = journal.fold(state, 9)
    again = JournalReader()
    again.feed(b"".join(pieces))
    assert (again.state.seq, again.state.chain) == (seq, chain)
    assert again.state.tasks == state.tasks


def test_a_fold_stands_first_or_nowhere() -> None:
    data = written(EVENTS)
    reader = JournalReader()
    reader.feed(data)
    pieces, _, _ = journal.fold(reader.state, 9)
    with pytest.raises(JournalDamage, match="stands behind others"):
        JournalReader().feed(data + b"".join(pieces))


def test_a_fold_that_names_another_number_than_its_state_is_damage() -> None:
    state = apply(RunState(), CREATED)
    state.seq = 5
    line, _ = journal.encode(99, ev.Folded(at=1, state=msgspec.Raw(msgspec.json.encode(state))), "")
    with pytest.raises(JournalDamage):
        JournalReader().feed(line)


def test_records_behind_damage_say_how_far_the_disk_had_come() -> None:
    events = (
        *EVENTS[:5],
        ev.TaskEnded(at=6, task="b", attempt=1, outcome="failed", duration_ms=1, synced=5),
        EVENTS[5],
    )
    lines = written(events).splitlines(keepends=True)
    starts = [sum(map(len, lines[:i])) for i in range(len(lines))]
    for i in range(4):
        bad = bytearray(b"".join(lines))
        bad[starts[i] + 12] ^= 1
        assert journal.promised(bytes(bad), starts[i]) == 5
    bad = bytearray(b"".join(lines))
    bad[starts[6] + 12] ^= 1
    assert journal.promised(bytes(bad), starts[6]) == 0
    assert journal.promised(b"x" * 100, 0) == 0
    assert journal.promised(b"", 0) == 0


def test_a_record_behind_damage_that_was_not_chained_there_says_nothing() -> None:
    lines = written(EVENTS).splitlines(keepends=True)
    foreign, _ = journal.encode(9, ev.RunAbandoned(at=1, synced=8), "f" * 32)
    assert journal.promised(b"damaged\n" + foreign, 0) == 0
    assert journal.promised(b"damaged\n" + lines[4] + foreign, 0) == 0
