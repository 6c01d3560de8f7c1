"""The options that every command has; the overview alone lists them."""

from __future__ import annotations

import os
from typing import Final

import click

from specular_tui import __version__


def show_version(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    """Print the version and end."""
    if wanted and not ctx.resilient_parsing:
        click.echo(f"specular {__version__}")
        ctx.exit()


def debug(ctx: click.Context, param: click.Parameter, wanted: bool) -> None:
    """Have tracebacks shown."""
    if wanted:
        os.environ["SPECULAR_DEBUG"] = "1"


EVERYWHERE: Final = (
    click.Option(["--version"], is_flag=True, is_eager=True, expose_value=False, hidden=True, callback=show_version),
    click.Option(["--debug"], is_flag=True, is_eager=True, expose_value=False, hidden=True, callback=debug),
)
