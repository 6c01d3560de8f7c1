"""The live display of `build` on a terminal: what is done, what runs, and failures as they happen."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

from rich.cells import cell_len, set_cell_size
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from specular_tui.cli import output, words
from specular_tui.cli.events import describe
from specular_tui.cli.report import Reporter
from specular_tui.model import duration
from specular_tui.model import event as ev
from specular_tui.model.forecast import Forecast, forecast
from specular_tui.model.graph import Graph
from specular_tui.model.run import FoldError, RunState, RunStatus, TaskStatus
from specular_tui.model.usual import Usual
from specular_tui.workspace.face import BuildInfo, BuildResult

#: Frames a second: enough for a clock that counts tenths, and cheap.
_RATE: Final = 8
#: Running tasks that are shown; the rest is counted.
_SHOWN: Final = 10
_BAR: Final = 30
_COLOURS: Final = {"FAIL": "red", "RETRY": "yellow", "SKIP": "yellow", "PAUSE": "yellow", "RESUME": "green"}
#: An estimate is made anew after a second, and takes at most one part in so many of the time.
_ESTIMATE_SHARE: Final = 50
#: That nobody knows how long it takes is said after so many milliseconds, and on a terminal of so many columns: a quick
#: build is over by then, and a narrow terminal has better things to show.
_PATIENCE_MS: Final = 5_000
_WIDE: Final = 60


class LiveReporter(Reporter):
    """Draws the state of the build below the lines that stay."""

    def __init__(self) -> None:
        """Draw on stdout."""
        super().__init__()
        self._state: RunState | None = None
        self._offset_ms = 0
        self._graph: Graph | None = None
        self._usual: Mapping[str, Usual] = {}
        self._left: Forecast | None = None
        self._left_at = 0
        self._left_until = 0.0
        self._last: RenderableType = Text()
        self._console = Console(highlight=False, markup=False, emoji=False, soft_wrap=False)
        self._live = Live(
            console=self._console,
            refresh_per_second=_RATE,
            transient=True,
            get_renderable=self._frame,
            redirect_stdout=False,
            redirect_stderr=sys.stderr.isatty(),
        )
        full, empty = ("█", "░") if (self._console.encoding or "").lower().startswith("utf") else ("#", ".")
        self._full, self._empty = full, empty
        self._dot = "●" if full == "█" else "*"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def starting(self, info: BuildInfo) -> None:
        """Begin to draw."""
        super().starting(info)
        self._graph, self._usual = info.graph, info.usual
        self._observe(info.recorder.state)
        self._live.start()

    def opening(self, info: BuildInfo) -> str:
        """Return the first line; the clock is on the screen."""
        return super().opening(info).partition(" ")[2]

    def event(self, event: ev.AnyEvent, state: RunState) -> None:
        """Keep a line of what must not be missed."""
        self._observe(state, event.at)
        fact = describe(event, state, self.titles)
        if fact is not None and fact[0] in _COLOURS:
            word, task, what = fact
            colour = _COLOURS[word]
            if self._live.is_started:
                self._console.print(Text.assemble((word, f"bold {colour}"), f" {task} {output.plain(what)}"))
            else:
                self.line(f"{output.style(word, colour, bold=True, on=output.colour_on())} {task} {output.plain(what)}")

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

    # The display ------------------------------------------------------------------------------------------------

    def _observe(self, state: RunState, at: int | None = None) -> None:
        self._state = state
        self._offset_ms = (state.updated_at if at is None else at) - time.monotonic_ns() // 1_000_000

    def _frame(self) -> RenderableType:
        # On a thread of Rich's, beside the one that folds events in.
        if self._state is not None:
            # What has changed meanwhile is in the next frame.
            with contextlib.suppress(RuntimeError, KeyError, FoldError):
                self._last = self._draw(self._state)
        return self._last

    def _draw(self, state: RunState) -> RenderableType:
        width, height = self._console.size
        now = time.monotonic_ns() // 1_000_000 + self._offset_ms
        running = list(state.running)
        room = max(1, min(_SHOWN, height - 3))
        shown = running[:room]
        lines = [self._head(state, now, width), *self._rows(state, shown, now, width)]
        if len(running) > len(shown):
            lines.append(Text(f"  … and {len(running) - len(shown)} more", style="dim"))
        return Group(*lines)

    def _head(self, state: RunState, now: int, width: int) -> Text:
        completed, skipped = state.count(TaskStatus.COMPLETED), state.count(TaskStatus.SKIPPED)
        failed = state.count(TaskStatus.FAILED)
        word, colour = "building", "cyan"
        if state.stopping:
            word, colour = "stopping", "yellow"
        elif state.status is RunStatus.PAUSED:
            word, colour = "paused", "yellow"
        elif state.draining:
            word, colour = "draining", "yellow"
        after = Text(f"  {completed}/{state.total}")
        if failed:
            after.append(f"  {failed} failed", style="bold red")
        if skipped:
            after.append(f"  {skipped} skipped", style="yellow")
        after.append(f"  {duration.humanise(state.elapsed_until(now))}", style="dim")
        left = self._remaining(state, now) if word not in ("draining", "stopping") else None
        if left is not None:
            after.append(f", {words.left(left, now, frozen=word == 'paused')}", style="dim")
        elif word == "building" and state.elapsed_until(now) >= _PATIENCE_MS and width >= _WIDE:
            after.append(f", {words.UNKNOWN}", style="dim")
        head = Text(no_wrap=True, overflow="crop")
        head.append(word, style=f"bold {colour}")
        room = min(_BAR, width - len(word) - 2 - cell_len(after.plain) - 1)
        if room >= 5:
            head.append("  ")
            self._append_bar(head, room, state.total, completed, failed, skipped)
        head.append_text(after)
        return head

    def _append_bar(self, text: Text, room: int, total: int, completed: int, failed: int, skipped: int) -> None:
        filled = 0
        for count, style in ((completed, "green"), (failed, "red"), (skipped, "yellow")):
            cells = min(room - filled, max(1, round(room * count / total))) if count and total else 0
            text.append(self._full * cells, style=style)
            filled += cells
        text.append(self._empty * (room - filled), style="dim")

    def _rows(self, state: RunState, shown: list[str], now: int, width: int) -> list[Text]:
        names = min(max((len(task_id) for task_id in shown), default=0), max(8, width * 2 // 5))
        rows = []
        for task_id in shown:
            elapsed = duration.humanise(state.task_elapsed_until(state.task(task_id), now) or 0)
            title = self.titles.get(task_id, "")
            row = Text(no_wrap=True, overflow="crop")
            row.append(f"  {self._dot} ", style="cyan")
            row.append(fitted(task_id, names))
            row.append(f"  {elapsed:>6}", style="dim")
            room = width - names - 15
            if title and title != task_id and room > 8:
                row.append("  " + fitted(output.plain(title), room).rstrip(), style="dim")
            rows.append(row)
        return rows

    def _remaining(self, state: RunState, now: int) -> Forecast | None:
        """Return what is left, counted from `now`; time that the run stands frozen does not go by."""
        began = time.monotonic()
        moment = now if state.frozen_since is None else state.frozen_since
        if began >= self._left_until and self._graph is not None:
            self._left, self._left_at = forecast(state, self._graph, moment, self._usual), moment
            ended = time.monotonic()
            self._left_until = ended + max(1.0, (ended - began) * _ESTIMATE_SHARE)
        return self._left + -max(0, moment - self._left_at) if self._left is not None else None


def fitted(text: str, cells: int) -> str:
    """Return `text` in exactly so many cells: filled up, or cut with `…`."""
    if cell_len(text) <= cells:
        return set_cell_size(text, cells)
    return set_cell_size(text, cells - 1).rstrip() + "…"
