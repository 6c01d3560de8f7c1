"""The clean-up of a list of runs: its rules take the place of the side pane, and the list says what would go."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from textual.events import Resize

from specular_tui.tui.deeds import Clean, Do, Going, Preview, Previewed, Rules
from specular_tui.tui.screens.keeping import KeepingScreen
from specular_tui.tui.views import Desk
from specular_tui.tui.widgets.run_details import RunDetails
from specular_tui.tui.widgets.run_table import RunTable

if TYPE_CHECKING:
    from specular_tui.tui.widgets.clean_pane import CleanPane


class CleaningScreen(KeepingScreen):
    """A list of runs and a side pane; runs can be removed by rule, and what goes is shown before that."""

    def __init__(self, desk: Desk) -> None:
        """`desk` has the rows."""
        super().__init__(desk)
        self.table = RunTable(desk)
        self.details = RunDetails(desk)
        self._going: Sequence[Going] = ()

    def on_resize(self, event: Resize) -> None:
        """The list has room for more runs, or for fewer."""
        self._fit()

    def _fit(self) -> None:
        # The rules of a clean-up need no more than they have.
        self.fit_list(self.table, 1 << 20 if self.cleaning else len(self.desk.runs))

    @property
    def cleaning(self) -> bool:
        """Whether a clean-up is being looked at."""
        return "cleaner" in self.__dict__ and self.cleaner.display

    @cached_property
    def cleaner(self) -> CleanPane:
        """The rules of a clean-up: made when one is looked at, not before the first screen can be painted."""
        from specular_tui.tui.widgets.clean_pane import CleanPane

        return CleanPane()

    async def action_clean(self) -> None:
        """Look at what a clean-up would remove; without a run there is nothing to look at."""
        if self.desk.listed and not self.desk.runs:
            self.say("there is no run to clean up")
            return
        if not self.cleaner.is_attached:
            await self.query_one("#panes").mount(self.cleaner)
        self.details.display = False
        self.cleaner.display = True
        self._fit()
        self._going = ()
        self.cleaner.begin()
        self.refresh_bindings()
        self.table.show_going({})
        self.post_message(Do(Preview(Rules(), anew=True)))

    def _close_cleaner(self) -> None:
        self.cleaner.display = False
        self.details.display = True
        self._fit()
        self.table.show_going(None)
        self.table.focus()
        self.refresh_bindings()

    def _on_clean_pane_changed(self, message: CleanPane.Changed) -> None:
        message.stop()
        rules = self.cleaner.rules
        if rules is None:
            self._going = ()
            self.table.show_going({})
            self.cleaner.show(None, (), "")
            self.footer.update()
        else:
            self.post_message(Do(Preview(rules)))

    def _on_previewed(self, message: Previewed) -> None:
        if not self.cleaning or message.rules != self.cleaner.rules:
            return
        self._going = message.going
        self.table.show_going({going.run_id: going for going in message.going})
        self.cleaner.show(message.rules, message.going, message.problem)
        self.footer.update()

    def _on_clean_pane_closed(self, message: CleanPane.Closed) -> None:
        message.stop()
        self._close_cleaner()

    def _on_clean_pane_confirmed(self, message: CleanPane.Confirmed) -> None:
        message.stop()
        rules, going = self.cleaner.rules, self._going
        if rules is None or not going:
            from specular_tui.tui.present_keeping import WRITE_A_TIME

            self.say("nothing would be removed" if rules is not None else WRITE_A_TIME)
            return

        from specular_tui.tui.screens.dialogs import keeping

        def answered(answer: str | None) -> None:
            if answer is not None:
                self._close_cleaner()
                self.post_message(Do(Clean(rules, tuple(each.run_id for each in going))))

        self.app.push_screen(keeping.clean(going, rules), answered)
