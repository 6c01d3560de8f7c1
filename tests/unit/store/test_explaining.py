"""What a refusal of the disk means to a user."""

from __future__ import annotations

import errno

from specular_tui.store.explaining import explain


def test_explaining_names_the_way_on() -> None:
    error = explain(OSError(errno.ENOSPC, "No space left on device"), "write checkpoint", "/x")
    assert error.message == "failed to write checkpoint: no space left on device: /x"
    assert error.hint is not None
    assert "clean" in error.hint
    assert explain(OSError(errno.EBADF, "Bad file descriptor"), "do", "x").hint is None
