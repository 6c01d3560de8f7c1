"""The writing side: what is recorded is there, in the right order, whatever ends the process."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
import threading
from pathlib import Path

import msgspec
import pytest

from specular_tui.errors import RunHeldError, StorageError
from specular_tui.model import event as ev
from specular_tui.model.plan import Task
from specular_tui.model.run import FoldError, RunStatus, TaskStatus
from specular_tui.store import checkpoint, commit, creating, digest, layout, lock, recorder, reserve
from specular_tui.store.checks.check import check
from specular_tui.store.folder import Folder, write_all
from specular_tui.store.keeping.compress import compress
from specular_tui.store.reopening import open_run
from tests import recorded
from tests.recorded import RUN, Recorded


@pytest.fixture(autouse=True)
def _no_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    recorded.no_sync(monkeypatch)


def metadata(run: Recorded) -> dict[str, object]:
    found: dict[str, object] = msgspec.json.decode((run.path / layout.METADATA).read_bytes())
    return found


def test_a_new_run_is_whole_and_private(tmp_path: Path) -> None:
    run = Recorded(tmp_path / "deep" / "root", policy=b"checkpoints: {}\n")
    names = sorted(os.listdir(run.path))
    assert names == [
        ".reserve", "journal.jsonl", "lock", "metadata.json", "outputs", "plan.json", "policy.yaml", "progress.json",
        "state.json",
    ]  # fmt: skip
    assert os.listdir(run.root) == [RUN]
    for path in run.path.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    assert (run.path / layout.PLAN).read_bytes() == run.plan
    assert check(run.root, RUN).ok
    run.vanish()


def test_a_name_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    runs = [Recorded(tmp_path) for _ in range(3)]
    assert [run.run_id for run in runs] == [RUN, f"{RUN}-2", f"{RUN}-3"]
    assert [checkpoint.load(tmp_path, run.run_id).state.run_id for run in runs] == [run.run_id for run in runs]
    for run in runs:
        run.vanish()


def test_a_named_run_that_is_there_is_refused(tmp_path: Path) -> None:
    run = Recorded(tmp_path).vanish()
    state = checkpoint.load(tmp_path, RUN).state
    event = ev.RunCreated(
        at=1, run_id=RUN, plan_file="p", plan_folder="/", plan_name="p", plan_hash=state.plan_hash, tasks=()
    )
    with pytest.raises(StorageError, match="already there"):
        creating.create_run(tmp_path, event, plan=run.plan, policy=None, tasks={}, named=True)
    assert os.listdir(tmp_path) == [RUN]


def test_a_run_that_cannot_be_made_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Folder, name: str, data: bytes, *, sync: bool = True) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Folder, "publish", refuse)
    with pytest.raises(StorageError, match="no space left"):
        Recorded(tmp_path)
    assert os.listdir(tmp_path) == []


def _held_by_this_process() -> tuple[int, int]:
    return len(os.listdir("/dev/fd")), threading.active_count()


@pytest.mark.parametrize("broken", ["sync_all", "sync", "names"])
def test_a_run_that_cannot_be_made_holds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str) -> None:
    def refuse(self: Folder, *args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    before = _held_by_this_process()
    monkeypatch.setattr(Folder, broken, refuse)
    with pytest.raises(StorageError, match="no space left"):
        Recorded(tmp_path)
    assert _held_by_this_process() == before


@pytest.mark.parametrize(
    "broken",
    [(recorder.RunRecorder, "append"), (recorder.RunRecorder, "compare_records"), (recorder, "GroupCommit"),
     (reserve, "put_aside"), (lock, "acquire")],
)  # fmt: skip
def test_a_run_that_cannot_be_taken_up_is_let_go_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: tuple[object, str]
) -> None:
    run = recorded.killed(tmp_path)

    def refuse(*args: object, **more: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    before = _held_by_this_process()
    with monkeypatch.context() as patch:
        patch.setattr(*broken, refuse)
        with pytest.raises(StorageError, match="input/output error"):
            open_run(tmp_path, RUN, tasks=run.tasks, now=run.now)
    assert _held_by_this_process() == before
    run.reopen()
    run.leave()
    assert check(tmp_path, RUN).ok


def test_what_is_appended_is_in_the_file_at_once(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    run.begin()
    run.run("fetch")
    state = checkpoint.load(tmp_path, RUN).state
    assert state.tasks["fetch"].status is TaskStatus.COMPLETED
    run.vanish()


def test_logs_of_earlier_attempts_are_kept(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    run.begin()
    for text in (b"one", b"two", b"three"):
        run.run("fetch", "failed", log=text)
    names = [layout.log_name("fetch", 1), layout.log_name("fetch", 2), layout.log_name("fetch")]
    assert [(run.outputs / name).read_bytes() for name in names] == [b"one", b"two", b"three"]
    assert check(tmp_path, RUN).ok
    run.finish("failed")


def test_a_log_of_which_it_cannot_be_told_whether_it_is_there_is_not_written_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Recorded(tmp_path)
    run.begin()
    run.run("fetch", "failed", log=b"of the first attempt")

    def refuse(self: Folder, name: str) -> os.stat_result:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    with monkeypatch.context() as broken:
        broken.setattr(Folder, "stat", refuse)
        with pytest.raises(StorageError, match="input/output error"):
            run.recorder.open_log("fetch")
    assert (run.outputs / "fetch.log").read_bytes() == b"of the first attempt"
    run.run("fetch")
    run.finish("paused")
    assert (run.outputs / "fetch.1.log").read_bytes() == b"of the first attempt"
    assert check(tmp_path, RUN).ok


def test_a_log_that_a_crash_renamed_is_not_renamed_again(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    run.begin()
    run.run("fetch", "failed", log=b"one")
    run.recorder.end_log(run.recorder.open_log("fetch"), printed=False)  # and killed before the attempt was recorded
    run.vanish()
    assert check(tmp_path, RUN).ok or "fetch.log" in str(check(tmp_path, RUN))
    run.reopen()
    run.begin()
    run.run("fetch", log=b"two")
    assert (run.outputs / "fetch.1.log").read_bytes() == b"one"
    run.finish("paused")
    assert check(tmp_path, RUN).ok


def test_snapshots_say_what_the_journal_says(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    assert metadata(run)["status"] == "completed"
    assert metadata(run)["journal_bytes"] == (run.path / layout.JOURNAL).stat().st_size
    progress = msgspec.json.decode((run.path / layout.PROGRESS).read_bytes())
    for task, entry in progress["tasks"].items():
        record = (run.outputs / layout.record_name(task)).read_bytes()
        assert entry["output_hash"] == digest.of_bytes(record)
        assert msgspec.json.decode(record)["task"] == task
    assert not (run.path / layout.RESERVE).exists()


def test_a_mistaken_event_leaves_no_record(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    run.begin()
    before = (run.path / layout.JOURNAL).read_bytes()
    with pytest.raises(FoldError):
        run.add(ev.TaskEnded(at=run.now, task="fetch", attempt=1, outcome="completed", duration_ms=1))
    assert (run.path / layout.JOURNAL).read_bytes() == before
    run.run("fetch")
    run.finish("paused")
    assert check(tmp_path, RUN).ok


def test_a_full_disk_spends_the_reserve_for_the_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Recorded(tmp_path)
    run.begin()
    full = True

    def write(fd: int, data: bytes) -> None:
        if full and (run.path / layout.RESERVE).exists():
            os.write(fd, data[:3])
            raise OSError(errno.ENOSPC, "No space left on device")
        os.write(fd, data)

    monkeypatch.setattr(recorder, "write_all", write)
    run.add(ev.TaskSkipped(at=run.now, task="fetch", reason="x"))
    assert run.recorder.full
    run.finish("paused")
    assert check(tmp_path, RUN).ok
    assert checkpoint.load(tmp_path, RUN).state.tasks["fetch"].status is TaskStatus.SKIPPED


def test_a_write_that_fails_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Recorded(tmp_path)
    run.begin()
    before = (run.path / layout.JOURNAL).read_bytes()

    def write(fd: int, data: bytes) -> None:
        os.write(fd, data[:7])
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(recorder, "write_all", write)
    with pytest.raises(StorageError, match="input/output error"):
        run.add(ev.TaskSkipped(at=run.now, task="fetch", reason="x"))
    assert (run.path / layout.JOURNAL).read_bytes() == before
    assert run.recorder.state.tasks["fetch"].status is TaskStatus.PENDING
    monkeypatch.undo()
    run.finish("paused")
    assert check(tmp_path, RUN).ok


def write_half(fd: int, data: bytes) -> None:
    os.write(fd, data[:7])
    raise OSError(errno.EIO, "Input/output error")


def refuse_to_cut(fd: int, length: int) -> None:
    raise OSError(errno.EIO, "Input/output error")


def test_nothing_is_written_behind_half_a_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Recorded(tmp_path)
    run.begin()
    before = (run.path / layout.JOURNAL).read_bytes()
    skipped = ev.TaskSkipped(at=run.now, task="fetch", reason="x")

    with monkeypatch.context() as broken:
        broken.setattr(recorder, "write_all", write_half)
        broken.setattr(os, "ftruncate", refuse_to_cut)
        with pytest.raises(StorageError):
            run.add(skipped)
        broken.setattr(recorder, "write_all", write_all)
        for _ in range(2):
            with pytest.raises(StorageError, match="input/output error"):
                run.add(skipped)
        torn = (run.path / layout.JOURNAL).read_bytes()
        assert torn.startswith(before)
        assert len(torn) == len(before) + 7
        assert checkpoint.load(tmp_path, RUN).state.tasks["fetch"].status is TaskStatus.PENDING
        # A new file has no such end.
        run.recorder.rescue(run.now)
        run.add(skipped)
    run.finish("paused")
    assert checkpoint.load(tmp_path, RUN).state.tasks["fetch"].status is TaskStatus.SKIPPED
    assert check(tmp_path, RUN).ok


def test_half_a_record_that_can_be_taken_away_later_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Recorded(tmp_path)
    run.begin()

    with monkeypatch.context() as broken:
        broken.setattr(recorder, "write_all", write_half)
        broken.setattr(os, "ftruncate", refuse_to_cut)
        with pytest.raises(StorageError):
            run.add(ev.TaskSkipped(at=run.now, task="fetch", reason="x"))
    run.add(ev.TaskSkipped(at=run.now, task="fetch", reason="x"))
    run.finish("paused")
    assert checkpoint.load(tmp_path, RUN).state.tasks["fetch"].status is TaskStatus.SKIPPED
    assert check(tmp_path, RUN).ok


def test_after_a_failed_sync_a_new_file_saves_what_was_recorded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Recorded(tmp_path)
    run.begin()
    run.recorder.flush()
    inode = (run.path / layout.JOURNAL).stat().st_ino

    def fail(fd: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(commit, "_fdatasync", fail)
    run.add(ev.TaskSkipped(at=run.now, task="fetch", reason="x"))
    with pytest.raises(StorageError):
        run.recorder.flush()
    with pytest.raises(StorageError):
        run.add(ev.TaskSkipped(at=run.now, task="docs", reason="x"))
    monkeypatch.undo()
    run.recorder.rescue(run.now)
    assert (run.path / layout.JOURNAL).stat().st_ino != inode
    run.add(ev.TaskSkipped(at=run.now, task="docs", reason="x"))
    run.finish("paused")
    state = checkpoint.load(tmp_path, RUN).state
    assert {state.tasks[i].status for i in ("fetch", "docs")} == {TaskStatus.SKIPPED}
    assert check(tmp_path, RUN).ok


def test_folding_changes_nothing_but_the_file(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    run.begin()
    run.run("fetch")
    before = msgspec.to_builtins(checkpoint.load(tmp_path, RUN).state)
    run.wait(60)
    run.recorder.fold(run.now)
    after = msgspec.to_builtins(checkpoint.load(tmp_path, RUN).state)
    for found in (before, after):
        for name in ("seq", "chain", "synced"):
            found.pop(name, None)
    assert after == before
    assert (run.path / layout.JOURNAL).read_bytes().count(b"\n") == 1
    assert check(tmp_path, RUN).ok
    run.run("docs")
    run.finish("paused")
    assert check(tmp_path, RUN).ok


def test_folding_waits_for_the_logs_that_it_stands_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    real = commit._fdatasync

    def noted(fd: int) -> None:
        synced.append(os.path.basename(os.readlink(f"/proc/self/fd/{fd}")))
        real(fd)

    monkeypatch.setattr(commit, "_fdatasync", noted)
    run = Recorded(tmp_path)
    run.begin()
    run.run("fetch")
    run.recorder.fold(run.now)
    assert "fetch.log" in synced
    run.vanish()


def test_long_journals_are_folded_when_a_run_is_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorder, "FOLD_AFTER", 5)
    run = recorded.completed(tmp_path)
    assert (run.path / layout.JOURNAL).read_bytes().count(b"\n") == 1
    assert check(tmp_path, RUN).ok


# Taking up again ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("killed", [False, True])
def test_records_of_sessions_before_count_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, killed: bool) -> None:
    monkeypatch.setattr(recorder, "FOLD_AFTER", 12)
    run = Recorded(tmp_path)
    lines = []
    for session in range(6):
        run.begin()
        run.add(ev.ContextSet(at=run.now, values={"session": session}))
        if killed and session == 1:
            run.vanish()
        else:
            run.finish("paused")
        lines.append((run.path / layout.JOURNAL).read_bytes().count(b"\n"))
        run.reopen()
    run.leave()
    # run_created and three records a session, the last one of the killed one written by the next.
    assert lines == ([4, 6, 10, 1, 4, 7] if killed else [4, 7, 10, 1, 4, 7])
    assert checkpoint.load(tmp_path, RUN).state.context == {"session": 5}
    assert check(tmp_path, RUN).ok


def test_a_live_run_is_not_taken(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    with pytest.raises(RunHeldError, match="another process"):
        open_run(tmp_path, RUN, tasks=run.tasks, now=run.now)
    run.vanish()


def test_a_killed_session_is_ended_as_interrupted(tmp_path: Path) -> None:
    run = recorded.killed(tmp_path)
    opened = run.reopen()
    assert opened.crashed
    state = run.recorder.state
    assert (state.status, state.interrupted, state.session) == (RunStatus.PAUSED, True, None)
    assert state.tasks["src/Compile.c"].status is TaskStatus.COMPLETED
    assert state.tasks["test"].status is TaskStatus.PENDING
    assert state.tasks["test"].outcome == "interrupted"
    run.leave()
    assert check(tmp_path, RUN).ok
    assert not run.reopen().crashed
    run.leave()


def test_a_torn_record_is_kept_aside(tmp_path: Path) -> None:
    run = recorded.killed(tmp_path)
    with open(run.path / layout.JOURNAL, "ab") as journal:
        journal.write(b'{"seq":99,"event":"task_')
    assert checkpoint.load(tmp_path, RUN).notices
    run.reopen()
    (kept,) = (run.path / layout.QUARANTINE).iterdir()
    assert kept.read_bytes() == b'{"seq":99,"event":"task_'
    run.leave()
    assert check(tmp_path, RUN).ok
    assert not checkpoint.load(tmp_path, RUN).notices


def test_a_log_that_a_power_cut_took_makes_its_task_pending(tmp_path: Path) -> None:
    run = recorded.killed(tmp_path)
    journal = (run.path / layout.JOURNAL).read_bytes()
    (run.outputs / layout.log_name("src/Compile.c")).write_bytes(b"")
    assert checkpoint.load(tmp_path, RUN).unproven == ("src/Compile.c",)
    assert check(tmp_path, RUN).ok
    opened = run.reopen()
    assert opened.found.unproven == ("src/Compile.c",)
    task = run.recorder.state.tasks["src/Compile.c"]
    assert (task.status, task.reason) == (TaskStatus.PENDING, "its log did not reach the disk")
    assert (run.path / layout.JOURNAL).read_bytes().startswith(journal)
    run.begin()
    run.run("src/Compile.c")
    run.finish("paused")
    assert check(tmp_path, RUN).ok


def test_unproven_logs_are_brought_to_disk_before_records_vouch_for_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = recorded.killed(tmp_path)
    synced: list[str] = []
    real = Folder.renew

    def noted(self: Folder, name: str) -> None:
        synced.append(name)
        real(self, name)

    monkeypatch.setattr(Folder, "renew", noted)
    run.reopen()
    assert layout.log_name("src/Compile.c") in synced
    run.leave()


def test_half_written_files_of_a_killed_process_go(tmp_path: Path) -> None:
    run = recorded.killed(tmp_path)
    (run.path / ".tmp-1-state.json").touch()
    (run.outputs / ".tmp-1-fetch.json").touch()
    run.reopen()
    assert not list(run.path.rglob(".tmp-*"))
    run.leave()


def test_logs_of_attempts_that_no_record_is_left_of_make_room(tmp_path: Path) -> None:
    run = recorded.killed(tmp_path)
    (run.outputs / "fetch.2.log").write_bytes(b"of a lost attempt")
    run.reopen()
    assert not (run.outputs / "fetch.2.log").exists()
    assert [p.read_bytes() for p in (run.path / layout.QUARANTINE).iterdir()] == [b"of a lost attempt"]
    run.leave()


def test_a_run_that_was_replaced_meanwhile_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = recorded.killed(tmp_path)
    acquire = lock.acquire

    def slow(folder: Folder) -> int:
        fd = acquire(folder)
        monkeypatch.setattr(lock, "acquire", acquire)
        run.path.rename(tmp_path / "elsewhere")
        recorded.paused(tmp_path)
        return fd

    monkeypatch.setattr(lock, "acquire", slow)
    with pytest.raises(RunHeldError, match="replaced"):
        open_run(tmp_path, RUN, tasks=run.tasks, now=run.now)


# Plans that change ----------------------------------------------------------------------------------------------------

NEW = (*recorded.TASKS, Task(id="pack", command="make pack"))


def change(run: Recorded, policy: bytes | None) -> ev.SessionStarted:
    plan = recorded.plan_bytes(NEW)
    return ev.SessionStarted(
        at=run.now,
        pid=1,
        plan_file="plan.json",
        plan_folder="/home/ada/webapp",
        plan_hash=digest.of_bytes(plan),
        policy_hash=digest.of_bytes(policy) if policy is not None else None,
        tasks=tuple(task.id for task in NEW),
    )


@pytest.mark.parametrize("before", [None, b"", b"old: 1\n"])
@pytest.mark.parametrize("after", [None, b"", b"new: 1\n"])
def test_a_plan_and_a_policy_change_together(tmp_path: Path, before: bytes | None, after: bytes | None) -> None:
    run = recorded.paused(tmp_path, policy=before)
    run.reopen()
    run.recorder.publish_plan(recorded.plan_bytes(NEW), after, change(run, after))
    assert (run.path / layout.PLAN).read_bytes() == recorded.plan_bytes(NEW)
    assert (run.path / layout.POLICY).exists() == (after is not None)
    assert not (run.path / layout.NEXT_PLAN).exists()
    assert not (run.path / layout.NEXT_POLICY).exists()
    run.finish("paused")
    assert check(tmp_path, RUN).ok


@pytest.mark.parametrize("stop", range(12))
@pytest.mark.parametrize("same_plan", [False, True])
def test_a_crash_in_a_change_leaves_the_old_or_the_new(
    tmp_path: Path, stop: int, same_plan: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = b"old: 1\n", b"new: 1\n"
    run = recorded.paused(tmp_path, policy=old)
    run.reopen()
    plan = run.plan if same_plan else recorded.plan_bytes(NEW)
    event = change(run, new)
    if same_plan:
        event = msgspec.structs.replace(event, plan_hash=digest.of_bytes(plan), tasks=None)

    class Killed(BaseException):
        pass

    steps = 0
    for name in ("publish", "rename", "remove"):
        real = getattr(Folder, name)

        def step(self: Folder, *args: object, real: object = real, **more: object) -> object:
            nonlocal steps
            if steps == stop:
                raise Killed
            steps += 1
            return real(self, *args, **more)  # type: ignore[operator]

        monkeypatch.setattr(Folder, name, step)
    with contextlib.suppress(Killed):
        run.recorder.publish_plan(plan, new, event)
    monkeypatch.undo()
    run.vanish()
    report = check(tmp_path, RUN)
    assert report.ok, report
    run.reopen()
    run.leave()
    state = checkpoint.load(tmp_path, RUN).state
    assert state.policy_hash in (digest.of_bytes(old), digest.of_bytes(new))
    assert digest.of_bytes((run.path / layout.PLAN).read_bytes()) == state.plan_hash
    assert digest.of_bytes((run.path / layout.POLICY).read_bytes()) == state.policy_hash
    assert not (run.path / layout.NEXT_PLAN).exists()
    assert not (run.path / layout.NEXT_POLICY).exists()
    assert check(tmp_path, RUN).ok


def test_a_task_that_comes_back_into_the_plan_starts_anew(tmp_path: Path) -> None:
    run = recorded.paused(tmp_path)
    fewer = tuple(task for task in recorded.TASKS if task.id != "docs")
    for tasks in (fewer, recorded.TASKS):
        run.reopen()
        plan = recorded.plan_bytes(tasks)
        event = msgspec.structs.replace(
            change(run, None), plan_hash=digest.of_bytes(plan), tasks=tuple(task.id for task in tasks)
        )
        run.recorder.publish_plan(plan, None, event)
        if tasks is not fewer:
            run.run("docs", "failed", log=b"first of the second life")
            run.run("docs", "failed", log=b"second")
        run.finish("paused")
        assert check(tmp_path, RUN).ok
    assert (run.outputs / "docs.1.log").read_bytes() == b"first of the second life"


# Compressed runs ------------------------------------------------------------------------------------------------------


def test_a_compressed_run_goes_on(tmp_path: Path) -> None:
    run = recorded.failed(tmp_path)
    compress(tmp_path, RUN)
    run.reopen()
    run.begin("retrying")
    run.run("src/Compile.c")
    run.finish("paused")
    assert check(tmp_path, RUN).ok
    names = set(os.listdir(run.outputs))
    stem = layout.task_stem("src/Compile.c")
    assert {f"{stem}.log", f"{stem}.1.log.gz", f"{stem}.json", "fetch.log.gz", "fetch.json.gz"} <= names
    assert f"{stem}.json.gz" not in names
    assert f"{stem}.log.gz" not in names
    assert not list(run.path.glob("*.gz"))


# What a resume writes again -------------------------------------------------------------------------------------------


def test_a_resume_writes_only_the_records_that_are_not_there_as_they_should_be(tmp_path: Path) -> None:
    run = recorded.failed(tmp_path)
    (run.outputs / "fetch.json").rename(run.outputs / "kept")
    before = {path.name: path.stat().st_ino for path in run.outputs.glob("*.json")}
    assert before
    run.reopen()
    run.begin("retrying")
    run.run("src/Compile.c")
    run.finish("paused")
    assert check(tmp_path, RUN).ok
    changed = layout.record_name("src/Compile.c")
    after = {path.name: path.stat().st_ino for path in run.outputs.glob("*.json")}
    assert (run.outputs / "fetch.json").read_bytes() == (run.outputs / "kept").read_bytes()
    assert {name for name, inode in before.items() if after[name] == inode} == before.keys() - {changed}


def test_a_plan_that_says_something_else_of_a_task_has_its_record_written_again(tmp_path: Path) -> None:
    run = recorded.failed(tmp_path)
    run.tasks = {i: msgspec.structs.replace(task, title="Renamed") for i, task in run.tasks.items()}
    run.reopen()
    run.begin("retrying")
    run.finish("paused")
    assert check(tmp_path, RUN).ok
    assert json.loads((run.outputs / "fetch.json").read_bytes())["title"] == "Renamed"


def test_records_that_a_failed_snapshot_has_not_reached_are_written_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = recorded.failed(tmp_path)
    run.tasks = {i: msgspec.structs.replace(task, title="Renamed") for i, task in run.tasks.items()}
    run.reopen()
    run.begin("retrying")
    written: list[str] = []
    really = Folder.publish

    def publish(self: Folder, name: str, data: bytes, *, sync: bool = True) -> None:
        written.append(name)
        if len(written) == 1:
            raise OSError(errno.EIO, "Input/output error")
        really(self, name, data, sync=sync)

    monkeypatch.setattr(Folder, "publish", publish)
    with pytest.raises(StorageError):
        run.recorder.publish_all(run.now)
    run.recorder.publish_all(run.now)
    run.finish("paused")
    assert check(tmp_path, RUN).ok
    for path in run.outputs.glob("*.json"):
        assert json.loads(path.read_bytes())["title"] == "Renamed", path.name
