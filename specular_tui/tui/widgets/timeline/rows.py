"""What stands in the rows of the timeline: every attempt of every task, by slot or by task. Pure; it paints nothing.

By slot there are as few rows as attempts ran at once. Attempts come in the order in which they started, as the journal
has them, and so rows only grow at their ends: a live run costs what changes, and not what there is.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Final, Literal

from specular_tui.model.run import Attempt, RunState, TaskState
from specular_tui.model.slots import Slots
from specular_tui.model.usual import Usual, is_slow

Order = Literal["slot", "task"]
ORDERS: Final[tuple[Order, ...]] = ("slot", "task")

#: The end of an attempt that still runs.
_OPEN: Final = 1 << 62
#: Attempts that are taken in one go: some 5 ms.
_SLICE: Final = 2000


class Span:
    """One attempt of a task or a gate, from its start to its end (milliseconds since the epoch)."""

    __slots__ = ("attempt", "end", "index", "outcome", "row", "start", "task")

    def __init__(self, task: str, attempt: int, start: int) -> None:
        self.task = task
        self.attempt = attempt
        self.start = start
        self.end = _OPEN
        #: `completed`, `failed`, `interrupted`, or "" while it runs.
        self.outcome = ""
        self.row = self.index = 0

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self.end == _OPEN


class Row:
    """Attempts that do not overlap, in order. The lists name, by index, those that stand out."""

    __slots__ = ("critical", "failed", "slow", "spans", "starts")

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.starts = array("q")
        self.failed: list[int] = []
        self.slow: list[int] = []
        self.critical: list[int] = []

    def within(self, since: int, until: int) -> range:
        """Return the indices of the attempts that lie in `[since, until)`, or reach into it."""
        first = bisect_left(self.starts, since)
        if first and self.spans[first - 1].end > since:
            first -= 1
        return range(first, bisect_left(self.starts, until, first))

    def nearest(self, moment: int) -> Span | None:
        """Return the attempt that ran at a moment, or whose start is nearest to it."""
        if not self.spans:
            return None
        at = bisect_right(self.starts, moment) - 1
        if at < 0:
            return self.spans[0]
        found = self.spans[at]
        if found.end <= moment and at + 1 < len(self.spans):
            after = self.spans[at + 1]
            if after.start - moment < moment - found.end:
                return after
        return found


def any_in(indices: list[int], wanted: range) -> bool:
    """Tell whether one of the sorted `indices` is in `wanted`."""
    at = bisect_left(indices, wanted.start)
    return at < len(indices) and indices[at] < wanted.stop


class Chart:
    """All attempts of a run, in rows."""

    def __init__(self, order: Order = "slot") -> None:
        """`order` says what a row is: a slot, or a task."""
        self.order: Order = order
        self.rows: list[Row] = []
        #: The latest attempt of each task that has started.
        self.latest: dict[str, Span] = {}
        self.count = 0
        self._usual: Mapping[str, Usual] = {}
        self._critical: frozenset[str] = frozenset()
        self._slots = Slots()

    # Filling

    def load(self, state: RunState) -> None:
        """Take all attempts that a run has had."""
        for _ in self.loading(state):
            pass

    def loading(self, state: RunState) -> Iterator[int]:
        """Take all attempts that a run has had, in slices of a few milliseconds; yield how many are there."""
        found: list[tuple[int, int, str, TaskState | Attempt]] = []
        for tasks in (state.tasks, state.gates):
            for task_id, task in tasks.items():
                if task.started_at is not None:
                    for earlier in task.earlier:
                        found.append((earlier.started_at, len(found), task_id, earlier))
                    found.append((task.started_at, len(found), task_id, task))
        found.sort()
        for start, number, task_id, attempt in found:
            self._add(task_id, attempt, start)
            if number % _SLICE == _SLICE - 1:
                yield self.count
        yield self.count

    def touch(self, state: RunState, ids: Iterable[str]) -> None:
        """Bring tasks up to date that have changed; they have had their attempts in any order among each other."""
        new: list[tuple[int, int, str, TaskState | Attempt]] = []
        for task_id in ids:
            task = state.tasks.get(task_id) or state.gates.get(task_id)
            if task is None or task.started_at is None:
                continue
            known = self.latest.get(task_id)
            attempts: list[TaskState | Attempt] = [*task.earlier, task]
            for attempt in attempts:
                start = attempt.started_at
                if start is None or (known is not None and attempt.attempt < known.attempt):
                    continue
                if known is not None and attempt.attempt == known.attempt:
                    if known.running:
                        self._end(known, attempt)
                else:
                    new.append((start, len(new), task_id, attempt))
        new.sort()
        for start, _, task_id, attempt in new:
            self._add(task_id, attempt, start)

    def _add(self, task_id: str, attempt: TaskState | Attempt, start: int) -> None:
        span, before = Span(task_id, attempt.attempt, start), self.latest.get(task_id)
        if before is not None:
            self._leave(before, start)
        span.row = self._row_for(span)
        row = self.rows[span.row]
        if row.spans:
            # A clock that was set back must not let bars lie over each other.
            span.start = max(start, row.spans[-1].end)
        span.index = len(row.spans)
        row.spans.append(span)
        row.starts.append(span.start)
        self.latest[task_id] = span
        self.count += 1
        self._end(span, attempt)
        if task_id in self._critical:
            row.critical.append(span.index)

    def _leave(self, before: Span, start: int) -> None:
        """Another attempt of the same task has begun: it is that one that counts now."""
        row = self.rows[before.row]
        if before.running:
            # Nobody has said how it ended.
            before.end, before.outcome = max(before.start, start), "interrupted"
            if self.order == "slot":
                self._slots.leave(before.row, before.end)
        if before.index in row.critical:
            row.critical.remove(before.index)

    def _row_for(self, span: Span) -> int:
        if self.order == "task":
            known = self.latest.get(span.task)
            if known is not None:
                return known.row
        else:
            slot = self._slots.take(span.start)
            if slot < len(self.rows):
                return slot
        self.rows.append(Row())
        return len(self.rows) - 1

    def _end(self, span: Span, attempt: TaskState | Attempt) -> None:
        """Take over how an attempt ended, if it has."""
        end = attempt.completed_at
        if not attempt.outcome or end is None:
            return
        span.end, span.outcome = max(end, span.start), attempt.outcome
        row = self.rows[span.row]
        if span.outcome == "failed":
            row.failed.append(span.index)
        self._judge(span, attempt.duration_ms)
        if self.order == "slot":
            self._slots.leave(span.row, span.end)

    # What stands out

    def _judge(self, span: Span, took: int | None) -> None:
        past = self._usual.get(span.task)
        if past is not None and took is not None and span.outcome == "completed" and is_slow(took, past):
            insort(self.rows[span.row].slow, span.index)

    def compare(self, state: RunState, usual: Mapping[str, Usual]) -> None:
        """Mark the attempts that took longer than usual."""
        self._usual = usual
        for row in self.rows:
            row.slow.clear()
        for task_id, span in self.latest.items():
            task = state.tasks.get(task_id) or state.gates.get(task_id)
            if task is not None and task.attempt == span.attempt:
                self._judge(span, task.duration_ms)

    def mark_critical(self, path: Collection[str]) -> bool:
        """Mark the latest attempts of the tasks on the critical path; return whether that changes anything."""
        wanted = frozenset(path)
        if wanted == self._critical:
            return False
        for row in {self.latest[task_id].row for task_id in self._critical if task_id in self.latest}:
            self.rows[row].critical.clear()
        self._critical = wanted
        for task_id in wanted:
            if (span := self.latest.get(task_id)) is not None:
                insort(self.rows[span.row].critical, span.index)
        return True

    def is_slow(self, span: Span) -> bool:
        """Tell whether an attempt took longer than usual."""
        return self.has(span) and any_in(self.rows[span.row].slow, range(span.index, span.index + 1))

    def is_critical(self, span: Span) -> bool:
        """Tell whether an attempt is on the critical path."""
        return self.has(span) and any_in(self.rows[span.row].critical, range(span.index, span.index + 1))

    @property
    def slow(self) -> int:
        """How many attempts took longer than usual."""
        return sum(len(row.slow) for row in self.rows)

    # Finding

    def has(self, span: Span) -> bool:
        """Tell whether an attempt is one of these; it may be of a chart that this one is about to take the place of."""
        spans = self.rows[span.row].spans if span.row < len(self.rows) else ()
        return span.index < len(spans) and spans[span.index] is span

    def first(self) -> Span | None:
        """Return the attempt that started first."""
        return min((row.spans[0] for row in self.rows), key=_start, default=None)

    def last(self) -> Span | None:
        """Return the attempt that started last."""
        return max((row.spans[-1] for row in self.rows), key=_start, default=None)

    def beside(self, span: Span, step: int) -> Span | None:
        """Return the attempt `step` further on in the same row, None where that has no more."""
        if not self.has(span):
            return None
        spans, at = self.rows[span.row].spans, span.index + step
        return spans[at] if 0 <= at < len(spans) else None

    def marked(self, span: Span | None, step: int, *, critical: bool) -> Span | None:
        """Return the next attempt in time that failed or was slow (or is on the critical path), round the end."""
        found = [
            row.spans[index] for row in self.rows for index in (row.critical if critical else {*row.failed, *row.slow})
        ]
        if not found:
            return None
        found.sort(key=_place)
        here = (span.start, span.row) if span is not None else (0, -1)
        if step > 0:
            return next((each for each in found if _place(each) > here), found[0])
        return next((each for each in reversed(found) if _place(each) < here), found[-1])


def _start(span: Span) -> int:
    return span.start


def _place(span: Span) -> tuple[int, int]:
    return span.start, span.row
