"""`specular checkpoint validate`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import click

from specular_tui.cli import output
from specular_tui.cli.options import checkpoint_root, chosen_run, format_option, last_option, run_argument
from specular_tui.cli.waiting import progress_bar
from specular_tui.errors import ExitCode

#: So many details of a check are shown, and so many notes.
_SHOWN: Final = 10


def _few(lines: Sequence[str], verbose: bool) -> Iterator[str]:
    """Yield the first lines, and how many more there are; what is said of the journal stands first."""
    lines = sorted(lines, key=lambda line: not line.startswith("journal.jsonl:"))
    shown = len(lines) if verbose or len(lines) <= _SHOWN + 1 else _SHOWN
    yield from lines[:shown]
    if len(lines) > shown:
        yield f"… and {len(lines) - shown} more (-v shows all of them)"


@click.command("validate")
@run_argument
@last_option
@click.option("--verbose", "-v", is_flag=True, help="Every detail, however many.")
@format_option("table", "json")
def validate_command(run: str | None, last: bool, verbose: bool, form: str | None) -> int:
    """Prove a checkpoint: its files, its outputs, and every hash. Nothing is changed. Without RUN: the newest.

    The exit code is 0 where all is well, and 4 where something is damaged.
    """
    from specular_tui.model.run import RunStatus
    from specular_tui.workspace import find_run, summarise_run
    from specular_tui.workspace.checking import check_run

    root = checkpoint_root()
    run_id = find_run(root, chosen_run(run, last))
    with progress_bar("checking") as progress:
        report = check_run(root, run_id, progress)
    if form == "json":
        output.emit_json(
            {
                "run_id": run_id,
                "valid": report.ok,
                "checks": [{"name": c.name, "ok": c.ok, "details": list(c.details)} for c in report.checks],
                "damaged_tasks": list(report.damaged_tasks),
                "notes": list(report.notes),
            }
        )
        return ExitCode.SUCCESS if report.ok else ExitCode.CHECKPOINT
    on = output.colour_on()
    if report.journal_damaged and not verbose:
        output.tell("the journal is damaged: what else does not match may follow from that alone")
    for line in report.checks:
        mark = output.style("✓", "green", on=on) if line.ok else output.style("✗", "red", bold=True, on=on)
        output.emit(f"{mark} {line.name}")
        for detail in _few(line.details, verbose):
            output.emit(f"    {output.plain(detail)}")
    for note in _few(report.notes, verbose):
        output.tell(f"note: {note}")
    if report.ok:
        return ExitCode.SUCCESS
    remove = f"remove the run: specular checkpoint delete {run_id}"
    if summarise_run(root, run_id).status == RunStatus.ABANDONED:
        output.tell(f"it is abandoned, and not to be resumed; {remove}")
    elif not report.journal_valid:
        output.tell(f"nothing is left to repair it from; take it from an archive, if you have one, and {remove}")
    else:
        output.tell(f"run what is damaged again (specular build --resume {run_id} --repair), or {remove}")
    return ExitCode.CHECKPOINT
