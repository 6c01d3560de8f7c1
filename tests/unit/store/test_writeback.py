"""The disk begins to take files whose sync follows; whether it can, their sync tells."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from specular_tui.store import writeback


@pytest.fixture(autouse=True)
def unknown() -> Iterator[None]:
    writeback._starter.cache_clear()
    yield
    writeback._starter.cache_clear()


def test_the_bytes_stay_as_they_are_and_what_is_no_file_is_harmless(tmp_path: Path) -> None:
    fd = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    os.write(fd, b"x" * 100_000)
    writeback.begin(fd)
    os.write(fd, b"y")
    os.fdatasync(fd)
    os.close(fd)
    writeback.begin(fd)
    assert (tmp_path / "file").read_bytes() == b"x" * 100_000 + b"y"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux has it")
def test_linux_can() -> None:
    assert writeback._starter() is not None


def test_elsewhere_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert writeback._starter() is None
    writeback.begin(0)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux says it")
def test_what_waits_is_in_bytes(tmp_path: Path) -> None:
    (tmp_path / "much").write_bytes(b"x" * (16 << 20))
    # Others write and sync meanwhile; some of this is still there, and it is not said in KiB.
    assert 1 << 12 <= writeback.waiting() < 1 << 44


def test_nobody_says_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writeback, "_DIRTY", re.compile(rb"no such line (\d+)"))
    assert writeback.waiting() == 0
