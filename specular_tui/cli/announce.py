"""How a build in the background tells whoever started it that it has begun."""

from __future__ import annotations

import contextlib
import os

from specular_tui.cli.report import Reporter
from specular_tui.errors import UsageError
from specular_tui.workspace.face import BuildInfo


class Announcer(Reporter):
    """Writes the run id to a pipe once, when the build begins; nobody reads the rest."""

    def __init__(self, fd: int) -> None:
        """`fd` is the writing end of the pipe; it is closed here."""
        super().__init__(quiet=True)
        self._fd = fd
        os.set_inheritable(fd, False)

    def notice(self, text: str) -> None:
        """Say it on stderr, which whoever started this shows where the build does not begin."""
        from specular_tui.cli import output

        output.tell(text)

    def starting(self, info: BuildInfo) -> None:
        """Announce the run.

        Raises:
            UsageError: it keeps no checkpoint, and so nobody could find it.
        """
        if info.path is None:
            raise UsageError(
                "checkpoints are disabled: a build in the background could neither be watched nor stopped",
                hint="build in the foreground, or without SPECULAR_CHECKPOINT_ENABLED=false and enabled: false",
            )
        super().starting(info)
        with contextlib.suppress(OSError):  # whoever started it may have gone; the build goes on
            os.write(self._fd, f"{info.run_id}\n".encode())
        os.close(self._fd)
