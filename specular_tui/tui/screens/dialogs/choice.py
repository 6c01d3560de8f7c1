"""A question with its answers, each at a key; the safe one is chosen first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar, Self

from msgspec import Struct
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.events import Key as KeyPress
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from specular_tui.tui import keys
from specular_tui.tui.messages import RunMoved, RunShown
from specular_tui.tui.present import Line
from specular_tui.tui.screens.dialogs.dialog import Dialog
from specular_tui.tui.styling import sheets
from specular_tui.tui.theme import paint, paint_lines


class Answer(Struct, frozen=True):
    """One way to answer."""

    value: str
    key: str
    label: str
    help: str = ""
    #: It cannot be taken back.
    grave: bool = False
    #: Another key that gives it: `y` and `n`, where it is a yes or a no.
    also: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        """The keys that give it."""
        return (self.key, self.also) if self.also not in ("", self.key) else (self.key,)

    @property
    def shown(self) -> str:
        """The keys as people read them."""
        return keys.shown(",".join(self.keys))


class ChoiceDialog(Dialog[str]):
    """Ends with the value of the answer, or None where nothing shall be done."""

    CSS_PATH: ClassVar = sheets("dialogs")
    BINDINGS: ClassVar = keys.bindings("dialog")

    def __init__(self, title: Line, details: Sequence[Line], answers: Sequence[Answer], *, chosen: int = 0) -> None:
        """`chosen` is the answer that Enter gives."""
        super().__init__()
        self._title = title
        self._details = list(details)
        self._answers = answers
        self._chosen = chosen
        self._holds: Callable[[], bool] = lambda: True
        self._passed = ""

    def while_true(self, holds: Callable[[], bool], passed: str) -> Self:
        """Close by itself, and say `passed`, once the run in view is such that `holds` is false."""
        self._holds, self._passed = holds, passed
        return self

    def _on_run_shown(self, message: RunShown) -> None:
        self._look()

    def _on_run_moved(self, message: RunMoved) -> None:
        self._look()

    def _look(self) -> None:
        if self.is_current and not self._holds():
            self.dismiss(None)
            self.app.notify(self._passed)

    def compose(self) -> ComposeResult:
        """Yield question, what is at stake, answers."""
        with Vertical(id="dialog"):
            yield Static(paint(self._title), id="title")
            if self._details:
                yield Static(paint_lines(self._details), id="details")
            yield OptionList(*(Option(self._prompt(answer)) for answer in self._answers), markup=False)

    def _prompt(self, answer: Answer) -> Content:
        wide = max(len(each.label) for each in self._answers)
        caps = max(len(each.shown) for each in self._answers)
        line: Line = [(answer.shown.ljust(caps + 2), "key"), (answer.label, "failed" if answer.grave else "plain")]
        if answer.help:
            line += [(" " * (wide - len(answer.label) + 3), "plain"), (answer.help, "muted")]
        return paint(line)

    def on_mount(self) -> None:
        """Choose the safe answer."""
        answers = self.query_one(OptionList)
        answers.highlighted = self._chosen
        answers.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter, or a click, gives the answer."""
        event.stop()
        self._give(self._answers[event.option_index])

    def on_key(self, event: KeyPress) -> None:
        """An answer's own key gives it; `j` and `k` move as everywhere."""
        for answer in self._answers:
            if event.key in answer.keys:
                event.stop()
                self._give(answer)
                return
        answers = self.query_one(OptionList)
        if event.key == "j":
            answers.action_cursor_down()
        elif event.key == "k":
            answers.action_cursor_up()

    def _give(self, answer: Answer) -> None:
        self.dismiss(answer.value or None)

    def action_cancel(self) -> None:
        """Change nothing."""
        self.dismiss(None)


def confirm(
    title: Line, details: Sequence[Line], yes: str, *, key: str = "y", no: str = "Cancel", grave: bool = True
) -> ChoiceDialog:
    """Return a dialog that ends with `yes` where the user means it, by `key` or by `y`; Enter does not."""
    answers = [Answer("yes", key, yes, grave=grave, also="y"), Answer("", "escape", no, also="n")]
    return ChoiceDialog(title, details, answers, chosen=1)
