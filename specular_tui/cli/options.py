"""Options and arguments that several commands share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from specular_tui.cli.values import RUN

F = TypeVar("F", bound=Callable[..., Any])


run_argument = click.argument("run", required=False, type=RUN, metavar="[RUN]")
last_option = click.option("--last", is_flag=True, help="The newest run.")


def unasked_option(text: str) -> Callable[[F], F]:
    """Return the option that spares a question, as what it is called here and as what other programs call it."""
    return click.option("--force", "--yes", "-y", "force", is_flag=True, help=text)


def format_option(*forms: str) -> Callable[[F], F]:
    """Return the option `--format`; its value is None where it is not given."""
    return click.option("--format", "form", type=click.Choice(forms), help="How to print it.")


def piped() -> bool:
    """Tell whether stdout is read by a program."""
    return not sys.stdout.isatty()


def can_ask() -> bool:
    """Tell whether somebody can be asked here; where anything is a pipe or a file, nobody is."""
    return all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))


def checkpoint_root() -> Path:
    """Return the checkpoint directory of the current folder."""
    from specular_tui.spec.settings import checkpoint_directory

    return checkpoint_directory(None, os.environ, current_folder())


def current_folder() -> Path:
    """Return the current folder.

    Raises:
        SpecularError: it has been removed.
    """
    try:
        return Path.cwd()
    except FileNotFoundError:
        from specular_tui.errors import SpecularError

        raise SpecularError("the current folder does not exist any more", hint="change to another one: cd") from None


def chosen_run(run: str | None, last: bool, *, needed: bool = False) -> str | None:
    """Return the RUN that was given, None for `--last` or none at all.

    Raises:
        click.UsageError: both were given, or none where one is `needed`.
    """
    if run is not None and last:
        raise click.UsageError("give a run or --last, not both")
    if run is None and not last and needed:
        raise click.UsageError("say which run: its id, the start of it, or --last")
    return run


def current_run(root: Path, wanted: str | None, last: bool) -> str:
    """Return the id of the run that was given; without any the live one's, or where none is live the newest one's."""
    from specular_tui.workspace import find_run, live_run_ids, summarise_run

    if wanted is not None or last:
        return find_run(root, wanted)
    live = [summarise_run(root, run_id) for run_id in live_run_ids(root)]
    return max(live, key=lambda run: run.created_at).run_id if live else find_run(root, None)
