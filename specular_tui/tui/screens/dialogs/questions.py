"""The questions that the application asks."""

from __future__ import annotations

from collections.abc import Sequence

from specular_tui.model import quantity
from specular_tui.model.run import TaskStatus
from specular_tui.tui import present
from specular_tui.tui.present import Line
from specular_tui.tui.screens.dialogs.choice import Answer, ChoiceDialog, confirm
from specular_tui.tui.views import RunView


def leave(view: RunView) -> ChoiceDialog:
    """Ask what shall become of the build that was started here."""
    running = len(view.state.running)
    stop = Answer("stop", "s", "Stop and quit", "the checkpoint is saved; resume it later", grave=True)
    if view.state.stopping:
        title = "This build is stopping"
        going = [
            Answer("detach", "d", "Let it end", f"{quantity.plural(running, 'task')} to end; its checkpoint is saved")
        ]
        stop = Answer("kill", "k", "Kill and quit", "what still runs is killed at once", grave=True)
    elif view.state.frozen_since is not None:
        title = "This build stands frozen"
        going = [Answer("detach", "d", "Leave it frozen", "it can go on any time")]
    else:
        title = "This build is still going"
        frozen = f"{quantity.plural(running, 'task')} frozen; it can go on any time"
        going = [
            Answer("detach", "d", "Leave it running", "it goes on in the background"),
            Answer("pause", "p", "Pause and quit", frozen),
        ]
    return ChoiceDialog(
        [(title, "strong")],
        [
            [(view.run_id, "plain")],
            [*present.counts(view.state)],
        ],
        [
            *going,
            stop,
            Answer("", "escape", "Stay here", also="n"),
        ],
    )


def stop_task(view: RunView, task_id: str) -> ChoiceDialog:
    """Ask whether a running task shall end."""
    waiting = len(view.graph.descendants([task_id])) if view.graph and task_id in view.graph.dependents else 0
    details: list[Line] = [[(task_id, "plain")]]
    if waiting:
        need = "needs" if waiting == 1 else "need"
        details.append([(f"{quantity.plural(waiting, 'task')} that {need} it will wait", "muted")])
    return confirm([("Stop this task?", "strong")], details, "Stop it", key="x")


def stop_build(view: RunView) -> ChoiceDialog:
    """Ask whether the build shall end."""
    done = view.state.count(TaskStatus.COMPLETED)
    running = len(view.state.running)
    details: list[Line] = [
        [(view.run_id, "plain")],
        [(f"{quantity.plural(done, 'completed task')} kept; ", "muted")],
        [(f"{quantity.plural(running, 'running task')} cut off, to start anew on resume", "muted")],
    ]
    return confirm([("Stop the build?", "strong")], details, "Stop it", key="x")


def kill_build(view: RunView) -> ChoiceDialog:
    """Ask whether what a build that is stopping still waits for shall be killed."""
    details: list[Line] = [
        [(view.run_id, "plain")],
        [(f"it is stopping, and waits for {quantity.plural(len(view.state.running), 'task')} to end: ", "muted")],
        [("that is killed at once, to start anew on resume", "muted")],
    ]
    return confirm([("Kill what still runs?", "strong")], details, "Kill it", key="x")


def skip(view: RunView, failed: list[str]) -> ChoiceDialog:
    """Ask whether failed tasks shall be skipped, and whether what needs them runs all the same.

    Ends with `skip`, or with `run` where it does.
    """
    graph, tasks = view.graph, view.state.tasks
    below = graph.descendants([i for i in failed if i in graph.dependents]) if graph else set()
    waiting = [i for i, task in tasks.items() if i in below and task.status is not TaskStatus.COMPLETED]
    details: list[Line] = _some(failed)
    it = "it" if len(failed) == 1 else "them"
    if waiting:
        need = "needs" if len(waiting) == 1 else "need"
        details.append([(f"{quantity.plural(len(waiting), 'task')} {need} {it}:", "muted")])
        details += _some(waiting)
    else:
        details.append([(f"no other task needs {it}", "muted")])
    details.append([("The build goes on with the rest.", "muted")])
    title = "Skip this task?" if len(failed) == 1 else f"Skip {quantity.plural(len(failed), 'failed task')}?"
    if not waiting:
        return confirm([(title, "strong")], details, f"Skip {it}", key="s")
    them = "it" if len(waiting) == 1 else "those"
    return ChoiceDialog(
        [(title, "strong")],
        details,
        [
            Answer("skip", "s", f"Skip {it}", f"and leave {them} out too", grave=True),
            Answer("run", "d", f"Skip {it}, run {them}", "as if nothing were missing"),
            Answer("", "escape", "Cancel", also="n"),
        ],
        chosen=2,
    )


def _some(ids: list[str], most: int = 6) -> list[Line]:
    lines: list[Line] = [[(f"  {name}", "plain")] for name in ids[:most]]
    if len(ids) > most:
        lines.append([(f"  and {len(ids) - most:,} more", "muted")])
    return lines


def trust(question: str, commands: Sequence[str]) -> ChoiceDialog:
    """Ask whether commands that came from elsewhere may run."""
    shown: list[Line] = [[(f"  {command}", "plain")] for command in commands[:12]]
    if len(commands) > 12:
        shown.append([(f"  and {len(commands) - 12:,} more", "muted")])
    return confirm([(question, "strong")], shown, "Run them", key="y")
