"""What is in files, links and folders: digests that differ where, and only where, something differs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from blake3 import blake3

from specular_tui.engine.content import hash_path

AS_ROOT = os.geteuid() == 0


def digest(path: Path) -> str:
    return hash_path(path)[1]


def test_a_file_is_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    assert hash_path(tmp_path / "a") == (3_000_000, "blake3:" + blake3(b"x" * 3_000_000).hexdigest())


def test_a_folder_is_its_names_and_what_is_in_them(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    (folder / "b").mkdir(parents=True)
    (folder / "a").write_text("1")
    (folder / "b" / "c").write_text("22")
    (folder / "link").symlink_to("a")
    size, before = hash_path(folder)
    assert size == 1 + 2 + 1
    os.utime(folder / "a", (0, 0))
    (folder / "a").chmod(0o600)
    assert digest(folder) == before
    seen = {before}

    def differs() -> None:
        assert digest(folder) not in seen
        seen.add(digest(folder))

    (folder / "a").write_text("2")
    differs()
    (folder / "b" / "c").rename(folder / "b" / "d")
    differs()
    (folder / "empty").mkdir()
    differs()
    (folder / "link").unlink()
    (folder / "link").write_text("a")
    differs()


def test_a_link_is_where_it_points_and_never_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "file").write_text("/etc/hostname")
    assert hash_path(tmp_path / "link") == (13, "blake3:" + blake3(b"link\0/etc/hostname").hexdigest())
    assert digest(tmp_path / "link") != digest(tmp_path / "file")
    assert hash_path(tmp_path / "loop")[0] == 4


def test_a_pipe_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert hash_path(tmp_path / "pipe")[0] == 0


def test_folders_may_lie_deeper_in_each_other_than_calls_may(tmp_path: Path) -> None:
    deep = tmp_path / "out"
    os.mkdir(deep)
    fd = os.open(deep, os.O_RDONLY)
    for _ in range(1_200):
        os.mkdir("d", dir_fd=fd)
        inner = os.open("d", os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = inner
    before = hash_path(deep)
    os.close(os.open("file", os.O_WRONLY | os.O_CREAT, dir_fd=fd))
    os.close(fd)
    assert before[0] == hash_path(deep)[0] == 0
    assert hash_path(deep)[1] != before[1]
    subprocess.run(["rm", "-r", deep], check=True)  # Python's own way to do that recurses
