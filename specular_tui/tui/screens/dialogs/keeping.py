"""The questions about stored runs, each with the command line that does the same."""

from __future__ import annotations

from collections.abc import Sequence

from specular_tui.model import quantity
from specular_tui.tui import glyphs, keys, present
from specular_tui.tui.deeds import Going, Rules
from specular_tui.tui.present import Line
from specular_tui.tui.present_keeping import clean_command
from specular_tui.tui.screens.dialogs.choice import ChoiceDialog, confirm
from specular_tui.tui.views import RunRow

#: So many runs are named in a question.
_NAMED = 6


def delete(rows: Sequence[RunRow]) -> ChoiceDialog:
    """Ask whether runs shall go, and say what is lost with them."""
    lost: list[Line] = []
    for row in rows[:_NAMED]:
        lost += _lost(row, alone=len(rows) == 1)
    if len(rows) > _NAMED:
        lost.append([(f"and {len(rows) - _NAMED:,} more", "muted")])
    if len(rows) == 1 and rows[0].resumable:
        lost.append([("It could be resumed; after this it cannot.", "paused")])
    elif number := sum(row.resumable for row in rows):
        lost.append([(f"{number:,} of them could be resumed; after this they cannot.", "paused")])
    if pinned := sum(row.pinned for row in rows):
        what = "It is pinned." if len(rows) == 1 else f"{pinned:,} of them {'is' if pinned == 1 else 'are'} pinned."
        lost.append([(what, "paused")])
    lost += _freed([row.size for row in rows], len(rows))
    lost += _same(
        f"specular checkpoint delete {rows[0].run_id} --trash" if len(rows) == 1 else "",
        "as a command, kept for a week",
    )
    what = "this checkpoint" if len(rows) == 1 else quantity.plural(len(rows), "checkpoint")
    return confirm([(f"Delete {what}?", "strong")], lost, "Delete it" if len(rows) == 1 else "Delete them", key="d")


def _lost(row: RunRow, *, alone: bool) -> list[Line]:
    badge, role = present.run_badge("damaged" if row.damage else row.status, live=False)
    head: Line = [(row.run_id, "plain"), (f"  {row.plan_name}" if row.plan_name else "", "muted")]
    if not alone:
        return [[*head, (f"  {badge}", role)]]
    if row.damage:
        return [head, [("it cannot be read: ", "muted"), (row.damage, "failed")]]
    settled = f"results and logs of {row.completed:,} of {quantity.plural(row.total, 'task')}"
    return [head, [(badge, role), (f"  {settled}", "muted")]]


def _freed(sizes: Sequence[int | None], count: int) -> list[Line]:
    total = sum(size or 0 for size in sizes)
    least = "at least " if None in sizes else ""
    them = "it" if count == 1 else "them"
    return [
        [(f"{least}{quantity.size(total)} on disk, freed when Specular is closed", "muted")],
        [("Until then ", "muted"), keys.cap("checkpoints.undo"), (f" takes {them} back.", "muted")],
    ]


def _same(command: str, said: str = "the same") -> list[Line]:
    return [[], [(f"{said}: ", "muted"), (command, "accent")]] if command else []


def clean(going: Sequence[Going], rules: Rules) -> ChoiceDialog:
    """Ask whether the runs that were previewed shall go."""
    lines: list[Line] = [[(run.run_id, "plain"), (f"  {run.reason}", "muted")] for run in going[:_NAMED]]
    if len(going) > _NAMED:
        lines.append([(f"and {len(going) - _NAMED:,} more", "muted")])
    lines += _freed([run.size for run in going], len(going))
    lines += _same(clean_command(rules), "as a command, for good")
    title = f"Remove {quantity.plural(len(going), 'run')}?"
    return confirm([(title, "strong")], lines, "Remove it" if len(going) == 1 else "Remove them", key="d")


def abandon(row: RunRow) -> ChoiceDialog:
    """Ask whether a run shall be given up."""
    badge, role = present.run_badge(row.status, live=False)
    return confirm(
        [("Give this run up?", "strong")],
        [
            [(row.run_id, "plain"), (f"  {badge}", role)],
            [("It stays to be looked at, and cannot be resumed any more.", "paused")],
            [("This cannot be taken back.", "muted")],
            *_same(f"specular checkpoint abandon {row.run_id}"),
        ],
        "Abandon it",
        key="a",
    )


def compress(rows: Sequence[RunRow]) -> ChoiceDialog:
    """Ask whether runs shall be packed."""
    lines: list[Line] = [[(row.run_id, "plain"), (f"  {_size(row)}", "muted")] for row in rows[:_NAMED]]
    if len(rows) > _NAMED:
        lines.append([(f"and {len(rows) - _NAMED:,} more", "muted")])
    lines += [[("Every command reads packed runs too; their hashes stay.", "muted")]]
    lines += _same(f"specular checkpoint compress {rows[0].run_id}" if len(rows) == 1 else "")
    title = "Compress this run?" if len(rows) == 1 else f"Compress {quantity.plural(len(rows), 'run')}?"
    return confirm([(title, "strong")], lines, "Compress", key="z", grave=False)


def _size(row: RunRow) -> str:
    return quantity.size(row.size) if row.size is not None else glyphs.ELLIPSIS


def replace(path: str) -> ChoiceDialog:
    """Ask whether a file that is there shall be replaced."""
    return confirm([("Replace this file?", "strong")], [[(path, "plain")]], "Replace it", key="y")
