"""The pinned line under the header: what failed first, or why the run stands still."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len
from textual.content import Content
from textual.events import Click
from textual.message import Message
from textual.widget import Widget

from specular_tui.tui import keys, present, present_task, present_tour
from specular_tui.tui.present import Line
from specular_tui.tui.theme import paint_lines
from specular_tui.tui.views import Desk, RunView
from specular_tui.tui.widgets.task.columns import fit_id

#: Lines of the terminal from which there is room for more than one.
_TALL: Final = 20
#: From so many lines of the terminal on, so many failures are told of one below the other.
_ROOMS: Final = ((40, 6), (30, 4), (_TALL, 3))
#: Cells from which there is room for both keys, and for long words about all of them.
_WIDE: Final = 72
_LONG: Final = 100
#: Cells that the id of a failed task has at least.
_ID: Final = 16
_TO_FAILURES: Final = (("build.next", " show"), ("build.why", " why"))
_ON: Final = (("run.resume", " go on"),)


def _shorter(line: Line, room: int) -> Line:
    """Return a line that says why a task failed with an id that leaves room for that."""
    if present.width(line) <= room:
        return line
    most = max(_ID, room // 3)
    return [
        (fit_id(text, most).rstrip(), role) if role == "failed-strong" and cell_len(text) > most else (text, role)
        for text, role in line
    ]


class FailureNotice(Widget):
    """Says what failed first, and at the end what else; or why a stored run stands still, and the key that leads on."""

    class Chosen(Message):
        """The line of a failed task was clicked: go to it."""

        def __init__(self, task_id: str) -> None:
            """`task_id` is that task."""
            super().__init__()
            self.task_id = task_id

    def __init__(self, desk: Desk) -> None:
        """`desk` is read at every paint."""
        super().__init__()
        self._desk = desk
        self._said: list[tuple[str, Line]] = []

    def update(self) -> None:
        """Show what there is to say of the run in view, or go away."""
        view = self._desk.view
        self._said = self._lines(view) if view is not None else []
        self.display = bool(self._said)
        # On a low screen the first one has to do.
        self.styles.height = len(self._said) + self._several + 1 if self.app.size.height >= _TALL else 1
        self.refresh()

    @property
    def _several(self) -> bool:
        """Whether several failures are told of, with the keys that lead through them below."""
        return len(self._said) > 1 and bool(self._said[0][0])

    def _lines(self, view: RunView) -> list[tuple[str, Line]]:
        most = next((most for height, most in _ROOMS if self.app.size.height >= height), 1)
        failures = [(task_id, present_task.failure(view, task_id)) for task_id in view.pinned()[:most]]
        found = [(task_id, line) for task_id, line in failures if line]
        if not found and view.run_id == self._desk.tour:
            told = present_tour.lines(view)
            return [("", line) for line in (told if self.app.size.height >= _TALL else told[1:])]
        if not found and (standing := present.standing(view)):
            found = [("", standing)]
        return found

    def _hints(self, view: RunView, task_id: str) -> Sequence[tuple[str, str]]:
        """Return the rows of the keys that lead on, and what they lead to."""
        if task_id:
            return _TO_FAILURES if self.content_size.width >= _WIDE else _TO_FAILURES[1:]
        return () if view.run_id == self._desk.tour else _ON

    def render(self) -> Content:
        """Return the lines; the key stands at the end of the first, or those for several below the last."""
        view = self._desk.view
        if view is None:
            return Content("")
        lines: list[Line] = []
        for number, (task_id, line) in enumerate(self._said):
            right: Line = []
            if number == 0 and not self._several:
                for key, said in self._hints(view, task_id):
                    right += [("  " if right else "", "plain"), keys.cap(key), (said, "muted")]
                if task_id and (more := len(view.failed) - len(self._said)) > 0:
                    right = [(f"and {more:,} more  ", "muted"), *right]
            room = self.content_size.width - (present.width(right) + 2 if right else 0)
            lines.append(present.spread([_shorter(line, room)], [right] if right else [], self.content_size.width))
        if self._several:
            lines.append(self._through(len(view.failed) - len(self._said)))
        return paint_lines(lines)

    def _through(self, more: int) -> Line:
        """Return the keys that lead through the failures, and those that act on the one under the cursor."""
        room, cap = self.content_size.width, keys.cap
        long = room >= _LONG
        line: Line = [(f"and {more:,} more   ", "muted")] if more > 0 else []
        line += [cap("build.next"), (" ", "plain"), cap("build.previous")]
        line += [(" to the next one, and back   " if long else " next   ", "muted")]
        line += [cap("build.why"), (" why  ", "muted"), cap("build.retry_task")]
        line += [(" again: the one under the cursor   " if long else " again, under the cursor   ", "muted")]
        line += [cap("build.retry_all"), (" all again", "muted")]
        return present.cut(line, room)

    def on_click(self, event: Click) -> None:
        """Lead to the failure."""
        event.stop()
        offset = event.get_content_offset(self)
        if offset is not None and offset.y < len(self._said) and self._said[offset.y][0]:
            self.post_message(self.Chosen(self._said[offset.y][0]))
