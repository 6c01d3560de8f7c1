"""A check that takes as long as somebody lets it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from specular_tui.errors import SpecularError
from specular_tui.store.checks.check import Report


class Slow:
    """In place of the real check: says once how far it is, and then waits until it is given up."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.given_up = 0

    def __call__(
        self, root: Path, run_id: str, progress: Callable[[int, int], None], cancel: threading.Event
    ) -> Report:
        self.begun.append(run_id)
        progress(12_400_000, 41_000_000)
        assert cancel.wait(30)
        self.given_up += 1
        raise SpecularError("cancelled")
