"""What a build would do with each task, in groups: drawn line by line, so that 100,000 tasks cost what is visible."""

from __future__ import annotations

from bisect import bisect_right
from typing import ClassVar, Final

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from specular_tui.model.duration import humanise, rough
from specular_tui.model.resume import Action, Decision
from specular_tui.tui import glyphs
from specular_tui.tui.safe import plain
from specular_tui.tui.widgets.scrolling import ScrollActions, share, thumb
from specular_tui.tui.widgets.task.columns import fit, fit_id
from specular_tui.tui.wish import Answer

#: In the order of the screen: what will happen first, what stays as it is last.
ORDER: Final = (Action.RUN, Action.BLOCKED, Action.SKIP, Action.REUSE)
SIGNS: Final = {
    Action.RUN: glyphs.RUNNING,
    Action.BLOCKED: glyphs.BLOCKED,
    Action.SKIP: glyphs.SKIPPED,
    Action.REUSE: glyphs.DONE,
}
WORDS: Final = {
    Action.RUN: ("run", "it runs, again or for the first time"),
    Action.BLOCKED: ("blocked", "left pending"),
    Action.SKIP: ("skip", "left out"),
    Action.REUSE: ("reuse", "its result is kept"),
}
_WHEEL: Final = 3
_TIME: Final = 8
_GAP: Final = 2
#: Titles have a column of their own where the reasons, or so much of them, and so much of the titles find room.
_REASON: Final = 36
_TITLE: Final = 12
_WIDEST: Final = 32
_PARTS: Final = ("group", "id", "reason", "time", "cursor", "thumb", *(action.value for action in Action))


class DecisionList(ScrollActions, Widget, can_focus=True):
    """The tasks, and behind them the gates, in groups by what is done with them.

    The cursor stays on its task while that goes from one to another.
    """

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {f"decision-list--{part}" for part in _PARTS}

    class Chosen(Message):
        """A task was double-clicked."""

    def __init__(self) -> None:
        super().__init__()
        self._answer: Answer | None = None
        #: The tasks of each group that has any, and the line at which its heading stands.
        self._groups: list[tuple[Action, list[Decision]]] = []
        self._heads: list[int] = []
        self._count = 0
        self._width = 4
        self._title = 0
        self._reason = _REASON
        self._cursor = 1
        self._top = 0
        self._dragging = False
        self._styles: dict[tuple[str, bool], Style] = {}

    def show(self, answer: Answer) -> None:
        """Show what a build would do."""
        before = self.selected
        self._answer = answer
        groups: dict[Action, list[Decision]] = {action: [] for action in ORDER}
        everything = (*answer.decisions, *answer.gates)
        for decision in everything:
            groups[decision.action].append(decision)
        self._groups = [(action, found) for action, found in groups.items() if found]
        self._heads, line = [], 0
        for _, found in self._groups:
            self._heads.append(line)
            line += len(found) + 1
        self._count = line
        self._width = max((len(decision.task) for decision in everything), default=4)
        titles = (cell_len(title) for task_id, title in answer.titles.items() if title != task_id)
        self._title = min(max(titles, default=0), _WIDEST)
        self._reason = max((cell_len(decision.reason) for decision in everything), default=_REASON)
        here = self._line_of(before) if before else None
        self._move_to(here if here is not None else self._cursor if before else 1)
        self.refresh()

    @property
    def selected(self) -> str:
        """The task or gate under the cursor; "" where there is none."""
        found = self._at(self._cursor)
        return found[1].task if found is not None and found[1] is not None else ""

    def _line_of(self, task: str) -> int | None:
        for head, (_, found) in zip(self._heads, self._groups, strict=True):
            for index, decision in enumerate(found):
                if decision.task == task:
                    return head + 1 + index
        return None

    def _at(self, line: int) -> tuple[Action, Decision | None, int] | None:
        """Return the group of a line, its task or gate (None for the heading), and how many the group has."""
        if not 0 <= line < self._count:
            return None
        at = bisect_right(self._heads, line) - 1
        action, found = self._groups[at]
        index = line - self._heads[at] - 1
        return action, found[index] if index >= 0 else None, len(found)

    # Moving ----------------------------------------------------------------------------------------------------------

    def _page(self) -> int:
        return max(1, self.size.height)

    def _step(self, rows: int) -> None:
        line = self._cursor + rows
        if self._at(line) is not None and line in self._heads:
            line += 1 if rows > 0 else -1
        self._move_to(line)

    def _move_to(self, line: int) -> None:
        line = max(1, min(line, self._count - 1))
        if line in self._heads:
            line += 1
        self._cursor = line
        # The heading of the first group is seen with its first task.
        first = line - 1 if line - 1 in self._heads else line
        self._top = max(0, min(max(self._top, line - self._page() + 1), first))
        self._top = max(0, min(self._top, self._count - self._page()))
        self.refresh()

    def action_go_top(self) -> None:
        """Go to the first task."""
        self._move_to(1)

    def action_go_bottom(self) -> None:
        """Go to the last task."""
        self._move_to(self._count - 1)

    def action_next_group(self) -> None:
        """Go to the first task of the next group, round the end."""
        later = [head for head in self._heads if head > self._cursor]
        self._move_to((later[0] if later else 0) + 1)

    def on_resize(self, event: events.Resize) -> None:
        """Keep the cursor on screen."""
        self._move_to(self._cursor)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll; the cursor stays on its task."""
        event.stop()
        self._show_from(self._top + _WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll; the cursor stays on its task."""
        event.stop()
        self._show_from(self._top - _WHEEL)

    def _show_from(self, top: int) -> None:
        self._top = max(0, min(top, self._count - self._page()))
        self.refresh()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take hold of the scroll indicator."""
        if event.x >= self.size.width - 1 and self._count > self._page():
            self._dragging = True
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Scroll as the indicator is dragged."""
        if self._dragging:
            self._show_from(round(share(event.y, self._page()) * (self._count - self._page())))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let go of the scroll indicator."""
        if self._dragging:
            self._dragging = False
            self.release_mouse()

    def on_click(self, event: events.Click) -> None:
        """Put the cursor on the task that is clicked on."""
        line = self._top + event.y
        if event.x < self.size.width - 1 and self._at(line) is not None:
            self._move_to(line)

    # Painting --------------------------------------------------------------------------------------------------------

    def notify_style_update(self) -> None:
        """Forget the styles that are no longer in force."""
        super().notify_style_update()
        self._styles.clear()

    def on_focus(self) -> None:
        """The cursor is drawn stronger."""
        self._styles.clear()
        self.refresh()

    def on_blur(self) -> None:
        """The cursor is drawn fainter."""
        self._styles.clear()
        self.refresh()

    def _style(self, name: str, cursor: bool = False) -> Style:
        style = self._styles.get((name, cursor))
        if style is None:
            style = self.get_component_rich_style(f"decision-list--{name}") if name else self.rich_style
            if cursor:
                over = self.get_component_rich_style("decision-list--cursor")
                style += Style(bgcolor=over.bgcolor, bold=over.bold or None, reverse=over.reverse or None)
            self._styles[name, cursor] = style
        return style

    def render_line(self, y: int) -> Strip:
        """Draw a heading, a task, or nothing."""
        width = self.size.width
        line = self._top + y
        found, answer = self._at(line), self._answer
        if found is None or answer is None:
            return Strip.blank(width, self._style(""))
        action, decision, count = found
        on = line == self._cursor
        if decision is None:
            gates = sum(gate.action is action for gate in answer.gates)
            parts = self._heading(action, count - gates, gates, width - 1)
        else:
            parts = self._decision(action, decision, answer, width - 1)
        segments = [Segment(text, self._style(name, on)) for text, name in parts]
        beside = self._count > self._page() and y in thumb(self._top, self._page(), self._count, self._page())
        segments.append(Segment(glyphs.THUMB if beside else " ", self._style("thumb")))
        return Strip(segments).adjust_cell_length(width, self._style(""))

    @staticmethod
    def _heading(action: Action, count: int, gates: int, width: int) -> list[tuple[str, str]]:
        word, what = WORDS[action]
        number = f"{count:,}" if not gates or count else ""
        if gates:
            number += f"{' + ' if count else ''}{gates:,} gate{'' if gates == 1 else 's'}"
        text = fit(f"  {what}", max(0, width - len(word) - len(number) - 2))
        return [(f" {word} ", action.value), (number, action.value), (text, "reason")]

    def _decision(self, action: Action, decision: Decision, answer: Answer, width: int) -> list[tuple[str, str]]:
        wide = width >= 50
        ids = max(4, min(self._width, width // 3 if wide else width - 6))
        time = _time(action, decision, answer) if wide else ""
        rest = width - 3 - ids - _GAP - (_TIME + _GAP if wide else 0)
        reason = plain(decision.reason)
        # Reasons are read first; where they are long, titles have what is left of both all the same.
        left = max(rest - self._reason, min(rest - _REASON, _TITLE + _GAP))
        wanted = self._reason
        if (room := min(self._title, left - _GAP)) >= _TITLE:
            title = plain(answer.titles.get(decision.task, ""))
            reason = fit(title if title != decision.task else "", room) + " " * _GAP + reason
            wanted += room + _GAP
        # No further to the right than it takes: the eye is to find the time that belongs to a name.
        blank, rest = max(0, rest - wanted), min(rest, wanted)
        parts = [(f" {SIGNS[action]} ", action.value), (fit_id(decision.task, ids) + " " * _GAP, "id")]
        parts.append((fit(reason, max(0, rest)), "reason"))
        if wide:
            parts.append((" " * _GAP + fit(time, _TIME, right=True), "time"))
        return [*parts, (" " * blank, "reason")]


def _time(action: Action, decision: Decision, answer: Answer) -> str:
    """Return how long a task will take, or took where its result is kept."""
    if action is Action.REUSE:
        return humanise(decision.expected_ms) if decision.expected_ms is not None else ""
    known = answer.expected.get(decision.task)
    return rough(known) if known is not None else ""
