"""The errors that a user can meet; each carries its exit code, its details and the way on."""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Final

#: How an error about a damaged checkpoint begins; what follows is where and what.
VALIDATION_FAILED: Final = "checkpoint validation failed: "


class ExitCode(IntEnum):
    """What `specular` answers to the shell (docs/cli.md)."""

    SUCCESS = 0
    FAILED = 1
    USAGE = 2
    POLICY = 3
    CHECKPOINT = 4
    HELD = 5
    HANGUP = 129
    INTERRUPTED = 130
    TERMINATED = 143


class SpecularError(Exception):
    """Something the user must know: what happened and where, details below it, and what to do next.

    `message` is one line without a full stop; `details` are further lines that are shown indented;
    `hint` is the next thing to try, as a sentence or a command line.
    """

    exit_code = ExitCode.FAILED

    def __init__(self, message: str, *, details: Sequence[str] = (), hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.details = tuple(details)
        self.hint = hint


class UsageError(SpecularError):
    """The command line contradicts itself or names something that cannot be."""

    exit_code = ExitCode.USAGE


class PlanError(SpecularError):
    """A plan that cannot be read or that says something impossible."""

    exit_code = ExitCode.USAGE


class SettingsError(SpecularError):
    """A policy, an environment variable or a configuration file with a wrong value."""

    exit_code = ExitCode.USAGE


class PolicyViolationError(SpecularError):
    """The plan asks for what the policy forbids; nothing was started."""

    exit_code = ExitCode.POLICY


class CheckpointError(SpecularError):
    """A checkpoint that is damaged, or that may not be resumed because the plan changed."""

    exit_code = ExitCode.CHECKPOINT


class RunNotFoundError(SpecularError):
    """No run of this name in the checkpoint directory."""


class AmbiguousRunError(SpecularError):
    """A prefix that more than one run id starts with."""

    exit_code = ExitCode.USAGE


class RunHeldError(SpecularError):
    """Another live process runs this build."""

    exit_code = ExitCode.HELD


class NotLiveError(SpecularError):
    """A steering command was sent to a run that no process is running."""


class StorageError(SpecularError):
    """The checkpoint directory cannot be written: no space, no permission, a failing disk."""
