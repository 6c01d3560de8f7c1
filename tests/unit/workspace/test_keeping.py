"""What removes many runs at once, and what it must know before it removes one."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from specular_tui.errors import StorageError
from specular_tui.model.policy import CheckpointPolicy, Policy, RetentionPolicy
from specular_tui.spec.settings import resolve
from specular_tui.store import checkpoint, layout
from specular_tui.store.folder import Folder
from specular_tui.store.keeping import pins
from specular_tui.workspace import find_live_run, keeping, live_run_ids
from specular_tui.workspace.abandoning import abandon, expired_runs
from tests import recorded
from tests.recorded import RUN, START


def test_where_the_pins_cannot_be_read_nothing_goes(tmp_path: Path) -> None:
    recorded.completed(tmp_path)
    pins.pin(tmp_path, RUN)
    (tmp_path / pins.PINNED).rename(tmp_path / ".elsewhere")
    (tmp_path / pins.PINNED).symlink_to(".elsewhere")
    named = keeping.Named(older_than_ms=0)
    settings = resolve(Policy(), environ={"SPECULAR_CHECKPOINT_DIR": str(tmp_path)}, cwd=tmp_path)
    calls: list[Callable[[], object]] = [
        lambda: keeping.all_removals(tmp_path),
        lambda: keeping.named_removals(tmp_path, named),
        lambda: keeping.apply_retention(tmp_path, settings, "another"),
    ]
    for call in calls:
        with pytest.raises(StorageError, match="failed to read the pins: a symbolic link is not followed") as caught:
            call()
        assert caught.value.hint == "move it away, and try again"
    assert checkpoint.run_ids(tmp_path) == [RUN]
    (tmp_path / pins.PINNED).unlink()
    (tmp_path / ".elsewhere").rename(tmp_path / pins.PINNED)
    assert keeping.all_removals(tmp_path) == []
    assert keeping.decide_named(keeping.survey(tmp_path), named, START * 2) == []


@pytest.fixture
def in_doubt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with a run whose lock cannot be looked at."""
    recorded.completed(tmp_path)
    really = Folder.open

    def refuse(self: Folder, name: str, flags: int = os.O_RDONLY) -> int:
        if name == layout.LOCK:
            raise OSError(errno.EACCES, os.strerror(errno.EACCES))
        return really(self, name, flags)

    monkeypatch.setattr(Folder, "open", refuse)
    return tmp_path


def test_a_run_that_may_be_live_counts_as_live_for_all_that_removes(in_doubt: Path) -> None:
    policy = Policy(checkpoints=CheckpointPolicy(retention=RetentionPolicy(max_count=1, keep_completed=False)))
    settings = resolve(policy, environ={"SPECULAR_CHECKPOINT_DIR": str(in_doubt)}, cwd=in_doubt)
    found = keeping.survey(in_doubt)
    assert [run.in_doubt for run, _ in found.runs] == [True]
    assert keeping.all_removals(in_doubt) == []
    assert keeping.decide_named(found, keeping.Named(keep_last=0), START * 2) == []
    assert keeping.decide_named(found, keeping.Named(older_than_ms=0), START * 2) == []
    assert keeping.decide_retention(found, settings, now=START * 2) == []
    assert keeping.apply_retention(in_doubt, settings, "another") == []
    assert expired_runs(in_doubt, settings) == []
    deeds: list[Callable[[], object]] = [
        lambda: keeping.delete_run(in_doubt, RUN, force=True),
        lambda: keeping.trash_run(in_doubt, RUN),
        lambda: keeping.compress_run(in_doubt, RUN),
        lambda: abandon(in_doubt, RUN, "why not"),
        lambda: keeping.remove_runs(in_doubt, [keeping.Removal(run_id=RUN, reason="it was listed", size=1)]),
    ]
    for deed in deeds:
        with pytest.raises(StorageError, match="permission denied"):
            deed()
    assert checkpoint.run_ids(in_doubt) == [RUN]


def test_a_run_that_may_be_live_is_told_of_where_one_is_steered(in_doubt: Path) -> None:
    assert live_run_ids(in_doubt) == []
    with pytest.raises(StorageError, match="failed to see whether the checkpoint is in use: permission denied"):
        find_live_run(in_doubt, None)
