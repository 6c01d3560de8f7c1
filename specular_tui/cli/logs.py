"""`specular logs`: what a task has printed, and what it is printing."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Final

import click

from specular_tui.cli import output
from specular_tui.cli.options import checkpoint_root, chosen_run, current_run, last_option
from specular_tui.cli.text import Cleaner
from specular_tui.cli.values import RUN, TASK, WholeNumber
from specular_tui.errors import VALIDATION_FAILED, CheckpointError, ExitCode, SpecularError, UsageError

#: What the log of a GitHub job would take for a command: `::` at the start of a line, `##[` anywhere.
_COMMAND: Final = re.compile(r"(?m)(^\s*:|##)(:|\[)")
#: So many tasks are named where none was.
_NAMED: Final = 5


@click.command("logs")
@click.argument("task", type=TASK, required=False, metavar="TASK")
@click.option("--run", type=RUN, metavar="RUN", help="The run (default: the live one, or the newest).")
@last_option
@click.option("--attempt", type=WholeNumber(1), metavar="N", help="An earlier attempt (default: the latest).")
@click.option("--follow", "-f", is_flag=True, help="Go on until the task ends, also from before it starts.")
@click.option("--raw", is_flag=True, help="The exact bytes, escape sequences included.")
def logs_command(task: str | None, run: str | None, last: bool, attempt: int | None, follow: bool, raw: bool) -> int:
    """Print what TASK (or the gate @TASK) has written to stdout and stderr.

    Escape sequences and control characters are left out, and lines that rewrote themselves are as they were in the
    end; `--raw` changes nothing.

    Of a damaged run what is left is printed; the exit code is 4 where nothing proves that it is what the task wrote.

    \b
    Examples:
      specular logs test
      specular logs test --follow
      specular logs test --run build-2024 --attempt 1
    """
    from specular_tui.workspace import is_live

    root = checkpoint_root()
    wanted = chosen_run(run, last)
    if task is None:
        raise _which(root, wanted, last)
    run_id = current_run(root, wanted, last)
    sink = _Sink(raw)
    if follow and is_live(root, run_id):
        import asyncio

        try:
            asyncio.run(_follow(root, run_id, task, attempt, sink))
        except KeyboardInterrupt:
            return ExitCode.INTERRUPTED
        sink.finish()
        return ExitCode.SUCCESS
    try:
        _print_stored(root, run_id, task, attempt, sink)
    except CheckpointError as damage:
        return _print_salvaged(root, run_id, task, attempt, sink, damage)
    sink.finish()
    return ExitCode.SUCCESS


def _which(root: Path, run: str | None, last: bool) -> UsageError:
    """Return what is said where no task is named: those that one may want to look at."""
    from specular_tui.workspace import load_run

    try:
        state = load_run(root, current_run(root, run, last)).state
    except SpecularError:
        # That there is no run, or that it is damaged, is told of where a task is asked for.
        return UsageError("say which task: specular logs TASK", hint="try: specular logs --help")
    details = []
    for word, ids in (("failed", state.failed_for_good()), ("running", list(state.running))):
        if ids:
            more = f" and {len(ids) - _NAMED} more" if len(ids) > _NAMED else ""
            details.append(f"{word}: {', '.join(ids[:_NAMED])}{more}")
    return UsageError(
        f"say which task of {state.run_id}: specular logs TASK",
        details=details,
        hint=f"list its tasks: specular checkpoint show {state.run_id} --format table",
    )


class _Sink:
    """Prints bytes of a log, cleaned or as they are."""

    def __init__(self, raw: bool) -> None:
        self._cleaner = None if raw else Cleaner()

    def put(self, data: bytes) -> None:
        if self._cleaner is None:
            with output.writing():
                sys.stdout.buffer.write(data)
        else:
            self._print(self._cleaner.feed(data))

    def _print(self, text: str) -> None:
        output.put(_COMMAND.sub(r"\1 \2", text) if output.on_github() else text)

    def flush(self) -> None:
        output.flush()

    def finish(self) -> None:
        if self._cleaner is not None and (rest := self._cleaner.finish()):
            self._print(rest + "\n")
        output.flush()


async def _follow(root: Path, run_id: str, task: str, attempt: int | None, sink: _Sink) -> None:
    from specular_tui.workspace.following import follow_log

    async for piece in follow_log(root, run_id, task, attempt):
        if isinstance(piece, int):
            sink.finish()
            output.tell(f"attempt {piece}:")
        else:
            sink.put(piece)
            sink.flush()


def _print_stored(root: Path, run_id: str, task: str, attempt: int | None, sink: _Sink) -> None:
    from specular_tui.workspace import load_run
    from specular_tui.workspace.stored_log import stored_log

    empty = True
    try:
        for data in stored_log(root, run_id, task, attempt):
            sink.put(data)
            empty = False
    except FileNotFoundError:
        pass
    if empty:
        state = load_run(root, run_id).state
        known = state.tasks.get(task) or state.gates.get(task)
        started = known is not None and known.attempt > 0
        output.tell(f"{task} has printed nothing" if started else f"{task} has not run yet")


def _print_salvaged(
    root: Path, run_id: str, task: str, attempt: int | None, sink: _Sink, damage: CheckpointError
) -> int:
    """Print what is left of a log in a damaged run, and say whether it is what the task wrote."""
    from specular_tui.workspace import load_run
    from specular_tui.workspace.stored_log import salvaged_log

    try:
        load_run(root, run_id)
    except CheckpointError:
        pass
    else:
        raise damage  # the run is sound, and this log is not
    output.tell(f"{run_id} is damaged: {damage.message.removeprefix(VALIDATION_FAILED)}")
    sound, data = salvaged_log(root, run_id, task, attempt)
    for piece in data:
        sink.put(piece)
    sink.finish()
    if sound:
        output.tell(f"the log of {task} is sound: it is what the record of the task says")
        return ExitCode.SUCCESS
    output.tell_error(
        f"nothing proves that the log of {task} is what the task wrote",
        hint=f"see what is damaged: specular checkpoint validate {run_id}",
    )
    return ExitCode.CHECKPOINT
