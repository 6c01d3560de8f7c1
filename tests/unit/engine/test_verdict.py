"""What comes of an attempt."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest
from blake3 import blake3

from specular_tui.engine.executor import Exit
from specular_tui.engine.running import Running
from specular_tui.engine.verdict import AT_ONCE, judge, needs_thread
from specular_tui.model.plan import Task
from specular_tui.store.logs.live import LiveLog


class NoJob:
    pid = pid_start = container = None

    def freeze(self) -> None: ...

    def thaw(self) -> None: ...

    def terminate(self) -> bool:
        return False

    def kill(self) -> None: ...


def running(folder: Path, log: bytes = b"", ended_by: str = "", **task: Any) -> Running:
    fd = os.open(folder / "log", os.O_RDWR | os.O_CREAT | os.O_TRUNC)
    os.write(fd, log)
    live = LiveLog("log", "", fd, os.dup(fd))
    return Running(
        task=Task(id="t", command="true", **task),
        attempt=1,
        job=NoJob(),
        log=live,
        started_at=0,
        frozen_before_ms=0,
        ended_by=ended_by,
    )


@pytest.mark.parametrize(
    ("ended_by", "end", "outcome", "reason"),
    [
        ("", Exit(0, None), "completed", None),
        ("", Exit(3, None), "failed", "exit code 3"),
        ("", Exit(None, "SIGSEGV"), "failed", "killed by SIGSEGV (segmentation fault)"),
        ("", Exit(None, "SIGKILL"), "failed", "killed by SIGKILL"),
        ("", Exit(None, "SIGRTMIN+6"), "failed", "killed by SIGRTMIN+6"),
        ("", Exit(None, "SIGKILL", reason="killed: out of memory"), "failed", "killed: out of memory"),
        ("", Exit(0, None, reason="the image is gone"), "failed", "the image is gone"),
        ("stop", Exit(0, None), "interrupted", "interrupted"),
        ("stop", Exit(None, "SIGTERM"), "interrupted", "interrupted"),
        ("timeout", Exit(None, "SIGTERM"), "failed", "timed out after 1m30s"),
        ("timeout", Exit(0, None), "failed", "timed out after 1m30s"),
        ("user", Exit(None, "SIGTERM"), "failed", "stopped by the user"),
    ],
)
def test_why_it_ended_decides(tmp_path: Path, ended_by: str, end: Exit, outcome: str, reason: str | None) -> None:
    attempt = running(tmp_path, ended_by=ended_by, timeout_ms=90_000)
    verdict = judge(attempt, end, str(tmp_path))
    assert (verdict.outcome, verdict.reason) == (outcome, reason)
    os.close(attempt.log.fd)


def test_it_is_proved_by_its_log(tmp_path: Path) -> None:
    log = b"a\0b\xff" * 500_000
    attempt = running(tmp_path, log)
    assert needs_thread(attempt, Exit(0, None), len(log))
    verdict = judge(attempt, Exit(0, None), str(tmp_path))
    assert (verdict.log_size, verdict.log_hash) == (len(log), "blake3:" + blake3(log).hexdigest())
    os.close(attempt.log.fd)
    silent = running(tmp_path)
    assert not needs_thread(silent, Exit(0, None), 0)
    verdict = judge(silent, Exit(0, None), str(tmp_path))
    assert (verdict.log_size, verdict.log_hash) == (0, "blake3:" + blake3(b"").hexdigest())
    os.close(silent.log.fd)
    assert len(log) > AT_ONCE


def test_nothing_is_said_of_an_attempt_whose_log_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(fd: int, size: int, offset: int) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    attempt = running(tmp_path, b"printed")
    monkeypatch.setattr(os, "pread", gone)
    verdict = judge(attempt, Exit(0, None), str(tmp_path))
    assert (verdict.outcome, verdict.log_hash) == ("interrupted", "")
    assert verdict.failure is not None
    assert verdict.failure.errno == errno.EIO
    os.close(attempt.log.fd)


def test_declared_outputs_must_be_there_for_it_to_have_completed(tmp_path: Path) -> None:
    attempt = running(tmp_path, outputs=("app", "docs"))
    assert needs_thread(attempt, Exit(0, None), 0)
    assert not needs_thread(attempt, Exit(1, None), 0)
    verdict = judge(attempt, Exit(0, None), str(tmp_path))
    assert (verdict.outcome, verdict.reason) == ("failed", "the declared output 'app' was not made")
    assert verdict.files == ()
    (tmp_path / "app").write_text("x")
    (tmp_path / "docs").mkdir()
    verdict = judge(attempt, Exit(0, None), str(tmp_path))
    assert verdict.outcome == "completed"
    assert [output.path for output in verdict.outputs] == ["app", "docs"]
    # What is a file is brought to disk with the record.
    assert (tmp_path / "app").stat().st_ino in {os.fstat(fd).st_ino for fd in verdict.files}
    for fd in (*verdict.files, attempt.log.fd):
        os.close(fd)


def test_a_failure_does_not_look_at_outputs(tmp_path: Path) -> None:
    attempt = running(tmp_path, outputs=("app",))
    assert judge(attempt, Exit(2, None), str(tmp_path)).reason == "exit code 2"
    os.close(attempt.log.fd)
