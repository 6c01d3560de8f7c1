"""`specular checkpoint compress`."""

from __future__ import annotations

import click

from specular_tui.cli import output
from specular_tui.cli.options import checkpoint_root, chosen_run, last_option, run_argument
from specular_tui.cli.waiting import progress_bar
from specular_tui.model import quantity


@click.command("compress")
@run_argument
@last_option
@click.option("--all", "all_runs", is_flag=True, help="Every run that is not live.")
def compress_command(run: str | None, last: bool, all_runs: bool) -> None:
    """Pack the files of a run. Every command reads packed runs as well, and their hashes stay what they are."""
    from specular_tui.workspace import find_run, list_runs
    from specular_tui.workspace.keeping import compress_run

    if all_runs and (run is not None or last):
        raise click.UsageError("give a run, or --all: not both")
    root = checkpoint_root()
    if all_runs:
        runs = list_runs(root)
        for found in runs:
            if found.live:
                output.tell(f"{found.run_id} is live: it is left as it is")
            elif found.in_doubt and found.damage is not None:
                output.tell(f"{found.run_id} is left as it is: {found.damage.reason}")
        chosen = [found.run_id for found in runs if not found.live and not found.in_doubt]
    else:
        chosen = [find_run(root, chosen_run(run, last, needed=True))]
    saved = 0
    for run_id in chosen:
        with progress_bar(f"compressing {run_id}") as progress:
            done = compress_run(root, run_id, progress)
        saved += done.saved
        if done.files:
            sizes = f"{quantity.size(done.before)} -> {quantity.size(done.after)}"
            output.emit(f"{run_id}: {quantity.plural(done.files, 'file')}, {sizes}")
        else:
            output.emit(f"{run_id}: nothing left to compress")
    if all_runs:
        output.emit(f"{quantity.plural(len(chosen), 'run')}, {quantity.size(max(0, saved))} saved")
