"""The live display of `build` on a terminal: what is done, what runs, and failures as they happen."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Final, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from specular_tui.cli import output
from specular_tui.cli.events import describe
from specular_tui.cli.report import Reporter
from specular_tui.model import duration
from specular_tui.model import event as ev
from specular_tui.model.run import RunState, RunStatus, TaskStatus
from specular_tui.workspace.face import BuildInfo, BuildResult

#: Frames a second: enough for a clock that counts tenths, and cheap.
_RATE: Final = 8
#: Running tasks that are shown; the rest is counted.
_SHOWN: Final = 8
_COLOURS: Final = {"FAIL": "red", "RETRY": "yellow", "SKIP": "yellow", "PAUSE": "yellow", "RESUME": "green"}


class LiveReporter(Reporter):
    """Draws the state of the build below the lines that stay."""

    def __init__(self) -> None:
        """Draw on stdout."""
        super().__init__()
        self._console = Console(highlight=False, markup=False, emoji=False)
        self._live = Live(console=self._console, refresh_per_second=_RATE, transient=True, get_renderable=self._draw)
        self._state: RunState | None = None
        self._offset_ms = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def starting(self, info: BuildInfo) -> None:
        """Begin to draw."""
        super().starting(info)
        self._state = info.recorder.state
        self._live.start()

    def event(self, event: ev.AnyEvent, state: RunState) -> None:
        """Keep a line of what must not be missed."""
        self._state = state
        self._offset_ms = event.at - time.monotonic_ns() // 1_000_000
        fact = describe(event, state, self.titles)
        if fact is not None and fact[0] in _COLOURS:
            word, task, what = fact
            self._console.print(Text.assemble((f"{word} ", f"bold {_COLOURS[word]}"), f"{task} {output.plain(what)}"))

    def line(self, text: str) -> None:
        """Print a line above the display, or as it is once that has gone."""
        if self._live.is_started:
            self._console.print(Text(text))
        else:
            super().line(text)

    def finished(self, result: BuildResult, info: BuildInfo) -> None:
        """Take the display away and print the closing summary."""
        self._live.stop()
        super().finished(result, info)

    def _draw(self) -> RenderableType:
        state = self._state
        if state is None:
            return Text()
        now = time.monotonic_ns() // 1_000_000 + self._offset_ms
        done = state.count(TaskStatus.COMPLETED) + state.count(TaskStatus.SKIPPED)
        failed = state.count(TaskStatus.FAILED)
        head = Table.grid(padding=(0, 1))
        word = "paused" if state.status is RunStatus.PAUSED else "draining" if state.draining else "building"
        head.add_row(
            Text(word, style="bold yellow" if word != "building" else "bold cyan"),
            ProgressBar(total=max(1, state.total), completed=done + failed, width=30),
            Text(f"{done}/{state.total}"),
            Text(f"{failed} failed", style="bold red") if failed else Text(""),
            Text(duration.humanise(state.elapsed_until(now)), style="dim"),
        )
        rows = Table.grid(padding=(0, 1))
        running = list(state.running)
        for task_id in running[:_SHOWN]:
            elapsed = state.task_elapsed_until(state.task(task_id), now) or 0
            title = self.titles.get(task_id, "")
            rows.add_row(
                Text("  ●", style="cyan"),
                Text(task_id, overflow="ellipsis", no_wrap=True),
                Text(duration.humanise(elapsed), style="dim", justify="right"),
                Text(output.plain(title) if title != task_id else "", style="dim", overflow="ellipsis", no_wrap=True),
            )
        more = [Text(f"  … and {len(running) - _SHOWN} more", style="dim")] if len(running) > _SHOWN else []
        return Group(head, rows, *more)
