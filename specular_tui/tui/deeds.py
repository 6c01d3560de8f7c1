"""What can be done with stored runs: asked for by screens as values, carried out by the bridge, and told of.

A deed that takes a while is a chore: one at a time, with progress, and it can be given up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from msgspec import Struct
from textual.message import Message

from specular_tui.model.compare import RunComparison
from specular_tui.tui.messages import Told


class Rules(Struct, frozen=True):
    """Which runs a clean-up removes: what the policy does not keep, or those that meet all the conditions."""

    policy: bool = False
    keep_last: int | None = None
    older_than_ms: int | None = None
    failed: bool = False

    def __bool__(self) -> bool:
        """Whether anything is asked for."""
        return self.policy or self.failed or self.keep_last is not None or self.older_than_ms is not None


class Trash(Struct, frozen=True):
    """Put runs where they can be taken back from."""

    run_ids: tuple[str, ...]


class Undo(Struct, frozen=True):
    """Take back what was deleted last."""


class Pin(Struct, frozen=True):
    """Have clean-up never take a run, or let it again."""

    run_id: str
    on: bool


class Compress(Struct, frozen=True):
    """Pack the files of runs."""

    run_ids: tuple[str, ...]


class Check(Struct, frozen=True):
    """Prove runs, one after the other."""

    run_ids: tuple[str, ...]


class Export(Struct, frozen=True):
    """Write a run into an archive."""

    run_id: str
    path: str
    #: Mask what looks secret in its plan.
    redact: bool = False
    #: Replace the file that is there.
    force: bool = False


class Import(Struct, frozen=True):
    """Take a run from an archive."""

    path: str
    #: The damaged run that it is to stand in for.
    instead_of: str = ""


class Abandon(Struct, frozen=True):
    """Give a run up."""

    run_id: str


class Preview(Struct, frozen=True):
    """Say what a clean-up would remove."""

    rules: Rules
    #: Read the directory anew first.
    anew: bool = False


class Clean(Struct, frozen=True):
    """Remove what was previewed, as far as the rules still name it."""

    rules: Rules
    run_ids: tuple[str, ...]


class Compare(Struct, frozen=True):
    """Put two runs side by side."""

    run_id: str
    other: str


class GiveUp(Struct, frozen=True):
    """End the chore that is under way."""


Deed: TypeAlias = Trash | Undo | Pin | Compress | Check | Export | Import | Abandon | Preview | Clean | Compare | GiveUp


class Chore(Struct, frozen=True):
    """A deed that is under way."""

    #: `compressing`, `deleting`, …
    doing: str
    #: The run that it is at, and which one of how many that is.
    run_id: str = ""
    number: int = 1
    of: int = 1
    #: Bytes done, and bytes in all; 0 until they have been counted.
    done: int = 0
    total: int = 0
    #: Chores that wait for this one.
    waiting: int = 0
    cancelled: bool = False


class Going(Struct, frozen=True):
    """A run that a clean-up would remove."""

    run_id: str
    reason: str
    size: int


class Trouble(Struct, frozen=True):
    """Why a deed was not done, and the way on."""

    message: str
    details: Sequence[str] = ()
    hint: str = ""
    #: The file that was to be written is there already.
    taken: bool = False


class Do(Message):
    """From a screen to the application: the user wants this done."""

    def __init__(self, deed: Deed) -> None:
        """`deed` is what."""
        super().__init__()
        self.deed = deed


class ChoreMoved(Told):
    """A chore has begun, is further, or has ended."""


class Previewed(Told):
    """What a clean-up would remove has been worked out."""

    def __init__(self, rules: Rules, going: Sequence[Going], problem: str = "") -> None:
        """`problem` says why it cannot be."""
        super().__init__()
        self.rules = rules
        self.going = going
        self.problem = problem


class Compared(Told):
    """Two runs have been put side by side."""

    def __init__(self, comparison: RunComparison) -> None:
        """`comparison` has the older run as what was before."""
        super().__init__()
        self.comparison = comparison


class Refused(Told):
    """A deed was not done."""

    def __init__(self, deed: Deed, trouble: Trouble) -> None:
        """`trouble` says why."""
        super().__init__()
        self.deed = deed
        self.trouble = trouble
