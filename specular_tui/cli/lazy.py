"""A group of commands, each imported when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click

from specular_tui.cli.everywhere import EVERYWHERE
from specular_tui.model.nearest import nearest
from specular_tui.model.quote import quote


class LazyGroup(click.Group):
    """Commands by name: the module that has each (under its own name, `-` as `_`) and its line in the overview."""

    def __init__(
        self,
        *args: Any,
        entries: Mapping[str, tuple[str, str]],
        elsewhere: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        """`entries` is in the order of the overview; `elsewhere` what other programs call things, and what they are."""
        super().__init__(*args, **kwargs)
        self.entries = entries
        self.elsewhere = elsewhere or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the overview."""
        return list(self.entries)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command `cmd_name`."""
        if cmd_name not in self.entries:
            return None
        module = importlib.import_module(self.entries[cmd_name][0])
        command: click.Command = getattr(module, f"{cmd_name.replace('-', '_')}_command")
        known = {param.name for param in command.params}
        command.params += [option for option in EVERYWHERE if option.name not in known]
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; name the nearest one where there is none."""
        if args and not args[0].startswith("-") and args[0] not in self.entries:
            near = self.elsewhere.get(args[0]) or self._deeper(ctx, args[0]) or nearest(args[0], self.entries)
            ctx.fail(f"no such command {quote(args[0])}" + (f"; did you mean '{near}'?" if near else ""))
        return super().resolve_command(ctx, args)

    def _deeper(self, ctx: click.Context, name: str) -> str | None:
        """Return the command of a group in this one that is called just so: `checkpoint list` for `list`."""
        for group in self.entries:
            found = self.get_command(ctx, group)
            if isinstance(found, LazyGroup) and name in found.entries:
                return f"{group} {name}"
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the overview without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in self.entries.items()])
