"""Stored runs as readers see them."""

from __future__ import annotations

import contextlib
import errno
import gzip
import os
import threading
import warnings
import zlib
from pathlib import Path

import msgspec
import pytest

from specular_tui.errors import AmbiguousRunError, CheckpointError, RunNotFoundError, SpecularError, StorageError
from specular_tui.model import event as ev
from specular_tui.model.run import RunStatus
from specular_tui.store import checkpoint, layout
from specular_tui.store.folder import Folder
from specular_tui.store.keeping.compress import compress
from tests import recorded
from tests.recorded import RUN, Recorded


def test_there_may_be_no_directory_yet(tmp_path: Path) -> None:
    assert checkpoint.run_ids(tmp_path / "none") == []
    assert checkpoint.summaries(tmp_path / "none") == []
    with pytest.raises(RunNotFoundError, match="checkpoint not found: x"):
        checkpoint.load(tmp_path / "none", "x")


def test_only_folders_with_names_of_runs_are_runs(tmp_path: Path) -> None:
    recorded.paused(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / ".trash").mkdir()
    (tmp_path / "with space").mkdir()
    (tmp_path / "link").symlink_to(RUN)
    assert checkpoint.run_ids(tmp_path) == [RUN]
    for name in ("link", "..", ".", "../x", "file", "a/b", ""):
        with pytest.raises(RunNotFoundError):
            checkpoint.load(tmp_path, name)


def test_a_whole_id_beats_prefixes(tmp_path: Path) -> None:
    for name in ("build", "build-2", "build-2-a", "other"):
        recorded.paused(tmp_path, name)
    assert checkpoint.find(tmp_path, "build") == "build"
    assert checkpoint.find(tmp_path, "o") == "other"
    with pytest.raises(AmbiguousRunError) as caught:
        checkpoint.find(tmp_path, "b")
    assert list(caught.value.details) == ["build", "build-2", "build-2-a"]
    for name in ("", "zzz", "\x1b[31m"):
        with pytest.raises(RunNotFoundError) as missing:
            checkpoint.find(tmp_path, name)
        assert "\x1b" not in missing.value.message


def test_a_run_reads_as_it_ended(tmp_path: Path) -> None:
    for make, status, interrupted in (
        (recorded.completed, RunStatus.COMPLETED, False),
        (recorded.failed, RunStatus.FAILED, False),
        (recorded.paused, RunStatus.PAUSED, False),
        (recorded.killed, RunStatus.PAUSED, True),
    ):
        run = make(tmp_path, make.__name__)
        found = checkpoint.load(tmp_path, run.run_id)
        assert (found.state.status, found.state.interrupted, found.live) == (status, interrupted, False)
        summary = checkpoint.summarise(tmp_path, run.run_id)
        assert (summary.status, summary.metadata["interrupted"]) == (status, interrupted)
        assert summary.resumable == (status is not RunStatus.COMPLETED)


def test_a_live_run_says_so(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    run.begin()
    assert checkpoint.load(tmp_path, RUN).live
    assert checkpoint.summarise(tmp_path, RUN).status == "in_progress"
    run.vanish()
    assert not checkpoint.load(tmp_path, RUN).live


def test_newest_first_with_numbers_as_numbers(tmp_path: Path) -> None:
    for _ in range(11):
        Recorded(tmp_path).vanish()
    ids = [run.run_id for run in checkpoint.summaries(tmp_path)]
    assert ids == [f"{RUN}-{n}" for n in range(11, 1, -1)] + [RUN]


def test_damage_in_what_was_on_disk_is_an_error_that_names_the_way_on(tmp_path: Path) -> None:
    run = recorded.paused(tmp_path)
    journal = run.path / layout.JOURNAL
    data = bytearray(journal.read_bytes())
    data[len(data) // 2] ^= 1
    journal.write_bytes(data)
    with pytest.raises(CheckpointError, match="is damaged: record") as caught:
        checkpoint.load(tmp_path, RUN)
    assert "validate" in (caught.value.hint or "")
    journal.write_bytes(data + b"x")
    summary = checkpoint.summarise(tmp_path, RUN)
    assert (summary.status, summary.resumable) == ("damaged", False)


def test_damage_that_later_records_vouch_for_is_never_taken_for_a_torn_end(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    run.begin()
    for task in ("fetch", "docs", "src/Compile.c", "test"):
        run.run(task)
        run.recorder.flush()
    run.vanish()
    journal = run.path / layout.JOURNAL
    lines = journal.read_bytes().splitlines(keepends=True)
    for i in range(2, len(lines) - 3):
        bad = bytearray(b"".join(lines))
        bad[sum(map(len, lines[:i])) + 20] ^= 1
        journal.write_bytes(bad)
        with pytest.raises(CheckpointError):
            checkpoint.load(tmp_path, RUN)


def test_a_journal_that_is_shorter_than_it_once_was(tmp_path: Path) -> None:
    run = recorded.paused(tmp_path)
    journal = run.path / layout.JOURNAL
    lines = journal.read_bytes().splitlines(keepends=True)
    for keep in range(len(lines)):
        journal.write_bytes(b"".join(lines[:keep]))
        with pytest.raises(CheckpointError):
            checkpoint.load(tmp_path, RUN)
    journal.unlink()
    with pytest.raises(CheckpointError, match="is missing"):
        checkpoint.load(tmp_path, RUN)


def test_a_journal_of_another_run(tmp_path: Path) -> None:
    recorded.paused(tmp_path, "a")
    run = recorded.paused(tmp_path, "b")
    (run.path / layout.JOURNAL).write_bytes((tmp_path / "a" / layout.JOURNAL).read_bytes())
    with pytest.raises(CheckpointError, match="another run"):
        checkpoint.load(tmp_path, "b")


def test_another_format_is_not_guessed_at(tmp_path: Path) -> None:
    run = recorded.paused(tmp_path)
    found = msgspec.json.decode((run.path / layout.METADATA).read_bytes())
    (run.path / layout.METADATA).write_bytes(msgspec.json.encode(found | {"format": 2}))
    with pytest.raises(CheckpointError, match="format 2"):
        checkpoint.load(tmp_path, RUN)


@pytest.mark.parametrize("content", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000, b'{"format": []}'])
def test_metadata_may_hold_anything(tmp_path: Path, content: bytes) -> None:
    run = recorded.paused(tmp_path)
    (run.path / layout.METADATA).write_bytes(content)
    with contextlib.suppress(SpecularError):
        assert checkpoint.load(tmp_path, RUN).state.status is RunStatus.PAUSED
    checkpoint.summaries(tmp_path)


def test_plain_bytes_come_from_either_file(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    before = {name: (run.outputs / name).read_bytes() for name in os.listdir(run.outputs)}
    compress(tmp_path, RUN)
    with Folder.at(run.outputs) as outputs, warnings.catch_warnings():
        warnings.simplefilter("error")
        for name, data in before.items():
            assert checkpoint.read_plain(outputs, name) == data
            with checkpoint.open_plain(outputs, name) as file:
                assert file.read() == data
        with pytest.raises(FileNotFoundError):
            checkpoint.open_plain(outputs, "none.log")


def test_damaged_packed_files_are_errors_not_tracebacks(tmp_path: Path) -> None:
    (tmp_path / "cut.gz").write_bytes(gzip.compress(b"x" * 1000)[:-9])
    (tmp_path / "bad.gz").write_bytes(b"no gzip")
    (tmp_path / "long.gz").write_bytes(gzip.compress(b"x" * 1000))
    with Folder.at(tmp_path) as folder:
        for name in ("cut", "bad"):
            with pytest.raises(CheckpointError, match="is damaged"):
                checkpoint.read_plain(folder, name)
        with pytest.raises(CheckpointError, match="longer than"):
            checkpoint.read_plain(folder, "long", 999)
        with checkpoint.open_plain(folder, "cut") as file, pytest.raises((EOFError, zlib.error)):
            file.read()


def test_a_directory_of_another_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    with pytest.raises(StorageError, match="another user"):
        checkpoint.summaries(tmp_path)


def test_readers_of_a_live_run_always_see_something_whole_and_never_go_back(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    run.begin()
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            run.run("fetch", "failed")
            run.snapshot()
            run.recorder.fold(run.now)

    writer = threading.Thread(target=work)
    writer.start()
    try:
        last = 0
        for _ in range(60):
            found = checkpoint.load(tmp_path, RUN)
            assert found.state.seq >= last
            last = found.state.seq
            for name in (layout.METADATA, layout.STATE, layout.PROGRESS):
                msgspec.json.decode((run.path / name).read_bytes())
            checkpoint.summarise(tmp_path, RUN)
    finally:
        stop.set()
        writer.join()
    run.finish("paused")


def test_a_run_of_which_it_cannot_be_told_whether_it_is_live_is_listed_as_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded.paused(tmp_path)
    really = Folder.open

    def refuse(self: Folder, name: str, flags: int = os.O_RDONLY) -> int:
        if name == layout.LOCK:
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        return really(self, name, flags)

    monkeypatch.setattr(Folder, "open", refuse)
    (found,) = checkpoint.summaries(tmp_path)
    assert found.run_id == RUN
    assert found.status == "damaged"
    assert not found.resumable
    assert found.damage is not None
    assert found.damage.reason.startswith("failed to see whether the checkpoint is in use: permission denied")
    with pytest.raises(StorageError, match="permission denied"):
        checkpoint.load(tmp_path, RUN)


@pytest.mark.parametrize("snapshot", [False, True])
def test_that_a_build_is_ending_is_known_of_a_live_run_alone(tmp_path: Path, snapshot: bool) -> None:
    run = Recorded(tmp_path)
    run.begin()
    run.start("fetch")
    run.snapshot()
    (quiet,) = checkpoint.summaries(tmp_path)
    assert (quiet.draining, quiet.stopping) == (False, False)
    for event, expected in (
        (ev.Draining(at=run.now, on=True), (True, False)),
        (ev.Stopping(at=run.now, reason="stopped"), (True, True)),
    ):
        run.add(event)
        if snapshot:
            run.snapshot()
        (found,) = checkpoint.summaries(tmp_path)
        assert (found.status, found.draining, found.stopping) == ("in_progress", *expected)
    run.vanish()
    (dead,) = checkpoint.summaries(tmp_path)
    assert (dead.status, dead.draining, dead.stopping) == ("paused", False, False)
    assert not {"draining", "stopping"} & dead.metadata.keys()
