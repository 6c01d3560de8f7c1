"""`specular checkpoint abandon`."""

from __future__ import annotations

import click

from specular_tui.cli import output
from specular_tui.cli.options import checkpoint_root, chosen_run, last_option, run_argument


@click.command("abandon")
@run_argument
@last_option
@click.option("--reason", metavar="TEXT", default="by hand", help="Why; it is kept with the run.")
def abandon_command(run: str | None, last: bool, reason: str) -> None:
    """Give an unfinished run up: it stays to be looked at, and cannot be resumed any more."""
    from specular_tui.workspace import find_run
    from specular_tui.workspace.abandoning import abandon

    root = checkpoint_root()
    run_id = find_run(root, chosen_run(run, last, needed=True))
    abandon(root, run_id, reason)
    output.emit(f"{run_id} is abandoned")
