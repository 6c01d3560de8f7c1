"""`specular checkpoint delete`."""

from __future__ import annotations

import click

from specular_tui.cli import output
from specular_tui.cli.options import can_ask, checkpoint_root, chosen_run, last_option, run_argument, unasked_option
from specular_tui.errors import UsageError
from specular_tui.model import quantity


@click.command("delete")
@run_argument
@last_option
@unasked_option("Do not ask, also where the run is unfinished or pinned.")
@click.option("--trash", is_flag=True, help="Into the trash, from where it can be taken back for a week.")
def delete_command(run: str | None, last: bool, force: bool, trash: bool) -> int:
    """Remove one run, with its outputs and logs. A live one is never removed.

    On a terminal it asks, because nothing brings the run back; with --trash only where the run is unfinished or pinned.
    Without a terminal such a run is refused, and any other is removed unasked.

    \b
    Examples:
      specular checkpoint delete --last --trash
      specular checkpoint delete build-2024-01-15T10-30-45 --yes
    """
    from specular_tui.workspace import find_run, is_live
    from specular_tui.workspace.keeping import delete_run, trash_run, why_keep

    root = checkpoint_root()
    run_id = find_run(root, chosen_run(run, last, needed=True))
    if not force and not is_live(root, run_id):
        reason = why_keep(root, run_id)
        if reason and not can_ask():
            again = f"specular checkpoint delete {run_id}{' --trash' if trash else ''} --force"
            raise UsageError(f"{run_id} is {reason}", hint=f"to remove it all the same: {again}")
        it = f"{run_id} is {reason}. {{}} it" if reason else f"{{}} {run_id}"
        question = ""
        if reason and trash:
            question = it.format("Put") + " into the trash?"
        elif not trash and can_ask():
            question = it.format("Remove") + " for good? (--trash keeps it for a week)"
        if question and not click.confirm(question, err=True):
            output.tell("nothing was removed")
            return 1
    if trash:
        trash_run(root, run_id)
        output.emit(f"{run_id} is in the trash; take it back: specular checkpoint restore {run_id}")
    else:
        freed = delete_run(root, run_id, force=True)
        output.emit(f"removed {run_id} ({quantity.size(freed)})")
    return 0
