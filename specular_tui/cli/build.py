"""`specular build`."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from specular_tui.cli import output
from specular_tui.cli.dashboard import prove_terminal
from specular_tui.cli.options import current_folder
from specular_tui.cli.values import DURATION, FILE, INTERVAL, RUN, TASK, WholeNumber
from specular_tui.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from specular_tui.cli.report import Reporter

#: What `--resume` without RUN stands for: nothing that can be typed.
_LATEST = "\0"


@click.command("build")
@click.option("--plan", type=FILE, metavar="FILE", help="The plan (default: plan.json).")
@click.option("--policy", type=FILE, metavar="FILE", help="The policy (default: .specular/policy.yaml if it exists).")
@click.option(
    "--resume",
    is_flag=False,
    flag_value=_LATEST,
    default=None,
    type=RUN,
    metavar="[RUN]",
    help="Go on with a run: the newest resumable one, or the one named.",
)
@click.option("--resume-last", "--last", is_flag=True, help="Go on with the newest resumable run.")
@click.option("--from-task", type=TASK, metavar="TASK", help="Run a task again, and all that depends on it.")
@click.option("--alone", is_flag=True, help="With --from-task: run that task only, and nothing that depends on it.")
@click.option("--skip-failed", is_flag=True, help="Leave out what failed, and what needs it.")
@click.option("--run-dependents", is_flag=True, help="With --skip-failed: run what needs a skipped task all the same.")
@click.option("--retry-failed", is_flag=True, help="Run only what failed, and what was waiting for it.")
@click.option("--validate", is_flag=True, help="Check the checkpoint before going on with it.")
@click.option("--revalidate", is_flag=True, help="Run the gates again, and check results against the present policy.")
@click.option("--repair", is_flag=True, help="Run again what is damaged in the checkpoint.")
@click.option("--trust-plan", is_flag=True, help="Run the commands of an imported plan.")
@click.option("--force", is_flag=True, help="Start fresh: abandon an unfinished run of the same plan.")
@click.option("--dry-run", is_flag=True, help="Show what would be done, task by task, and write nothing.")
@click.option(
    "--keep-going/--no-keep-going",
    "-k",
    default=None,
    help="After a failure, run everything that does not need it. A resume does as the session before.",
)
@click.option("--run-id", metavar="ID", help="The new run's id (default: build-<UTC time>).")
@click.option(
    "--jobs",
    "-j",
    type=WholeNumber(1, 10_000),
    metavar="N",
    help="At most so many tasks at once (default: the policy's, else one for each CPU).",
)
@click.option(
    "--grace",
    type=DURATION,
    default="10s",
    show_default=True,
    help="How long a stopped task may take to end before it is killed.",
)
@click.option(
    "--checkpoint-interval", type=INTERVAL, help="Rewrite the checkpoint's JSON files this often (default: 5m)."
)
@click.option("--checkpoint-every", type=WholeNumber(1), metavar="N", help="… and after so many tasks (default: 10).")
@click.option(
    "--format",
    "form",
    type=click.Choice(["auto", "plain", "json"]),
    default="auto",
    help="auto: a live display on a terminal, plain lines elsewhere; json: an object a line.",
)
@click.option("--quiet", "-q", is_flag=True, help="Print failures and the summary only.")
@click.option("--junit", type=FILE, metavar="FILE", help="Write the result as a JUnit report too.")
@click.option("--tui", is_flag=True, help="Open the full-screen app on the build.")
@click.option("--detach", is_flag=True, help="Leave the build running in the background, and print its run id.")
@click.option("--announce-fd", type=int, hidden=True)
@click.pass_context
def build_command(ctx: click.Context, /, **given: Any) -> int:
    """Run the build of a plan and checkpoint every task, or go on with one that was interrupted or failed.

    Ctrl+C ends it politely and saves the checkpoint; a second Ctrl+C kills what still runs.

    \b
    Examples:
      specular build --plan plan.json
      specular build --resume                  what failed, and what is left
      specular build --resume --retry-failed   only what failed or waited for it
      specular build --resume --dry-run        what it would do, and why

    \b
    Exit codes: 0 completed; 1 failed; 2 usage, or an invalid plan or policy;
    3 forbidden by the policy; 4 damaged checkpoint; 5 held by another process;
    129, 130, 143 stopped by SIGHUP, SIGINT, SIGTERM: --resume goes on.
    """
    given["resume"] = _which(given["resume"], given.pop("resume_last"))
    form, quiet, junit = given.pop("form"), given.pop("quiet"), given.pop("junit")
    announce: int | None = given.pop("announce_fd")
    tui, detach = given.pop("tui"), given.pop("detach")
    if tui and detach:
        raise click.UsageError("--tui opens the app on the build, --detach leaves it alone: choose one of them")
    if (tui or detach) and not given["dry_run"]:
        return _in_background(ctx, tui, given["policy"])
    given["grace_ms"] = given.pop("grace")
    given["checkpoint_interval_ms"] = given.pop("checkpoint_interval")

    from specular_tui.workspace.building import build as run_build
    from specular_tui.workspace.request import BuildRequest

    if junit == "-":
        raise UsageError(
            "a report is not written to stdout, which has the lines of the build", hint="name a file: --junit FILE"
        )
    report = Path(junit).absolute() if junit else None
    if report is not None:
        from specular_tui.cli import junit as junit_report

        junit_report.prove(report)
    request = BuildRequest(cwd=current_folder(), **given)
    with reporter(form, quiet=quiet, announce=announce) as face:
        face.junit = report
        face.asks = not request.dry_run
        result = run_build(request, face)
    return int(result.exit_code) if result is not None else 0


def _which(run: str | None, last: bool) -> str | None:
    """Return the run to go on with as a request has it: None for a new build, "" for the newest."""
    if run == "":
        raise click.UsageError("--resume '' names no run: leave the name away for the newest one")
    if last and run not in (None, _LATEST):
        raise click.UsageError("--resume-last goes on with the newest run, --resume names one: choose one of them")
    return "" if last or run == _LATEST else run


def _in_background(ctx: click.Context, tui: bool, policy: str | None) -> int:
    from specular_tui.workspace.steering import StartFailedError, start_build

    if tui:
        prove_terminal()
    folder = current_folder()
    args = [arg for arg in _own_args() if arg not in ("--tui", "--detach")]
    try:
        run_id = start_build(args, folder)
    except StartFailedError as error:
        if error.exit_code == ExitCode.SUCCESS:
            output.tell(error.message)
            return 0
        raise
    if tui:
        from specular_tui.spec.settings import checkpoint_directory

        root = checkpoint_directory(None, os.environ, folder, Path(policy) if policy is not None else None)
        code: int = ctx.obj(root, run_id, True)
        return code
    output.emit(run_id)
    return 0


def _own_args() -> list[str]:
    """Return what was typed behind `build`."""
    args = sys.argv[1:]
    return args[args.index("build") + 1 :] if "build" in args else []


@contextlib.contextmanager
def reporter(form: str, *, quiet: bool, announce: int | None = None) -> Iterator[Reporter]:
    """Choose how a build is told of: `form` is auto, plain or json; `announce` a pipe that only wants the run id."""
    from specular_tui.cli import report

    if announce is not None:
        from specular_tui.cli.announce import Announcer

        yield Announcer(announce)
    elif form == "json":
        yield report.JsonReporter(quiet=quiet)
    elif form == "auto" and output.on_github():
        from specular_tui.cli.github import GithubReporter

        yield GithubReporter(quiet=quiet)
    elif form == "auto" and sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and not quiet:
        from specular_tui.cli.live import LiveReporter

        with LiveReporter() as live:
            yield live
    else:
        yield report.Reporter(quiet=quiet)
