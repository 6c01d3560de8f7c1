"""What a check of a run found."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

METADATA: Final = "Metadata valid"
STATE: Final = "State file valid"
PROGRESS: Final = "Progress tracking valid"
PRESENT: Final = "All output files present"
HASHES: Final = "Hashes match"
#: The five lines, in the order of the specification.
NAMES: Final = (METADATA, STATE, PROGRESS, PRESENT, HASHES)

#: What an error calls each of them where it does not hold.
_FAULTS: Final = {
    METADATA: "invalid metadata",
    STATE: "invalid state file",
    PROGRESS: "invalid progress tracking",
    PRESENT: "missing output files",
    HASHES: "hash mismatch",
}


class Check(NamedTuple):
    """One of the five lines."""

    name: str
    ok: bool
    #: What is wrong: file, reason, expected and found digest.
    details: tuple[str, ...] = ()


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a check found."""

    run_id: str
    #: Nothing is wrong.
    ok: bool
    checks: tuple[Check, ...]
    #: Tasks that have ended and whose results cannot be relied on.
    damaged_tasks: tuple[str, ...] = ()
    #: Files whose bytes are wrong, as paths in the run's folder without `.gz`.
    damaged_files: tuple[str, ...] = ()
    #: (task, attempt) of each log that is damaged or gone.
    lost_logs: tuple[tuple[str, int], ...] = ()
    #: What is worth knowing and no damage.
    notes: tuple[str, ...] = ()
    #: Files that are none of a run's; a note says so of each.
    strangers: tuple[str, ...] = ()
    live: bool = False
    #: Bytes of the journal that are proved, and its length when it was read.
    journal_valid: int = 0
    journal_bytes: int = 0
    #: The journal is damaged, or is shorter than it once was.
    journal_damaged: bool = False

    def problems(self) -> list[str]:
        """Return all that is wrong, a line each, as an error tells it: `hash mismatch: outputs/a.log: …`."""
        return [f"{_FAULTS[check.name]}: {detail}" for check in self.checks if not check.ok for detail in check.details]
