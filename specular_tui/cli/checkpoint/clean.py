"""`specular checkpoint clean` and `prune`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from specular_tui.cli import output
from specular_tui.cli.options import can_ask, checkpoint_root, current_folder, format_option, unasked_option
from specular_tui.cli.values import DURATION, FILE, WholeNumber
from specular_tui.cli.waiting import progress_bar
from specular_tui.errors import UsageError
from specular_tui.model import quantity

if TYPE_CHECKING:
    from specular_tui.spec.settings import Settings
    from specular_tui.workspace.keeping import Removal

_dry_run = click.option("--dry-run", is_flag=True, help="Say what would be removed, and remove nothing.")


@click.command("clean")
@click.option("--older-than", type=DURATION, help="Runs that were not updated for so long: 7d, 12h.")
@click.option("--failed", is_flag=True, help="Failed runs.")
@click.option("--keep-last", type=WholeNumber(0), metavar="N", help="All but the newest N.")
@click.option("--policy", type=FILE, metavar="FILE", help="The policy that says what is kept, where no option does.")
@_dry_run
@format_option("table", "json")
def clean_command(
    older_than: int | None,
    failed: bool,
    keep_last: int | None,
    policy: str | None,
    dry_run: bool,
    form: str | None,
) -> None:
    """Remove what the retention policy does not keep; with options: the runs that meet all of them, whatever it keeps.

    Without options, unfinished runs that have expired are abandoned too. A live run is never removed, and a pinned one
    neither.

    \b
    Examples:
      specular checkpoint clean --dry-run
      specular checkpoint clean --older-than 7d
      specular checkpoint clean --failed --keep-last 3
    """
    from specular_tui.workspace.keeping import Named, named_removals, retention_removals

    settings = None

    named = Named(older_than_ms=older_than, failed=failed, keep_last=keep_last)
    if named:
        if policy is not None:
            raise click.UsageError("--policy says what is kept where no other option does: leave one of them away")
        root = checkpoint_root()
        removals = named_removals(root, named)
    else:
        from specular_tui.spec.settings import resolve
        from specular_tui.workspace.plans import read_policy

        folder = current_folder()
        settings = resolve(read_policy(policy, folder)[0], environ=os.environ, cwd=folder)
        root = settings.checkpoint_dir
        removals = retention_removals(root, settings)
    _carry_out(root, removals, dry_run=dry_run, form=form, settings=settings)


@click.command("prune")
@unasked_option("Do not ask.")
@_dry_run
@format_option("table", "json")
def prune_command(force: bool, dry_run: bool, form: str | None) -> int:
    """Remove all runs, finished or not, but for live and pinned ones; what is in the trash goes too."""
    from specular_tui.workspace import list_runs
    from specular_tui.workspace.keeping import all_removals, pinned_runs

    root = checkpoint_root()
    removals = all_removals(root)
    if removals and not force and not dry_run:
        unfinished = sum(removal.unfinished for removal in removals)
        what = quantity.plural(len(removals), "run") + (f", {unfinished} of them unfinished" if unfinished else "")
        if not can_ask():
            raise UsageError(
                f"prune removes {what}, in {root}, and asks first: there is no terminal to ask on",
                hint="to remove them without being asked: specular checkpoint prune --force",
            )
        size = quantity.size(sum(removal.size for removal in removals))
        if not click.confirm(f"Remove {what}, {size}, in {output.plain(str(root))}?", err=True):
            output.tell("nothing was removed")
            return 1
    _carry_out(root, removals, dry_run=dry_run, form=form, all_of_it=True)
    pinned = pinned_runs(root)
    for run in list_runs(root):
        if run.live or run.run_id in pinned:
            output.tell(f"{run.run_id} is {'live' if run.live else 'pinned'}: it stays")
    return 0


def _carry_out(
    root: Path,
    removals: Sequence[Removal],
    *,
    dry_run: bool,
    form: str | None,
    all_of_it: bool = False,
    settings: Settings | None = None,
) -> None:
    from specular_tui.workspace import list_runs
    from specular_tui.workspace.abandoning import abandon_expired, expired_runs
    from specular_tui.workspace.keeping import empty_trash, remove_runs

    going_away = {removal.run_id for removal in removals}
    expired = [run for run in expired_runs(root, settings) if run.run_id not in going_away] if settings else []
    if dry_run:
        gone = list(removals)
        given_up = list(expired)
    else:
        with progress_bar("removing") as progress:
            gone = remove_runs(root, removals, progress)
        if emptied := empty_trash(root, all_of_it=all_of_it, settings=settings):
            output.tell(f"deleted runs in the trash: {quantity.size(emptied)} freed")
        given_up = abandon_expired(root, expired)
        for going in removals:
            if going not in gone:
                output.tell(f"{going.run_id} has become live: it stays")
    for stored in list_runs(root):
        if stored.in_doubt and stored.damage is not None:
            output.tell(f"{stored.run_id} stays, because it may be live: {stored.damage.reason}")
    freed = sum(going.size for going in gone)
    if form == "json":
        entries = [{"run_id": g.run_id, "status": g.status, "reason": g.reason, "size_bytes": g.size} for g in gone]
        abandoned = [{"run_id": run.run_id, "reason": run.reason} for run in given_up]
        output.emit_json({"dry_run": dry_run, "removed": entries, "freed_bytes": freed, "abandoned": abandoned})
        return
    for run in given_up:
        output.emit(f"{run.run_id} {'would be' if dry_run else 'is'} abandoned: {run.reason}")
    if not gone:
        output.emit("nothing to remove")
        return
    rows = [(going.run_id, going.status, quantity.size(going.size), going.reason) for going in gone]
    head, *lines = output.table(rows, ("RUN", "STATE", "SIZE", "REASON"), right=(2,))
    output.emit(output.style(head, bold=True, on=output.colour_on()))
    for line in lines:
        output.emit(line)
    runs = quantity.plural(len(gone), "run")
    output.emit(
        f"would remove {runs} and free {quantity.size(freed)}" if dry_run else f"removed {runs}, {quantity.size(freed)}"
    )
