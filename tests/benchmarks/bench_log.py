"""Key to paint of the log view: a million lines, still, growing by 5,000 lines a second, and searched.

Run it with `python -m tests.benchmarks.bench_log`.
"""

from __future__ import annotations

import specular_tui.tui.terminal.frames  # isort: skip  # noqa: F401  sets the frame rate, before anything of Textual

import asyncio
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import BindingType

from specular_tui.store.logs.file import LogFile
from specular_tui.tui.theme import tokens
from specular_tui.tui.widgets.log.view import LogView
from tests.benchmarks.bench_table import STYLES, Empty
from tests.benchmarks.keypaint import CountingDriver, measure, report, watched


@watched("cursor_down", "cursor_up", "toggle_wrap")
class View(LogView):
    BINDINGS: ClassVar[list[BindingType]] = [("j", "cursor_down"), ("k", "cursor_up"), ("w", "toggle_wrap")]


class Host(App[None]):
    CSS_PATH: ClassVar = [STYLES / "log_view.tcss"]

    def __init__(self, path: Path) -> None:
        super().__init__(driver_class=CountingDriver)
        self.path = path
        self.view = View()
        self.ready_after = 0.0

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return tokens(self.current_theme)

    def compose(self) -> ComposeResult:
        yield self.view

    async def on_mount(self) -> None:
        self.view.show(LogFile(self.path), title="task")
        self.view.focus()
        self.run_worker(self.wait())

    async def wait(self) -> None:
        """Note when every line has its number."""
        started = time.perf_counter()
        while self.view.source is None or not self.view.source.ready:
            await asyncio.sleep(0.001)
        self.ready_after = (time.perf_counter() - started) * 1000

    async def grow(self, rate: int = 5000) -> None:
        """Append lines and say so, 50 times a second, as the watcher does."""
        number, begun = 0, time.perf_counter()
        with self.path.open("ab") as out:
            while True:
                await asyncio.sleep(0.02)
                while number < (time.perf_counter() - begun) * rate:
                    out.write(b"\x1b[1;32m   Compiling\x1b[0m crate-%d v0.1.0 (registry)\n" % number)
                    number += 1
                out.flush()
                self.view.poll()

    async def search(self) -> None:
        """Search for what is nowhere, again and again."""
        while True:
            self.view.search("nowhere to be found")
            await asyncio.sleep(0.3)


async def main() -> None:
    """Measure and print."""
    report("empty Textual app", *await measure(Empty(driver_class=CountingDriver)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "task.log"
        path.write_bytes(b"".join(b"%07d some words that a task has printed\n" % n for n in range(1_000_000)))
        for words, keys, load in (
            ("1M lines, still, scrolling", "kkkj", None),
            ("1M lines, 5,000/s, following (wrap key)", "w", Host.grow),
            ("1M lines, 5,000/s, scrolling", "kkkj", Host.grow),
            ("1M lines, searching, scrolling", "kkkj", Host.search),
        ):
            app = Host(path)
            row = await measure(app, keys=tuple(keys), load=partial(load, app) if load else None)
            report(words, *row)
            print(f"{'':44} all lines counted after {app.ready_after:.0f} ms")


if __name__ == "__main__":
    asyncio.run(main())
