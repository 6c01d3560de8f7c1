"""`specular progress`: one look at a run, or its events as they come."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from specular_tui.cli import output, words
from specular_tui.cli.options import (
    checkpoint_root,
    chosen_run,
    current_run,
    format_option,
    last_option,
    piped,
    run_argument,
)
from specular_tui.errors import ExitCode
from specular_tui.model import duration
from specular_tui.model.run import TaskState, TaskStatus

if TYPE_CHECKING:
    from specular_tui.workspace import StoredRun
    from specular_tui.workspace.ahead import Ahead

_BAR = 30


@click.command("progress")
@run_argument
@last_option
@click.option("--short", is_flag=True, help="One line, for a status bar.")
@click.option("--stream", is_flag=True, help="Its events, one JSON object a line, until it ends.")
@format_option("table", "json", "plain")
def progress_command(run: str | None, last: bool, short: bool, stream: bool, form: str | None) -> int:
    """Look at a run: the live one, or the newest where none is live.

    A table on a terminal, plain `name: value` lines elsewhere.

    \b
    Examples:
      specular progress --short                for a status bar
      specular progress --stream | jq .event   what happens, as it happens
    """
    if short + stream + (form is not None) > 1:
        raise click.UsageError("--short, --stream and --format are three ways of printing: choose one")
    root = checkpoint_root()
    run_id = current_run(root, chosen_run(run, last), last)
    if stream:
        return _stream(root, run_id)
    from specular_tui.workspace import load_run
    from specular_tui.workspace.ahead import look_ahead

    found = load_run(root, run_id)
    ahead = look_ahead(root, found, _now(found))
    if short:
        output.emit(_short(found, ahead))
        return 0
    form = form or ("plain" if piped() else "table")
    if form == "json":
        output.emit_json(_facts(found, ahead))
    elif form == "plain":
        for line in _plain(found, ahead):
            output.emit(line)
    else:
        for line in _table(found, ahead):
            output.emit(line)
    return 0


# One look ------------------------------------------------------------------------------------------------------------


def _now(run: StoredRun) -> int:
    now = time.time_ns() // 1_000_000
    return max(now, run.state.updated_at) if run.live else run.state.updated_at


def _status(run: StoredRun, *, ending: bool = False) -> str:
    """Return the state of a run; with `ending` also that it starts nothing new."""
    state = run.state
    doing = {"stopping": state.stopping, "draining": state.draining} if ending else {}
    return words.state(state.status.value, interrupted=state.interrupted, live=run.live, **doing)


def _done(run: StoredRun) -> int:
    # A skipped task is not done: it is told of beside these.
    return run.state.count(TaskStatus.COMPLETED)


def _left_words(run: StoredRun, ahead: Ahead) -> str:
    """Return how long a run will still take in words; "" where that is not asked of it."""
    if ahead.forecast is not None:
        return words.left(ahead.forecast, _now(run), frozen=run.state.frozen_since is not None)
    return words.UNKNOWN if run.live and not (run.state.draining or run.state.stopping) else ""


def _short(run: StoredRun, ahead: Ahead) -> str:
    state = run.state
    percent = 100 * _done(run) // state.total if state.total else 0
    parts = [
        output.plain(state.plan_name or run.run_id)[:40],
        state.status.value,
        f"{_done(run)}/{state.total}",
        f"{percent}%",
    ]
    counts = (
        (state.count(TaskStatus.FAILED), "failed"),
        (ahead.blocked, "blocked"),
        (state.count(TaskStatus.SKIPPED), "skipped"),
    )
    parts += [f"{count} {word}" for count, word in counts if count]
    if run.live and (state.stopping or state.draining):
        parts.append("stopping" if state.stopping else "draining")
    parts.append(duration.humanise(state.elapsed_until(_now(run))))
    if ahead.forecast is not None:
        parts.append(_left_words(run, ahead))
    return " ".join(parts)


def _running(run: StoredRun) -> list[dict[str, Any]]:
    state, now = run.state, _now(run)
    return [
        {
            "task": task_id,
            "attempt": state.task(task_id).attempt,
            "elapsed_ms": state.task_elapsed_until(state.task(task_id), now),
        }
        for task_id in state.running
    ]


def _failed(run: StoredRun) -> list[tuple[str, TaskState]]:
    gates = [(i, gate) for i, gate in run.state.gates.items() if gate.status is TaskStatus.FAILED]
    return [(i, run.state.tasks[i]) for i in run.state.in_status(TaskStatus.FAILED)] + gates


def _facts(run: StoredRun, ahead: Ahead) -> dict[str, Any]:
    from specular_tui.workspace.showing import metadata_now

    state, left = run.state, ahead.forecast
    return metadata_now(run) | {
        "live": run.live,
        "counts": {status.value: state.count(status) for status in TaskStatus},
        "blocked": ahead.blocked,
        "percent": round(100 * _done(run) / state.total, 1) if state.total else 0.0,
        "remaining_ms": left.likely_ms if left is not None else None,
        "remaining_low_ms": left.low_ms if left is not None else None,
        "remaining_high_ms": left.high_ms if left is not None else None,
        "draining": state.draining,
        "stopping": state.stopping,
        "running": _running(run),
        "failed": [
            {"task": i, "exit_code": t.exit_code, "signal": t.signal, "reason": t.reason} for i, t in _failed(run)
        ],
    }


def _plain(run: StoredRun, ahead: Ahead) -> list[str]:
    state = run.state
    left = _left_words(run, ahead)
    lines = [
        f"run: {run.run_id}",
        f"plan: {output.plain(state.plan_name)}",
        f"status: {_status(run, ending=True)}",
        *(f"{status.value}: {state.count(status)}" for status in TaskStatus),
        *([f"blocked: {ahead.blocked}"] if ahead.blocked is not None else []),
        f"total: {state.total}",
        f"elapsed: {duration.humanise(state.elapsed_until(_now(run)))}",
    ]
    if left:
        lines.append(f"remaining: {left.replace(' left', '', 1)}")
    lines += [f"running: {entry['task']} {duration.humanise(entry['elapsed_ms'] or 0)}" for entry in _running(run)]
    lines += [f"failed: {task_id} {output.plain(task.reason or '')}".rstrip() for task_id, task in _failed(run)]
    return lines


def _table(run: StoredRun, ahead: Ahead) -> list[str]:
    state, on = run.state, output.colour_on()
    colour = output.STATE_COLOURS.get(state.status.value)
    word = _status(run)
    room = max(10, min(_BAR, output.width() - 20))
    filled = room * _done(run) // state.total if state.total else 0
    bar = output.style("█" * filled, "green", on=on) + output.style("░" * (room - filled), dim=True, on=on)
    counts = ", ".join(
        f"{state.count(status)} {word_of}"
        for status, word_of in (
            (TaskStatus.COMPLETED, "completed"),
            (TaskStatus.FAILED, "failed"),
            (TaskStatus.SKIPPED, "skipped"),
            (TaskStatus.IN_PROGRESS, "running"),
            (TaskStatus.PENDING, "pending"),
        )
        if state.count(status)
    )
    if ahead.blocked:
        counts += " (blocked)" if ahead.blocked == state.count(TaskStatus.PENDING) else f" ({ahead.blocked} blocked)"
    times = duration.humanise(state.elapsed_until(_now(run)))
    left = _left_words(run, ahead)
    lines = [
        f"{run.run_id}  {output.plain(state.plan_name)}  {output.style(word, colour, bold=True, on=on)}",
        f"{bar}  {_done(run)}/{state.total}  {times}" + (f", {left}" if left else ""),
        counts,
    ]
    if state.stopping:
        lines.append("stopping: running tasks are ended, nothing new starts")
    elif state.draining:
        lines.append("draining: nothing new starts")
    lines += [f"  running  {e['task']}  {duration.humanise(e['elapsed_ms'] or 0)}" for e in _running(run)]
    for task_id, task in _failed(run):
        lines.append(f"  {output.style('failed', 'red', on=on)}   {task_id}  {output.plain(task.reason or '')}")
    if not run.live:
        lines.append(output.style(f"last changed {words.age(state.updated_at)}", dim=True, on=on))
    return lines


# Its events ----------------------------------------------------------------------------------------------------------


def _stream(root: Path, run_id: str) -> int:
    import asyncio

    try:
        asyncio.run(_print_events(root, run_id))
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    return 0


async def _print_events(root: Path, run_id: str) -> None:
    from specular_tui.cli.events import event_line, spelled_out
    from specular_tui.workspace.following import follow_events

    async for events, state in follow_events(root, run_id):
        for event in events:
            for each in spelled_out(event):
                output.emit(output.as_json(event_line(each, run_id, state)))
        output.flush()
