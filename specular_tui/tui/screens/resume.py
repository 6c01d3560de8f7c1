"""The resume plan: what going on with a stored run would do with each task and why, to be changed and started."""

from __future__ import annotations

from typing import ClassVar, Final

from msgspec.structs import replace
from textual.app import ComposeResult
from textual.events import Resize
from textual.widgets import Static

from specular_tui.model import quantity
from specular_tui.model.run import GATE_PREFIX
from specular_tui.tui import keys, present_resume
from specular_tui.tui.keys import Key
from specular_tui.tui.messages import Rehearse, Rehearsed, RunsListed
from specular_tui.tui.screens.dialogs import questions
from specular_tui.tui.screens.dialogs.dialog import Dialog
from specular_tui.tui.screens.dialogs.help import HelpDialog
from specular_tui.tui.styling import sheets
from specular_tui.tui.theme import paint, paint_lines
from specular_tui.tui.views import Desk
from specular_tui.tui.widgets.decision_list import DecisionList
from specular_tui.tui.widgets.footer import KeyFooter
from specular_tui.tui.widgets.message_line import MessageLine
from specular_tui.tui.widgets.switch_bar import Switch, SwitchBar
from specular_tui.tui.wish import Answer, Wish

_MOST_JOBS: Final = 10_000


class Decisions(DecisionList):
    """The list with the keys of this application."""

    BINDINGS = keys.bindings("list")


class ResumeScreen(Dialog[Wish]):
    """Ends with the wish that is to be carried out, or None."""

    CSS_PATH: ClassVar = sheets("resume")
    AUTO_FOCUS = None
    BINDINGS = keys.bindings("resume")

    def __init__(self, desk: Desk, wish: Wish, program: str) -> None:
        """`wish` is what is switched on from the start; `program` what to type for `specular` here."""
        super().__init__()
        self.desk = desk
        self.wish = wish
        self._program = program
        #: The latest answer, and the latest that was not refused.
        self.answer: Answer | None = None
        self._good: Answer | None = None
        #: Enter was pressed before it was known what it would do.
        self._eager = False
        self._heading = Static(id="heading", markup=False)
        self._switches = SwitchBar()
        self._notices = Static(id="notices", markup=False)
        self.list = Decisions()
        self._command = Static(id="command", markup=False)
        self._footer = KeyFooter(self.offers)

    def compose(self) -> ComposeResult:
        """Yield the run, the switches, what has to be known, and the tasks and gates."""
        yield self._heading
        yield self._switches
        yield self._notices
        yield self.list
        yield self._command
        yield MessageLine(self.desk.said)
        yield self._footer

    def on_mount(self) -> None:
        """Find out what it would do."""
        self.list.focus()
        self._paint()
        self._ask()

    def on_resize(self, event: Resize) -> None:
        """The heading is as wide as there is room."""
        self._paint()

    def offers(self, key: Key) -> bool:
        """Tell whether a key makes sense: nothing is started that would not start."""
        return key.id != "resume.start" or self.answer is None or not self.answer.problem

    # What it says

    def _on_runs_listed(self, message: RunsListed) -> None:
        """Find out anew what it would do, if the run has gone meanwhile: there is nothing to start any more."""
        if message.changed is None and self.desk.listed and self.desk.row(self.wish.run_id) is None:
            self._ask()

    @property
    def _pending(self) -> bool:
        return self.answer is None or self.answer.wish != self.wish

    def _ask(self) -> None:
        self.post_message(Rehearse(self.wish))

    def _on_rehearsed(self, message: Rehearsed) -> None:
        answer = message.answer
        if answer.wish != self.wish:
            return
        if answer.refused and self._good is not None:
            # What contradicts itself is not switched on; the reason is the command line's own.
            self._eager = False
            self.wish = self._good.wish
            self.answer = self._good
            self.notify("\n".join(present_resume.problem(answer)), severity="warning")
        else:
            self.answer = answer
            if not answer.refused:
                self._good = answer
            if answer.decisions or answer.problem:
                self.list.show(answer)
        self._paint()
        if self._eager:
            self._eager = False
            if answer.plain:
                self.action_start()

    def _paint(self) -> None:
        if not self.is_mounted:
            return
        width, answer = max(20, self.size.width - 2), self.answer
        lines = present_resume.heading(self.wish.run_id, answer, self.desk.clock, width)
        self._heading.update(paint_lines(lines))
        self._switches.show(self._standing())
        notices = present_resume.notices(answer)
        self._notices.display = bool(notices)
        self._notices.update(paint_lines(notices))
        self._footer.update()
        self._command.update(paint([(self.wish.command(self._program), "accent")]))

    def _standing(self) -> list[Switch]:
        wish = self.wish
        jobs = wish.jobs or (self.answer.jobs if self.answer is not None else 0)
        validates = self.answer is not None and self.answer.validates
        switches = [
            Switch("resume.switch.retry_failed", "only the failed", wish.retry_failed),
            Switch("resume.switch.skip_failed", "skip the failed", wish.skip_failed),
        ]
        if wish.skip_failed:
            switches.append(Switch("resume.switch.run_dependents", "run their dependents", wish.run_dependents))
        switches.append(Switch("resume.from_task", f"from {wish.from_task or 'this task'}", bool(wish.from_task)))
        if wish.from_task:
            switches.append(Switch("resume.switch.alone", "only that task", wish.alone))
        return [
            *switches,
            Switch("resume.switch.validate", "validate first", wish.validate or validates),
            Switch("resume.switch.repair", "repair", wish.repair),
            Switch("resume.switch.revalidate", "gates again", wish.revalidate),
            Switch("resume.switch.keep_going", "keep going", self._keeps_going),
            Switch(
                "resume.more_jobs",
                quantity.plural(jobs, "job") if jobs else "? jobs",
                bool(wish.jobs),
                "resume.fewer_jobs",
            ),
        ]

    # Keys

    def _want(self, wish: Wish) -> None:
        if wish != self.wish:
            self.wish = wish
            self._paint()
            self._ask()

    def action_switch(self, name: str) -> None:
        """Switch an option on or off."""
        if name == "alone" and not self.wish.from_task:
            # It says what that one does.
            self.action_from_task()
            self._want(replace(self.wish, alone=bool(self.wish.from_task)))
        elif name == "keep_going":
            self._want(replace(self.wish, keep_going=not self._keeps_going))
        else:
            self._want(self.wish.switched(name))

    @property
    def _keeps_going(self) -> bool:
        """How that stands; where nobody has switched it, as in the run's last session."""
        wished = self.wish.keep_going
        return wished if wished is not None else self.answer is not None and self.answer.keeps_going

    def action_from_task(self) -> None:
        """Run the task under the cursor again, and all that needs it; or do not."""
        selected = self.list.selected
        if selected.startswith(GATE_PREFIX):
            again = keys.pressed("resume.switch.revalidate")
            self.notify(f"gates run behind the last task: nothing can start from one; {again} runs them again")
        elif selected:
            self._want(self.wish.started_from(selected if self.wish.from_task != selected else ""))

    def action_more_jobs(self) -> None:
        """Run one task more at once."""
        self._jobs(1)

    def action_fewer_jobs(self) -> None:
        """Run one task fewer at once."""
        self._jobs(-1)

    def _jobs(self, step: int) -> None:
        now = self.wish.jobs or (self.answer.jobs if self.answer is not None else 0)
        if now:
            self._want(replace(self.wish, jobs=max(1, min(now + step, _MOST_JOBS))))

    def action_next_group(self) -> None:
        """Go to the next group."""
        self.list.action_next_group()

    def action_start(self) -> None:
        """Start it; where commands came from elsewhere, ask whether they may run."""
        answer = self.answer
        if self._pending or answer is None:
            self._eager = True
        elif answer.problem:
            # It stands above the tasks all the while.
            self.notify("\n".join(present_resume.problem(answer)), severity="error", timeout=6)
        elif answer.question and not self.wish.trust_plan:
            self.app.push_screen(questions.trust(answer.question, answer.commands), self._trusted)
        else:
            self.dismiss(self.wish)

    def _trusted(self, said: str | None) -> None:
        if said is not None:
            self.dismiss(replace(self.wish, trust_plan=True))

    def action_leave(self) -> None:
        """Start nothing."""
        self.dismiss(None)

    def action_help(self) -> None:
        """List the keys of this screen."""
        self.app.push_screen(HelpDialog(active.binding.id for active in self.active_bindings.values()))
