"""The modes of the application by name; the module of each screen is imported when it is opened for the first time.

What is not on the first screen would keep it from being painted.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from specular_tui.tui.screens.mode import ModeScreen
from specular_tui.tui.views import Desk


def _build(desk: Desk) -> ModeScreen:
    from specular_tui.tui.screens.build import BuildScreen

    return BuildScreen(desk)


def _checkpoints(desk: Desk) -> ModeScreen:
    from specular_tui.tui.screens.checkpoints import CheckpointsScreen

    return CheckpointsScreen(desk)


def _validation(desk: Desk) -> ModeScreen:
    from specular_tui.tui.screens.validation import ValidationScreen

    return ValidationScreen(desk)


def _timeline(desk: Desk) -> ModeScreen:
    from specular_tui.tui.screens.timeline import TimelineScreen

    return TimelineScreen(desk)


MODES: Final[dict[str, Callable[[Desk], ModeScreen]]] = {
    "build": _build,
    "checkpoints": _checkpoints,
    "validation": _validation,
    "timeline": _timeline,
}
