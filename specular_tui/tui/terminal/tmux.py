"""Whether the tmux around this application passes copies on: where it does not, it drops them without a word."""

from __future__ import annotations

import subprocess
from typing import Final

#: What is said where it does not.
HINT: Final = "tmux drops the copy; to let it through: tmux set -s set-clipboard on"
#: tmux answers at once; one that has not after so many seconds is not waited for.
_SECONDS: Final = 2.0


def passes_copies() -> bool:
    """Ask tmux whether it takes copies of the programs in it; by its own default it does not. Takes a process."""
    try:
        asked = subprocess.run(
            ["tmux", "show-options", "-sv", "set-clipboard"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.stdout.strip() == b"on"
