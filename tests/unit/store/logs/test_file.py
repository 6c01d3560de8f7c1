"""Lines by number in files of any size, growing, cut, replaced, removed and compressed."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from specular_tui.store.logs import file as logfile
from specular_tui.store.logs import search as logsearch
from specular_tui.store.logs.file import LogFile


def lines_of(data: bytes) -> list[bytes]:
    lines = data.split(b"\n")
    return lines[:-1] if not lines[-1] else lines


def counted(path: Path) -> LogFile:
    log = LogFile(path)
    while not log.advance(1):
        pass
    return log


def found(log: LogFile, text: str, line: int = 0, direction: Literal[1, -1] = 1) -> list[int]:
    search = log.search(text, line, direction)
    while not search.advance(1):
        pass
    return search.hits


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Blocks of a few bytes, so that everything lies across their borders."""
    monkeypatch.setattr(logfile, "BLOCK", 16)
    monkeypatch.setattr(logfile, "_STEP", 4)
    monkeypatch.setattr(logfile, "_TAIL", 8)
    monkeypatch.setattr(logfile, "_TAIL_MOST", 1 << 20)
    monkeypatch.setattr(logsearch, "_PIECE", 8)


FEW = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
TEXT = st.lists(st.sampled_from([b"\n", b"a", b"bc", b"\n\n", b"longer than a block", b"x" * 40])).map(b"".join)


@pytest.mark.usefixtures("small")
class TestSmallBlocks:
    @FEW
    @given(data=TEXT, start=st.integers(0, 60), count=st.integers(0, 20))
    def test_lines_are_those_of_the_file(self, data: bytes, start: int, count: int, tmp_path: Path) -> None:
        path = tmp_path / "log"
        path.write_bytes(data)
        expected = lines_of(data)
        with counted(path) as log:
            assert log.line_count == len(expected)
            assert log.lines(start, count) == expected[start : start + count]
            if expected and start:
                assert log.lines(-start, count) == expected[-start:][:count]

    @FEW
    @given(data=TEXT, count=st.integers(1, 20))
    def test_the_end_is_there_before_anything_is_counted(self, data: bytes, count: int, tmp_path: Path) -> None:
        path = tmp_path / "log"
        path.write_bytes(data)
        with LogFile(path) as log:
            assert log.lines(-count, count) == lines_of(data)[-count:]
            assert log.tail_count >= min(count, len(lines_of(data)))

    @FEW
    @given(parts=st.lists(TEXT, max_size=6))
    def test_growing_in_parts_is_like_being_there_at_once(self, parts: list[bytes], tmp_path: Path) -> None:
        path = tmp_path / "log"
        path.write_bytes(b"")
        with LogFile(path) as log:
            for part in parts:
                with path.open("ab") as out:
                    out.write(part)
                assert log.poll() == ("grew" if part else "same")
                log.advance(1)
            expected = lines_of(b"".join(parts))
            assert log.lines(0, 1000) == expected
            assert log.line_count == len(expected)

    @FEW
    @given(data=TEXT, line=st.integers(0, 40), text=st.sampled_from(["a", "bc", "than a", "xx", "q"]))
    @pytest.mark.parametrize("direction", [1, -1])
    def test_a_search_finds_every_line(
        self, data: bytes, line: int, text: str, direction: Literal[1, -1], tmp_path: Path
    ) -> None:
        path = tmp_path / "log"
        path.write_bytes(data)
        expected = [number for number, content in enumerate(lines_of(data)) if text.encode() in content]
        with counted(path) as log:
            assert found(log, text, min(line, log.line_count), direction) == expected

    @FEW
    @given(first=TEXT, second=TEXT)
    def test_a_search_goes_on_with_what_is_new(self, first: bytes, second: bytes, tmp_path: Path) -> None:
        path = tmp_path / "log"
        path.write_bytes(first)
        with counted(path) as log:
            search = log.search("a", 0, 1)
            search.advance(1)
            with path.open("ab") as out:
                out.write(second)
            log.poll()
            log.advance(1)
            search.extend()
            search.advance(1)
            data = first + second
            if first:
                assert search.hits == [number for number, content in enumerate(lines_of(data)) if b"a" in content]


def test_a_long_line_is_cut_and_says_so(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"before\n" + b"x" * 1_000_000 + b"\nafter\n" + b"y" * 300_000)
    with counted(path) as log:
        before, cut, after, last = log.lines(0, 10)
        assert (before, after) == (b"before", b"after")
        assert len(cut) < logfile.LONGEST + 100
        assert cut.startswith(b"xxx")
        assert f"{1_000_000 - logfile.LONGEST:,} bytes more".encode() in cut
        assert last.startswith(b"yyy")
        assert log.line_count == 4
    with LogFile(path) as log:
        assert b"bytes more" in log.lines(-3, 1)[0]


def test_a_cut_does_not_split_a_character(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes("日本".encode() * 100_000)
    with counted(path) as log:
        assert "\ufffd" not in log.lines(0, 1)[0].decode("utf-8", "replace")


def test_long_progress_shows_its_latest_state(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"".join(b"\r%6d of 200000" % n for n in range(200_000)) + b"\nrest\n")
    with counted(path) as log:
        progress, rest = log.lines(0, 2)
        assert progress.endswith(b"199999 of 200000")
        assert rest == b"rest"


def test_a_shorter_file_is_another_one(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"one\ntwo\nthree\n")
    with counted(path) as log:
        os.truncate(path, 4)
        assert log.lines(0, 10) == [b"one"]
        assert log.poll() == "replaced"
        log.advance(1)
        assert log.lines(0, 10) == [b"one"]
        assert log.poll() == "same"


def test_cut_while_it_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"line\n" * 100_000)
    with LogFile(path) as log:
        log.advance(0)
        os.truncate(path, 10)
        log.advance(1)
        assert log.ready
        assert log.poll() in ("same", "replaced")


def test_a_new_file_of_the_same_name_is_followed(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"first attempt\n")
    with counted(path) as log:
        path.rename(tmp_path / "log.1")
        assert log.poll() == "gone"
        assert log.poll() == "same"
        assert log.lines(0, 1) == [b"first attempt"]
        path.write_bytes(b"second attempt\nmore\n")
        assert log.poll() == "replaced"
        log.advance(1)
        assert log.lines(0, 2) == [b"second attempt", b"more"]


def test_a_removed_file_stays_readable(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"still here\n")
    with counted(path) as log:
        path.unlink()
        assert log.poll() == "gone"
        assert log.lines(0, 1) == [b"still here"]


def test_links_and_devices_are_refused(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"x")
    (tmp_path / "link").symlink_to("log")
    os.mkfifo(tmp_path / "pipe")
    for name in ("link", "pipe", "missing"):
        with pytest.raises(OSError, match=name):
            LogFile(tmp_path / name)
    with pytest.raises(OSError, match="regular"):
        LogFile(tmp_path)


def test_it_opens_below_a_folder(tmp_path: Path) -> None:
    (tmp_path / "log").write_bytes(b"x\n")
    folder = os.open(tmp_path, os.O_RDONLY)
    try:
        with LogFile("log", dir_fd=folder) as log:
            log.advance(1)
            assert log.lines(0, 1) == [b"x"]
            assert log.poll() == "same"
    finally:
        os.close(folder)


class TestCompressed:
    def test_a_compressed_log_reads_like_a_plain_one(self, tmp_path: Path) -> None:
        data = b"".join(b"line %d\n" % n for n in range(200_000))
        path = tmp_path / "log.gz"
        path.write_bytes(gzip.compress(data[:1_000_000]) + gzip.compress(data[1_000_000:]))
        with LogFile(path) as log:
            assert not log.ready
            assert log.lines(-5, 5) == []
            while not log.advance(0.005):
                pass
            assert log.line_count == 200_000
            assert log.lines(-1, 1) == [b"line 199999"]
            assert log.size == len(data)
            assert log.problem is None
            assert log.poll() == "same"
            assert found(log, "line 1999") == [1999, *range(19990, 20000), *range(199900, 200000)]

    @pytest.mark.parametrize("keep", [0, 5, 400])
    def test_a_damaged_one_shows_what_can_be_read(self, tmp_path: Path, keep: int) -> None:
        path = tmp_path / "log.gz"
        path.write_bytes(gzip.compress(os.urandom(500).hex().encode() + b"\n")[:keep])
        with LogFile(path) as log:
            log.advance(1)
            assert log.ready
            assert log.problem == "the compressed log is damaged from here on"

    def test_a_bomb_is_bounded(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(logfile, "UNPACKED", 1 << 20)
        path = tmp_path / "log.gz"
        path.write_bytes(gzip.compress(bytes(50_000_000)))
        with LogFile(path) as log:
            log.advance(5)
            assert log.ready
            assert log.size <= (1 << 20) + (1 << 19)
            assert log.problem is not None


class TestSearch:
    def test_capitals_count_only_if_there_are_any(self, tmp_path: Path) -> None:
        path = tmp_path / "log"
        path.write_bytes("Error\nerror\nERROR\nÄrger\närger\n".encode())
        with counted(path) as log:
            assert found(log, "error") == [0, 1, 2]
            assert found(log, "Error") == [0]
            assert found(log, "ärger") == [3, 4]

    def test_colours_are_looked_through(self, tmp_path: Path) -> None:
        path = tmp_path / "log"
        path.write_bytes(b"ok\n\x1b[1;31merror\x1b[0m\x1b[1m: mismatched\x1b[0m types\n")
        with counted(path) as log:
            assert found(log, "error: mismatched types") == [1]

    def test_the_nearest_is_known_first(self, tmp_path: Path) -> None:
        path = tmp_path / "log"
        path.write_bytes(
            b"".join(b"needle %d\n" % n if n % 1000 == 0 else b"hay hay hay hay\n" for n in range(200_000))
        )
        with counted(path) as log:
            search = log.search("needle", 150_500, -1)
            while search.near(150_500, -1) is None:
                search.advance(0)
            assert search.near(150_500, -1) == 150_000
            assert not search.done
            assert search.near(10, 1) is None
            while not search.advance(1):
                pass
            assert len(search.hits) == 200
            assert search.near(199_500, 1) == 0
            assert search.near(0, -1) == 199_000
            assert search.near(150_000, 1) == 151_000

    def test_it_can_be_cancelled_and_is_bounded(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(logsearch, "MOST", 1000)
        path = tmp_path / "log"
        path.write_bytes(b"x\n" * 200_000)
        with counted(path) as log:
            search = log.search("x", 0, 1)
            search.advance(5)
            assert search.capped
            assert len(search.hits) < 1000 + logfile.BLOCK
            search = log.search("nothing", 0, 1)
            search.cancel()
            assert search.advance(1)
            assert log.search("", 0, 1).advance(0)


def test_a_million_lines_are_counted_in_slices(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b"".join(b"%07d the quick brown fox jumps over the lazy dog\n" % n for n in range(1_000_000)))
    with LogFile(path) as log:
        assert log.lines(-1, 1)[0].startswith(b"0999999")
        slices = 0
        while not log.advance(0.002):
            slices += 1
        assert slices > 2
        assert log.line_count == 1_000_000
        for number in (0, 1, 65_536, 500_000, 999_999):
            assert log.lines(number, 1)[0].startswith(b"%07d" % number)
        assert len(log.lines(500_000, 50)) == 50
