"""The verdict on an attempt that has ended: what came of it, proved by its log and its outputs."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import Final

from msgspec import Struct

from specular_tui.engine import artifacts
from specular_tui.engine.executor import Exit
from specular_tui.engine.running import Running
from specular_tui.model import duration
from specular_tui.model.event import OutputFile
from specular_tui.model.run import INTERRUPTED
from specular_tui.store import declared, digest
from specular_tui.store.logs.live import LiveLog

#: A log up to this size is hashed at once, on the loop: that is quicker than to hand it to a thread.
AT_ONCE: Final = 256 << 10


class Verdict(Struct, kw_only=True):
    """What came of an attempt."""

    #: `completed`, `failed` or `interrupted`.
    outcome: str
    reason: str | None = None
    log_size: int = 0
    log_hash: str = ""
    outputs: tuple[OutputFile, ...] = ()
    #: Open descriptors of output files, to be brought to disk with the record.
    files: tuple[int, ...] = ()
    #: Its log cannot be read: the disk is gone, and nothing can be said of the attempt.
    failure: OSError | None = None


def needs_thread(running: Running, end: Exit, log_size: int) -> bool:
    """Tell whether judging the attempt, whose log has `log_size` bytes, reads more than the loop can wait for."""
    return bool(running.task.outputs and end.exit_code == 0) or log_size > AT_ONCE


def judge(running: Running, end: Exit, folder: str) -> Verdict:
    """Return what came of an attempt that ended as `end`; its log and its outputs are read.

    `folder` is where declared outputs start from.
    """
    with contextlib.suppress(OSError):
        # A disk that has no room for a copy has none for the record either, and that is what is told.
        running.log.seal()
    try:
        log_size, log_hash = hash_log(running.log)
    except OSError as error:
        return Verdict(outcome=INTERRUPTED, reason="interrupted", failure=error)
    outcome, reason = _outcome(running, end)
    outputs: tuple[OutputFile, ...] = ()
    if outcome == "completed" and running.task.outputs:
        try:
            outputs = artifacts.capture(folder, running.task.outputs)
        except artifacts.MissingOutputError as error:
            outcome, reason = "failed", str(error)
    return Verdict(
        outcome=outcome,
        reason=reason,
        log_size=log_size,
        log_hash=log_hash,
        outputs=outputs,
        files=declared.open_all(folder, outputs),
    )


def _outcome(running: Running, end: Exit) -> tuple[str, str | None]:
    match running.ended_by:
        case "stop":
            return INTERRUPTED, "interrupted"
        case "timeout":
            limit = duration.humanise(running.task.timeout_ms or 0)
            return "failed", f"timed out after {limit}"
        case "user":
            return "failed", "stopped by the user"
        case _:
            return _own_outcome(end)


def _own_outcome(end: Exit) -> tuple[str, str | None]:
    """Judge an attempt that nobody told to end."""
    if end.exit_code == 0 and end.reason is None:
        return "completed", None
    if end.reason is not None:
        return "failed", end.reason
    if end.signal is not None:
        return "failed", f"killed by {end.signal}{_describe(end.signal)}"
    return "failed", f"exit code {end.exit_code}"


#: Signals whose name says all that their description does: `SIGKILL (killed)` says it twice.
_SPEAKING: Final = frozenset({"SIGABRT", "SIGHUP", "SIGINT", "SIGKILL", "SIGQUIT", "SIGTERM"})


def _describe(name: str) -> str:
    if name in _SPEAKING:
        return ""
    try:
        text = signal.strsignal(signal.Signals[name])
    except (KeyError, ValueError):
        return ""
    return f" ({text.lower()})" if text else ""


def hash_log(log: LiveLog) -> tuple[int, str]:
    """Return (size, digest) of a log. One that has no name yet counts as empty: nobody would find its bytes."""
    # Most quick tasks print nothing: that costs a look at the size.
    return digest.of_file(log.fd) if not log.temporary and os.fstat(log.fd).st_size else (0, digest.EMPTY)
