"""What is done from Build with tasks that failed or run: run them again, skip them, stop them."""

from __future__ import annotations

from abc import abstractmethod

from specular_tui.model.run import GATE_PREFIX
from specular_tui.tui import keys
from specular_tui.tui.messages import PlanResume, Steer
from specular_tui.tui.screens.dialogs import questions
from specular_tui.tui.screens.dialogs.choice import ChoiceDialog
from specular_tui.tui.screens.mode import ModeScreen
from specular_tui.tui.views import RunView
from specular_tui.tui.wish import Wish


class SteeringScreen(ModeScreen):
    """A mode that has a task of the run in view under its cursor, and steers both."""

    @property
    def view(self) -> RunView | None:
        """The run in view."""
        return self.desk.view

    @property
    @abstractmethod
    def selected(self) -> str | None:
        """The task under the cursor."""

    def action_retry_all(self) -> None:
        """Run all failed tasks again; of a stored run, show first what that would do."""
        view = self.view
        if view is None or self._deleted(view):
            return
        if not view.failed:
            self.say("nothing has failed")
        elif view.live:
            self.post_message(Steer(view.run_id, "retry"))
        else:
            self.post_message(PlanResume(Wish(view.run_id, retry_failed=True)))

    def action_retry_task(self) -> None:
        """Run the selected task again and, of a stored run, nothing else; show first what that would do."""
        view, task_id = self.view, self.selected
        if view is None or task_id is None or self._deleted(view):
            return
        if not view.live:
            self.post_message(PlanResume(Wish(view.run_id, from_task=task_id, alone=True)))
        else:
            self.post_message(Steer(view.run_id, "retry", task_id))

    def action_skip(self) -> None:
        """Skip the failed task under the cursor, else all that have failed, after asking.

        Of a stored run, show what going on without all of them would do.
        """
        view, task_id = self.view, self.selected
        if view is None or self._deleted(view) or self._stops(view.run_id):
            return
        failed = [i for i in view.failed if not i.startswith(GATE_PREFIX)]
        if not failed:
            self.say("no task has failed: only a failed one can be skipped")
            return
        if not view.live:
            self.post_message(PlanResume(Wish(view.run_id, skip_failed=True)))
            return
        if task_id in failed:
            failed = [task_id]

        def answered(answer: str | None) -> None:
            for each in failed if answer is not None else ():
                self.post_message(Steer(view.run_id, "skip", each, run_dependents=answer == "run"))

        holds = lambda: _goes_on(view) and all(each in view.failed for each in failed)  # noqa: E731
        dialog = questions.skip(view, failed).while_true(holds, "things have changed: nothing is skipped")
        self.app.push_screen(dialog, answered)

    def action_stop_task(self) -> None:
        """Stop the running task under the cursor, after asking; never more than that."""
        view, task_id = self.view, self.selected
        if view is None or not view.live:
            self.say("nothing is running here")
        elif self._stops(view.run_id):
            return
        elif task_id is not None and task_id in view.state.running:
            holds = lambda: _goes_on(view) and task_id in view.state.running  # noqa: E731
            dialog = questions.stop_task(view, task_id)
            dialog.while_true(holds, f"{task_id} has ended: nothing is stopped")
            self._ask(dialog, Steer(view.run_id, "stop_task", task_id))
        else:
            which = f"{task_id} is not running" if task_id is not None else "no task is selected"
            self.say(f"{which}: {keys.pressed('build.stop_build')} stops the build")

    def action_stop_build(self) -> None:
        """Stop the build, after asking; one that is stopping already, by force."""
        view = self.view
        if view is None or not view.live:
            self.say("nothing is running here")
        elif view.state.stopping:
            dialog = questions.kill_build(view).while_true(lambda: view.live, "the build has ended: nothing is killed")
            self._ask(dialog, Steer(view.run_id, "kill"))
        else:
            # A second stop is one by force, which is not what was asked here.
            dialog = questions.stop_build(view).while_true(
                lambda: _goes_on(view), "the build has ended, or is stopping already"
            )
            self._ask(dialog, Steer(view.run_id, "stop"))

    def _deleted(self, view: RunView) -> bool:
        """Say that a run has been deleted, where that is so; tell whether it is."""
        if view.gone:
            self.say_while(f"{view.run_id} has been deleted: there is nothing to resume", lambda: view.gone)
        return view.gone

    def _ask(self, dialog: ChoiceDialog, message: Steer) -> None:
        def answered(answer: str | None) -> None:
            if answer is not None:
                self.post_message(message)

        self.app.push_screen(dialog, answered)


def _goes_on(view: RunView) -> bool:
    return view.live and not view.state.stopping
