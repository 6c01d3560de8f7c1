"""What somebody who watches the demo is told: what there is to see, and what to try next."""

from __future__ import annotations

from specular_tui.model import quantity
from specular_tui.model.run import TaskStatus
from specular_tui.tui import keys
from specular_tui.tui.present import Line
from specular_tui.tui.views import RunView


def lines(view: RunView) -> list[Line]:
    """Return two lines for the demo as it stands: running, frozen, stopped, completed."""
    state = view.state
    if view.live and state.frozen_since is not None:
        return [
            [("The tasks stand frozen where they were, and the time that this takes counts for nothing.", "plain")],
            [keys.cap("run.resume"), (" lets them go on.", "muted")],
        ]
    if view.live:
        return [
            [("The demo packs this Python's standard library: a task a line, its log beside it.", "plain")],
            [
                *(keys.cap("build.stop_build"), (" stops it: what is done stays done.  ", "muted")),
                *(keys.cap("run.pause"), (" freezes it.  ", "muted")),
                *(keys.cap("app.mode.timeline"), (" shows when what ran.", "muted")),
            ],
        ]
    if state.status == "completed":
        return [
            [("All is packed, and each step of it is recorded.", "plain")],
            [
                *(keys.cap("app.mode.timeline"), (" shows when what ran.  ", "muted")),
                *(keys.cap("app.mode.validation"), (" proves the checkpoint.  ", "muted")),
                *(keys.cap("app.leave"), (" leaves.", "muted")),
            ],
        ]
    done = quantity.plural(state.count(TaskStatus.COMPLETED), "task")
    return [
        [(f"It stands still: {done} completed, and will not run again.", "plain")],
        [
            *(keys.cap("run.resume"), (" shows what a resume would do, ", "muted")),
            *(keys.cap("resume.start"), (" there starts it.", "muted")),
        ],
    ]
