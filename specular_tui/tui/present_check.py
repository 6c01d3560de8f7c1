"""How the check of a run is said: pure functions from what was found to text in segments."""

from __future__ import annotations

import re
from typing import Final

from rich.cells import cell_len

from specular_tui.model import quantity
from specular_tui.model.duration import humanise
from specular_tui.model.run import GATE_PREFIX, RunState, TaskState, TaskStatus
from specular_tui.tui import glyphs, keys, present, present_task
from specular_tui.tui.clock import Clock
from specular_tui.tui.present import Line
from specular_tui.tui.views import CHECKS, RunCheck, RunRow

#: So many details of one check are listed.
_MOST: Final = 200
#: Files of which more depends than their own bytes, and what that is.
_GRAVE: Final = {
    "journal.jsonl": "its journal is damaged: what it had recorded last is lost",
    "plan.json": "its plan.json is not the plan that it was built by",
    "policy.yaml": "its policy.yaml is not the policy that it was built by",
}
_DIGESTS: Final = re.compile(r"(?P<before>.*?)(?:: )?expected (?P<expected>\S+), found (?P<found>\S+)", re.DOTALL)


def heading(row: RunRow, clock: Clock, room: int, *, other: bool = False) -> Line:
    """Return the line that says which run it is about; `other`: the lines at the top are about another one."""
    badge, role = present.row_badge(row)
    line: Line = [("not the open run, but ", "paused")] if other else []
    line += [(row.run_id, "strong"), (f"  {badge}", role)]
    if row.plan_name:
        line.append((f"  {row.plan_name}", "muted"))
    if row.updated_at:
        line.append((f"  {quantity.age(clock.now() - row.updated_at)}", "muted"))
    return present.cut(line, room)


def verdict(check: RunCheck | None, row: RunRow, clock: Clock, room: int) -> list[Line]:
    """Return what is known of the run as a whole."""
    if check is None:
        return [
            [
                ("Not checked yet. ", "plain"),
                keys.cap("validation.validate"),
                (" reads every file and proves every hash.", "muted"),
            ],
            [("Nothing is changed by it.", "muted")],
        ]
    if check.running:
        return [
            _progress(check, room),
            [keys.cap("validation.cancel"), (" gives it up; nothing is changed by it", "muted")],
        ]
    when = clock.time(check.ended_at or 0)
    if check.problem:
        return [[("! could not be checked: ", "failed"), (check.problem, "plain")], [(f"tried at {when}", "muted")]]
    if check.cancelled:
        return [
            [
                ("given up", "paused"),
                ("; nothing is known of it. ", "muted"),
                keys.cap("validation.validate"),
                (" begins anew", "muted"),
            ]
        ]
    if check.sound:
        lines: list[Line] = [
            [(f"{glyphs.DONE} sound", "done"), (f"  checked at {when}", "muted")],
            [("Every file is there, and as it was written.", "muted")],
        ]
    else:
        failed = sum(bool(found) for found in check.found)
        how = f"  {failed} of {len(CHECKS)} checks failed, at {when}"
        lines = [[(f"{glyphs.FAILED} damaged", "failed-strong"), (how, "muted")]]
        lines += [[(f"! {word}", "failed")] for name, word in _GRAVE.items() if name in check.files]
    if check.live:
        lines.append([("It was being built meanwhile: this is how it stood then.", "paused")])
    elif check.updated_at and row.updated_at and check.updated_at != row.updated_at:
        lines.append(
            [
                ("The run has moved on since: ", "paused"),
                keys.cap("validation.validate"),
                (" checks it again", "paused"),
            ]
        )
    return lines


def _progress(check: RunCheck, room: int) -> Line:
    if not check.total:
        return [(f"checking {glyphs.ELLIPSIS}", "running")]
    said: Line = [(f"   {quantity.size(check.done)}", "strong"), (f" of {quantity.size(check.total)}", "muted")]
    counts = [("running", check.done), ("pending", max(0, check.total - check.done))]
    return [*present.bar(counts, max(4, min(48, room - present.width(said)))), *said]


def checks(check: RunCheck | None, room: int) -> list[Line]:
    """Return the five checks, each with what is wrong below it."""
    lines: list[Line] = []
    for number, name in enumerate(CHECKS):
        if check is not None and check.proven:
            found = check.found[number]
            good: Line = [(f"{glyphs.DONE} ", "done"), (name, "plain")]
            lines.append([(f"{glyphs.FAILED} ", "failed"), (name, "failed-strong")] if found else good)
            for detail in found[:_MOST]:
                lines += _detail(detail, room)
            if len(found) > _MOST:
                lines.append([(f"    and {len(found) - _MOST:,} more", "muted")])
        elif check is not None and check.running:
            lines.append([(f"{glyphs.ELLIPSIS} ", "running"), (name, "muted")])
        else:
            lines.append([(f"{glyphs.PENDING} ", "pending"), (name, "muted")])
    return lines


def _detail(detail: str, room: int) -> list[Line]:
    """Return what is wrong with a file: digests that differ stand one above the other, cut rather than broken."""
    file, colon, reason = detail.partition(": ")
    if not colon:
        return [[(f"    {detail}", "plain")]]
    line: Line = [("    ", "plain"), (file, "strong")]
    digests = _DIGESTS.fullmatch(reason)
    if digests is None:
        return [[*line, (f"  {reason}", "muted")]]
    if digests["before"]:
        line.append((f"  {digests['before']}", "muted"))
    return [
        line,
        present.cut([("      expected  ", "muted"), (digests["expected"], "done")], room),
        present.cut([("      found     ", "muted"), (digests["found"], "failed")], room),
    ]


def notes(check: RunCheck | None) -> list[Line]:
    """Return what is worth knowing and no damage."""
    if check is None or not check.notes:
        return []
    lines: list[Line] = [[("Worth knowing, and no damage", "muted")]]
    lines += [[("  ", "plain"), (note, "plain")] for note in check.notes[:_MOST]]
    if len(check.notes) > _MOST:
        lines.append([(f"  and {len(check.notes) - _MOST:,} more", "muted")])
    return lines


def ways_on(check: RunCheck | None, row: RunRow) -> list[Line]:
    """Return what can be done with a damaged run: the keys, and the commands that do the same."""
    if check is None or not check.proven or check.sound:
        return []
    if row.live:
        return present.way_on("It is being built. To repair or remove it, stop it first", f"specular stop {row.run_id}")
    return [
        *_way("validation.repair", _repair(check), f"specular build --resume {row.run_id} --repair"),
        *_way(
            "validation.restore",
            "restore it from an archive",
            f"specular checkpoint delete {row.run_id} --trash && specular checkpoint import FILE",
        ),
        *_way("validation.delete", "delete the run", f"specular checkpoint delete {row.run_id} --trash"),
    ]


def _repair(check: RunCheck) -> str:
    """Return what a repair does: it runs tasks, puts copies back, and writes anew what follows from the journal."""
    deeds = []
    if check.damaged:
        more = f" and {len(check.damaged) - 3:,} more" if len(check.damaged) > 3 else ""
        deeds.append(f"run again what is damaged: {', '.join(check.damaged[:3])}{more}")
    copies = [name for name in ("plan.json", "policy.yaml") if name in check.files]
    if copies:
        deeds.append(f"put {' and '.join(copies)} back from this folder, if it is the same there")
    return "; ".join(deeds) or "write anew what can be written anew, and go on"


def _way(row_id: str, what: str, command: str) -> list[Line]:
    # What goes on in another line is indented by two.
    return [[keys.cap(row_id), (f" {what}", "plain")], [("  ", "plain"), (command, "accent")], []]


def short(check: RunCheck, clock: Clock) -> Line:
    """Return what the list of runs says of a check; nothing where it is not known."""
    if not check.proven:
        return []
    word = (f"{glyphs.DONE} sound", "done") if check.sound else (f"{glyphs.FAILED} damaged", "failed")
    return [word, (f"  {quantity.age(clock.now() - (check.ended_at or 0))}", "muted")]


def badge(row: RunRow, check: RunCheck | None, clock: Clock) -> Line:
    """Return what is known of a run's integrity in eleven cells: sound or damaged and since when, or nothing yet."""
    if row.damage:
        return [(f"{glyphs.FAILED} damaged", "failed")]
    if check is not None and check.running:
        share = f" {min(99, 100 * check.done // check.total)} %" if check.total else ""
        return [(f"{glyphs.RUNNING} checking"[: 11 - len(share)] + share, "running")]
    if row.flaw and not row.live:
        return [(f"{glyphs.FAILED} damaged", "failed")]
    if check is None or not check.proven or (row.live and not check.sound):
        return [("unchecked", "faint")]
    if not check.sound:
        return [(f"{glyphs.FAILED} damaged", "failed")]
    if check.updated_at != row.updated_at:
        return [("unchecked", "faint")]
    when = quantity.age(clock.now() - (check.ended_at or 0)).removesuffix(" ago").replace("just now", "now")
    return [(f"{glyphs.DONE} ok", "done"), (f" {when}", "muted")]


def gates(state: RunState, now: int) -> list[Line]:
    """Return a line for each gate, their names one above the other."""
    wide = min(32, max((cell_len(gate_id) - 1 for gate_id in state.gates), default=0))
    return [_gate(gate_id, task, state, now, wide) for gate_id, task in state.gates.items()]


def _gate(gate_id: str, task: TaskState, state: RunState, now: int, wide: int) -> Line:
    """Return the line of a gate: its state, its name, how it ended, and how long it took."""
    shape, role = present_task.task_shape(task.status)
    line: Line = [(f"{shape} ", role), (f"{gate_id.removeprefix(GATE_PREFIX):<{wide}}", "plain")]
    word = {
        TaskStatus.COMPLETED: "passed",
        TaskStatus.FAILED: "failed",
        TaskStatus.IN_PROGRESS: "running",
        TaskStatus.SKIPPED: "skipped",
        TaskStatus.PENDING: "not run yet",
    }[task.status]
    line.append((f"  {word}", role if task.status in (TaskStatus.FAILED, TaskStatus.IN_PROGRESS) else "muted"))
    if task.status is TaskStatus.FAILED and (how := present_task.outcome(task)):
        line.append((f" ({how})", "muted"))
    elapsed = state.task_elapsed_until(task, now)
    if elapsed is not None and task.status in (TaskStatus.COMPLETED, TaskStatus.FAILED):
        line.append((f"  {humanise(elapsed)}", "muted"))
    return line
