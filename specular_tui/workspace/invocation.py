"""How to type `specular` in the shell that this process was started from."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path


def program() -> str:
    """Return what to type for `specular` in a shell that has the same PATH as this process."""
    typed = sys.argv[0]
    if shutil.which("specular"):
        return "specular"
    if os.path.basename(typed) == "specular":
        return shlex.quote(os.path.abspath(typed))
    return f"{shlex.quote(sys.executable)} -m specular_tui"


def program_for(root: Path, cwd: Path) -> str:
    """Return what to type so that `specular` finds the checkpoint directory `root` from the folder `cwd`.

    For the usual place in another folder that is a `cd` before it.
    """
    there = home_of(root, cwd).resolve()
    if there == cwd.resolve():
        return program()
    shown = there.relative_to(cwd.resolve()) if there.is_relative_to(cwd.resolve()) else there
    return f"cd {shlex.quote(str(shown))} && {program()}"


def home_of(root: Path, cwd: Path) -> Path:
    """Return the folder that builds of the checkpoint directory `root` are started in: its workspace, or else `cwd`."""
    return root.parent.parent if root.parts[-2:] == (".specular", "checkpoints") else cwd
