"""`specular checkpoint pin` and `unpin`."""

from __future__ import annotations

import click

from specular_tui.cli import output
from specular_tui.cli.options import checkpoint_root, chosen_run, last_option, run_argument


@click.command("pin")
@run_argument
@last_option
def pin_command(run: str | None, last: bool) -> None:
    """Keep a run: retention, clean and prune never take it. Nothing is written into the run."""
    from specular_tui.workspace import find_run
    from specular_tui.workspace.keeping import pin_run

    root = checkpoint_root()
    run_id = find_run(root, chosen_run(run, last, needed=True))
    pin_run(root, run_id)
    output.emit(f"{run_id} is pinned")


@click.command("unpin")
@run_argument
@last_option
def unpin_command(run: str | None, last: bool) -> None:
    """Let a pinned run go again: retention, clean and prune may take it."""
    from specular_tui.workspace import find_run
    from specular_tui.workspace.keeping import unpin_run

    root = checkpoint_root()
    run_id = find_run(root, chosen_run(run, last, needed=True))
    was = unpin_run(root, run_id)
    output.emit(f"{run_id} is not pinned any more" if was else f"{run_id} was not pinned")
