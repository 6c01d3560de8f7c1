"""Two runs side by side, a task a line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from rich.cells import cell_len

from specular_tui.model.compare import Difference, RunComparison, TaskComparison
from specular_tui.tui import present_keeping
from specular_tui.tui.present import Line
from specular_tui.tui.widgets import columns
from specular_tui.tui.widgets.columns import Column
from specular_tui.tui.widgets.line_list import LineList
from specular_tui.tui.widgets.task.columns import fit_id

_COLUMNS: Final = (
    Column("task", 20),
    Column("before", 16),
    Column("after", 16),
    Column("change", 8, right=True),
    Column("differs in", 14),
)
_DROPPED: Final = ("change", "before")

#: How the tasks may be ordered: a name, and the key; what comes first in the plan stays first among equals.
ORDERS: Final[dict[str, Callable[[TaskComparison], tuple[int, ...]]]] = {
    "difference": lambda task: task.weight,
    "slower": lambda task: (-(task.delta_ms or 0),),
    "plan": lambda task: (),
}


class CompareTable(LineList):
    """The tasks of two runs; those that do not differ may be left out."""

    def __init__(self, comparison: RunComparison) -> None:
        """All that differs is shown at first, what differs most before the rest."""
        super().__init__()
        self._comparison = comparison
        self._shown: list[TaskComparison] = []
        self._longest = max((cell_len(task.task) for task in comparison.tasks), default=0)
        self.order = "difference"
        self.all_tasks = not any(task.differences for task in comparison.tasks)

    def on_mount(self) -> None:
        """Fill it."""
        self.fill()

    def fill(self) -> None:
        """Choose and order the tasks anew."""
        chosen = [task for task in self._comparison.tasks if self.all_tasks or task.differences]
        self._shown = sorted(chosen, key=ORDERS[self.order])
        self.set_names([task.task for task in self._shown])

    @property
    def task_at(self) -> TaskComparison | None:
        """The task under the cursor."""
        return self._shown[self.index] if self.index is not None else None

    def next_difference(self, step: int) -> bool:
        """Go to the next task that ended otherwise, or, with -1, to the one before; tell whether there is one."""
        at = self.index
        if at is None:
            return False
        for offset in range(1, len(self._shown)):
            index = (at + step * offset) % len(self._shown)
            if Difference.RESULT in self._shown[index].differences:
                self.move_to(index)
                return True
        return False

    def _columns(self, width: int) -> list[Column]:
        return columns.fitting(
            _COLUMNS, _DROPPED, width, wide="task", most=max(0, min(self._longest - 20, (width - 82) * 2 // 3))
        )

    def heading(self, width: int) -> Line:
        """Return the headings."""
        return columns.heading(self._columns(width))

    def line(self, index: int, width: int) -> Line:
        """Return the line of a task."""
        task = self._shown[index]
        shown = self._columns(width)
        # What a task differs in stands last, and has all that is left.
        used = sum(column.width + columns.GAP for column in shown[:-1])
        shown[-1] = shown[-1]._replace(width=max(shown[-1].width, width - used - 1))
        return columns.row(shown, lambda name, room: _cell(name, task, room))


def _cell(name: str, task: TaskComparison, room: int) -> Line:
    match name:
        case "task":
            return [(fit_id(task.task, room).rstrip(), "plain" if task.differences else "muted")]
        case "before":
            return present_keeping.side(task.before, room)
        case "after":
            return present_keeping.side(task.after, room)
        case "change":
            return present_keeping.delta(task)
        case _:
            return present_keeping.differences(task)
