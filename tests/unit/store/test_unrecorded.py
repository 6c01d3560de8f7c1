"""A build without a checkpoint: the same promises, for as long as it runs."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from specular_tui.errors import StorageError
from specular_tui.model import event as ev
from specular_tui.model.run import TaskStatus
from specular_tui.store.folder import Folder
from specular_tui.store.unrecorded import Unrecorded


@pytest.fixture
def recorder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Unrecorded:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    created = ev.RunCreated(
        at=1, run_id="run", plan_file="p", plan_folder="/", plan_name="p", plan_hash="h", tasks=("a", "b")
    )
    return Unrecorded(created, {})


def _descriptors() -> int:
    return len(os.listdir("/dev/fd"))


def test_logs_are_there_while_it_runs_and_gone_when_it_is_closed(recorder: Unrecorded, tmp_path: Path) -> None:
    log = recorder.open_log("a")
    recorder.append(ev.SessionStarted(at=2, pid=1, jobs=1))
    recorder.append(ev.TaskStarted(at=2, task="a", attempt=1))
    os.write(log.writer, b"hello")
    recorder.name_log(log)
    fd = recorder.end_log(log, printed=True)
    assert fd is not None
    assert recorder.log_path("a").read_bytes() == b"hello"
    recorder.append(ev.TaskEnded(at=3, task="a", attempt=1, outcome="completed", duration_ms=1), fd)
    assert recorder.state.tasks["a"].status is TaskStatus.COMPLETED
    recorder.close(4)
    assert list(tmp_path.iterdir()) == []


def test_closing_lets_go_of_every_descriptor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = _descriptors()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    created = ev.RunCreated(
        at=1, run_id="run", plan_file="p", plan_folder="/", plan_name="p", plan_hash="h", tasks=("a",)
    )
    recorder = Unrecorded(created, {})
    recorder.prepare_log()
    recorder.end_log(recorder.open_log("a"), printed=False)
    recorder.prepare_log()
    recorder.close(2)
    assert _descriptors() == before


def test_a_disk_that_refuses_is_told_of_as_of_any_recorder(
    recorder: Unrecorded, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = recorder.open_log("a")

    def refuse(*args: object, **more: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Folder, "open", refuse)
    monkeypatch.setattr(Folder, "rename", refuse)
    for call in (
        lambda: recorder.open_log("b"),
        lambda: recorder.name_log(log),
        lambda: recorder.end_log(log, printed=True),
    ):
        with pytest.raises(StorageError, match="failed to write a log: no space left on device") as caught:
            call()
        assert "TMPDIR" in (caught.value.hint or "")
    monkeypatch.undo()
    recorder.close(2)


def test_without_a_place_for_logs_there_is_no_build(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere/at/all")
    created = ev.RunCreated(
        at=1, run_id="run", plan_file="p", plan_folder="/", plan_name="p", plan_hash="h", tasks=("a",)
    )
    with pytest.raises(StorageError, match="failed to make a folder for logs"):
        Unrecorded(created, {})
