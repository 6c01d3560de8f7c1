"""`specular dashboard`, which is what `specular` alone does too."""

from __future__ import annotations

import os
import sys

import click

from specular_tui.cli.options import checkpoint_root, chosen_run, last_option, run_argument
from specular_tui.errors import UsageError


@click.command("dashboard")
@run_argument
@last_option
@click.pass_context
def dashboard_command(ctx: click.Context, run: str | None, last: bool) -> int:
    """Open the full-screen app on the checkpoints of this folder, or on one run."""
    wanted = chosen_run(run, last)
    prove_terminal()
    root = checkpoint_root()
    run_id = None
    if wanted is not None or last:
        from specular_tui.workspace import find_run

        run_id = find_run(root, wanted)
    code: int = ctx.obj(root, run_id, False)
    return code


def has_terminal() -> bool:
    """Tell whether a full-screen app can run here."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "")


def prove_terminal() -> None:
    """Refuse where no full-screen app can run, and say what there is instead.

    Raises:
        UsageError: this is no terminal, or one that cannot move its cursor.
    """
    if not has_terminal():
        raise UsageError(
            "the full-screen app needs a terminal that can move its cursor",
            hint="without one: specular checkpoint list, specular progress, specular build; all commands: --help",
        )
