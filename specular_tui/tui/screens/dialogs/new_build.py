"""A new build: its plan, its policy and its jobs, proven as they are typed."""

from __future__ import annotations

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.timer import Timer
from textual.widgets import Input, Static

from specular_tui.model import quantity
from specular_tui.tui import glyphs, keys
from specular_tui.tui.messages import Rehearse, Rehearsed
from specular_tui.tui.present import Line
from specular_tui.tui.present_forecast import lasting
from specular_tui.tui.screens.dialogs.dialog import Dialog
from specular_tui.tui.styling import sheets
from specular_tui.tui.theme import paint, paint_lines
from specular_tui.tui.widgets.plain_input import PlainInput
from specular_tui.tui.widgets.toggle import Toggle
from specular_tui.tui.wish import Answer, Wish

#: Seconds that nothing is typed before what was typed is proven.
_REST: Final = 0.15
_MOST_JOBS: Final = 10_000


class BuildDialog(Dialog[Wish]):
    """Ends with the wish that is to be carried out, or None."""

    CSS_PATH: ClassVar = sheets("new_build", "toggle")
    BINDINGS: ClassVar = keys.bindings("dialog", "new")

    def __init__(self, program: str) -> None:
        """`program` is what to type for `specular` here."""
        super().__init__()
        self._program = program
        self._plan = PlainInput(placeholder="plan.json", id="plan", compact=True)
        self._policy = PlainInput(placeholder=".specular/policy.yaml, if it is there", id="policy", compact=True)
        self._jobs = PlainInput(placeholder="as the policy says", id="jobs", compact=True)
        self._keep_going = Toggle("after a failure, run all that does not need it")
        self._said = Static(id="said", markup=False)
        self._command = Static(id="command", markup=False)
        self._rest: Timer | None = None
        self.answer: Answer | None = None
        self._eager = False

    def compose(self) -> ComposeResult:
        """Yield the fields, what is said of them, and the command line that does the same."""
        with VerticalScroll(id="dialog", can_focus=False):
            yield Static(paint([("Start a build", "strong")]), id="title")
            for name, field in (("plan", self._plan), ("policy", self._policy), ("jobs", self._jobs)):
                with Horizontal(classes="field"):
                    yield Static(name, classes="name", markup=False)
                    yield field
            with Horizontal(classes="field"):
                yield Static("keep going", classes="name", markup=False)
                yield self._keep_going
            yield self._said
            yield self._command
            start, leave = keys.cap("new.start"), keys.cap("dialog.cancel")
            yield Static(paint([start, (" start   ", "muted"), leave, (" leave", "muted")]), id="hint")

    def on_mount(self) -> None:
        """Prove what is there without typing anything."""
        for field in (self._plan, self._policy, self._jobs):
            field.cursor_blink = False
        self.set_focus(self._plan)
        self._ask()

    # What is typed

    @property
    def wish(self) -> Wish:
        """What is typed; jobs that are no number are none."""
        jobs = self._jobs.value.strip()
        return Wish(
            plan=self._plan.value.strip(),
            policy=self._policy.value.strip(),
            jobs=int(jobs) if jobs.isascii() and jobs.isdigit() and 0 < int(jobs[:9]) <= _MOST_JOBS else 0,
            keep_going=self._keep_going.value or None,
        )

    @property
    def _wrong(self) -> str:
        """What is wrong with what is typed, whatever the plan says."""
        return f"jobs: a number from 1 to {_MOST_JOBS:,}" if self._jobs.value.strip() and not self.wish.jobs else ""

    def on_input_changed(self, event: Input.Changed) -> None:
        """Prove it once the typing rests."""
        event.stop()
        self._changed()

    def on_toggle_changed(self, event: Toggle.Changed) -> None:
        """Say how that is typed."""
        event.stop()
        self._changed()

    def _changed(self) -> None:
        self._eager = False
        self._paint()
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(_REST, self._ask)

    def _ask(self) -> None:
        self._rest = None
        self._paint()
        self.post_message(Rehearse(self.wish))

    def _on_rehearsed(self, message: Rehearsed) -> None:
        if message.answer.wish == self.wish:
            self.answer = message.answer
            self._paint()
            if self._eager:
                self.action_start()

    @property
    def _pending(self) -> bool:
        return self.answer is None or self.answer.wish != self.wish

    def _paint(self) -> None:
        self._said.update(paint_lines(self._lines()))
        self._command.update(paint([(self.wish.command(self._program), "accent")]))

    def _lines(self) -> list[Line]:
        answer = self.answer
        if self._wrong:
            return [[(f"{glyphs.FAILED} {self._wrong}", "failed")]]
        if answer is None or self._pending:
            return [[(f"looking at it {glyphs.ELLIPSIS}", "muted")]]
        if answer.problem:
            first, *others = answer.problem
            return [[(f"{glyphs.FAILED} {first}", "failed")], *([(f"  {line}", "muted")] for line in others)]
        tasks = quantity.plural(len(answer.decisions), "task")
        line: Line = [
            (f"{glyphs.DONE} {answer.plan_name}", "done"),
            (f"  {tasks}, {lasting(answer.lasting)} with {quantity.plural(answer.jobs, 'job')}", "muted"),
        ]
        return [line, *([(f"! {said}", "paused")] for said in answer.said)]

    # Keys

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Start it."""
        event.stop()
        self.action_start()

    def action_start(self) -> None:
        """Start it, if it can be; what is not proven yet is proven first."""
        if self._wrong:
            self._eager = False
        elif self._pending:
            self._eager = True
        else:
            self._eager = False
            if self.answer is not None and not self.answer.problem:
                self.dismiss(self.wish)

    def action_cancel(self) -> None:
        """Start nothing."""
        self.dismiss(None)
