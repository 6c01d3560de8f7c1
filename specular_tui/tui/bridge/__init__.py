"""Between the screens and the checkpoint directory: the only caller of `workspace`.

It watches the directory and the run in view, reads what is new in slices, folds it, and tells the screens with one
message per batch. What may block (whole files, sockets, deletion) runs on threads.
"""

from __future__ import annotations

from specular_tui.tui.bridge.bridge import Bridge, program_for
from specular_tui.tui.bridge.outlet import Outlet

__all__ = ["Bridge", "Outlet", "program_for"]
