"""Key to paint of the timeline: one task, 142, 10,000 and 100,000, by slot and by task, still and with a live run.

Run it with `python -m tests.benchmarks.bench_timeline`.
"""

from __future__ import annotations

import specular_tui.tui.terminal.frames  # isort: skip  # noqa: F401  sets the frame rate, before anything of Textual

import asyncio
import time
from pathlib import Path
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType

from specular_tui.model.run import RunState, Session, TaskState, TaskStatus
from specular_tui.tui.clock import Clock
from specular_tui.tui.theme import tokens
from specular_tui.tui.views import Desk, RunView
from specular_tui.tui.widgets.timeline.timeline import Timeline
from tests.benchmarks.bench_table import Empty
from tests.benchmarks.keypaint import CountingDriver, measure, report, watched

STYLES = Path(__file__).parents[2] / "styles"
JOBS = 8


@watched("bar_after", "bar_before", "cursor_down", "cursor_up", "zoom_in", "zoom_out")
class Bars(Timeline):
    BINDINGS: ClassVar[list[BindingType]] = [
        ("l", "bar_after"),
        ("h", "bar_before"),
        ("j", "cursor_down"),
        ("k", "cursor_up"),
        ("plus", "zoom_in"),
        ("minus", "zoom_out"),
    ]


class Host(App[None]):
    CSS_PATH: ClassVar = [STYLES / "timeline.tcss"]

    def __init__(self, tasks: int, order: str) -> None:
        super().__init__(driver_class=CountingDriver)
        now = time.time_ns() // 1_000_000
        begun = now - 1000 * tasks // JOBS - 5000
        self.state = RunState(run_id="r", sessions=[Session(started_at=begun, pid=1, jobs=JOBS)], updated_at=now)
        for number in range(tasks):
            start = begun + (number // JOBS) * 1000 + number % JOBS
            self.state.tasks[f"pkg{number // 100:04d}/step-{number % 100:02d}"] = TaskState(
                status=TaskStatus.COMPLETED,
                attempt=1,
                outcome="failed" if number % 997 == 3 else "completed",
                started_at=start,
                completed_at=start + 900,
                duration_ms=900,
            )
        self.view = RunView("r", self.state, live=True)
        self.bars = Bars(Desk(Clock()))
        self.bars.order = order  # type: ignore[assignment]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return tokens(self.current_theme)

    def compose(self) -> ComposeResult:
        yield self.bars

    async def on_mount(self) -> None:
        self.began = time.perf_counter()
        self.bars.show(self.view)
        self.bars.focus()
        while not self.bars.chart.count:
            await asyncio.sleep(0.001)
        self.loaded = (time.perf_counter() - self.began) * 1000
        self.bars.action_go_top()

    async def change(self) -> None:
        """Let 1,000 tasks a second start and end, as the bridge tells of them."""
        number = 0
        while True:
            await asyncio.sleep(0.05)
            now = time.time_ns() // 1_000_000
            touched = []
            for _ in range(50):
                task_id = f"more/{number}"
                self.state.tasks[task_id] = TaskState(
                    status=TaskStatus.COMPLETED,
                    attempt=1,
                    outcome="completed",
                    started_at=now - 40,
                    completed_at=now - 2,
                    duration_ms=38,
                )
                touched.append(task_id)
                number += 1
            self.state.updated_at = now
            self.bars.touch(touched)


async def main() -> None:
    """Measure and print."""
    report("empty Textual app", *await measure(Empty(driver_class=CountingDriver)))
    for tasks in (1, 142, 10_000, 100_000):
        moves = (("slot", False, "lllh"), ("slot", True, "lllh"), ("task", False, "jjjk"))
        for order, load, keys in moves if tasks > 1 else ():
            app = Host(tasks, order)
            row = await measure(app, load=app.change if load else None, keys=tuple(keys))
            report(f"{tasks:,} tasks by {order}, {1000 if load else 0:,}/s", *row)
            print(f"{'':44} shown in {app.loaded:.0f} ms")
        app = Host(tasks, "slot")
        row = await measure(app, keys=("plus", "plus", "plus", "minus", "minus", "minus"))
        report(f"{tasks:,} tasks by slot, zooming", *row)


if __name__ == "__main__":
    asyncio.run(main())
