"""Pins: beside the runs, never in them."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from specular_tui.errors import RunNotFoundError, StorageError
from specular_tui.store import checkpoint
from specular_tui.store.checks.check import check
from specular_tui.store.folder import Folder
from specular_tui.store.keeping import pins, removal
from tests import recorded
from tests.recorded import RUN, Recorded


def test_pinning_writes_nothing_into_the_run(tmp_path: Path) -> None:
    run = recorded.paused(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in [run.path, *run.path.rglob("*")]}
    pins.pin(tmp_path, RUN)
    pins.pin(tmp_path, RUN)
    assert pins.pinned(tmp_path) == {RUN}
    assert {path: path.stat().st_mtime_ns for path in [run.path, *run.path.rglob("*")]} == before
    assert checkpoint.run_ids(tmp_path) == [RUN]
    assert stat.S_IMODE((tmp_path / pins.PINNED).stat().st_mode) == 0o700
    assert pins.unpin(tmp_path, RUN)
    assert not pins.unpin(tmp_path, RUN)
    assert pins.pinned(tmp_path) == frozenset()
    assert check(tmp_path, RUN).ok


def test_a_live_run_and_a_damaged_one_can_be_pinned(tmp_path: Path) -> None:
    live = Recorded(tmp_path)
    (tmp_path / "damaged").mkdir()
    for run_id in (RUN, "damaged"):
        pins.pin(tmp_path, run_id)
    assert pins.pinned(tmp_path) == {RUN, "damaged"}
    live.begin()
    live.finish("paused")
    assert check(tmp_path, RUN).ok


@pytest.mark.parametrize("name", ["none", "..", "", "a/b", ".pinned"])
def test_what_is_no_run_cannot_be_pinned(tmp_path: Path, name: str) -> None:
    with pytest.raises(RunNotFoundError):
        pins.pin(tmp_path, name)
    assert not pins.unpin(tmp_path / "none", name)
    assert os.listdir(tmp_path) == []


def test_a_link_in_place_of_the_pins_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    recorded.paused(tmp_path / "root")
    (tmp_path / "root" / pins.PINNED).symlink_to(outside)
    with pytest.raises(StorageError):
        pins.pin(tmp_path / "root", RUN)
    with pytest.raises(StorageError, match=r"a symbolic link is not followed: .*/\.pinned$"):
        pins.pinned(tmp_path / "root")
    assert os.listdir(outside) == []


@pytest.mark.parametrize("code", [errno.EMFILE, errno.EIO, errno.EACCES])
def test_pins_that_cannot_be_read_are_not_taken_for_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    recorded.paused(tmp_path)
    pins.pin(tmp_path, RUN)
    put = removal.trash(tmp_path, RUN, 1_000)
    really = Folder.folder

    def refuse(self: Folder, name: str) -> Folder:
        if name == pins.PINNED:
            raise OSError(code, os.strerror(code))
        return really(self, name)

    monkeypatch.setattr(Folder, "folder", refuse)
    with pytest.raises(StorageError, match=f"failed to read the pins: {os.strerror(code).lower()}"):
        pins.pinned(tmp_path)
    with pytest.raises(StorageError, match="failed to read the pins"):
        removal.purge(tmp_path, [put])
    monkeypatch.undo()
    assert removal.trashed(tmp_path) == [put]


def test_a_pin_goes_with_its_run_and_comes_back_with_it(tmp_path: Path) -> None:
    recorded.paused(tmp_path)
    pins.pin(tmp_path, RUN)
    put = removal.trash(tmp_path, RUN, 1_000)
    removal.restore(tmp_path, RUN, put.at)
    assert pins.pinned(tmp_path) == {RUN}
    put = removal.trash(tmp_path, RUN, 2_000)
    removal.purge(tmp_path, [put])
    assert pins.pinned(tmp_path) == frozenset()
    recorded.paused(tmp_path)
    pins.pin(tmp_path, RUN)
    removal.remove(tmp_path, RUN)
    assert pins.pinned(tmp_path) == frozenset()
