"""Following a journal as it grows."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from specular_tui.model import event as ev
from specular_tui.model.run import RunStatus, TaskStatus
from specular_tui.store import checkpoint, follow, layout
from specular_tui.store.follow import JournalTail
from specular_tui.store.journal import JournalDamage
from tests.recorded import RUN, Recorded


def tail(run: Recorded) -> JournalTail:
    return JournalTail(checkpoint.open_run(run.root, RUN))


def test_each_poll_gives_what_is_new(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    found = tail(run)
    events, more = found.poll()
    assert [type(event) for event in events] == [ev.RunCreated]
    assert not more
    assert found.poll() == ([], False)
    run.begin()
    run.run("fetch")
    events, _ = found.poll()
    assert [type(event) for event in events] == [ev.SessionStarted, ev.TaskStarted, ev.TaskEnded]
    assert found.state.tasks["fetch"].status is TaskStatus.COMPLETED
    assert found.live()
    run.vanish()
    assert not found.live()
    found.close()


def test_a_long_journal_comes_in_slices(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    run.begin()
    for _ in range(20):
        run.run("fetch", "failed")
    found = tail(run)
    events, polls, more = [], 0, True
    while more:
        new, more = found.poll(200)
        events += new
        polls += 1
    assert len(events) == run.recorder.state.seq
    assert polls > 10
    found.close()
    run.vanish()


def test_a_folded_journal_is_read_anew(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    run.begin()
    run.run("fetch")
    found = tail(run)
    found.poll()
    run.recorder.fold(run.now)
    events, _ = found.poll()
    assert [type(event) for event in events] == [ev.Folded]
    assert found.state.tasks["fetch"].status is TaskStatus.COMPLETED
    run.finish("paused")
    found.poll()
    assert found.state.status is RunStatus.PAUSED
    found.close()


def test_a_torn_record_waits(tmp_path: Path) -> None:
    run = Recorded(tmp_path).vanish()
    journal = run.path / layout.JOURNAL
    whole = journal.read_bytes()
    found = tail(run)
    journal.write_bytes(whole[:-9])
    assert found.poll() == ([], False)
    journal.write_bytes(whole)
    events, _ = found.poll()
    assert len(events) == 1
    found.close()


def test_damage_is_said_again_at_every_poll(tmp_path: Path) -> None:
    run = Recorded(tmp_path).vanish()
    journal = run.path / layout.JOURNAL
    journal.write_bytes(b'{"seq":1}\n')
    found = tail(run)
    for _ in range(2):
        with pytest.raises(JournalDamage):
            found.poll()
    found.close()


def test_a_run_that_vanishes(tmp_path: Path) -> None:
    run = Recorded(tmp_path).vanish()
    found = tail(run)
    (run.path / layout.JOURNAL).unlink()
    with pytest.raises(FileNotFoundError):
        found.poll()
    found.close()


async def test_a_consumer_that_is_cancelled_while_the_watching_ends_is_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending = asyncio.Event()

    async def awatch(*paths: Path, **options: object) -> AsyncGenerator[set[tuple[int, str]], None]:
        try:
            await asyncio.Event().wait()
            yield set()
        finally:
            ending.set()
            await asyncio.sleep(0.05)  # as the real one, which waits for its thread

    monkeypatch.setattr("watchfiles.awatch", awatch)
    went_on = False

    async def consume() -> None:
        nonlocal went_on
        changes = follow.changes([tmp_path])
        await anext(changes)
        await changes.aclose()
        went_on = True

    consumer = asyncio.ensure_future(consume())
    await ending.wait()
    consumer.cancel()
    with pytest.raises(asyncio.CancelledError):
        await consumer
    assert not went_on


async def test_changes_name_what_changed(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()

    async with contextlib.aclosing(follow.changes([tmp_path], every_ms=20)) as changes:
        assert await anext(changes) == set(), "from here on it is watched"
        (tmp_path / "file").write_text("once")
        assert str(tmp_path / "file") in await asyncio.wait_for(anext(changes), 10)
        (tmp_path / "sub").rmdir()
        (tmp_path / "other").write_text("once")
        seen: set[str] = set()
        while str(tmp_path / "other") not in seen:
            seen |= await asyncio.wait_for(anext(changes), 10)
