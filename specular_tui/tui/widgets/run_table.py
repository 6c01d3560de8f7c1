"""The list of runs: what each one is and how it stands, or, in a clean-up, whether it goes and why."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from rich.cells import cell_len, set_cell_size

from specular_tui.model import quantity
from specular_tui.model.duration import humanise
from specular_tui.tui import glyphs, present, present_check
from specular_tui.tui.deeds import Going
from specular_tui.tui.present import Line
from specular_tui.tui.views import Desk, RunRow
from specular_tui.tui.widgets import columns
from specular_tui.tui.widgets.columns import Column
from specular_tui.tui.widgets.line_list import LineList
from specular_tui.tui.widgets.task.columns import fit_id

#: Cells of an id that is as `specular build` makes them.
_RUN: Final = 25
#: A name that begins with an underscore is no heading. The plan takes what is left, no more than a name is long, so
#: that the eye finds its way along the line.
_COLUMNS: Final = (
    Column("_signs", 2),
    Column("state", 11),
    Column("run", _RUN),
    Column("plan", 8),
    Column("progress", 16, least=13),
    Column("failed", 6, right=True),
    Column("age", 8, right=True),
    Column("took", 6, right=True),
    Column("size", 6, right=True),
    Column("integrity", 11, least=9),
)
#: What goes first where there is no room.
_DROPPED: Final = ("plan", "took", "size", "failed", "integrity", "progress", "age")
#: The same in a clean-up.
_CLEANING: Final = (
    Column("_signs", 2),
    Column("clean-up", 8),
    Column("run", _RUN),
    Column("state", 11),
    Column("age", 8, right=True),
    Column("size", 6, right=True),
    Column("why", 34),
)
_CLEANING_DROPPED: Final = ("state", "age")


class RunTable(LineList):
    """The runs of the directory, one a line."""

    def __init__(self, desk: Desk) -> None:
        """`desk` has the rows and the clock."""
        super().__init__()
        self._desk = desk
        self._rows: Sequence[RunRow] = ()
        #: Cells that the longest id takes.
        self._longest = 0
        self.marked: set[str] = set()
        #: The runs that a clean-up would remove; None where there is none.
        self._going: Mapping[str, Going] | None = None

    @property
    def row(self) -> RunRow | None:
        """The run under the cursor."""
        return self._rows[self.index] if self.index is not None else None

    def show(self, rows: Sequence[RunRow]) -> None:
        """Show these runs; marks of runs that are gone go with them."""
        self._rows = rows
        self._longest = max((cell_len(row.run_id) for row in rows), default=0)
        self.set_names([row.run_id for row in rows])
        self.marked &= self._place.keys()

    def touch(self, rows: Sequence[RunRow], changed: frozenset[str]) -> None:
        """Draw the runs `changed` anew; where other runs have come or gone too, `show` is about to be called."""
        if [row.run_id for row in rows] != self._names:
            return
        self._rows = rows
        for run_id in changed:
            self.repaint(run_id)

    def chosen(self) -> list[RunRow]:
        """Return the marked runs, or the one under the cursor where none is marked."""
        if self.marked:
            return [row for row in self._rows if row.run_id in self.marked]
        return [self.row] if self.row is not None else []

    def mark(self) -> None:
        """Mark the run under the cursor, or take its mark away; and go on to the next."""
        if (row := self.row) is not None:
            self.marked ^= {row.run_id}
            self.repaint(row.run_id)
            self._step(1)

    def unmark(self, run_ids: Collection[str] | None = None) -> None:
        """Take the marks away: of these runs, or all."""
        self.marked -= set(self.marked if run_ids is None else run_ids)
        self.forget()

    def show_going(self, going: Mapping[str, Going] | None) -> None:
        """Show which runs a clean-up would remove; None: show the runs as they are."""
        self._going = going
        self.forget()

    def _columns(self, width: int) -> list[Column]:
        if self._going is not None:
            longest = max((cell_len(going.reason) for going in self._going.values()), default=0)
            wanted = self._with_ids(_CLEANING, width)
            wanted[-1] = wanted[-1]._replace(width=max(wanted[-1].width, min(longest, 60)))
            shown = columns.fitting(wanted, _CLEANING_DROPPED, width, wide="why", most=60)
            # The reason stands last and has all that is left, however little: what it is cut of is marked.
            used = sum(column.width + columns.GAP for column in shown[:-1])
            return [*shown[:-1], shown[-1]._replace(width=max(4, min(shown[-1].width, width - used)))]
        return columns.fitting(self._with_ids(_COLUMNS, width), _DROPPED, width, wide="plan", most=16)

    def _with_ids(self, wanted: Sequence[Column], width: int) -> list[Column]:
        """Return the columns with room for whole ids, which often differ at their ends alone, up to half the width."""
        run = max(_RUN, min(self._longest, width // 2))
        return [column._replace(width=run) if column.name == "run" else column for column in wanted]

    def heading(self, width: int) -> Line:
        """Return the headings."""
        return columns.heading(self._columns(width))

    def line(self, index: int, width: int) -> Line:
        """Return the line of a run."""
        row = self._rows[index]
        return columns.row(self._columns(width), lambda name, room: self._cell(name, row, room))

    def _cell(self, name: str, row: RunRow, room: int) -> Line:
        going = self._going.get(row.run_id) if self._going is not None else None
        match name:
            case "_signs":
                mark = (glyphs.MARKED, "accent") if row.run_id in self.marked else (" ", "plain")
                return [mark, (glyphs.PINNED if row.pinned else " ", "paused")]
            case "clean-up":
                return [(f"{glyphs.FAILED} remove", "failed")] if going else [("  stays", "faint")]
            case "why":
                return [(going.reason if going else _why_stays(row), "muted" if going else "faint")]
            case "integrity":
                return present_check.badge(row, self._desk.checks.get(row.run_id), self._desk.clock)
            case _:
                return _cell(name, row, self._desk, room)


def _why_stays(row: RunRow) -> str:
    return "live" if row.live else "pinned" if row.pinned else ""


def _cell(name: str, row: RunRow, desk: Desk, room: int) -> Line:
    match name:
        case "state":
            return [present.row_badge(row)]
        case "run":
            return [(fit_id(row.run_id, room).rstrip(), "plain")]
        case "plan":
            return [(row.plan_name, "plain" if row.live else "muted")]
        case "progress":
            if row.damage:
                return [("unreadable", "muted")]
            text = f" {row.completed:,}/{row.total:,}"
            rest = max(4, room - max(9, cell_len(text)))
            return [*present.row_bar(row, rest), (set_cell_size(text, max(9, cell_len(text))), "muted")]
        case "failed":
            return [(f"{row.failed:,}", "failed")] if row.failed else []
        case "age":
            if row.live:
                return [("live", "running")]
            at = row.updated_at or row.created_at
            age = quantity.age(desk.clock.now() - at).removesuffix(" ago")
            return [(age, "muted")] if row.updated_at else []
        case "took":
            return [(humanise(row.elapsed_ms), "muted")] if row.elapsed_ms else []
        case _:
            return [(quantity.size(row.size) if row.size is not None else glyphs.ELLIPSIS, "muted")]
