"""What all tests share."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed import FileDescriptorLike


def pytest_configure() -> None:
    """Let no test wait for the disk: nothing that a test writes by itself has to outlive a power cut.

    The processes that tests start do sync. What is synced, and when, is proved by `tests/crash/powerloss.py`, which
    records the calls of such processes, and by the unit tests that look for the calls.
    """
    os.fsync = os.fdatasync = _synced


def _synced(fd: FileDescriptorLike) -> None:
    os.fstat(fd if isinstance(fd, int) else fd.fileno())  # what is not open is an error all the same
