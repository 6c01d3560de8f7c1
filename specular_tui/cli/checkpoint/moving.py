"""`specular checkpoint export` and `import`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from specular_tui.cli import output, words
from specular_tui.cli.options import checkpoint_root, chosen_run, current_folder, last_option, run_argument
from specular_tui.cli.waiting import progress_bar


@click.command("export")
@run_argument
@last_option
@click.option("--out", metavar="FILE", help="The archive, a tar.gz (default: RUN.tar.gz).")
@click.option("--redact", is_flag=True, help="Mask the values of secret-looking variables in the plan.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def export_command(run: str | None, last: bool, out: str | None, redact: bool, force: bool) -> None:
    """Write a run into an archive that another folder or machine can import."""
    from specular_tui.workspace import find_run
    from specular_tui.workspace.moving import export_run

    if out == "":
        raise click.UsageError("--out names no file")
    root = checkpoint_root()
    run_id = find_run(root, chosen_run(run, last, needed=True))
    target = Path(out or f"{run_id}.tar.gz")
    with progress_bar("exporting") as progress:
        size = export_run(root, run_id, target, redact=redact, force=force, progress=progress)
    output.emit(f"exported {run_id} to {output.plain(str(target))} ({words.size(size)})")


@click.command("import")
@click.argument("archive")
def import_command(archive: str) -> None:
    """Take a run from an archive. It is proved first, and nothing of it is run."""
    from specular_tui.spec.settings import resolve
    from specular_tui.workspace.moving import import_run
    from specular_tui.workspace.plans import read_policy

    folder = current_folder()
    settings = resolve(read_policy(None, folder)[0], environ=os.environ, cwd=folder)
    with progress_bar("importing") as progress:
        run_id, gone = import_run(Path(archive), settings, progress)
    output.emit(f"imported {run_id}")
    for going in gone:
        output.tell(f"removed {going.run_id}: {going.reason}")
    output.tell(f"look at it: specular checkpoint show {run_id}; go on with it: specular build --resume {run_id}")
