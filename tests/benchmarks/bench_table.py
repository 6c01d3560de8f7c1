"""Key to paint of the task table: 1,000 and 100,000 rows, still and with 1,000 transitions a second.

Run it with `python -m tests.benchmarks.bench_table`.
"""

from __future__ import annotations

import specular_tui.tui.terminal.frames  # isort: skip  # noqa: F401  sets the frame rate, before anything of Textual

import asyncio
import time
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

from specular_tui.model.event import SessionStarted, TaskEnded, TaskStarted
from specular_tui.model.fold import apply
from specular_tui.model.graph import Graph
from specular_tui.model.plan import Task
from specular_tui.model.run import RunState, TaskState, TaskStatus
from specular_tui.tui.theme import tokens
from specular_tui.tui.widgets.task.table import TaskTable
from tests.benchmarks.keypaint import CountingDriver, handled, measure, report, watched

STYLES = Path(__file__).parents[2] / "styles"


class Empty(App[None]):
    """What any Textual application costs: one line that counts the keys."""

    BINDINGS: ClassVar[list[BindingType]] = [("j,k", "count")]
    keys = 0

    def compose(self) -> ComposeResult:
        yield Static("0")

    def action_count(self) -> None:
        self.keys += 1
        self.query_one(Static).update(str(self.keys))
        handled()


@watched("cursor_down", "cursor_up", "page_down", "page_up")
class Table(TaskTable):
    BINDINGS: ClassVar[list[BindingType]] = [
        ("j", "cursor_down"),
        ("k", "cursor_up"),
        ("d", "page_down"),
        ("u", "page_up"),
    ]


class Host(App[None]):
    CSS_PATH: ClassVar = [STYLES / "task_table.tcss"]

    def __init__(self, rows: int, sort: str = "plan") -> None:
        super().__init__(driver_class=CountingDriver)
        tasks = [
            Task(
                id=f"pkg{n // 100:04d}/step-{n % 100:02d}",
                title=f"Compile module {n} of the tree",
                command="x",
                estimate=3,
                depends_on=(f"pkg{n // 100 - 1:04d}/step-{n % 100:02d}",) if n >= 100 else (),
            )
            for n in range(rows)
        ]
        self.graph = Graph(tasks)
        self.state = RunState(tasks={task.id: TaskState() for task in tasks}, counts={TaskStatus.PENDING: rows})
        self.table = Table()
        self.order = sort

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return tokens(self.current_theme)

    def compose(self) -> ComposeResult:
        yield self.table

    def on_mount(self) -> None:
        started = time.perf_counter()
        self.table.show(self.state, self.graph)
        self.table.sort = self.order  # type: ignore[assignment]
        self.loaded = (time.perf_counter() - started) * 1000
        self.table.focus()

    async def change(self, rate: int = 1000) -> None:
        """Fold transitions and touch their tasks, as the bridge does, 50 times a second."""
        ids = list(self.state.tasks)
        apply(self.state, SessionStarted(at=0, status="in_progress", pid=1))
        number, begun = 0, time.perf_counter()
        while True:
            await asyncio.sleep(0.02)
            touched = []
            while number < (time.perf_counter() - begun) * rate:
                now = time.time_ns() // 1_000_000
                task_id = ids[number * 7 // 2 % len(ids)]
                task = self.state.tasks[task_id]
                if task.status is TaskStatus.IN_PROGRESS:
                    apply(
                        self.state,
                        TaskEnded(at=now, task=task_id, attempt=task.attempt, outcome="completed", duration_ms=9),
                    )
                else:
                    apply(self.state, TaskStarted(at=now, task=task_id, attempt=task.attempt + 1))
                touched.append(task_id)
                number += 1
            self.table.touch(touched)


async def main() -> None:
    """Measure and print."""
    report("empty Textual app", *await measure(Empty(driver_class=CountingDriver)))
    for rows in (1_000, 100_000):
        for load, keys, sort in (
            (False, "jjjk", "plan"),
            (True, "jjjk", "plan"),
            (True, "ddduuu", "plan"),
            (True, "jjjk", "state"),
        ):
            app = Host(rows, sort)
            row: Any = await measure(app, load=app.change if load else None, keys=tuple(keys))
            words = f"{rows:,} rows, {1000 if load else 0:,}/s, {'pages' if 'd' in keys else 'lines'}, by {sort}"
            report(words, *row)
            print(f"{'':44} shown in {app.loaded:.0f} ms")


if __name__ == "__main__":
    asyncio.run(main())
