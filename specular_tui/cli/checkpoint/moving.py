"""`specular checkpoint export` and `import`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Final

import click

from specular_tui.cli import output
from specular_tui.cli.options import checkpoint_root, chosen_run, current_folder, last_option
from specular_tui.cli.values import FILE, RUN
from specular_tui.cli.waiting import progress_bar
from specular_tui.errors import ExitCode, SpecularError, UsageError
from specular_tui.model import quantity

#: What stands for stdout, or stdin, where a file is named.
_STREAM: Final = "-"


@click.command("export")
@click.argument("runs", nargs=-1, type=RUN, metavar="[RUN]...")
@last_option
@click.option("--all", "all_runs", is_flag=True, help="Every run that is not live.")
@click.option(
    "--out",
    type=FILE,
    metavar="FILE|FOLDER|-",
    help="The archive, a tar.gz (default: RUN.tar.gz), or - for stdout; of several runs: their folder.",
)
@click.option("--redact", is_flag=True, help="Mask the values of secret-looking variables in the plan.")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def export_command(
    runs: tuple[str, ...], last: bool, all_runs: bool, out: str | None, redact: bool, force: bool
) -> int:
    """Write runs into archives that another folder or machine can import: one archive for each run.

    \b
    Examples:
      specular checkpoint export --last --out checkpoint.tar.gz
      specular checkpoint export --all --out backup/
      specular checkpoint export --last --out - |
        ssh builder specular checkpoint import -
    """
    from specular_tui.workspace.moving import export_run

    root = checkpoint_root()
    chosen = _chosen(root, runs, last, all_runs)
    several = all_runs or len(chosen) > 1
    if out == _STREAM:
        return _to_stdout(root, chosen, several, redact)
    folder = _folder(out, several)

    def export(run_id: str) -> None:
        target = folder / f"{run_id}.tar.gz" if folder is not None else Path(out or f"{run_id}.tar.gz")
        with progress_bar(f"exporting {run_id}" if several else "exporting") as progress:
            size = export_run(root, run_id, target, redact=redact, force=force, progress=progress)
        output.emit(f"exported {run_id} to {output.plain(str(target))} ({quantity.size(size)})")

    return _each(chosen, export)


@click.command("import")
@click.argument("archives", nargs=-1, required=True, type=FILE, metavar="ARCHIVE...")
def import_command(archives: tuple[str, ...]) -> int:
    """Take runs from archives. Each is proved first, nothing of it is run, and no run that is here is replaced.

    `-` is an archive that comes from stdin.

    \b
    Examples:
      specular checkpoint import checkpoint.tar.gz
      specular checkpoint import backup/*.tar.gz
    """
    from specular_tui.spec.settings import resolve
    from specular_tui.workspace import summarise_run
    from specular_tui.workspace.moving import import_run
    from specular_tui.workspace.plans import read_policy

    folder = current_folder()
    settings = resolve(read_policy(None, folder)[0], environ=os.environ, cwd=folder)

    def take(archive: str) -> None:
        with progress_bar("importing") as progress:
            source = Path(archive) if archive != _STREAM else _stdin()
            run_id, gone = import_run(source, settings, progress)
        output.emit(f"imported {run_id}")
        for going in gone:
            output.tell(f"removed {going.run_id}: {going.reason}")
        if len(archives) == 1:
            going_on = summarise_run(settings.checkpoint_dir, run_id).resumable
            more = f"; go on with it: specular build --resume {run_id}" if going_on else ""
            output.tell(f"look at it: specular checkpoint show {run_id}{more}")

    return _each(archives, take)


def _to_stdout(root: Path, chosen: Sequence[str], several: bool, redact: bool) -> int:
    """Write the archive of one run to stdout; what is said of it goes to stderr."""
    from specular_tui.workspace.moving import stream_run

    if several:
        raise UsageError(
            "stdout takes the archive of one run, and several are to be exported",
            hint="name a folder for their archives: --out FOLDER",
        )
    if sys.stdout.isatty():
        raise UsageError(
            "an archive is not written to a terminal", hint="send it somewhere: --out FILE, or --out - | COMMAND"
        )
    with progress_bar("exporting") as progress:
        size = stream_run(root, chosen[0], sys.stdout.fileno(), redact=redact, progress=progress)
    output.tell(f"exported {chosen[0]} ({quantity.size(size)})")
    return ExitCode.SUCCESS


def _stdin() -> IO[bytes]:
    if sys.stdin.isatty():
        raise UsageError(
            "an archive is not read from a terminal",
            hint="name its file, or send it: specular checkpoint import - < FILE",
        )
    return sys.stdin.buffer


def _chosen(root: Path, runs: Sequence[str], last: bool, all_runs: bool) -> list[str]:
    """Return the ids of the runs that are meant, each once."""
    from specular_tui.workspace import find_run, list_runs

    if not all_runs:
        if len(runs) > 1 and last:
            raise click.UsageError("give runs or --last, not both")
        wanted = list(runs) if len(runs) > 1 else [chosen_run(runs[0] if runs else None, last, needed=True)]
        return list(dict.fromkeys(find_run(root, run) for run in wanted))
    if runs or last:
        raise click.UsageError("give runs, or --all: not both")
    found = list_runs(root)
    for run in found:
        if run.live:
            output.tell(f"{run.run_id} is live: it is not exported")
    if not found:
        output.tell(f"there are no checkpoints in {root}")
    return [run.run_id for run in found if not run.live]


def _folder(out: str | None, several: bool) -> Path | None:
    """Return the folder that archives are put into, made where several are; None for a file of the user's name."""
    if out is None:
        return Path()
    folder = Path(out)
    if folder.is_dir():
        return folder
    if not several:
        return None
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise UsageError(
            f"--out must name a folder for the archives of several runs: {out}: {(error.strerror or '').lower()}"
        ) from None
    return folder


def _each(things: Sequence[str], deed: Callable[[str], None]) -> int:
    """Do `deed` with every one of `things`; of many one that cannot be done does not keep the others from it."""
    code: int = ExitCode.SUCCESS
    for thing in things:
        try:
            deed(thing)
        except SpecularError as error:
            if len(things) == 1:
                raise
            output.tell_error(error.message, details=error.details, hint=error.hint)
            code = code or error.exit_code
    return code
