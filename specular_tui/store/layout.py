"""What the files of a run are called."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

METADATA: Final = "metadata.json"
STATE: Final = "state.json"
PROGRESS: Final = "progress.json"
JOURNAL: Final = "journal.jsonl"
LOCK: Final = "lock"
OUTPUTS: Final = "outputs"
#: Bytes that are given up when the disk is full, so that the last words of a build still fit.
RESERVE: Final = ".reserve"
QUARANTINE: Final = "quarantine"
PLAN: Final = "plan.json"
#: A new plan waits here from before the event that puts it in force until it has replaced `plan.json`.
NEXT_PLAN: Final = "plan.next.json"
POLICY: Final = "policy.yaml"
NEXT_POLICY: Final = "policy.next.yaml"

#: The number in metadata.json that says how all these files are to be read.
FORMAT: Final = 1

_PLAIN = re.compile(r"[a-z0-9_@+-]")
_PLAIN_STEM = re.compile(r"[a-z0-9_@+-]{1,180}")
_LONGEST: Final = 180
_KEPT: Final = 100


def task_stem(task_id: str) -> str:
    """Return the name, without ending, of the files of a task or a gate.

    Everything but `a-z 0-9 _ @ + -` is percent-encoded, so that no id is a path, hides a file, or differs from another
    by case alone. A name over 180 characters becomes its first 100 and a digest of the id.
    """
    if _PLAIN_STEM.fullmatch(task_id) is not None:
        return task_id
    stem = "".join(c if _PLAIN.fullmatch(c) else "".join(f"%{byte:02X}" for byte in c.encode()) for c in task_id)
    if len(stem) > _LONGEST:
        from blake3 import blake3

        return f"{stem[:_KEPT]}~{blake3(task_id.encode()).hexdigest(length=16)}"
    return stem


def task_id(stem: str) -> str | None:
    """Return the id that `stem` stands for, or None for a shortened one (the record in the file holds the id)."""
    return None if "~" in stem else unquote(stem)


def record_name(task_id: str) -> str:
    """Return the file name of a task's record."""
    return task_stem(task_id) + ".json"


def log_name(task_id: str, attempt: int | None = None) -> str:
    """Return the file name of a task's latest log, or of the log of an attempt that another one followed."""
    return task_stem(task_id) + (".log" if attempt is None else f".{attempt}.log")
