"""How clean-ups and comparisons are said: pure functions from values to text in segments."""

from __future__ import annotations

from typing import Final

from specular_tui.model import quantity
from specular_tui.model.compare import Difference, RunComparison, TaskComparison
from specular_tui.model.duration import humanise
from specular_tui.model.run import TaskState, TaskStatus
from specular_tui.tui import glyphs, keys, present, present_task
from specular_tui.tui.deeds import Rules
from specular_tui.tui.present import Line, Segment

#: Said where a duration is none.
WRITE_A_TIME: Final = "write a time as 90s, 12h, 7d"
_WORDS: Final = {
    Difference.RESULT: ("ended otherwise", "failed"),
    Difference.NEW: ("new", "running"),
    Difference.GONE: ("gone", "paused"),
    Difference.DEFINITION: ("changed", "paused"),
    Difference.OUTPUTS: ("other outputs", "paused"),
    Difference.SLOWER: ("slower", "failed"),
    Difference.FASTER: ("faster", "done"),
}


def clean_command(rules: Rules) -> str:
    """Return the command line that cleans up by these rules."""
    words = ["specular checkpoint clean"]
    if not rules.policy:
        if rules.keep_last is not None:
            words.append(f"--keep-last {rules.keep_last}")
        if rules.older_than_ms is not None:
            words.append(f"--older-than {typed(rules.older_than_ms)}")
        if rules.failed:
            words.append("--failed")
    return " ".join(words)


def typed(ms: int) -> str:
    """Return a duration as it is typed: `7d`, `1h30m`."""
    parts = []
    rest = ms
    for unit, length in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, rest = divmod(rest, length)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"


def side(task: TaskState | None, room: int) -> Line:
    """Return how a task ended in one of two runs, and how long it took, the times one above the other."""
    if task is None:
        return [(glyphs.DASH, "faint")]
    shape, role = present_task.task_shape(task.status)
    took = humanise(task.duration_ms) if task.duration_ms is not None and task.status is not TaskStatus.PENDING else ""
    line: Line = [(f"{shape} ", role), (f"{took:>6}", "plain" if task.status is TaskStatus.COMPLETED else "muted")]
    if task.status is TaskStatus.FAILED and (how := present_task.outcome(task)):
        line.append((f" {how}", "muted"))
    return present.cut(line, room)


def delta(task: TaskComparison) -> Line:
    """Return how much longer a task took, with a sign, where that can be said."""
    if task.delta_ms is None:
        return []
    if abs(task.delta_ms) < 5:
        return [(glyphs.DASH, "faint")]  # less than is shown of how long they took
    text = f"{'+' if task.delta_ms >= 0 else '-'}{humanise(abs(task.delta_ms))}"
    if Difference.SLOWER in task.differences:
        return [(text, "failed")]
    return [(text, "done" if Difference.FASTER in task.differences else "faint")]


def differences(task: TaskComparison) -> Line:
    """Return in what a task differs, what matters most first."""
    line: Line = []
    for difference in task.differences:
        word, role = _WORDS[difference]
        if difference is Difference.DEFINITION:
            word = " and ".join(task.changed) + " changed"
        elif difference is Difference.RESULT and task.before is not None and task.after is not None:
            word, role = _result(task.before, task.after)
        line += [(", " if line else "", "muted"), (word, role)]
    return line


def _result(before: TaskState, after: TaskState) -> Segment:
    if before.status is after.status:
        return "fails in another way", "failed"
    return {
        TaskStatus.COMPLETED: ("succeeds now", "done"),
        TaskStatus.FAILED: ("fails now", "failed"),
        TaskStatus.SKIPPED: ("skipped now", "skipped"),
        TaskStatus.IN_PROGRESS: ("still running", "running"),
        TaskStatus.PENDING: ("did not run", "muted"),
    }[after.status]


def comparison_head(found: RunComparison, room: int) -> list[Line]:
    """Return what two runs are, and how they differ as a whole."""
    change = found.elapsed_after - found.elapsed_before
    sign = "+" if change >= 0 else "-"
    head: Line = [
        (found.before, "strong"),
        (f"  {glyphs.RIGHT}  ", "muted"),
        (found.after, "strong"),
    ]
    took: Line = [
        (f"{humanise(found.elapsed_before)} {glyphs.RIGHT} {humanise(found.elapsed_after)}", "plain"),
        (f"  {sign}{humanise(abs(change))}", "failed" if change > 0 else "done"),
        ("   ", "plain"),
    ]
    if found.jobs_before != found.jobs_after:
        took += [
            (f"{found.jobs_before:,} {glyphs.RIGHT} {quantity.plural(found.jobs_after, 'job')}", "paused"),
            ("   ", "plain"),
        ]
    numbers: Line = []
    for difference, (word, role) in _WORDS.items():
        if count := found.count(difference):
            numbers += [(f"{count:,}", role), (f" {word}", "muted"), ("  ", "plain")]
    if not numbers:
        numbers = [("No task differs.", "muted"), ("  ", "plain")]
    plan: Segment = ("the same plan", "faint") if found.same_plan else ("the plan has changed between them", "paused")
    return [present.cut(head, room), present.cut([*took, *numbers, plan], room)]


def comparison_details(task: TaskComparison | None, found: RunComparison, *, all_tasks: bool) -> list[Line]:
    """Return what is to be said of one task, and the command that does the same for all.

    `all_tasks`: those that do not differ are shown too.
    """
    lines: list[Line] = []
    if task is not None:
        lines.append([(task.task, "strong")])
        if said := differences(task):
            lines.append(said)
        for name, known in (("before", task.before), ("after", task.after)):
            lines.append([(f"{name:<8}", "muted"), *_told(known)])
        lines.append([])
    elif found.tasks:
        lines += [[("No task differs. ", "plain"), keys.cap("compare.all"), (" shows all of them.", "muted")], []]
    command = f"specular checkpoint compare {found.before} {found.after}{' --all' if all_tasks else ''}"
    return [*lines, [("the same: ", "muted"), (command, "accent")]]


def _told(task: TaskState | None) -> Line:
    if task is None:
        return [("that run has no such task", "muted")]
    shape, role = present_task.task_shape(task.status)
    line: Line = [(f"{shape} {task.status}", role)]
    if task.duration_ms is not None:
        line.append((f" in {humanise(task.duration_ms)}", "plain"))
    if task.attempt > 1:
        line.append((f", attempt {task.attempt}", "muted"))
    if task.status is TaskStatus.FAILED and (how := present_task.outcome(task)):
        line.append((f", {how}", "muted"))
    if task.outputs:
        total = sum(output.size for output in task.outputs)
        line.append((f", {quantity.plural(len(task.outputs), 'output')} of {quantity.size(total)}", "muted"))
    return line
