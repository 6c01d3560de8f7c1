"""Folders: every file through a descriptor, never through a link, private at any umask."""

from __future__ import annotations

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from specular_tui.errors import StorageError
from specular_tui.store import folder as folder_module
from specular_tui.store import writeback
from specular_tui.store.folder import TEMPORARY, Folder, write_all
from specular_tui.store.room import room_on_disk
from specular_tui.store.writeback import EACH, LITTLE


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Folder]:
    with Folder.at(tmp_path) as found:
        yield found


@pytest.mark.parametrize("umask", [0, 0o022, 0o777])
def test_everything_made_is_private_at_any_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        with Folder.create(tmp_path / "a" / "b") as made, made.make("c") as inner:
            inner.publish("file", b"x")
            os.close(inner.open("other", os.O_WRONLY | os.O_CREAT))
    finally:
        os.umask(before)
    for path in (tmp_path / "a", tmp_path / "a/b", tmp_path / "a/b/c"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    for path in (tmp_path / "a/b/c/file", tmp_path / "a/b/c/other"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_folders_that_are_there_keep_their_modes(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir(0o755)
    (tmp_path / "mine").chmod(0o755)
    Folder.create(tmp_path / "mine" / "inner").close()
    assert stat.S_IMODE((tmp_path / "mine").stat().st_mode) == 0o755


def test_a_link_is_never_opened(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "link").symlink_to("secret")
    (tmp_path / "folder-link").symlink_to(".")
    for call in (folder.open, folder.read):
        with pytest.raises(OSError, match=r"symbolic|Too many") as caught:
            call("link")
        assert caught.value.errno == errno.ELOOP
    with pytest.raises(OSError, match=r"Not a directory|Too many"):
        folder.folder("folder-link")
    with pytest.raises(OSError, match=r"Not a directory|Too many"):
        Folder.at(tmp_path / "folder-link")


def test_publishing_replaces_a_link_and_leaves_its_target(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to("target")
    folder.publish("link", b"new")
    assert (tmp_path / "target").read_bytes() == b"old"
    assert not (tmp_path / "link").is_symlink()
    assert (tmp_path / "link").read_bytes() == b"new"


def test_a_planted_temporary_link_redirects_nothing(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"old")
    (tmp_path / f"{TEMPORARY}{os.getpid()}-state.json").symlink_to("victim")
    with pytest.raises(OSError, match=r"Too many|symbolic"):
        folder.publish("state.json", b"new")
    assert (tmp_path / "victim").read_bytes() == b"old"


@pytest.mark.parametrize("kind", ["fifo", "folder"])
def test_what_is_no_regular_file_is_refused_at_once(folder: Folder, tmp_path: Path, kind: str) -> None:
    os.mkfifo(tmp_path / "odd") if kind == "fifo" else (tmp_path / "odd").mkdir()
    with pytest.raises(OSError, match="not a regular file") as caught:
        folder.open("odd")
    assert caught.value.errno == errno.EINVAL
    assert not folder.has("odd")


def test_a_folder_of_another_user_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: os.stat(tmp_path).st_uid + 1)
    with pytest.raises(StorageError, match="another user"):
        Folder.at(tmp_path)


def test_reading_is_bounded(folder: Folder) -> None:
    folder.publish("big", b"12345")
    assert folder.read("big", 5) == b"12345"
    with pytest.raises(OSError, match="too large") as caught:
        folder.read("big", 4)
    assert caught.value.errno == errno.EFBIG


def test_publishing_is_all_or_nothing(folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.publish("state.json", b"old")

    def fail(fd: int, data: bytes) -> None:
        os.write(fd, data[:1])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(folder_module, "write_all", fail)
    with pytest.raises(OSError, match="No space"):
        folder.publish("state.json", b"new")
    assert (tmp_path / "state.json").read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["state.json"]


def test_publishing_syncs_the_file_before_the_name_and_then_the_folder(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []
    fsync, rename = os.fsync, os.rename

    def noted_fsync(fd: int) -> None:
        calls.append("folder" if fd == folder.fd else "file")
        fsync(fd)

    def noted_rename(*args: object, **more: object) -> None:
        calls.append("rename")
        rename(*args, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "rename", noted_rename)
    folder.publish("state.json", b"{}")
    assert calls == ["file", "rename", "folder"]


def test_names_leave_half_written_files_out(folder: Folder, tmp_path: Path) -> None:
    for name in ("a", f"{TEMPORARY}1-b", ".hidden"):
        (tmp_path / name).touch()
    (tmp_path / "sub").mkdir()
    (tmp_path / ".sub").mkdir()
    (tmp_path / "link").symlink_to("sub")
    assert sorted(folder.names()) == [".hidden", ".sub", "a", "link", "sub"]
    assert list(folder.folders()) == ["sub"]
    folder.clear_temporary()
    assert not (tmp_path / f"{TEMPORARY}1-b").exists()


def test_removing_a_tree_follows_no_link(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "keep").mkdir()
    (tmp_path / "keep/file").write_bytes(b"x")
    (tmp_path / "tree/deep").mkdir(parents=True)
    (tmp_path / "tree/deep/link").symlink_to(tmp_path / "keep")
    (tmp_path / "tree/link").symlink_to("/etc")
    folder.remove_tree("tree")
    assert os.listdir(tmp_path) == ["keep"]
    assert (tmp_path / "keep/file").exists()


def test_files_that_are_published_together_get_their_names_in_order_when_all_are_on_disk(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    rename = Folder.rename

    def sync(fd: int) -> None:
        done.append("sync folder" if fd == folder.fd else "sync")

    def named(self: Folder, old: str, new: str) -> None:
        done.append(new)
        rename(self, old, new)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Folder, "rename", named)
    (tmp_path / "b").write_bytes(b"old")
    folder.publish_all({"b": [b"1", b"2"], "a": iter([b"3"]), "c": []})
    assert done == ["sync", "sync", "sync", *("b", "sync folder"), *("a", "sync folder"), *("c", "sync folder")]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"3", "b": b"12", "c": b""}


@pytest.mark.parametrize("failing", ["fsync", "write", "rename"])
def test_of_files_that_are_published_together_nothing_is_left_half_made(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failing: str
) -> None:
    real = getattr(os, failing)
    left = 1

    def fail(*args: object, **more: object) -> object:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(*args, **more)

    (tmp_path / "b").write_bytes(b"old")
    before = len(os.listdir("/dev/fd"))
    monkeypatch.setattr(os, failing, fail)
    with pytest.raises(OSError, match="No space"):
        folder.publish_all({"a": [b"new"], "b": [b"new"]})
    monkeypatch.undo()
    assert len(os.listdir("/dev/fd")) == before
    found = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert found == {"b": b"old"} | ({"a": b"new"} if failing == "rename" else {})


@pytest.mark.parametrize("sweeps", [True, False])
@pytest.mark.parametrize("count", [0, 3, 40, 200])
def test_syncing_many_files(
    folder: Folder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: int, sweeps: bool
) -> None:
    synced: list[str] = []
    swept: list[bool] = []
    most = len(os.listdir("/dev/fd")) + 40

    def sync(fd: int) -> None:
        assert len(os.listdir("/dev/fd")) < most, "not all of them are open at once"
        synced.append("" if fd == folder.fd else os.path.basename(os.readlink(f"/dev/fd/{fd}")))

    def sweep(self: Folder, files: int) -> bool:
        assert files == count
        swept.append(sweeps)
        return sweeps

    names = [f"f{i}" for i in range(count)]
    for name in names:
        (tmp_path / name).touch()
    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Folder, "sweep", sweep)
    folder.sync_all(names)
    assert bool(swept) == (count >= 40)
    assert synced == ([""] if sweeps and swept else [*names, ""])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere nothing is swept")
@pytest.mark.parametrize(
    ("waits", "files", "sweeps"),
    [(0, 0, True), (LITTLE, 0, True), (LITTLE + 1, 0, False), (LITTLE + 40 * EACH, 40, True), (1 << 40, 40, False)],
)
def test_nobody_waits_for_what_others_have_written(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, waits: int, files: int, sweeps: bool
) -> None:
    monkeypatch.setattr(writeback, "waiting", lambda: waits)
    assert folder.sweep(files) is sweeps


def test_syncing_a_file_that_is_gone_leaves_nothing_open(folder: Folder, tmp_path: Path) -> None:
    (tmp_path / "there").touch()
    before = len(os.listdir("/dev/fd"))
    with pytest.raises(FileNotFoundError):
        folder.sync_files(["there", "gone"])
    assert len(os.listdir("/dev/fd")) == before


def test_a_short_write_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, bytes(data)[:2]))
    fd = os.open(tmp_path / "f", os.O_WRONLY | os.O_CREAT)
    write_all(fd, b"1234567")
    os.close(fd)
    assert (tmp_path / "f").read_bytes() == b"1234567"


def test_the_size_of_a_folder_is_what_the_disk_holds(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    for number in range(50):
        (tmp_path / "inner" / f"small-{number}").write_bytes(b"x")
    (tmp_path / "large").write_bytes(b"x" * 100_000)
    os.link(tmp_path / "large", tmp_path / "inner" / "again")
    with open(tmp_path / "sparse", "wb") as sparse:
        sparse.truncate(1 << 30)
        sparse.write(b"x")
    with Folder.at(tmp_path) as folder:
        size = folder.size()
    du = subprocess.run(["du", "-s", "-B1", str(tmp_path)], capture_output=True, text=True, check=True)
    assert size == int(du.stdout.split()[0])


def test_a_file_system_that_counts_no_blocks_is_taken_at_its_word_for_bytes(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"x" * 700)
    known = list(file.stat())
    blockless = os.stat_result(known, {"st_blocks": 0})
    assert room_on_disk(blockless) == 700
    folder = os.stat_result(list(tmp_path.stat()), {"st_blocks": 0})
    assert room_on_disk(folder) == 0
