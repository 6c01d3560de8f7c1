"""The rules of a clean-up, and what they would remove; the list beside it shows which runs, before anything happens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Horizontal, VerticalScroll
from textual.events import Resize
from textual.message import Message
from textual.widgets import Input, Label, Static

from specular_tui.model import duration, quantity
from specular_tui.tui import keys
from specular_tui.tui.deeds import Going, Rules
from specular_tui.tui.present import Line
from specular_tui.tui.present_keeping import WRITE_A_TIME, clean_command
from specular_tui.tui.theme import paint, paint_lines
from specular_tui.tui.widgets.toggle import Toggle


class CleanPane(VerticalScroll, can_focus=False):
    """Fields for the rules; every change of one asks for a new preview."""

    BINDINGS: ClassVar = keys.bindings("clean")

    class Changed(Message):
        """The rules are other ones."""

    class Confirmed(Message):
        """What is previewed shall be removed."""

    class Closed(Message):
        """Nothing shall be removed."""

    def __init__(self) -> None:
        """It begins without rules: nothing goes."""
        super().__init__()
        self.policy = Toggle("instead: what the policy does not keep", id="policy")
        self.keep_last = Input(compact=True, id="keep-last", placeholder="all", restrict=r"\d{0,6}")
        self.older_than = Input(compact=True, id="older-than", placeholder="7d, 12h", restrict=r"[\d.smhdw]{0,12}")
        self.failed = Toggle("failed ones only", id="failed")
        self._outcome = Static(id="outcome", markup=False)
        #: What is said at present.
        self._said: tuple[Rules | None, Sequence[Going], str] = (Rules(), (), "")
        for field in (self.keep_last, self.older_than):
            field.cursor_blink = False

    def compose(self) -> ComposeResult:
        """Yield the fields."""
        yield Static(paint([("Clean up", "strong"), (" runs that meet all of this", "muted")]), id="clean-title")
        with Horizontal(classes="field"):
            yield Label("all but the newest", markup=False)
            yield self.keep_last
        with Horizontal(classes="field"):
            yield Label("not updated for", markup=False)
            yield self.older_than
        yield self.failed
        yield self.policy
        yield self._outcome

    def begin(self) -> None:
        """Open with nothing chosen."""
        with self.prevent(Input.Changed):
            self.keep_last.value = self.older_than.value = ""
        self.policy.value = self.failed.value = False
        self._lock_fields()
        self.show(Rules(), (), "")
        self.keep_last.focus()

    @property
    def rules(self) -> Rules | None:
        """What the fields say; None where a duration is none."""
        try:
            older = duration.parse(self.older_than.value) if self.older_than.value else None
        except ValueError:
            return None
        if self.policy.value:
            return Rules(policy=True)
        keep = int(self.keep_last.value) if self.keep_last.value else None
        return Rules(keep_last=keep, older_than_ms=older, failed=self.failed.value)

    def show(self, rules: Rules | None, going: Sequence[Going], problem: str) -> None:
        """Say what would go."""
        self._said = (rules, going, problem)
        lines: list[Line] = [[]]
        if rules is None:
            lines.append([(WRITE_A_TIME, "paused")])
        elif problem:
            lines.append([(problem, "failed")])
        elif not rules:
            lines.append([("Nothing is chosen yet: nothing goes.", "muted")])
        elif not going:
            lines.append([("No run meets that.", "muted")])
        else:
            total = sum(run.size for run in going)
            runs: Line = [(quantity.plural(len(going), "run"), "failed-strong")]
            verb = "goes" if len(going) == 1 else "go"
            lines.append([*runs, (f" {verb}, ", "plain"), (quantity.size(total), "strong"), (" on disk", "plain")])
        # Beside the list there is room below, and under it there is room to the right.
        beside = self.size.width < 60
        stays: Line = [("Live and pinned runs stay.", "muted")]
        lines = [*lines, stays] if beside else [*lines[:-1], [*lines[-1], ("  ", "plain"), *stays]]
        if rules:
            lines.append([("as a command, for good: ", "muted"), (clean_command(rules), "accent")])
        ways: list[Line] = [[keys.cap("clean.close"), (" leaves all as it is", "muted")]]
        if going:
            them = "it" if len(going) == 1 else "them"
            ways.insert(0, [keys.cap("clean.confirm"), (f" asks, and removes {them}", "muted")])
        lines += [[], *ways] if beside else [[segment for way in ways for segment in (*way, ("   ", "plain"))]]
        self._outcome.update(paint_lines(lines))

    def on_resize(self, event: Resize) -> None:
        """Say it as there is room for now."""
        self.show(*self._said)

    def _lock_fields(self) -> None:
        for field in (self.keep_last, self.older_than, self.failed):
            field.disabled = self.policy.value

    def on_input_changed(self, event: Input.Changed) -> None:
        """Preview anew."""
        event.stop()
        self.post_message(self.Changed())

    def on_toggle_changed(self, event: Toggle.Changed) -> None:
        """Preview anew; the policy needs no conditions."""
        event.stop()
        self._lock_fields()
        self.post_message(self.Changed())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter in a field means what it means everywhere here."""
        event.stop()
        self.action_confirm()

    def action_confirm(self) -> None:
        """Have what is previewed removed."""
        self.post_message(self.Confirmed())

    def action_close(self) -> None:
        """Leave all as it is."""
        self.post_message(self.Closed())

    def action_next_field(self) -> None:
        """Go to the next field."""
        self.screen.focus_next("CleanPane Input, CleanPane Toggle")

    def action_previous_field(self) -> None:
        """Go to the field before."""
        self.screen.focus_previous("CleanPane Input, CleanPane Toggle")
