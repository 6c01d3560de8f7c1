"""Proving a run: what is right passes, what is wrong is named, and what a crash may leave is no damage."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from specular_tui.errors import RunNotFoundError
from specular_tui.model import event as ev
from specular_tui.store import checkpoint, commit, digest, journal, layout, snapshot
from specular_tui.store.checks import report
from specular_tui.store.checks.check import check
from specular_tui.store.checks.report import HASHES, METADATA, PRESENT, PROGRESS, STATE, Report
from specular_tui.store.effort import CancelledError
from specular_tui.store.keeping.compress import compress
from specular_tui.store.reopening import open_run
from specular_tui.store.seal import sealed
from tests import recorded
from tests.recorded import RUN, Recorded

SRC = layout.task_stem("src/Compile.c")


@pytest.fixture(autouse=True)
def _no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded.no_sync(monkeypatch)


def details(found: Report) -> dict[str, list[str]]:
    """Return what is wrong, by line; lines that are right are left out."""
    return {name: list(lines) for name, ok, lines in found.checks if not ok}


def only(found: Report, line: str) -> str:
    """Return the one thing that is wrong, which must stand under `line`."""
    wrong = details(found)
    assert list(wrong) == [line], wrong
    (detail,) = wrong[line]
    return detail


def edit(path: Path, change: Callable[[Any], Any]) -> None:
    path.write_bytes(msgspec.json.format(msgspec.json.encode(change(msgspec.json.decode(path.read_bytes()))), indent=2))


@pytest.mark.parametrize("make", [recorded.completed, recorded.paused, recorded.failed, recorded.killed])
@pytest.mark.parametrize("packed", [False, True])
def test_a_healthy_run_is_valid(tmp_path: Path, make: Callable[..., Recorded], packed: bool) -> None:
    make(tmp_path, policy=b"checkpoints: {}\n", gates=("@tests",))
    if packed:
        compress(tmp_path, RUN)
    before = sorted((p, p.stat().st_mtime_ns) for p in tmp_path.rglob("*"))
    found = check(tmp_path, RUN)
    assert found.ok, found
    assert [name for name, _, _ in found.checks] == [
        "Metadata valid", "State file valid", "Progress tracking valid", "All output files present", "Hashes match",
    ]  # fmt: skip
    assert not found.notes
    assert sorted((p, p.stat().st_mtime_ns) for p in tmp_path.rglob("*")) == before


def test_a_run_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(RunNotFoundError):
        check(tmp_path, "none")


@pytest.mark.parametrize("told", [True, False])
def test_a_metadata_file_that_does_not_say_that_the_build_was_ending_is_of_before(tmp_path: Path, told: bool) -> None:
    run = Recorded(tmp_path)
    run.begin()
    run.add(ev.Draining(at=run.now, on=True))
    run.snapshot()
    run.vanish()
    file = run.path / layout.METADATA
    fields = msgspec.json.decode(file.read_bytes())
    assert fields["draining"] is True
    if not told:
        del fields["draining"]
        file.write_bytes(snapshot.encode(sealed(fields)))
    assert check(tmp_path, RUN).ok
    assert not check(tmp_path, RUN).notes


# Live runs and crashes ------------------------------------------------------------------------------------------------


def test_a_live_run_is_valid_at_every_moment(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    states: list[Report] = [check(tmp_path, RUN)]

    def look() -> None:
        states.append(check(tmp_path, RUN))

    run.begin()
    look()
    run.start("fetch", b"half")
    look()
    run.snapshot()
    look()
    run.end("fetch")
    look()
    run.snapshot()
    run.start("fetch", b"again")
    look()
    run.end("fetch", "failed")
    run.recorder.fold(run.now)
    look()
    run.snapshot()
    look()
    assert all(found.ok and found.live and not found.notes for found in states), states
    run.finish("paused")


def test_a_busy_run_is_valid_all_the_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "WINDOW", 0.005)
    run = Recorded(tmp_path)
    run.begin()
    stop = threading.Event()

    def work() -> None:
        turn = 0
        while not stop.is_set():
            turn += 1
            for task in ("fetch", "docs"):
                run.run(task, "failed", log=b"x" * turn)
            run.snapshot()
            if turn % 7 == 0:
                run.recorder.fold(run.now)

    writer = threading.Thread(target=work)
    writer.start()
    try:
        found = [check(tmp_path, RUN) for _ in range(10)]
    finally:
        stop.set()
        writer.join()
    assert all(one.ok for one in found), [details(one) for one in found if not one.ok]
    run.finish("failed")
    assert check(tmp_path, RUN).ok


def test_damage_in_a_live_run_is_found(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    run.begin()
    run.run("fetch")
    run.snapshot()
    (run.outputs / "fetch.log").write_bytes(b"other")
    assert only(check(tmp_path, RUN), HASHES).startswith("outputs/fetch.log: has 5 bytes")
    run.vanish()


def test_a_kill_at_any_point_leaves_a_valid_run(tmp_path: Path) -> None:
    """The folder is copied at every step of a build: what a killed process leaves."""
    run = Recorded(tmp_path / "live")
    copies: list[str] = []

    def copy() -> None:
        name = f"copy{len(copies)}"
        shutil.copytree(run.root, tmp_path / name)
        copies.append(name)

    real = run.recorder._folder.publish

    def publish(name: str, data: bytes | Iterable[bytes], *, sync: bool = True) -> None:
        copy()
        real(name, data, sync=sync)
        copy()

    run.recorder._folder.publish = publish  # type: ignore[method-assign]
    real_rename = run.recorder._folder.rename

    def rename(old: str, new: str) -> None:
        copy()
        real_rename(old, new)
        copy()

    run.recorder._folder.rename = rename  # type: ignore[method-assign]
    real_outputs = run.recorder._outputs.publish

    def publish_output(name: str, data: bytes | Iterable[bytes], *, sync: bool = True) -> None:
        real_outputs(name, data, sync=sync)
        copy()

    run.recorder._outputs.publish = publish_output  # type: ignore[method-assign]
    real_add = run.recorder._outputs.add

    def add_output(name: str, data: bytes) -> None:
        real_add(name, data)
        copy()

    run.recorder._outputs.add = add_output  # type: ignore[method-assign]
    run.begin()
    copy()
    for attempt in range(2):
        for task in ("fetch", "docs"):
            run.start(task, b"x" * 9)
            copy()
            run.end(task, "failed" if task == "docs" else "completed", will_retry=task == "docs" and not attempt)
            copy()
        run.snapshot()
    run.recorder.fold(run.now)
    run.finish("failed")
    copy()
    assert len(copies) > 30
    for name in copies:
        found = check(tmp_path / name, RUN)
        assert found.ok, (name, details(found))
        again = open_run(tmp_path / name, RUN, tasks=run.tasks, now=run.now)
        again.recorder.close(run.now)
        found = check(tmp_path / name, RUN)
        assert found.ok, (name, details(found))


def test_a_log_that_nobody_was_promised_is_a_note(tmp_path: Path) -> None:
    run = recorded.killed(tmp_path)
    (run.outputs / f"{SRC}.log").unlink()
    found = check(tmp_path, RUN)
    assert found.ok
    assert len(found.notes) == 1
    assert "will be made again" in found.notes[0]


def test_a_torn_record_is_a_note(tmp_path: Path) -> None:
    run = recorded.killed(tmp_path)
    with open(run.path / layout.JOURNAL, "ab") as file:
        file.write(b'{"seq":')
    found = check(tmp_path, RUN)
    assert found.ok
    assert found.notes == ("journal.jsonl: 7 bytes of unfinished records at its end count for nothing",)


def test_a_task_that_printed_nothing_needs_no_log(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    (run.outputs / "docs.log").unlink()
    assert check(tmp_path, RUN).ok


def test_other_files_are_notes(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    (run.path / "README").touch()
    (run.outputs / "stranger.log").touch()
    (run.path / layout.QUARANTINE).mkdir()
    (run.path / layout.QUARANTINE / "old").touch()
    found = check(tmp_path, RUN)
    assert found.ok
    assert len(found.notes) == 2
    assert "README" in found.notes[0]
    assert "outputs/stranger.log" in found.notes[1]


# Damage ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "line"),
    [
        (layout.METADATA, METADATA),
        (layout.STATE, STATE),
        (layout.PROGRESS, PROGRESS),
        (layout.JOURNAL, PROGRESS),
        (layout.PLAN, PRESENT),
        (layout.POLICY, PRESENT),
        ("outputs/fetch.json", PRESENT),
        ("outputs/fetch.log", PRESENT),
        (f"outputs/{SRC}.1.log", PRESENT),
    ],
)
@pytest.mark.parametrize("kind", ["missing", "link", "folder", "fifo"])
def test_each_file_must_be_there_and_a_file(tmp_path: Path, name: str, line: str, kind: str) -> None:
    run = recorded.completed(tmp_path, policy=b"checkpoints: {}\n")
    path = run.path / name
    moved = tmp_path / "moved"
    path.rename(moved)
    match kind:
        case "link":
            path.symlink_to(moved)
        case "folder":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
        case _:
            pass
    found = check(tmp_path, RUN)
    assert not found.ok
    wrong = [detail for detail in details(found)[line] if detail.startswith(f"{name}: ")]
    assert wrong, details(found)
    reason = {"missing": "is missing", "link": "is a symbolic link"}.get(kind, "is not a regular file")
    assert reason in wrong[0]


def test_outputs_must_be_a_folder(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    run.outputs.rename(tmp_path / "moved")
    assert details(check(tmp_path, RUN))[PRESENT][0] == "outputs: is missing"
    run.outputs.symlink_to(tmp_path / "moved")
    found = check(tmp_path, RUN)
    assert details(found)[PRESENT][0].startswith("outputs: is ")
    assert set(found.damaged_tasks) == set(run.tasks)


def test_a_log_by_its_hash(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    path = run.outputs / "test.log"
    good = digest.of_bytes(path.read_bytes())
    bad = path.read_bytes().replace(b"ok", b"no", 1)
    path.write_bytes(bad)
    found = check(tmp_path, RUN)
    assert only(found, HASHES) == f"outputs/test.log: expected {good}, found {digest.of_bytes(bad)}"
    assert found.damaged_tasks == ("test",)
    assert found.damaged_files == ("outputs/test.log",)
    assert found.lost_logs == (("test", 1),)


@pytest.mark.parametrize(("data", "reason"), [(b"", "has 0 bytes"), (b"x" * 9999, "is longer than")])
def test_a_log_by_its_size(tmp_path: Path, data: bytes, reason: str) -> None:
    run = recorded.completed(tmp_path)
    (run.outputs / "test.log").write_bytes(data)
    assert reason in only(check(tmp_path, RUN), HASHES)


def test_the_log_of_an_earlier_attempt_costs_no_result(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    (run.outputs / f"{SRC}.1.log").write_bytes(b"error: out of cheese\n")
    found = check(tmp_path, RUN)
    assert f"outputs/{SRC}.1.log: expected" in only(found, HASHES)
    assert found.damaged_tasks == ()
    assert found.lost_logs == (("src/Compile.c", 1),)


def test_a_packed_log_by_its_plain_bytes(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    compress(tmp_path, RUN)
    path = run.outputs / "test.log.gz"
    whole = path.read_bytes()
    for data in (whole[:-4], b"\x1f\x8b" + b"x" * 20, b"", whole[:12] + b"\xff\xff" + whole[14:], whole + b"x"):
        path.write_bytes(data)
        found = check(tmp_path, RUN)
        assert only(found, HASHES).startswith("outputs/test.log: ")


def test_a_packed_bomb_is_not_unpacked(tmp_path: Path) -> None:
    import gzip

    run = recorded.completed(tmp_path)
    compress(tmp_path, RUN)
    (run.outputs / "test.log.gz").write_bytes(gzip.compress(b"\0" * (64 << 20), 1))
    assert "is longer than" in only(check(tmp_path, RUN), HASHES)


def test_a_record_by_the_hash_in_progress(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    edit(run.outputs / "fetch.json", lambda record: record | {"title": "Other"})
    found = check(tmp_path, RUN)
    assert only(found, HASHES).startswith(
        "outputs/fetch.json: is not the one that progress.json knows: expected blake3:"
    )
    assert found.damaged_tasks == ("fetch",)


def test_a_record_and_its_hash_changed_together_contradict_the_journal(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    edit(run.outputs / "fetch.json", lambda record: record | {"exit_code": 1})
    new = digest.of_bytes((run.outputs / "fetch.json").read_bytes())

    def swap(progress: Any) -> Any:
        progress["tasks"]["fetch"]["output_hash"] = new
        return progress

    edit(run.path / layout.PROGRESS, swap)
    assert only(check(tmp_path, RUN), HASHES) == "outputs/fetch.json: exit_code is 1, and the journal says 0"


def test_the_plan_and_the_policy_by_their_hashes(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path, policy=b"checkpoints: {}\n")
    for name in (layout.PLAN, layout.POLICY):
        path = run.path / name
        good = path.read_bytes()
        path.write_bytes(good + b"\n")
        assert f"{name}: expected blake3:" in only(check(tmp_path, RUN), HASHES)
        path.write_bytes(good)


def test_a_policy_that_nobody_put_there(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    (run.path / layout.POLICY).write_text("execution: {}\n")
    assert "policy.yaml: is there, and the run has no policy" in only(check(tmp_path, RUN), HASHES)


def test_a_plan_with_other_tasks_than_the_journal(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    run.vanish()
    other = recorded.plan_bytes(recorded.TASKS[:2])
    line, chain = journal.encode(
        1,
        msgspec.structs.replace(
            recorded.events_in(run.path)[0],
            plan_hash=digest.of_bytes(other),
        ),
        "",
    )
    (run.path / layout.JOURNAL).write_bytes(line)
    (run.path / layout.PLAN).write_bytes(other)
    edit(
        run.path / layout.METADATA,
        lambda found: sealed(
            found | {"plan_hash": digest.of_bytes(other), "journal_chain": chain, "journal_bytes": len(line)}
        ),
    )
    assert "plan.json: does not have the tasks of the journal" in only(check(tmp_path, RUN), METADATA)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": "failed"}, 'status is "failed", and the journal says "completed"'),
        ({"completed_tasks": 3}, "completed_tasks is 3, and the journal says 4"),
        ({"run_id": "other"}, 'run_id is "other"'),
        ({"plan_hash": "blake3:0"}, "plan_hash is"),
        ({"updated_at": None}, "updated_at is null"),
        ({"elapsed_ms": 5}, "elapsed_ms is 5"),
        ({"control": "/tmp/socket"}, "control is"),
        ({"journal_bytes": 5}, "journal_bytes is 5"),
        ({"journal_chain": "f" * 32}, "journal_chain is"),
        ({"journal_seq": 0}, "is of record 0"),
        ({"journal_seq": -1}, "is of record -1"),
        ({"status": "flying"}, "is not as it was written"),
        ({"total_tasks": "4"}, "is not as it was written"),
        ({"interrupted": 0}, "is not as it was written"),
        ({"format": 2}, "has format 2"),
    ],
)
def test_metadata_against_the_journal(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    run = recorded.completed(tmp_path)
    edit(run.path / layout.METADATA, lambda found: found | change)
    wrong = details(check(tmp_path, RUN))[METADATA]
    assert any(reason in detail for detail in wrong), wrong


def test_metadata_that_has_seen_more_than_the_journal_holds(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    path = run.path / layout.JOURNAL
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    found = check(tmp_path, RUN)
    assert "and metadata.json has seen record" in details(found)[PROGRESS][0]
    assert found.journal_damaged


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"completed": ["fetch"]}, "completed lacks"),
        ({"completed": ["test", "fetch", "src/Compile.c", "docs"]}, "is not in the order of the plan"),
        ({"failed": ["ghost"]}, 'failed has "ghost", and the journal has not'),
        ({"context": {"a": 1}}, "context is"),
        ({"current_task": "fetch"}, 'current_task is "fetch"'),
        ({"pending": None}, "is not as it was written"),
    ],
)
def test_state_against_the_journal(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    run = recorded.completed(tmp_path)
    edit(run.path / layout.STATE, lambda found: found | change)
    assert reason in only(check(tmp_path, RUN), STATE)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"status": "failed"}, "task fetch: status is"),
        ({"exit_code": 1}, "task fetch: exit_code is 1"),
        ({"started_at": None}, "task fetch: started_at is null"),
        ({"duration_ms": -1}, "task fetch: duration_ms is -1"),
    ],
)
def test_progress_against_the_journal(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    run = recorded.completed(tmp_path)

    def swap(progress: Any) -> Any:
        progress["tasks"]["fetch"] |= change
        return progress

    edit(run.path / layout.PROGRESS, swap)
    assert reason in only(check(tmp_path, RUN), PROGRESS)


def test_progress_must_have_every_task_and_every_hash(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    good = (run.path / layout.PROGRESS).read_bytes()

    def drop(progress: Any) -> Any:
        del progress["tasks"]["fetch"]
        return progress

    edit(run.path / layout.PROGRESS, drop)
    assert any("has no task fetch" in line for line in details(check(tmp_path, RUN))[PROGRESS])
    (run.path / layout.PROGRESS).write_bytes(good)

    def unhash(progress: Any) -> Any:
        del progress["tasks"]["fetch"]["output_hash"]
        return progress

    edit(run.path / layout.PROGRESS, unhash)
    assert any("task fetch: has no output_hash" in line for line in details(check(tmp_path, RUN))[PROGRESS])


@pytest.mark.parametrize("name", [layout.METADATA, layout.STATE, layout.PROGRESS, "outputs/fetch.json"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"{",
        b"\xff\xfe\x00",
        b"\0" * 100,
        b"[" * 100_000,
        b'{"journal_seq": NaN}',
        b'{"journal_seq": 1, "journal_seq": 2}',
        b'{"journal_seq": 1e400}',
        b'{"journal_seq": 99999999999999999999999}',
        b'{"tasks": {"a": ' * 300 + b"1" + b"}}" * 300,
    ],
    ids=range(13),
)
def test_no_content_of_a_file_is_more_than_a_failure(tmp_path: Path, name: str, content: bytes) -> None:
    run = recorded.completed(tmp_path)
    (run.path / name).write_bytes(content)
    found = check(tmp_path, RUN)
    assert not found.ok
    assert any(name in detail for lines in details(found).values() for detail in lines)


def test_a_key_that_stands_twice_is_found(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    for name, line in ((layout.METADATA, METADATA), (layout.STATE, STATE), (layout.PROGRESS, PROGRESS)):
        path = run.path / name
        good = path.read_bytes()
        path.write_bytes(good.replace(b'"journal_seq"', b'"journal_seq": 1,\n  "journal_seq"', 1))
        assert "has the key 'journal_seq' twice" in " ".join(details(check(tmp_path, RUN))[line])
        path.write_bytes(good)


def test_the_same_content_in_other_bytes_is_a_note(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    path = run.path / layout.STATE
    path.write_bytes(msgspec.json.encode(msgspec.json.decode(path.read_bytes())))
    found = check(tmp_path, RUN)
    assert found.ok
    assert found.notes == ("state.json: holds what it should, but not in the bytes that Specular writes",)


def test_snapshots_older_than_a_fold_are_lawful_but_must_make_sense(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    run.begin()
    run.run("fetch")
    run.snapshot()
    run.run("docs")
    run.recorder.fold(run.now)
    run.vanish()
    assert check(tmp_path, RUN).ok
    edit(run.path / layout.STATE, lambda found: found | {"failed": ["fetch"]})
    assert only(check(tmp_path, RUN), STATE) == "state.json: lists a task twice"


def test_snapshots_are_written_in_an_order(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    run.begin()
    run.snapshot()
    old = (run.path / layout.STATE).read_bytes()
    run.add(ev.Draining(at=run.now))
    run.snapshot()
    (run.path / layout.STATE).write_bytes(old)
    run.vanish()
    assert "older than progress.json" in only(check(tmp_path, RUN), STATE)


def test_impossible_names_of_tasks_are_refused(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    line, _ = journal.encode(
        2, ev.SessionStarted(at=run.now, pid=1, tasks=("../../etc/passwd\x1b[31m",)), run.recorder.state.chain
    )
    run.vanish()
    with open(run.path / layout.JOURNAL, "ab") as file:
        file.write(line)
    found = check(tmp_path, RUN)
    text = str(found.checks)
    assert "impossible name" in text
    assert "\x1b" not in text


def test_names_from_the_disk_cannot_steer_a_terminal(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    (run.path / "a\x1b[31mb").touch()
    (run.outputs / "c\x1b]0;x\x07d").touch()
    assert all(note.isprintable() for note in check(tmp_path, RUN).notes)


def test_a_newer_kind_of_record_is_not_dropped(tmp_path: Path) -> None:
    from blake3 import blake3

    run = recorded.killed(tmp_path)
    state = checkpoint.load(tmp_path, RUN).state
    body = b'{"seq":%d,"event":"invented_later","at":1' % (state.seq + 1)
    chain = blake3(state.chain.encode() + body).hexdigest(length=16)
    with open(run.path / layout.JOURNAL, "ab") as file:
        file.write(b'%b,"chain":"%b"}\n' % (body, chain.encode()))
    assert "it is no event" in only(check(tmp_path, RUN), PROGRESS)


# Effort ---------------------------------------------------------------------------------------------------------------


def big(tmp_path: Path, mib: int = 12) -> Recorded:
    run = Recorded(tmp_path)
    run.begin()
    for task in run.tasks:
        run.run(task, log=os.urandom(1 << 20) * mib)
    return run.finish("completed")


def test_large_logs_tell_how_far_they_are(tmp_path: Path) -> None:
    big(tmp_path)
    told: list[tuple[int, int]] = []
    assert check(tmp_path, RUN, progress=lambda done, total: told.append((done, total))).ok
    assert told[-1] == (48 << 20, 48 << 20)
    assert told == sorted(told)


def test_a_check_can_be_cancelled(tmp_path: Path) -> None:
    big(tmp_path, 2)
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(CancelledError):
        check(tmp_path, RUN, cancel=cancel)


def test_the_lines_are_named_once() -> None:
    assert report.NAMES == (METADATA, STATE, PROGRESS, PRESENT, HASHES)


def files(run: Recorded) -> Iterable[Path]:
    return sorted(p for p in run.path.rglob("*") if p.is_file() and p.name not in (layout.LOCK, layout.RESERVE))


@pytest.mark.parametrize("kind", ["flipped", "doubled", "zeroed", "cut"])
def test_a_changed_byte_anywhere_is_found_and_its_file_named(tmp_path: Path, kind: str) -> None:
    """Some bytes of every file; tests/property has them all."""
    run = recorded.completed(tmp_path, policy=b"checkpoints: {}\n")
    for path in files(run):
        good = path.read_bytes()
        name = str(path.relative_to(run.path))
        for at in {*range(0, len(good), 1 + len(good) // 12), len(good) - 1} if good else ():
            bad = bytearray(good)
            match kind:
                case "flipped":
                    bad[at] ^= 1 << at % 8
                case "doubled":
                    bad.insert(at, bad[at])
                case "zeroed":
                    bad[at] = 0
                case _:
                    del bad[at:]
            path.write_bytes(bad)
            found = check(tmp_path, RUN)
            said = [line for _, _, lines in found.checks for line in lines] + list(found.notes)
            assert any(name in line for line in said), (name, at)
        path.write_bytes(good)
    assert check(tmp_path, RUN).ok
