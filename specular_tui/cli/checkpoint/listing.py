"""`specular checkpoint list`."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Final

import click

from specular_tui.cli import output, words
from specular_tui.cli.options import checkpoint_root, format_option, piped
from specular_tui.errors import VALIDATION_FAILED
from specular_tui.model import quantity
from specular_tui.model.run import RunStatus

if TYPE_CHECKING:
    from specular_tui.workspace import Look

_HEADS = ("RUN", "STATE", "PROGRESS", "FAILED", "UPDATED", "SIZE", "PLAN")


#: So many damaged runs are told of.
_DAMAGED: Final = 5


@click.command("list")
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice([status.value for status in RunStatus]),
    help="Only runs in this state; may be given more than once.",
)
@format_option("table", "json")
def list_command(statuses: tuple[str, ...], form: str | None) -> None:
    """List the stored runs, newest first. JSON has the fields of metadata.json, and `size_bytes`.

    \b
    Examples:
      specular checkpoint list --status failed --status paused
      specular checkpoint list --format json | jq '.[0].run_id'
    """
    from specular_tui.workspace import look_at_runs
    from specular_tui.workspace.keeping import pinned_runs, trashed_runs

    root = checkpoint_root()
    # A damaged run is of the state that it last said: whoever looks for failed ones wants it too.
    seen = [look for look in look_at_runs(root) if not statuses or look.run.metadata.get("status") in statuses]
    pinned = pinned_runs(root)
    if form == "json":
        output.emit_json([_entry(one, pinned) for one in seen])
        return
    if seen:
        _print_table(seen, pinned)
        _tell_of_damage(seen)
    else:
        kind = f"{' or '.join(statuses)} " if statuses else ""
        output.tell(f"there are no {kind}checkpoints in {root}")
    if trash := trashed_runs(root):
        size = quantity.size(sum(put.size for put in trash))
        output.tell(f"{quantity.plural(len(trash), 'deleted run')} in the trash, {size}: specular checkpoint trash")


def _entry(seen: Look, pinned: Collection[str]) -> dict[str, Any]:
    run = seen.run
    entry: dict[str, Any] = (
        {"run_id": run.run_id}
        | run.metadata
        | {
            "size_bytes": seen.glance.size,
            "live": run.live,
            "pinned": run.run_id in pinned,
            "flaws": list(seen.glance.flaws),
            "repaired": seen.glance.repaired,
        }
    )
    if run.damage is not None:
        entry["damage"] = {"file": run.damage.file, "reason": run.damage.reason}
    return entry


def _tell_of_damage(seen: list[Look]) -> None:
    """Say what is wrong with runs, as far as a list can see it."""
    damaged = [(one.run.run_id, _damage(one)) for one in seen if _damage(one)]
    for run_id, (first, *others) in damaged[:_DAMAGED]:
        output.tell(f"{run_id} is damaged: {first}" + (f", and {len(others)} more" if others else ""))
    if len(damaged) > _DAMAGED:
        output.tell(f"… and {len(damaged) - _DAMAGED} more runs are damaged")
    if damaged:
        output.tell("all that is wrong with a run: specular checkpoint validate RUN")


def _damage(seen: Look) -> list[str]:
    damage = seen.run.damage
    return [damage.reason.removeprefix(VALIDATION_FAILED)] if damage is not None else list(seen.glance.flaws)


def _print_table(seen: list[Look], pinned: Collection[str]) -> None:
    rows = [_row(one, pinned) for one in seen]
    on = output.colour_on()
    lines = output.table(rows, _HEADS, right=(2, 3, 5), width=None if piped() else output.width())
    ids = output.column(_HEADS[0], [row[0] for row in rows])
    output.emit(output.style(lines[0], bold=True, on=on))
    for line, row, one in zip(lines[1:], rows, seen, strict=True):
        colour = output.STATE_COLOURS.get("damaged" if one.glance.flaws else one.run.status)
        start = max(ids, len(row[0])) + 2
        end = start + len(row[1])
        output.emit(line[:start] + output.style(line[start:end], colour, on=on) + line[end:])


def _row(seen: Look, pinned: Collection[str]) -> tuple[str, ...]:
    run = seen.run
    known = run.metadata
    total = words.number(known.get("total_tasks"))
    done = words.number(known.get("completed_tasks"))
    return (
        run.run_id,
        words.state(
            run.status,
            interrupted=known.get("interrupted") is True and run.damage is None,
            live=run.live,
            stopping=run.stopping,
            draining=run.draining,
        )
        + (", damaged" if seen.glance.flaws and run.damage is None else "")
        + (", repaired" if seen.glance.repaired else "")
        + (", pinned" if run.run_id in pinned else ""),
        f"{done}/{total}" if total else "-",
        str(words.number(known.get("failed_tasks")) or "-"),
        words.age(run.updated_at),
        quantity.size(seen.glance.size),
        words.text(known.get("plan_name")) or words.text(known.get("plan_file")) or "-",
    )
