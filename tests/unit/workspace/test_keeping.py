"""What removes many runs at once, and what it must know before it removes one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from specular_tui.errors import StorageError
from specular_tui.model.policy import Policy
from specular_tui.spec.settings import resolve
from specular_tui.store import checkpoint, pins
from specular_tui.workspace import keeping
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
