"""`specular demo`: a real build on what every machine has."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from specular_tui.cli import output
from specular_tui.cli.dashboard import has_terminal
from specular_tui.cli.options import current_folder
from specular_tui.cli.values import FILE, WholeNumber
from specular_tui.errors import SpecularError


@click.command("demo")
@click.option("--dir", "folder", type=FILE, metavar="DIR", help="The new folder (default: specular-demo-<UTC time>).")
@click.option("--no-tui", is_flag=True, help="Print lines, also on a terminal.")
@click.option(
    "--jobs",
    "-j",
    type=WholeNumber(1, 10_000),
    metavar="N",
    help="At most so many tasks at once (default: one for each CPU).",
)
@click.option("--keep-going", "-k", is_flag=True, help="After a failure, run everything that does not need it.")
@click.pass_context
def demo_command(ctx: click.Context, folder: str | None, no_tui: bool, jobs: int | None, keep_going: bool) -> int:
    """Package the standard library of this Python, part by part: about a hundred real tasks in a new folder.

    On a terminal the full-screen app opens on the build, elsewhere it prints lines. Interrupt it whenever you
    like: it says how to go on.
    """
    place = _write(folder)
    output.emit(f"the demo is in {place}")
    if has_terminal() and not no_tui:
        return _watched(ctx, place, jobs, keep_going)
    return _printed(place, jobs, keep_going)


def _write(folder: str | None) -> Path:
    """Write the demo into a new folder and return its path as it is to be typed."""
    from specular_tui.demo import write_demo

    current_folder()
    place = Path(folder) if folder else _free(datetime.now(UTC).strftime("specular-demo-%Y-%m-%dT%H-%M-%S"))
    try:
        write_demo(place)
    except FileExistsError:
        raise SpecularError(f"{place} is there already", hint="name a new folder: specular demo --dir DIR") from None
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise SpecularError(f"the demo cannot be written: {reason}: {place}", hint="name a folder: --dir DIR") from None
    return place


def _free(name: str) -> Path:
    number = 2
    place = Path(name)
    while place.exists():
        place = Path(f"{name}-{number}")
        number += 1
    return place


def _printed(place: Path, jobs: int | None, keep_going: bool) -> int:
    from specular_tui.cli.build import reporter
    from specular_tui.workspace.building import build
    from specular_tui.workspace.request import BuildRequest

    os.chdir(place)
    with reporter("auto", quiet=False) as face:
        face.typed_folder = str(place)
        result = build(BuildRequest(cwd=Path.cwd(), jobs=jobs, keep_going=keep_going), face)
    return int(result.exit_code) if result is not None else 0


def _watched(ctx: click.Context, place: Path, jobs: int | None, keep_going: bool) -> int:
    from specular_tui.spec.settings import checkpoint_directory
    from specular_tui.workspace import summarise_run
    from specular_tui.workspace.steering import start_build

    args = [*(["--jobs", str(jobs)] if jobs is not None else []), *(["--keep-going"] if keep_going else [])]
    run_id = start_build(args, place.absolute())
    root = checkpoint_directory(None, os.environ, place.absolute())
    code: int = ctx.obj(root, run_id, True, True)
    run = summarise_run(root, run_id)
    if not (run.live or run.resumable):
        output.tell(f"what it has made is in {place}; to be rid of it, delete that folder")
    return code
