"""`specular checkpoint delete`."""

from __future__ import annotations

import click

from specular_tui.cli import output, words
from specular_tui.cli.options import can_ask, checkpoint_root, chosen_run, last_option, run_argument
from specular_tui.errors import UsageError


@click.command("delete")
@run_argument
@last_option
@click.option("--force", is_flag=True, help="Do not ask, also where the run is unfinished.")
def delete_command(run: str | None, last: bool, force: bool) -> int:
    """Remove one run, with its outputs and logs. A live one is never removed."""
    from specular_tui.workspace import find_run, summarise_run
    from specular_tui.workspace.keeping import delete_run, is_unfinished

    root = checkpoint_root()
    run_id = find_run(root, chosen_run(run, last, needed=True))
    found = summarise_run(root, run_id)
    if not force and not found.live and is_unfinished(found):
        if not can_ask():
            raise UsageError(
                f"{run_id} is {found.status}: it could still be resumed",
                hint=f"to remove it all the same: specular checkpoint delete {run_id} --force",
            )
        if not click.confirm(f"{run_id} is {found.status} and could still be resumed. Remove it?", err=True):
            output.tell("nothing was removed")
            return 1
        force = True
    freed = delete_run(root, run_id, force=force)
    output.emit(f"removed {run_id} ({words.size(freed)})")
    return 0
