"""What the resume plan says in words."""

from __future__ import annotations

import re
from typing import Final

from specular_tui.model import quantity
from specular_tui.model.resume import Action
from specular_tui.tui import glyphs, keys, present
from specular_tui.tui.clock import Clock
from specular_tui.tui.present import Line
from specular_tui.tui.present_forecast import hours, lasting
from specular_tui.tui.wish import Answer

_ROLES = ((Action.REUSE, "done"), (Action.RUN, "running"), (Action.SKIP, "skipped"), (Action.BLOCKED, "pending"))
_COUNTED = ((Action.RUN, "running"), (Action.BLOCKED, "paused"), (Action.SKIP, "skipped"), (Action.REUSE, "done"))
#: Lines of what changed, and of what is wrong.
_MOST = 8


def heading(run_id: str, answer: Answer | None, clock: Clock, width: int) -> list[Line]:
    """Return the two lines at the top: the run, how long it will take, and how many tasks and gates do what."""
    left: list[Line] = [[(f" {glyphs.RETRYING} RESUME ", "badge-running")]]
    if answer is not None and answer.plan_name:
        left.append([(answer.plan_name, "strong")])
    left.append([(run_id, "muted")])
    top = present.spread(left, _ending(answer, clock), width)
    if answer is not None and answer.mends:
        return [top, [("no task runs: what is damaged is mended, and that is all", "muted")]]
    if answer is None or not answer.decisions:
        return [top, [(f"finding out what it would do {glyphs.ELLIPSIS}" if answer is None else "", "muted")]]
    numbers: Line = []
    for action, role in _COUNTED:
        if count := answer.count(action):
            numbers += [("  " if numbers else "", "plain"), (f"{count:,}", role), (f" {action.value}", "muted")]
    if answer.gates_to_run:
        gates: Line = [("then ", "muted"), (f"{answer.gates_to_run:,}", "running")]
        numbers += [("  ", "plain"), *gates, (f" gate{'' if answer.gates_to_run == 1 else 's'}", "muted")]
    room = max(0, width - present.width(numbers) - 3)
    bar = present.bar([(role, answer.count(action)) for action, role in _ROLES], room)
    return [top, [*bar, ("   ", "plain"), *numbers]]


def _ending(answer: Answer | None, clock: Clock) -> list[Line]:
    if answer is None or not answer.decisions:
        return []
    if not answer.count(Action.RUN) and not answer.gates_to_run:
        return [[("nothing to run", "muted")]]
    parts: list[Line] = [[(lasting(answer.lasting), "strong" if answer.lasting else "muted")]]
    if answer.lasting is not None:
        now = clock.now()
        until = hours(now + answer.lasting.low_ms, now + answer.lasting.high_ms, clock)
        parts.append([(f"until {until}", "muted")])
    parts.append([(quantity.plural(answer.jobs, "job"), "muted")])
    return parts


#: The options of the command line, as this application has them: the switch, and the row of its key.
_SWITCHES: Final = {
    "--from-task TASK": ("from this task", "resume.from_task"),
    "--from-task": ("from this task", "resume.from_task"),
    "--alone": ("only that task", "resume.switch.alone"),
    "--retry-failed": ("only the failed", "resume.switch.retry_failed"),
    "--skip-failed": ("skip the failed", "resume.switch.skip_failed"),
    "--run-dependents": ("run their dependents", "resume.switch.run_dependents"),
    "--validate": ("validate first", "resume.switch.validate"),
    "--revalidate": ("gates again", "resume.switch.revalidate"),
    "--repair": ("repair", "resume.switch.repair"),
    "--no-keep-going": ("keep going", "resume.switch.keep_going"),
    "--keep-going": ("keep going", "resume.switch.keep_going"),
}
_OPTION: Final = re.compile("|".join(rf"(?<![\w-]){option}(?![\w-])" for option in _SWITCHES))
#: A command line that does what a switch does here.
_COMMAND: Final = re.compile(r"\((?:specular build --resume \S+ )?(--[a-z-]+)\)")


def problem(answer: Answer) -> list[str]:
    """Return why a build would not start, in the words of the switches and their keys instead of options.

    Command lines that do something else stay as they are: they can be typed.
    """
    return [_in_switches(line) for line in answer.problem]


def _in_switches(line: str) -> str:
    def key(found: re.Match[str]) -> str:
        row_id = "app.new_build" if found[1] == "--force" else _SWITCHES.get(found[1], ("", ""))[1]
        return f"(key {keys.pressed(row_id)})" if row_id else found[0]

    def switch(found: re.Match[str]) -> str:
        label, row_id = _SWITCHES[found[0]]
        return f"'{label}' (key {keys.pressed(row_id)})"

    line = _COMMAND.sub(key, line)
    return line if "specular " in line else _OPTION.sub(switch, line)


def notices(answer: Answer | None) -> list[Line]:
    """Return what has to be known before it is started: why it would not start, or what has changed since."""
    if answer is None:
        return []
    lines: list[Line] = []
    if answer.problem:
        first, *others = problem(answer)
        lines.append([(f"{glyphs.FAILED} {first}", "failed-strong")])
        lines += [[(f"  {line}", "muted")] for line in others[:_MOST]]
        return lines
    if answer.wish.alone:
        only: Line = [("only ", "plain"), (answer.wish.from_task, "strong"), (" runs; ", "plain")]
        lines.append([*only, keys.cap("resume.switch.alone"), (" runs what needs it and the rest too", "muted")])
    if answer.question:
        lines.append([("! it was imported: its commands are shown, and asked about, before it starts", "paused")])
    lines += [[(f"! {line}", "paused")] for line in answer.said[:_MOST]]
    if answer.changes:
        changed = answer.changes.lines()
        lines.append([("! the plan has changed since", "paused")])
        lines += [[(f"  {line}", "plain")] for line in changed[:_MOST]]
        if len(changed) > _MOST:
            lines.append([(f"  and {len(changed) - _MOST:,} more", "muted")])
    return lines
