"""`specular pause`, `unpause` and `stop`: steering a live build from another terminal."""

from __future__ import annotations

import time
from typing import Any

import click

from specular_tui.cli import output
from specular_tui.cli.options import checkpoint_root, chosen_run, last_option, run_argument


def _steer(run: str | None, last: bool, command: str) -> tuple[Any, str]:
    """Send `command` to the run that is meant; return it and what it answers."""
    from specular_tui.workspace import find_live_run, find_run
    from specular_tui.workspace.steering import steer

    root = checkpoint_root()
    wanted = chosen_run(run, last)
    found = find_live_run(root, find_run(root, None) if last else wanted)
    return found, steer(root, found.run_id, command)


@click.command("pause")
@run_argument
@last_option
@click.option("--drain", is_flag=True, help="Let running tasks end, and start nothing new.")
def pause_command(run: str | None, last: bool, drain: bool) -> None:
    """Freeze the tasks of a live build and start nothing new. Without RUN: the one live build.

    `specular unpause` lets it go on.
    """
    found, answer = _steer(run, last, "drain" if drain else "pause")
    output.emit(f"{found.run_id}: {output.plain(answer)}")
    output.tell(f"let it go on: specular unpause {found.run_id}")


@click.command("unpause")
@run_argument
@last_option
def unpause_command(run: str | None, last: bool) -> None:
    """Let a paused or draining build go on. Without RUN: the one live build."""
    found, answer = _steer(run, last, "unpause")
    output.emit(f"{found.run_id}: {output.plain(answer)}")


@click.command("stop")
@run_argument
@last_option
@click.option("--kill", is_flag=True, help="Kill running tasks at once, without the time to end.")
@click.option("--wait", is_flag=True, help="Return when the build has ended.")
def stop_command(run: str | None, last: bool, kill: bool, wait: bool) -> None:
    """End a live build and save its checkpoint. Without RUN: the one live build.

    `specular build --resume` goes on with it. The build itself ends with exit code 143.
    """
    found, answer = _steer(run, last, "kill" if kill else "stop")
    if wait:
        _wait_for_end(found.run_id)
        answer = "stopped"
    output.emit(f"{found.run_id}: {output.plain(answer)}")
    output.tell(f"resume with: specular build --resume {found.run_id}")


def _wait_for_end(run_id: str) -> None:
    """Return when no process works on the run any more. Its lock tells nobody when it is let go: it is looked at."""
    from specular_tui.workspace import is_live

    root = checkpoint_root()
    while is_live(root, run_id):
        time.sleep(0.1)
