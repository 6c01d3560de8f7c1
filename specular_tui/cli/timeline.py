"""`specular timeline`: what took the time of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import click

from specular_tui.cli import output
from specular_tui.cli.options import (
    checkpoint_root,
    chosen_run,
    current_run,
    format_option,
    last_option,
    piped,
    run_argument,
)
from specular_tui.cli.values import WholeNumber
from specular_tui.model import duration, quantity
from specular_tui.model.run import RunState, RunStatus, TaskStatus

if TYPE_CHECKING:
    from specular_tui.model.timing import Timed, Timing
    from specular_tui.workspace import StoredRun

#: So many of the slowest tasks are shown where nothing else is asked for.
_SLOWEST: Final = 10
#: Of a critical path so many tasks are shown: those that took longest, in their order.
_ON_PATH: Final = 20
#: Columns of the critical path that are there where they say something.
_EXPECTED: Final = "EXPECTED"
_WAITED: Final = "WAITED"
#: A task is said to have waited from so many milliseconds on.
_WAITED_MS: Final = 500
#: From this share of the time on it was the critical path, or of the slots their number, that decided.
_DECIDES: Final = 0.85


@click.command("timeline")
@run_argument
@last_option
@click.option(
    "--slowest",
    type=WholeNumber(0, 1_000_000),
    default=_SLOWEST,
    metavar="N",
    help=f"So many of the slowest tasks (default: {_SLOWEST}).",
)
@format_option("table", "json", "trace")
def timeline_command(run: str | None, last: bool, slowest: int, form: str | None) -> None:
    """Say what took the time of a run: its critical path, and its slowest tasks. The live run, or the newest.

    The critical path is the longest way through the plan by what the tasks took: no number of jobs makes a build
    shorter than that. Of a live run it takes in what is to come, as far as that is known.

    \b
    Examples:
      specular timeline
      specular timeline build-2024-01-15T10-30-45 --slowest 30
      specular timeline --format json | jq -r '.critical_path[].task'
      specular timeline --format trace > trace.json    for https://ui.perfetto.dev
    """
    from specular_tui.workspace import load_run
    from specular_tui.workspace.timing import time_run

    root = checkpoint_root()
    found = load_run(root, current_run(root, chosen_run(run, last), last))
    timing = time_run(root, found, slowest)
    if form == "json":
        output.emit_json(_document(found, timing))
        return
    if form == "trace":
        from specular_tui.cli.trace import trace

        critical = frozenset(timed.task for timed in timing.path or ())
        output.emit_json(trace(found.state, timing.now, critical), indent=None)
        return
    for line in _head(found, timing):
        output.emit(line)
    if timing.path:
        columns = _columns(timing, found.live)
        _print(_path_rows(timing, columns), ("CRITICAL PATH", "STATE", "TOOK", "SHARE", *columns))
    if timing.slowest:
        _print(_slowest_rows(timing), ("SLOWEST", "STATE", "TOOK", "SHARE", "USUALLY", ""))
    if not timing.work_ms:
        output.tell("nothing has run yet")


# The table -----------------------------------------------------------------------------------------------------------


def _head(run: StoredRun, timing: Timing) -> list[str]:
    state, on = run.state, output.colour_on()
    word = output.style(state.status.value, output.STATE_COLOURS.get(state.status.value), bold=True, on=on)
    facts = [("worked for", duration.humanise(timing.elapsed_ms))]
    if timing.work_ms and timing.elapsed_ms:
        of = f", of {timing.jobs}" if timing.jobs is not None else ""
        facts.append(("at once", f"{timing.at_once:.1f} on average{of}; {duration.humanise(timing.work_ms)} of tasks"))
    if timing.path is None:
        facts.append(("critical path", "not known: the copy of the plan is damaged"))
    elif timing.path:
        tasks = quantity.plural(len(timing.path), "task")
        share = f", {_share(timing.path_ms, timing)} of the time" if timing.elapsed_ms else ""
        facts.append(("critical path", f"{duration.humanise(timing.path_ms)} in {tasks}{share}"))
    if limit := _limit(state, timing):
        facts.append(("limited by", limit))
    width = max(len(name) for name, _ in facts)
    return [
        f"{output.style(run.run_id, bold=True, on=on)}  {output.plain(state.plan_name)}  {word}",
        *(f"  {output.style(name.ljust(width), dim=True, on=on)}  {text}" for name, text in facts),
    ]


def _limit(state: RunState, timing: Timing) -> str:
    """Return what kept a run from being shorter, where one thing did."""
    if state.status is not RunStatus.COMPLETED or not timing.elapsed_ms or not timing.path:
        return ""  # a run that did not come to its end may have done less than its longest way
    if timing.path_ms >= _DECIDES * timing.elapsed_ms:
        return "the critical path: more jobs would not make it shorter"
    if timing.jobs is not None and timing.at_once >= _DECIDES * timing.jobs:
        jobs = quantity.plural(timing.jobs, "job")
        return f"the {jobs}: more could make it shorter, down to {duration.humanise(timing.path_ms)}"
    return ""


def _share(ms: float, timing: Timing) -> str:
    if not timing.elapsed_ms:
        return "-"
    percent = 100 * ms / timing.elapsed_ms
    return f"{percent:.0f}%" if percent >= 1 or not ms else "<1%"


def _took(timed: Timed) -> str:
    return duration.humanise(timed.took_ms) if timed.attempts else "-"


def _columns(timing: Timing, live: bool) -> dict[str, Callable[[Timed], str]]:
    """Return the columns of the critical path that have something to say of this run, and what they say of a task."""

    def expected(timed: Timed) -> str:
        return duration.rough(timed.expected_ms) if timed.expected_ms is not None else "-"

    def waited(timed: Timed) -> str:
        return f"{duration.humanise(_waited_ms(timed))} for a slot" if _waited_ms(timed) >= _WAITED_MS else "-"

    found: dict[str, Callable[[Timed], str]] = {_EXPECTED: expected} if live else {}
    if any(_waited_ms(timed) >= _WAITED_MS for timed in timing.path or ()):
        found[_WAITED] = waited
    return found


def _waited_ms(timed: Timed) -> int:
    return timed.wait.slot_ms if timed.wait is not None else 0


def _path_rows(timing: Timing, columns: Mapping[str, Callable[[Timed], str]]) -> list[tuple[str, ...]]:
    """Return the rows of the critical path; of a long one those that took longest, and how many stand between them."""
    path = timing.path or ()
    weight = {at: max(timed.took_ms, timed.expected_ms or 0) for at, timed in enumerate(path)}
    shown = frozenset(sorted(weight, key=lambda at: -weight[at])[:_ON_PATH])
    rows: list[tuple[str, ...]] = []
    hidden: list[Timed] = []

    def close() -> None:
        if hidden:
            took = sum(timed.took_ms for timed in hidden)
            rest = ("",) * len(columns)
            rows.append((f"… {len(hidden):,} more", "", duration.humanise(took), _share(took, timing), *rest))
            hidden.clear()

    for at, timed in enumerate(path):
        if at not in shown:
            hidden.append(timed)
            continue
        close()
        more = [said(timed) for said in columns.values()]
        rows.append((timed.task, timed.status.value, _took(timed), _share(timed.took_ms, timing), *more))
    close()
    return rows


def _slowest_rows(timing: Timing) -> list[tuple[str, ...]]:
    return [
        (
            timed.task,
            timed.status.value,
            _took(timed),
            _share(timed.took_ms, timing),
            duration.humanise(timed.usual.median) if timed.usual is not None else "-",
            ", ".join(_notes(timed)),
        )
        for timed in timing.slowest
    ]


def _notes(timed: Timed) -> list[str]:
    notes = ["slower than usual"] if timed.slow else []
    notes += [f"{timed.attempts} attempts"] if timed.attempts > 1 else []
    return notes + (["critical path"] if timed.critical else [])


def _print(rows: Sequence[tuple[str, ...]], heads: tuple[str, ...]) -> None:
    on = output.colour_on()
    width = None if piped() else output.width()
    head, *lines = output.table(rows, heads, right=range(2, min(5, len(heads))), width=width)
    output.emit()
    output.emit(output.style(head, bold=True, on=on))
    colours = {TaskStatus.FAILED.value: "red", TaskStatus.IN_PROGRESS.value: "cyan"}
    for line, row in zip(lines, rows, strict=True):
        output.emit(output.style(line, colours.get(row[1]), on=on))


# JSON ----------------------------------------------------------------------------------------------------------------


def _document(run: StoredRun, timing: Timing) -> dict[str, Any]:
    path = timing.path
    return {
        "run_id": run.run_id,
        "plan_name": run.state.plan_name,
        "status": run.state.status.value,
        "live": run.live,
        "elapsed_ms": timing.elapsed_ms,
        "work_ms": timing.work_ms,
        "jobs": timing.jobs,
        "jobs_average": round(timing.at_once, 2),
        "critical_path_ms": timing.path_ms if path is not None else None,
        "critical_path": [_entry(timed) for timed in path] if path is not None else None,
        "slowest": [_entry(timed) for timed in timing.slowest],
    }


def _entry(timed: Timed) -> dict[str, Any]:
    past, wait = timed.usual, timed.wait
    return {
        "task": timed.task,
        "status": timed.status.value,
        "took_ms": timed.took_ms,
        "expected_ms": timed.expected_ms,
        "attempts": timed.attempts,
        "usual_ms": round(past.median) if past is not None else None,
        "usual_low_ms": round(past.low) if past is not None else None,
        "usual_high_ms": round(past.high) if past is not None else None,
        "slower_than_usual": timed.slow,
        "critical": timed.critical,
        "started_after": (wait.need or None) if wait is not None else None,
        "waited_for_slot_ms": wait.slot_ms if wait is not None else None,
    }
