"""How things are said: pure functions from the state of a run to text in segments.

A segment is a text and a role; `theme` gives roles their colours. Texts may be foreign (a title, an error): whoever
paints segments makes them inert first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.cells import cell_len, set_cell_size

from specular_tui.model.duration import humanise
from specular_tui.model.quantity import plural, size
from specular_tui.model.run import RunState, TaskStatus
from specular_tui.tui import glyphs, keys
from specular_tui.tui.clock import Clock
from specular_tui.tui.safe import plain
from specular_tui.tui.views import Desk, RunRow, RunView

#: A text and the role that it plays (a key of `theme.ROLES`).
Segment = tuple[str, str]
Line = list[Segment]

_RUN_SHAPES: Final = {
    "created": (glyphs.PENDING, "muted"),
    "in_progress": (glyphs.RUNNING, "running"),
    "paused": (glyphs.FROZEN, "paused"),
    "completed": (glyphs.DONE, "done"),
    "failed": (glyphs.FAILED, "failed"),
    "retrying": (glyphs.RETRYING, "running"),
    "abandoned": (glyphs.ABANDONED, "muted"),
    "damaged": ("!", "failed"),
}
_RUN_WORDS: Final = {"in_progress": "running"}
#: In the order of the bar: what is settled first, what is to come last.
_BAR: Final = (
    (TaskStatus.COMPLETED, "done", "done"),
    (TaskStatus.FAILED, "failed", "failed"),
    (TaskStatus.SKIPPED, "skipped", "skipped"),
    (TaskStatus.IN_PROGRESS, "running", "running"),
    (TaskStatus.PENDING, "pending", "to go"),
)
_BAR_LINES: Final = {
    "done": glyphs.BAR_DONE,
    "failed": glyphs.BAR_FAILED,
    "skipped": glyphs.BAR_SKIPPED,
    "running": glyphs.BAR_RUNNING,
    "pending": glyphs.BAR_PENDING,
}
_REASONS: Final = {
    "interrupted": "its process vanished without a last word",
    "SIGINT": "interrupted from the keyboard (Ctrl+C)",
    "SIGTERM": "stopped by a signal (SIGTERM)",
    "SIGHUP": "its terminal was closed (SIGHUP)",
    "stopped": "stopped on request",
    "storage": "the checkpoint could not be written",
}


def width(line: Line) -> int:
    """Return the cells that a line takes as it is painted: with what is hostile in it made inert."""
    return sum(cell_len(plain(text)) for text, _ in line)


def cut(line: Line, room: int) -> Line:
    """Return the line, cut with `…` where it is longer than `room` cells."""
    if width(line) <= room:
        return line
    short: Line = []
    left = room - 1
    for raw, role in line:
        text = plain(raw)
        if (length := cell_len(text)) > left:
            return [*short, (set_cell_size(text, max(0, left)).rstrip() + glyphs.ELLIPSIS, role)] if room > 0 else []
        short.append((text, role))
        left -= length
    return short


def wrapped(line: Line, room: int, indent: int | None = None) -> list[Line]:
    """Return the line in lines of at most `room` cells, broken between words.

    What goes on is indented a little more, or by `indent` cells. A word that is longer than a line is broken where it
    stands, behind one of the signs that ids and paths are made of where there is one.
    """
    if width(line) <= room or room < 12:
        return [line]
    chars = [(char, role) for text, role in line for char in plain(text)]
    if indent is None:
        indent = min(next((at for at, (char, _) in enumerate(chars) if char != " "), 0) + 2, room // 3)
    lines: list[Line] = []
    while chars:
        used = end = 0
        left = room - (indent if lines else 0)
        while end < len(chars) and (used := used + cell_len(chars[end][0])) <= left:
            end += 1
        if end < len(chars):
            space = next((at for at in range(end, 0, -1) if chars[at][0] == " "), 0)
            first_word = next((at for at, (char, _) in enumerate(chars) if char != " "), 0)
            end = max(1, end) if space <= first_word or _is_long(chars, space, room - indent) else space
            if end != space:
                joint = next((at for at in range(end, space + 1, -1) if chars[at - 1][0] in "/-._:"), 0)
                end = joint if joint > first_word + 1 else end
        lines.append([*([(" " * indent, "plain")] if lines else []), *_joined(chars[:end])])
        while end < len(chars) and chars[end][0] == " ":
            end += 1
        chars = chars[end:]
    return lines


def _is_long(chars: Sequence[Segment], space: int, room: int) -> bool:
    """Tell whether the word behind a space has no room in a line of its own."""
    end = next((at for at in range(space + 1, len(chars)) if chars[at][0] == " "), len(chars))
    return sum(cell_len(char) for char, _ in chars[space + 1 : end]) > room


def _joined(chars: Sequence[Segment]) -> Line:
    line: Line = []
    for char, role in chars:
        if line and line[-1][1] == role:
            line[-1] = (line[-1][0] + char, role)
        else:
            line.append((char, role))
    return line


def spread(left: Sequence[Line], right: Sequence[Line], room: int) -> Line:
    """Return a line of `room` cells with parts at both ends; where there is no room the last ones of `right` go first.

    What is left of the left parts then is cut.
    """
    gap: Segment = ("  ", "plain")
    head: Line = [segment for part in left for segment in (*part, gap)][:-1]
    tails = list(right)
    while tails and width(head) + 2 + sum(width(tail) + 2 for tail in tails) - 2 > room:
        if len(tails) == 1 and room >= 40:
            break
        tails.pop()
    tail: Line = [segment for part in tails for segment in (*part, gap)][:-1]
    head = cut(head, room - width(tail) - (2 if tail else 0))
    return [*head, (" " * max(0, room - width(head) - width(tail)), "plain"), *tail]


def short_path(path: str, home: str) -> str:
    """Return a path as people write it: `~/orbit` for what lies at home."""
    return "~" + path[len(home) :] if path.startswith(home + "/") else path


def reason(text: str) -> str:
    """Return why a session ended, in plain words where the engine's own word is terse."""
    return _REASONS.get(text, text)


def run_badge(status: str, *, live: bool) -> Segment:
    """Return the shape and the word of a run's status."""
    shape, role = _RUN_SHAPES.get(status, (glyphs.UNKNOWN, "muted"))
    word = "starting" if live and status == "created" else _RUN_WORDS.get(status, status)
    return f"{shape} {word or 'unknown'}", role


def row_badge(row: RunRow) -> Segment:
    """Return the shape and the word of a run of the list."""
    if row.stopping:
        return f"{glyphs.DRAINING} stopping", "paused"
    if row.draining and row.status != "paused":
        return f"{glyphs.DRAINING} draining", "paused"
    return run_badge(row.status, live=row.live)


def badge(view: RunView, clock: Clock) -> Line:
    """Return the badge of the header: shape and word, and since when where the run stands still."""
    state = view.state
    text, role = run_badge(state.status, live=view.live)
    if state.stopping and view.live:
        ending = plural(len(state.running), "task")
        return [(f" {glyphs.DRAINING} STOPPING ", "badge-paused"), (f"  ends {ending}", "muted")]
    if state.draining and view.live and state.frozen_since is None:
        return [(f" {glyphs.DRAINING} DRAINING ", "badge-paused"), ("  starts nothing new", "muted")]
    line: Line = [(f" {text.upper()} ", f"badge-{role}")]
    if view.gone:
        line.append(("  deleted", "failed"))
    elif state.frozen_since is not None:
        line.append((f"  since {clock.time(state.frozen_since)}", "paused"))
    elif state.status == "completed" and (left_out := left_out_of(state)):
        line.append((f"  {left_out}", "paused"))
    return line


def left_out_of(state: RunState) -> str:
    """Return what a completed run did not complete: `3 skipped`, `1 failed, allowed`; "" where that is nothing."""
    skipped, failed = state.count(TaskStatus.SKIPPED), state.count(TaskStatus.FAILED)
    parts = [f"{skipped:,} skipped"] if skipped else []
    parts += [f"{failed:,} failed, allowed"] if failed else []
    return ", ".join(parts)


def bar(counts: Sequence[tuple[str, int]], width: int) -> Line:
    """Return a bar of `width` cells, segmented by (role, count); what is there gets at least one cell."""
    total = sum(count for _, count in counts)
    if width < 1 or not total:
        return [(glyphs.BAR_PENDING * max(0, width), "pending")]
    present = [(role, count) for role, count in counts if count]
    if len(present) > width:
        present = present[:width]
    cells = [max(1, count * width // total) for _, count in present]
    while sum(cells) != width:
        step = 1 if sum(cells) < width else -1
        # Give to, or take from, the one that is furthest from its share.
        off = [
            (step * (count * width / total - cell), index)
            for index, ((_, count), cell) in enumerate(zip(present, cells, strict=True))
            if step > 0 or cell > 1
        ]
        cells[max(off)[1]] += step
    return [(_BAR_LINES[role] * cell, f"bar-{role}") for (role, _), cell in zip(present, cells, strict=True)]


def state_bar(state: RunState, width: int) -> Line:
    """Return the bar of a run, segmented by the states of its tasks."""
    return bar([(role, state.count(status)) for status, role, _ in _BAR], width)


def row_bar(row: RunRow, width: int) -> Line:
    """Return the bar of a run in the list."""
    rest = row.total - row.completed - row.failed - row.skipped
    counts = [("done", row.completed), ("failed", row.failed), ("skipped", row.skipped), ("pending", max(0, rest))]
    return bar(counts, width)


def counts(state: RunState, blocked: int = 0) -> Line:
    """Return `58/100 done  1 failed  4 running`; what is zero is left out, and so is what is to go.

    `blocked` tasks cannot run because of those that failed.
    """
    line: Line = [
        (f"{state.count(TaskStatus.COMPLETED):,}", "strong"),
        (f"/{state.total:,} done", "muted"),
    ]
    for status, role, word in _BAR[1:-1]:
        if count := state.count(status):
            if status is TaskStatus.IN_PROGRESS and state.frozen_since is not None:
                role, word = "paused", "frozen"
            line += [("  ", "plain"), (f"{count:,}", role), (f" {word}", "muted")]
        if status is TaskStatus.FAILED and blocked:
            line += [("  ", "plain"), (f"{blocked:,}", "paused"), (" blocked", "muted")]
    if gates := sum(gate.status is TaskStatus.FAILED for gate in state.gates.values()):
        # All tasks may be done, and the run has failed all the same.
        line += [("  ", "plain"), (f"{gates:,}", "failed"), (f" gate{'' if gates == 1 else 's'} failed", "muted")]
    return line


def no_run(newest: RunRow | None = None) -> list[Line]:
    """Return what stands where no run is open; `newest` is the one that a key opens in Build."""
    offer: list[Line] = []
    if newest is not None:
        about = f", which {'can go on' if newest.resumable else 'is ' + newest.status}."
        offer = [[keys.cap("app.open_newest"), (" opens ", "muted"), (newest.run_id, "plain"), (about, "muted")]]
    return [
        [("No run is open.", "strong")],
        [],
        *offer,
        [
            keys.cap("app.mode.checkpoints"),
            (" lists the runs of this directory; ", "muted"),
            keys.cap("checkpoints.open"),
            (" opens one.", "muted"),
        ],
        [keys.cap("app.new_build"), (" starts a build; one that is started in a shell opens by itself.", "muted")],
    ]


def settled(state: RunState) -> int:
    """Return how many tasks have come to an end."""
    return state.total - state.count(TaskStatus.PENDING) - state.count(TaskStatus.IN_PROGRESS)


def directory(desk: Desk) -> Line:
    """Return what lies in the checkpoint directory, in numbers."""
    if not desk.listed:
        return [(f"reading {glyphs.ELLIPSIS}", "muted")]
    runs = desk.runs
    if not runs:
        return []
    line: Line = [(f"{len(runs):,}", "strong"), (" run" if len(runs) == 1 else " runs", "muted")]
    for number, word, role in (
        (sum(row.live for row in runs), "live", "running"),
        (sum(row.resumable for row in runs), "resumable", "strong"),
        (sum(bool(row.damage) for row in runs), "damaged", "failed"),
    ):
        if number:
            line += [("  ", "plain"), (f"{number:,}", role), (f" {word}", "muted")]
    if total := sum(row.size or 0 for row in runs):
        line += [("  ", "plain"), (size(total), "strong"), (" on disk", "muted")]
    if desk.trash[0]:
        line += [("  ", "plain"), (size(desk.trash[1]), "strong"), (" in the trash", "muted")]
    return line


def why_ended(state: RunState) -> str:
    """Return why a run that no process works on stands where it stands, as a sentence without a full stop."""
    if state.interrupted:
        return reason("interrupted")
    return reason(state.reason)


def standing(view: RunView) -> Line:
    """Return why a stored run that can be resumed stands where it stands, or an empty line."""
    state = view.state
    if view.live or view.gone or state.status != "paused":
        return []
    return [(f"{glyphs.FROZEN} ", "paused"), (why_ended(state) or "stopped", "plain")]


def text(line: Line) -> str:
    """Return a line without its roles."""
    return "".join(part for part, _ in line)


def closing_words(view: RunView | None, *, leaving: str, started: str = "", program: str = "specular") -> list[str]:
    """Return what is printed on the normal screen after the application has ended.

    `program` is what to type for `specular` here. `leaving` is what was done with a live build: `detach`, `pause`,
    `stop`, `kill`, or "" where nothing was asked. `started` is the run that was started with the application; it
    may not have come into view yet.
    """
    if view is None and started:
        view = RunView(started, RunState(run_id=started), live=True)
    if view is None or view.gone:
        return []
    run, state = view.run_id, view.state
    if view.live:
        back, unpause = f"come back:  {program} dashboard {run}", f"go on:      {program} unpause {run}"
        if leaving in ("stop", "kill") or state.stopping:
            how, ways = f"{run} is stopping; its checkpoint is saved.", [f"go on:  {program} build --resume {run}"]
        elif leaving == "pause" or state.frozen_since is not None:
            how, ways = f"{run} stands frozen.", [unpause, back]
        elif state.draining:
            how, ways = f"{run} lets running tasks end, and starts nothing new.", [unpause, back]
        else:
            how, ways = f"{run} goes on in the background.", [back, f"stop it:    {program} stop {run}"]
        return [how, *(f"  {way}" for way in ways)]
    done, total = state.count(TaskStatus.COMPLETED), state.total
    word = _RUN_WORDS.get(state.status, str(state.status))
    lines = [f"{run} {word}: {done:,} of {plural(total, 'task')} completed in {humanise(state.elapsed_ms)}"]
    lines += [f"  {glyphs.FAILED} {task}" for task in state.failed_for_good()[:10]]
    if row_resumable(state):
        lines.append(f"  go on:  {program} build --resume {run}")
    return lines


def row_resumable(state: RunState) -> bool:
    """Tell whether a run that is not live can be resumed."""
    return state.status in ("created", "in_progress", "paused", "failed", "retrying")


def way_on(name: str, command: str) -> list[Line]:
    """Return what can be done, and the command that does it."""
    return [[(name, "muted")], [("  ", "plain"), (command, "accent")], []]
