"""Options and arguments that several commands share."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from specular_tui.model import duration


class DurationType(click.ParamType[int]):
    """A duration such as `90s`, `5m`, `2h`, `7d`; its value is milliseconds."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the milliseconds."""
        if isinstance(value, int):
            return value
        try:
            return duration.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


DURATION = DurationType()


def checkpoint_root() -> Path:
    """Return the checkpoint directory of the current folder."""
    from specular_tui.spec.settings import checkpoint_directory

    return checkpoint_directory(None, os.environ, Path.cwd())


def chosen_run(run: str | None, last: bool) -> str | None:
    """Return the RUN that was given, None for `--last` or none at all.

    Raises:
        click.UsageError: both were given.
    """
    if run is not None and last:
        raise click.UsageError("give a run or --last, not both")
    return run


run_argument = click.argument("run", required=False)
last_option = click.option("--last", is_flag=True, help="The newest run.")
