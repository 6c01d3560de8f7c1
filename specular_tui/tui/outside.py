"""The user's own programs for a text: which ones they are, and how the terminal is lent to them."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from specular_tui.errors import SpecularError
from specular_tui.tui.messages import OpenOutside

if TYPE_CHECKING:
    from specular_tui.tui.bridge.bridge import Bridge
    from specular_tui.tui.terminal.app import TerminalApp

_NAMES = {"pager": ("PAGER",), "editor": ("VISUAL", "EDITOR")}
_USUAL = {"pager": ("less", "more"), "editor": ("sensible-editor", "nano", "vim", "vi")}


def command_of(program: str, environ: Mapping[str, str]) -> list[str]:
    """Return the command line of the user's pager or editor, without the file.

    Raises:
        SpecularError: none is set, and none of the usual ones is there; or what is set cannot be read.
    """
    for name in _NAMES[program]:
        if text := environ.get(name, "").strip():
            try:
                return shlex.split(text)
            except ValueError as error:
                raise SpecularError(f"${name} cannot be read: {error}: {text}") from None
    for usual in _USUAL[program]:
        if found := shutil.which(usual, path=environ.get("PATH")):
            # The end of a log is what matters, and its colours are.
            return [found, "-R", "+G"] if usual == "less" else [found]
    raise SpecularError(f"there is no {program} here", hint=f"set ${_NAMES[program][-1]}")


async def open_log(app: TerminalApp, bridge: Bridge, message: OpenOutside) -> None:
    """Open a task's log in the user's pager or editor, and come back when that ends.

    Raises:
        SpecularError: there is no such program, or this application is not on a terminal.
    """
    command = command_of(message.program, os.environ)
    with tempfile.TemporaryDirectory(prefix="specular-") as folder:
        # An editor might write, and what a checkpoint holds is proven by its hash.
        copy = message.program == "editor"
        path = await bridge.lend(message.run_id, message.task_id, message.attempt, Path(folder), copy=copy)
        if path is None:
            return
        try:
            with app.lent():
                subprocess.run([*command, str(path)], check=False)  # noqa: ASYNC221  the terminal is its alone
        except SuspendNotSupported:
            raise SpecularError("other programs can be opened on a terminal alone") from None
        except OSError as error:
            why, names = error.strerror or error, " or ".join(f"${name}" for name in _NAMES[message.program])
            raise SpecularError(f"cannot start '{command[0]}': {why}", hint=f"set {names} to another one") from None
