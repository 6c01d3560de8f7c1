"""`specular checkpoint`: the commands on stored runs, one module for each kind."""

from __future__ import annotations

from typing import Final

import click

from specular_tui.cli.lazy import LazyGroup

_HERE: Final = "specular_tui.cli.checkpoint."

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "list": (_HERE + "listing", "List the stored runs, newest first."),
    "show": (_HERE + "show", "Show all that a checkpoint says of its run."),
    "validate": (_HERE + "validate", "Prove a checkpoint: its files, its outputs, their hashes."),
    "clean": (_HERE + "clean", "Remove old runs, or what the retention policy does not keep."),
    "delete": (_HERE + "delete", "Remove one run."),
    "prune": (_HERE + "clean", "Remove all runs."),
    "compress": (_HERE + "compress", "Pack the files of runs that are not live."),
    "export": (_HERE + "moving", "Write runs into archives."),
    "import": (_HERE + "moving", "Take runs from archives."),
    "compare": (_HERE + "compare", "Say task by task how two runs differ."),
    "pin": (_HERE + "pinning", "Keep a run: retention, clean and prune never take it."),
    "unpin": (_HERE + "pinning", "Let a pinned run go again."),
    "trash": (_HERE + "trash", "List the deleted runs that can still be taken back."),
    "restore": (_HERE + "trash", "Take a deleted run back."),
    "abandon": (_HERE + "abandon", "Give a run up: it cannot be resumed any more."),
}


#: What other programs call them, where no near name tells.
_ELSEWHERE: Final = {
    "check": "validate",
    "diff": "compare",
    "info": "show",
    "keep": "pin",
    "logs": "specular logs",
    "ls": "list",
    "pack": "compress",
    "progress": "specular progress",
    "remove": "delete",
    "resume": "specular build --resume",
    "rm": "delete",
    "status": "specular progress",
    "timeline": "specular timeline",
    "undelete": "restore",
    "verify": "validate",
}


@click.group("checkpoint", cls=LazyGroup, entries=COMMANDS, elsewhere=_ELSEWHERE)
def checkpoint_command() -> None:
    """List, show, check, clean up and move stored runs.

    RUN is a run id, the start of just one, or --last.

    \b
    Examples:
      specular checkpoint list
      specular checkpoint show --last
      specular checkpoint validate build-2024-01-15T10-30-45
      specular checkpoint clean --older-than 7d --dry-run
    """
