"""The logs of running attempts: their names, and which file may serve twice."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from specular_tui.store.folder import TEMPORARY, Folder
from specular_tui.store.logs import live as livelog
from specular_tui.store.logs.live import LiveLogs


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LiveLogs]:
    monkeypatch.setattr(livelog, "EMPTY_LOGS", 0)
    with Folder.at(tmp_path) as folder:
        live = LiveLogs(folder)
        yield live
        live.close()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith(TEMPORARY))


def hidden(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith(TEMPORARY))


def test_a_log_gets_its_name_when_something_is_in_it(tmp_path: Path, logs: LiveLogs) -> None:
    log = logs.open("a.log")
    os.write(log.writer, b"hello")
    assert names(tmp_path) == []
    fd = logs.end(log, printed=True)
    assert fd is not None
    assert names(tmp_path) == ["a.log"]
    assert os.pread(fd, 10, 0) == b"hello"
    assert (tmp_path / "a.log").stat().st_mode & 0o777 == 0o600
    os.close(fd)


def test_it_can_be_named_while_its_task_runs(tmp_path: Path, logs: LiveLogs) -> None:
    log = logs.open("a.log")
    logs.name(log)
    logs.name(log)
    assert names(tmp_path) == ["a.log"]
    os.write(log.writer, b"x")
    assert (tmp_path / "a.log").read_bytes() == b"x"
    assert logs.end(log, printed=False) is None
    assert names(tmp_path) == ["a.log"]
    other = logs.open("b.log", named=True)
    assert names(tmp_path) == ["a.log", "b.log"]
    logs.end(other, printed=False)


def test_silent_tasks_have_an_empty_log_up_to_a_number(
    tmp_path: Path, logs: LiveLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(livelog, "EMPTY_LOGS", 3)
    with Folder.at(tmp_path) as folder:
        some = LiveLogs(folder)
        for number in range(5):
            some.end(some.open(f"{number}.log"), printed=False)
        some.close()
    assert names(tmp_path) == ["0.log", "1.log", "2.log"]


def test_the_file_of_a_silent_task_serves_the_next_one(tmp_path: Path, logs: LiveLogs) -> None:
    for number in range(10):
        logs.end(logs.open(f"{number}.log"), printed=False)
    assert len(hidden(tmp_path)) == 1
    assert names(tmp_path) == []
    logs.close()
    assert hidden(tmp_path) == []


def test_a_file_that_somebody_still_has_open_serves_nobody_else(tmp_path: Path, logs: LiveLogs) -> None:
    log = logs.open("a.log")
    daemon = subprocess.Popen(["sh", "-c", "read x; echo late"], stdin=subprocess.PIPE, stdout=log.writer)
    logs.end(log, printed=False)
    other = logs.open("b.log")
    daemon.communicate(b"\n")
    assert os.fstat(other.fd).st_size == 0
    logs.end(other, printed=False)
    again = logs.open("c.log")
    assert os.fstat(again.fd).st_size == 0
    logs.end(again, printed=False)


def test_files_that_are_held_for_long_do_not_pile_up(tmp_path: Path, logs: LiveLogs) -> None:
    held = []
    for number in range(3 * livelog._MOST_SPARE):
        log = logs.open(f"{number}.log")
        held.append(os.dup(log.writer))
        logs.end(log, printed=False)
    assert len(hidden(tmp_path)) <= livelog._MOST_SPARE + 1
    for fd in held:
        os.close(fd)


def test_somebody_who_tidies_up_does_no_harm(tmp_path: Path, logs: LiveLogs) -> None:
    logs.end(logs.open("a.log"), printed=False)
    for name in hidden(tmp_path):
        (tmp_path / name).unlink()
    log = logs.open("b.log")
    os.write(log.writer, b"x")
    fd = logs.end(log, printed=True)
    assert fd is not None
    os.close(fd)
    assert names(tmp_path) == ["b.log"]


def test_where_nobody_can_tell_no_file_serves_twice(
    tmp_path: Path, logs: LiveLogs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(livelog, "_can_tell_who_writes", lambda: False)
    with Folder.at(tmp_path) as folder:
        other = LiveLogs(folder)
        other.end(other.open("a.log"), printed=False)
    assert hidden(tmp_path) == []


def test_a_link_in_the_place_of_a_log_is_not_followed(tmp_path: Path, logs: LiveLogs) -> None:
    logs.end(logs.open("a.log"), printed=False)
    (spare,) = hidden(tmp_path)
    (tmp_path / spare).unlink()
    (tmp_path / spare).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        logs.open("b.log")
    assert not (tmp_path / "elsewhere").exists()


def test_what_outlives_its_task_writes_no_more_in_its_log(tmp_path: Path, logs: LiveLogs) -> None:
    log = logs.open("a.log", named=True)
    with subprocess.Popen(
        ["sh", "-c", "echo first; read x; echo late"], stdin=subprocess.PIPE, stdout=log.writer
    ) as left:
        while not os.fstat(log.fd).st_size:
            pass
        log.seal()
        left.communicate(b"\n")
    assert (tmp_path / "a.log").read_bytes() == b"first\n"
    assert os.pread(log.fd, 100, 0) == b"first\n"
    assert os.fstat(log.fd).st_ino == (tmp_path / "a.log").stat().st_ino, "what is synced is what has the name"
    assert (tmp_path / "a.log").stat().st_mode & 0o777 == 0o600
    fd = logs.end(log, printed=True)
    assert fd is not None
    os.close(fd)
    assert hidden(tmp_path) == []


def test_a_log_to_which_nobody_writes_stays_the_file_that_it_is(tmp_path: Path, logs: LiveLogs) -> None:
    log = logs.open("a.log", named=True)
    os.write(log.writer, b"all\n")
    before = os.fstat(log.fd).st_ino
    log.seal()
    log.seal()
    assert os.fstat(log.fd).st_ino == before == (tmp_path / "a.log").stat().st_ino
    logs.end(log, printed=False)


def test_a_silent_task_that_left_somebody_behind_has_no_empty_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Folder.at(tmp_path) as folder:
        live = LiveLogs(folder)
        log = live.open("a.log")
        with subprocess.Popen(["sh", "-c", "read x; echo late"], stdin=subprocess.PIPE, stdout=log.writer) as left:
            log.seal()
            assert live.end(log, printed=False) is None
            assert names(tmp_path) == []
            left.communicate(b"\n")
        assert live.open("b.log").temporary != log.temporary, "the file with late words serves nobody else"
        live.close()
