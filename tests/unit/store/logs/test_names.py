"""Which of two files is the log of an attempt, where a crash came as another attempt began."""

from __future__ import annotations

import os
from pathlib import Path

from specular_tui.store.checks.check import check
from tests.recorded import Recorded


def test_a_log_that_has_its_later_name_is_not_taken_for_that_of_an_unrecorded_attempt(tmp_path: Path) -> None:
    run = Recorded(tmp_path)
    run.begin()
    run.start("docs", b"the same words\n")
    run.end("docs", "failed", will_retry=True)
    run.snapshot()
    log = run.recorder.open_log("docs")
    os.write(log.writer, b"the same words\n")
    run.recorder.end_log(log, printed=False)
    run.vanish()
    (run.outputs / "docs.1.log").write_bytes(b"")

    found = check(run.root, run.run_id)
    assert found.damaged_files == ("outputs/docs.1.log",)
    (run.outputs / "docs.1.log").write_bytes(b"the same words\n")
    (run.outputs / "docs.log").write_bytes(b"")
    assert check(run.root, run.run_id).ok
