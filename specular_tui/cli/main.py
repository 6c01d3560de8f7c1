"""The command `specular` itself: finds the command that is asked for, and tells of errors."""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

from specular_tui import __version__
from specular_tui.cli import output
from specular_tui.errors import ExitCode, SpecularError

OpenTui = Callable[[Path, str | None, bool], int]

#: Each command, the module that has it, and the line that the overview says of it. A module is imported when its
#: command is asked for; it has the command under its own name, `-` as `_`.
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "build": ("specular_tui.cli.build", "Run a build, or go on with one."),
    "checkpoint": ("specular_tui.cli.checkpoint", "List, show, check, clean up and move stored runs."),
    "dashboard": ("specular_tui.cli.dashboard", "Open the full-screen app."),
    "demo": ("specular_tui.cli.demo", "Build something real: package this Python's own standard library."),
    "doctor": ("specular_tui.cli.doctor", "Say what is usable here."),
    "init": ("specular_tui.cli.init", "Write a plan and a policy to start from."),
    "logs": ("specular_tui.cli.logs", "Print a task's output."),
    "pause": ("specular_tui.cli.steer", "Freeze a live build."),
    "plan": ("specular_tui.cli.plan", "Check a plan, show its order, print its schema."),
    "progress": ("specular_tui.cli.progress", "Look at a run once, or follow its events."),
    "stop": ("specular_tui.cli.steer", "Stop a live build; it can be resumed."),
    "unpause": ("specular_tui.cli.steer", "Let a paused build go on."),
}


class Commands(click.Group):
    """The commands, each imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the overview."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command `cmd_name`."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name][0])
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; name the nearest one where there is none."""
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            from specular_tui.model.nearest import nearest

            near = nearest(args[0], COMMANDS)
            shown = output.plain(args[0][:60])
            ctx.fail(f"no such command '{shown}'" + (f"; did you mean '{near}'?" if near else ""))
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the overview without importing any command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in COMMANDS.items()])


@click.group(cls=Commands, invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "--version", prog_name="specular", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show a traceback where something goes wrong.")
@click.pass_context
def specular(ctx: click.Context, debug: bool) -> None:
    """Run long builds that can be interrupted, watched, steered and resumed.

    Without a command: the full-screen app on the checkpoints of this folder.
    """
    if debug:
        os.environ["SPECULAR_DEBUG"] = "1"
    if ctx.invoked_subcommand is None:
        from specular_tui.cli.dashboard import dashboard

        ctx.invoke(dashboard, run=None)


def run(open_tui: OpenTui, args: list[str] | None = None) -> int:
    """Run the command line `args` (default: this process's) and return the exit code; errors are told on stderr."""
    try:
        code: Any = specular.main(args, prog_name="specular", standalone_mode=False, obj=open_tui)
        sys.stdout.flush()
        return int(code) if isinstance(code, int) else ExitCode.SUCCESS
    except click.exceptions.Exit as error:
        return error.exit_code
    except click.Abort:
        output.tell_error("aborted")
        return ExitCode.INTERRUPTED
    except click.ClickException as error:
        hint = None
        if isinstance(error, click.UsageError) and error.ctx is not None:
            hint = f"try: {error.ctx.command_path} --help"
        output.tell_error(error.format_message().removesuffix("."), hint=hint)
        return ExitCode.USAGE
    except SpecularError as error:
        _tell_traceback()
        output.tell_error(error.message, details=error.details, hint=error.hint)
        return error.exit_code
    except BrokenPipeError:
        # Whoever read this has gone; nothing more can be said to them, not even by Python at its end.
        output.silence_stdout()
        return ExitCode.SUCCESS
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as error:
        _tell_traceback()
        output.tell_error(
            f"internal error: {type(error).__name__}: {error}",
            hint="this is a mistake in specular; run it again with SPECULAR_DEBUG=1 for the details",
        )
        return ExitCode.FAILED


def _tell_traceback() -> None:
    if os.environ.get("SPECULAR_DEBUG", "") not in ("", "0"):
        traceback.print_exc()
