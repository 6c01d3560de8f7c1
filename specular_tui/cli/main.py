"""The command `specular` itself: finds the command that is asked for, and tells of errors."""

from __future__ import annotations

import errno
import os
import signal
import sys
from pathlib import Path
from typing import Any, Final, Protocol

import click

from specular_tui import __version__
from specular_tui.cli import output
from specular_tui.cli.lazy import LazyGroup
from specular_tui.cli.streams import open_streams
from specular_tui.cli.waiting import SignalledError
from specular_tui.errors import ExitCode, SpecularError


class OpenTui(Protocol):
    """Opens the full-screen app; see `specular_tui.__main__.open_tui`."""

    def __call__(self, root: Path, run_id: str | None, owned: bool, tour: bool = False) -> int: ...  # noqa: D102


#: Each command, the module that has it, and the line that the overview says of it.
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
    "serve": ("specular_tui.cli.serve", "Open the full-screen app in a browser."),
    "stop": ("specular_tui.cli.steer", "Stop a live build; it can be resumed."),
    "timeline": ("specular_tui.cli.timeline", "Say what took the time: the critical path, the slowest tasks."),
    "unpause": ("specular_tui.cli.steer", "Let a paused build go on."),
}


#: What other programs call the commands, where no near name tells.
_ELSEWHERE: Final = {
    "cancel": "stop",
    "analyze-profile": "timeline",
    "check": "plan validate",
    "continue": "build --resume",
    "help": "--help",
    "kill": "stop --kill",
    "ls": "checkpoint list",
    "profile": "timeline",
    "resume": "build --resume",
    "retry": "build --resume --retry-failed",
    "run": "build",
    "slowest": "timeline",
    "start": "build",
    "status": "progress",
    "time": "timeline",
    "tui": "dashboard",
    "web": "serve",
}


@click.group(
    cls=LazyGroup,
    entries=COMMANDS,
    elsewhere=_ELSEWHERE,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, "--version", prog_name="specular", message="%(prog)s %(version)s")
@click.option("--debug", is_flag=True, help="Show a traceback where something goes wrong.")
@click.pass_context
def specular(ctx: click.Context, debug: bool) -> Any:
    """Run long builds that can be interrupted, watched, steered and resumed.

    Without a command: the full-screen app on the checkpoints of this folder.

    \b
    To begin with:
      specular demo            watch a real build, stop it, see it go on
      specular init            write a plan.json to start from
      specular build           build it; Ctrl+C stops it, nothing done is lost
      specular build --resume  go on with it

    \b
    Exit codes: 0 success; 1 the build failed, or another error; 2 usage, or
    an invalid plan or policy; 3 forbidden by the policy; 4 damaged checkpoint;
    5 held by another process; 129, 130, 143 stopped by a signal, resumable.
    """
    if debug:
        os.environ["SPECULAR_DEBUG"] = "1"
    if ctx.invoked_subcommand is None:
        from specular_tui.cli.dashboard import dashboard_command

        return ctx.invoke(dashboard_command, run=None, last=False)
    return None


def run(open_tui: OpenTui, args: list[str] | None = None) -> int:
    """Run the command line `args` (default: this process's) and return the exit code; errors are told on stderr."""
    open_streams()
    if "_SPECULAR_COMPLETE" in os.environ:
        specular.main(prog_name="specular")  # a shell asks how a word could go on
    code = _run(open_tui, sys.argv[1:] if args is None else args)
    try:
        output.flush()
    except BrokenPipeError:
        output.silence_stdout()
    except output.UnwrittenError as error:
        output.silence_stdout()
        if not code:
            output.tell_error(error.message, hint=error.hint)
            return error.exit_code
    return code


def _run(open_tui: OpenTui, args: list[str]) -> int:
    # Not `main` of click, which has an answer of its own to a closed pipe.
    try:
        with specular.make_context("specular", list(args), obj=open_tui) as ctx:
            code: Any = specular.invoke(ctx)
            output.flush()
        return int(code) if isinstance(code, int) else ExitCode.SUCCESS
    except click.exceptions.Exit as error:
        return error.exit_code
    except BrokenPipeError:
        # Whoever read this has gone; nothing more can be said to them, not even by Python at its end.
        output.silence_stdout()
        return ExitCode.SUCCESS
    except (click.Abort, KeyboardInterrupt, EOFError):
        output.tell("interrupted")
        return ExitCode.INTERRUPTED
    except SignalledError as error:
        output.tell(f"ended by {signal.Signals(error.number).name}")
        return 128 + error.number
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return ExitCode.USAGE
    except click.ClickException as error:
        hint = None
        if isinstance(error, click.UsageError):
            path = error.ctx.command_path if error.ctx is not None else _typed_command(args)
            hint = f"try: {path} --help"
        message = error.format_message().removesuffix(".")
        output.tell_error(message[:1].lower() + message[1:], hint=hint)
        return ExitCode.USAGE
    except SpecularError as error:
        _tell_traceback()
        output.tell_error(error.message, details=error.details, hint=error.hint)
        return error.exit_code
    except OSError as error:
        _tell_traceback()
        where = f": {error.filename}" if isinstance(error.filename, str) else ""
        full = error.errno in (errno.EMFILE, errno.ENFILE)
        hint = "raise the limit on open files (ulimit -n)" if full else None
        output.tell_error(f"{(error.strerror or str(error)).lower()}{where}", hint=hint)
        output.silence_stdout()
        return ExitCode.FAILED
    except Exception as error:
        _tell_traceback()
        output.tell_error(
            f"internal error: {type(error).__name__}: {error}",
            hint="this is a mistake in specular; run it again with SPECULAR_DEBUG=1 for the details",
        )
        return ExitCode.FAILED


def _typed_command(args: list[str]) -> str:
    """Return the command that was typed, where its line could not be read far enough for click to know it."""
    words = ["specular"]
    group: click.Command | None = specular
    for word in args:
        if not isinstance(group, LazyGroup) or word not in group.entries:
            break
        words.append(word)
        group = group.get_command(click.Context(group), word)
    return " ".join(words)


def _tell_traceback() -> None:
    if os.environ.get("SPECULAR_DEBUG", "") not in ("", "0"):
        import traceback

        traceback.print_exc()
