"""`specular checkpoint trash` and `restore`."""

from __future__ import annotations

import click

from specular_tui.cli import output, words
from specular_tui.cli.options import checkpoint_root, format_option
from specular_tui.cli.values import TRASHED
from specular_tui.errors import RunNotFoundError
from specular_tui.model import quantity


@click.command("trash")
@click.option("--empty", is_flag=True, help="Delete all that is in it, for good.")
@click.option("--sweep", is_flag=True, hidden=True)
@format_option("table", "json")
def trash_command(empty: bool, sweep: bool, form: str | None) -> None:
    """List the deleted runs that can still be taken back, with what they take on the disk.

    Runs that are deleted in the full-screen app, or by `checkpoint delete --trash`, stay here for a week.
    """
    from specular_tui.workspace import keeping
    from specular_tui.workspace.keeping import empty_trash, trashed_runs

    root = checkpoint_root()
    if sweep:
        keeping.sweep(root)
        return
    if empty:
        freed = empty_trash(root, all_of_it=True)
        output.emit(f"emptied the trash, {quantity.size(freed)}" if freed else "the trash is empty")
        return
    puts = trashed_runs(root)
    if form == "json":
        output.emit_json([{"run_id": put.run_id, "deleted_at_ms": put.at, "size_bytes": put.size} for put in puts])
        return
    if not puts:
        output.emit("the trash is empty")
        return
    rows = [(put.run_id, words.age(put.at), quantity.size(put.size)) for put in puts]
    head, *lines = output.table(rows, ("RUN", "DELETED", "SIZE"), right=(2,))
    output.emit(output.style(head, bold=True, on=output.colour_on()))
    for line in lines:
        output.emit(line)
    output.tell("take one back: specular checkpoint restore RUN; free the space: specular checkpoint trash --empty")


@click.command("restore")
@click.argument("run", type=TRASHED, metavar="RUN")
def restore_command(run: str) -> None:
    """Take a run back from the trash: a whole run id, or the start of just one."""
    from specular_tui.workspace.keeping import restore_run, trashed_runs

    root = checkpoint_root()
    ids = dict.fromkeys(put.run_id for put in trashed_runs(root))
    matching = [run] if run in ids else [run_id for run_id in ids if run and run_id.startswith(run)]
    if len(matching) > 1:
        raise RunNotFoundError(
            f"'{run}' is the start of {len(matching)} runs in the trash",
            details=matching[:10],
            hint="give more of the run id",
        )
    output.emit(f"{restore_run(root, matching[0] if matching else run)} is back")
