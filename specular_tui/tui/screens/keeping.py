"""What screens do with the run at hand beyond steering it: deleting, taking back, and moving to and from archives."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from specular_tui.model.quantity import size
from specular_tui.tui.aging import Aging
from specular_tui.tui.deeds import Do, Export, GiveUp, Import, Refused, Trash, Undo
from specular_tui.tui.present import Line, run_badge
from specular_tui.tui.screens.mode import ModeScreen
from specular_tui.tui.speaking import SpeakingApp
from specular_tui.tui.views import Desk, RunRow
from specular_tui.tui.widgets.chore_line import ChoreLine

if TYPE_CHECKING:
    from specular_tui.tui.screens.dialogs.path import PathAnswer


class KeepingScreen(ModeScreen):
    """A mode in which runs can be deleted, taken back, exported and imported."""

    def __init__(self, desk: Desk) -> None:
        """`desk` has the rows."""
        super().__init__(desk)
        self.chore_line = ChoreLine(desk)
        self.ages = Aging(self, desk.clock, self.moments, self.say_ages)

    def moments(self) -> Iterable[int]:
        """Return the moments whose ages are on show."""
        return ()

    def say_ages(self) -> None:
        """Show all ages anew."""

    def on_screen_resume(self) -> None:
        """Ages have changed meanwhile."""
        self.ages.look()

    def on_screen_suspend(self) -> None:
        """Nobody sees the ages."""
        self.ages.rest()

    def chosen(self) -> list[RunRow]:
        """Return the runs that are meant: the one at hand."""
        row = self.run_at_hand()
        return [row] if row is not None else []

    def _on_chore_moved(self) -> None:
        self._say_chore()
        self.refresh_bindings()

    def _say_chore(self) -> None:
        self.chore_line.update()

    def _on_refused(self, message: Refused) -> None:
        """Say why, where the user can do something about it at once; only the mode that is in front does."""
        front = self.app.screen_stack[0]
        if front is not self:
            if self.MODE == "checkpoints" and not isinstance(front, KeepingScreen):
                self.notify(message.trouble.message, severity="error")
            return
        deed = message.deed
        if isinstance(deed, Import):
            self._ask_import(deed.instead_of, deed.path, message)
        elif isinstance(deed, Export) and message.trouble.taken:
            self._ask_replace(deed)
        elif isinstance(deed, Export):
            self._ask_export(deed.run_id, deed.path, message)

    def _ask_replace(self, deed: Export) -> None:
        from specular_tui.tui.screens.dialogs import keeping

        def answered(answer: str | None) -> None:
            if answer is not None:
                self.post_message(Do(Export(deed.run_id, deed.path, deed.redact, force=True)))
            else:
                self._ask_export(deed.run_id, deed.path)

        self.app.push_screen(keeping.replace(deed.path), answered)

    # Deleting

    def action_delete(self) -> None:
        """Ask whether what is chosen shall go."""
        rows = self.chosen()
        live = [row for row in rows if row.live]
        rows = [row for row in rows if not row.live]
        if live:
            others = f" and {len(live) - 1:,} more" if len(live) > 1 else ""
            verb = "are" if others else "is"
            self.say(f"{live[0].run_id}{others} {verb} being built: stop a build before you delete it")
        if not rows:
            return

        from specular_tui.tui.screens.dialogs import keeping

        def answered(answer: str | None) -> None:
            if answer is not None:
                self.post_message(Do(Trash(tuple(row.run_id for row in rows))))

        self.app.push_screen(keeping.delete(rows), answered)

    def action_undo(self) -> None:
        """Take back what was deleted last; what still says that it could be is out of date then."""
        if isinstance(self.app, SpeakingApp):
            self.app.pass_over()
        self.post_message(Do(Undo()))

    def action_give_up(self) -> None:
        """End the chore that is under way."""
        self.post_message(Do(GiveUp()))

    # Archives

    def action_export(self) -> None:
        """Ask where the run at hand shall be written to."""
        row = self.run_at_hand()
        if row is None:
            return
        if row.live:
            self.say(f"{row.run_id} is being built: it can be exported when it has ended")
        elif row.damage:
            self.say(f"{row.run_id} cannot be read: {row.damage}")
        else:
            self._ask_export(row.run_id, f"{row.run_id}.tar.gz")

    def _ask_export(self, run_id: str, path: str, refused: Refused | None = None) -> None:
        from specular_tui.tui.screens.dialogs.path import PathDialog

        def answered(answer: PathAnswer | None) -> None:
            if answer is not None:
                self.post_message(Do(Export(run_id, answer.path, answer.option)))

        row = self.desk.row(run_id)
        details: list[Line] = [[(run_id, "plain")]]
        if row is not None:
            details[0].append((f"  {run_badge(row.status, live=False)[0]}", "muted"))
            if row.size is not None:
                details[0].append((f"  {size(row.size)} on disk", "muted"))
        details.append([("A file that is there is never replaced unasked.", "muted")])
        dialog = PathDialog(
            "Export this run",
            details,
            lambda file, redact: f"specular checkpoint export {run_id} --out {file}{' --redact' if redact else ''}",
            value=path,
            option="mask what looks secret in its plan",
            trouble=refused.trouble if refused else None,
        )
        self.app.push_screen(dialog, answered)

    def action_import(self) -> None:
        """Ask which archive shall be taken in."""
        self._ask_import()

    def _ask_import(self, instead_of: str = "", path: str = "", refused: Refused | None = None) -> None:
        from specular_tui.tui.screens.dialogs.path import PathDialog

        def answered(answer: PathAnswer | None) -> None:
            if answer is not None:
                self.post_message(Do(Import(answer.path, instead_of)))

        details: list[Line] = [[("It is proved first. Nothing of it is run, and no run is replaced.", "muted")]]
        if instead_of:
            details = [
                [(instead_of, "plain")],
                [("The damaged run goes to the trash; if the archive is refused, it comes back.", "muted")],
            ]
        dialog = PathDialog(
            "Restore this run from an archive" if instead_of else "Import a run",
            details,
            lambda file, _: _import_command(file, instead_of),
            value=path,
            trouble=refused.trouble if refused else None,
        )
        self.app.push_screen(dialog, answered)


def _import_command(file: str, instead_of: str) -> str:
    first = f"specular checkpoint delete {instead_of} --trash && " if instead_of else ""
    return f"{first}specular checkpoint import {file}"
