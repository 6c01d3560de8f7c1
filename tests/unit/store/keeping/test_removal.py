"""Removing runs: never a live one, in one step, with a way back."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from specular_tui.errors import RunHeldError, RunNotFoundError, StorageError
from specular_tui.store import checkpoint, layout, lock
from specular_tui.store.checks.check import check
from specular_tui.store.effort import CancelledError, Effort
from specular_tui.store.folder import Folder
from specular_tui.store.keeping import pins, removal
from tests import recorded
from tests.recorded import RUN, Recorded


def on_disk(folder: Path) -> int:
    """What `du` says of a folder."""
    found = {(s.st_dev, s.st_ino): s.st_blocks * 512 for s in (p.lstat() for p in (folder, *folder.rglob("*")))}
    return sum(found.values())


def test_a_removed_run_is_gone_with_all_its_bytes(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    recorded.paused(tmp_path, "other")
    size = on_disk(run.path)
    assert removal.remove(tmp_path, RUN) == size
    assert os.listdir(tmp_path) == ["other"]
    assert check(tmp_path, "other").ok


def test_a_live_run_stays(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    for call in (lambda: removal.remove(tmp_path, RUN), lambda: removal.trash(tmp_path, RUN, 1)):
        with pytest.raises(RunHeldError, match="is being built") as caught:
            call()
        assert caught.value.exit_code == 5
    run.begin()
    run.finish("paused")
    assert check(tmp_path, RUN).ok


def test_what_is_not_there(tmp_path: Path) -> None:
    for root in (tmp_path, tmp_path / "none"):
        for name in ("none", "..", "", "a/b"):
            with pytest.raises(RunNotFoundError):
                removal.remove(root, name)
            with pytest.raises(RunNotFoundError):
                removal.trash(root, name, 1)


def test_links_are_removed_and_never_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    root = tmp_path / "root"
    run = recorded.completed(root)
    (run.outputs / "link").symlink_to(outside)
    (run.path / "link").symlink_to(outside / "precious")
    (root / "linked-run").symlink_to(outside)
    with pytest.raises(RunNotFoundError):
        removal.remove(root, "linked-run")
    removal.remove(root, RUN)
    assert (outside / "precious").read_text() == "x"


def test_a_link_for_a_lock_does_not_save_a_run(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    (run.path / layout.LOCK).unlink()
    (run.path / layout.LOCK).symlink_to("/dev/null")
    removal.remove(tmp_path, RUN)
    assert os.listdir(tmp_path) == []


def test_a_full_disk_does_not_keep_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded.completed(tmp_path)

    def full(run: Folder) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(lock, "acquire", full)
    removal.remove(tmp_path, RUN)
    assert os.listdir(tmp_path) == []


def test_a_run_that_cannot_be_read_can_be_removed(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    for path in run.path.iterdir():
        if path.is_file():
            path.write_bytes(b"\xff")
    assert removal.remove(tmp_path, RUN) > 0


def test_a_crash_in_the_middle_hides_the_run_and_the_next_removal_finishes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded.completed(tmp_path)
    recorded.paused(tmp_path, "other")

    class Killed(BaseException):
        pass

    real, calls = Folder.remove, []

    def remove(self: Folder, name: str, *, missing_ok: bool = False) -> None:
        calls.append(name)
        if len(calls) == 3:
            raise Killed
        real(self, name, missing_ok=missing_ok)

    monkeypatch.setattr(Folder, "remove", remove)
    with pytest.raises(Killed):
        removal.remove(tmp_path, RUN)
    monkeypatch.undo()
    assert checkpoint.run_ids(tmp_path) == ["other"]
    assert len(os.listdir(tmp_path)) == 2
    removal.remove(tmp_path, "other")
    assert os.listdir(tmp_path) == []


def test_what_crashes_left_unfinished_goes_when_it_is_old(tmp_path: Path) -> None:
    recorded.paused(tmp_path)
    for name in (".new-1-a", ".import-1-b", ".new-2-young"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").touch()
        if "young" not in name:
            os.utime(tmp_path / name, (1, 1))
    (tmp_path / ".import-held").mkdir()
    with Folder.at(tmp_path / ".import-held") as folder:
        fd = lock.acquire(folder)
    os.utime(tmp_path / ".import-held", (1, 1))
    removal.remove(tmp_path, RUN)
    assert sorted(os.listdir(tmp_path)) == [".import-held", ".new-2-young"]
    os.close(fd)


def test_a_run_comes_back_from_the_trash_as_it_was(tmp_path: Path) -> None:
    run = recorded.paused(tmp_path)
    before = {p.relative_to(run.path): p.read_bytes() for p in run.path.rglob("*") if p.is_file()}
    size = on_disk(run.path)
    put = removal.trash(tmp_path, RUN, 1_000)
    assert checkpoint.run_ids(tmp_path) == []
    assert removal.trashed(tmp_path) == [put]
    assert put.size == size
    assert removal.restore(tmp_path, RUN) == RUN
    assert {p.relative_to(run.path): p.read_bytes() for p in run.path.rglob("*") if p.is_file()} == before
    assert removal.trashed(tmp_path) == []
    with pytest.raises(RunNotFoundError, match="not in the trash"):
        removal.restore(tmp_path, RUN)


def test_the_last_one_of_a_name_comes_back_first_and_replaces_nothing(tmp_path: Path) -> None:
    recorded.paused(tmp_path)
    removal.trash(tmp_path, RUN, 1_000)
    recorded.completed(tmp_path)
    removal.trash(tmp_path, RUN, 2_000)
    recorded.failed(tmp_path)
    with pytest.raises(StorageError, match="there again"):
        removal.restore(tmp_path, RUN)
    removal.remove(tmp_path, RUN)
    removal.restore(tmp_path, RUN)
    assert checkpoint.load(tmp_path, RUN).state.status == "completed"
    assert [put.at for put in removal.trashed(tmp_path)] == [1_000]


def test_the_trash_is_emptied_after_some_days(tmp_path: Path) -> None:
    day = 86_400_000
    for name, at in (("a", 1 * day), ("b", 6 * day), ("c", 90 * day)):
        recorded.paused(tmp_path, name)
        removal.trash(tmp_path, name, at)
    (tmp_path / ".trash" / "stranger").mkdir()
    assert removal.empty_trash(tmp_path, 9 * day) > 0
    # What was put there long after now is of a clock that was set back since.
    assert [put.run_id for put in removal.trashed(tmp_path)] == ["b"]
    assert removal.empty_trash(tmp_path, 9 * day, older_than_ms=0) > 0
    assert removal.trashed(tmp_path) == []
    assert removal.empty_trash(tmp_path / "none", 0) == 0


def test_the_trash_gives_way_to_what_it_may_take(tmp_path: Path) -> None:
    for at, name in enumerate(("a", "b", "c")):
        recorded.paused(tmp_path, name)
        removal.trash(tmp_path, name, at)
    sizes = [put.size for put in removal.trashed(tmp_path)]
    assert removal.empty_trash(tmp_path, 10, room=sum(sizes)) == 0
    assert removal.empty_trash(tmp_path, 10, room=sum(sizes) - 1) == sizes[2]
    assert [put.run_id for put in removal.trashed(tmp_path)] == ["c", "b"], "what was deleted first goes first"
    removal.empty_trash(tmp_path, 10, room=0)
    assert removal.trashed(tmp_path) == []


def test_a_run_that_is_half_deleted_cannot_be_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded.completed(tmp_path)
    put = removal.trash(tmp_path, RUN, 1_000)

    class Killed(BaseException):
        pass

    def remove(self: Folder, name: str, *, missing_ok: bool = False) -> None:
        raise Killed

    monkeypatch.setattr(Folder, "remove", remove)
    with pytest.raises(Killed):
        removal.purge(tmp_path, [put])
    monkeypatch.undo()
    assert removal.trashed(tmp_path) == []
    with pytest.raises(RunNotFoundError):
        removal.restore(tmp_path, RUN)
    assert removal.purge(tmp_path, [put]) == 0
    assert os.listdir(tmp_path) == [removal.TRASH]


def test_of_two_of_one_name_the_one_that_is_meant_comes_back(tmp_path: Path) -> None:
    for at, make in ((1_000, recorded.paused), (2_000, recorded.completed)):
        make(tmp_path)
        removal.trash(tmp_path, RUN, at)
    with pytest.raises(RunNotFoundError, match="not in the trash"):
        removal.restore(tmp_path, RUN, 3_000)
    removal.restore(tmp_path, RUN, 1_000)
    assert checkpoint.load(tmp_path, RUN).state.status == "paused"


@pytest.mark.parametrize("code", [errno.EMFILE, errno.EIO])
def test_a_trash_that_cannot_be_read_is_not_taken_for_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    recorded.completed(tmp_path)
    removal.trash(tmp_path, RUN, 1_000)

    def refuse(self: Folder, name: str) -> Folder:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Folder, "folder", refuse)
    with pytest.raises(StorageError, match="failed to read the trash"):
        removal.trashed(tmp_path)


def test_a_sweep_leaves_what_may_still_be_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    left = tmp_path / ".deleted-x"
    left.mkdir()
    (left / layout.LOCK).touch()
    really = Folder.open

    def refuse(self: Folder, name: str, flags: int = os.O_RDONLY) -> int:
        if name == layout.LOCK:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        return really(self, name, flags)

    with monkeypatch.context() as broken:
        broken.setattr(Folder, "open", refuse)
        removal.sweep(tmp_path)
    assert left.is_dir()
    removal.sweep(tmp_path)
    assert not left.exists()


def test_a_link_in_place_of_the_trash_is_told_of(tmp_path: Path) -> None:
    recorded.completed(tmp_path)
    (tmp_path / removal.TRASH).symlink_to("elsewhere")
    with pytest.raises(StorageError, match="a symbolic link is not followed"):
        removal.trashed(tmp_path)


def test_errors_say_what_was_being_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recorded.completed(tmp_path)
    recorded.completed(tmp_path, "other")
    put = removal.trash(tmp_path, "other", 1_000)

    def refuse(*args: object, **more: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(os, "rename", refuse)
    for call, doing in (
        (lambda: removal.remove(tmp_path, RUN), "delete the checkpoint"),
        (lambda: removal.trash(tmp_path, RUN, 1), "put the checkpoint into the trash"),
        (lambda: removal.restore(tmp_path, "other"), "take the checkpoint back from the trash"),
        (lambda: removal.purge(tmp_path, [put]), "empty the trash"),
    ):
        with pytest.raises(StorageError, match=f"failed to {doing}: read-only file system"):
            call()


def test_sizes_of_all_runs(tmp_path: Path) -> None:
    run = recorded.completed(tmp_path)
    ((found, size),) = removal.sized(tmp_path)
    assert found.run_id == RUN
    assert size == on_disk(run.path)


def test_what_is_discarded_is_gone_at_once_and_its_room_with_a_sweep(tmp_path: Path) -> None:
    recorded.completed(tmp_path)
    recorded.completed(tmp_path, "other")
    pins.pin(tmp_path, RUN)
    puts = [removal.trash(tmp_path, RUN, 1_000), removal.trash(tmp_path, "other", 1_000)]
    gone = removal.TrashedRun("never-there", 5, 0)
    assert removal.discard(tmp_path, [*puts, gone]) == puts
    assert removal.trashed(tmp_path) == []
    assert checkpoint.run_ids(tmp_path) == []
    assert pins.pinned(tmp_path) == frozenset()
    with pytest.raises(RunNotFoundError):
        removal.restore(tmp_path, RUN)
    hidden = [name for name in os.listdir(tmp_path) if name.startswith(".deleted-")]
    assert len(hidden) == 2

    unwanted = threading.Event()
    unwanted.set()
    with pytest.raises(CancelledError):
        removal.sweep(tmp_path, Effort(cancel=unwanted))
    assert removal.trashed(tmp_path) == []

    removal.sweep(tmp_path)
    assert sorted(os.listdir(tmp_path)) == [pins.PINNED, removal.TRASH]
    removal.sweep(tmp_path / "nowhere")
    assert removal.discard(tmp_path / "nowhere", puts) == []
