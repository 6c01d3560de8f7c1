"""The rows of the task table: which tasks, in which order, and what each one says. Pure; it paints nothing."""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final, Literal

from specular_tui.model.duration import humanise, rough
from specular_tui.model.graph import Graph
from specular_tui.model.run import RunState, TaskState, TaskStatus
from specular_tui.tui.safe import plain
from specular_tui.tui.widgets.task.cells import KINDS, Cells, ended, running_time
from specular_tui.tui.widgets.task.filter import Filter

Sort = Literal["plan", "state", "duration"]
SORTS: Final[tuple[Sort, ...]] = ("plan", "state", "duration")

#: The order of `state`: what needs somebody first.
_RANKED: Final = (
    TaskStatus.FAILED,
    TaskStatus.IN_PROGRESS,
    TaskStatus.PENDING,
    TaskStatus.SKIPPED,
    TaskStatus.COMPLETED,
)
# A row's place is one integer: what it is sorted by, above its position in the plan.
_BITS: Final = 32
_MASK: Final = (1 << _BITS) - 1
_LONGEST_MS: Final = 1 << 30
_NEVER_RUN: Final = _LONGEST_MS + 1
_HIDDEN: Final = -1
#: Needs of one task are looked through up to here each time that its row is drawn.
_NEEDS: Final = 512


class Rows:
    """The tasks and gates of a run, those that the filter lets through, in the order asked for.

    Rows are counted from 0 as they are shown; positions are places in the plan, gates behind the tasks.
    """

    def __init__(self) -> None:
        self.state = RunState()
        #: Tasks that cannot run because one that they need has failed; whoever gave it keeps it up to date.
        self.blocked: Collection[str] = ()
        self.graph: Graph | None = None
        self.ids: list[str] = []
        self.titles: list[str] = []
        self.positions: dict[str, int] = {}
        self.id_width = 0
        self.title_width = 0
        self.retries = False
        self.estimated = False
        self.filter = Filter("")
        self.sort: Sort = "plan"
        #: Shown whatever the filter says: the task under the cursor does not vanish when its state changes.
        self.kept: int | None = None
        self._planned: dict[str, float] = {}
        self._estimates: Mapping[str, float] = {}
        #: Id and title of each position, and the same in small letters; made when first searched.
        self._hay: list[str] = []
        self._lower_hay: list[str] = []
        #: The place of each row in order; None: every position, in the order of the plan.
        self._places: list[int] | None = None
        #: For each position what its place is made of; `_HIDDEN` where the filter hides it.
        self._keys = array("q")
        #: How many tasks were blocked when they were last arranged.
        self._blocked = 0

    def __len__(self) -> int:
        return len(self.ids) if self._places is None else len(self._places)

    @property
    def total(self) -> int:
        """How many rows there are without a filter."""
        return len(self.ids)

    def load(
        self,
        state: RunState,
        graph: Graph | None,
        estimates: Mapping[str, float] | None,
        blocked: Collection[str] = (),
    ) -> None:
        """Take another run, or the same one with other tasks. `estimates` are milliseconds, before the plan's own."""
        self.blocked = blocked
        same = graph is self.graph and self.ids == [*state.tasks, *state.gates]
        self.state, self.graph = state, graph
        tasks = graph.tasks if graph is not None else {}
        if not same:
            self.ids = [*state.tasks, *state.gates]
            self.positions = {task_id: at for at, task_id in enumerate(self.ids)}
            self.titles = [
                plain(task.title) if (task := tasks.get(task_id)) is not None and task.title != task_id else ""
                for task_id in self.ids
            ]
            self.id_width = max(map(len, self.ids), default=0)
            self.title_width = max(map(len, self.titles), default=0)
            self._hay, self._lower_hay = [], []
            self.retries = any(task.retries for task in tasks.values())
            self._planned = {i: task.estimate * 1000 for i, task in tasks.items() if task.estimate}
        self.retries = self.retries or any(task.attempt > 1 for task in state.tasks.values())
        self._estimates = {**self._planned, **estimates} if estimates else self._planned
        self.estimated = bool(self._estimates)
        self.kept = None
        self.arrange()

    def task(self, position: int) -> TaskState:
        """Return the state of the task or gate at a position."""
        task_id = self.ids[position]
        return self.state.tasks.get(task_id) or self.state.gates.get(task_id) or TaskState()

    # Order -----------------------------------------------------------------------------------------------------------

    def arrange(self, now: int = 0) -> None:
        """Filter and sort anew."""
        self._blocked = len(self.blocked)
        if not self.filter and self.sort == "plan":
            self._places, self._keys = None, array("q")
            return
        tasks = [*self.state.tasks.values(), *self.state.gates.values()]
        shown: Sequence[int] = self._with_words(tasks)
        if self.filter.by_state:
            ids, wants, blocked = self.ids, self.filter.wants, self.blocked
            shown = [at for at in shown if wants(tasks[at].status, blocked=ids[at] in blocked)]
        if self.kept is not None and self.filter and self.kept not in shown:
            shown = sorted([*shown, self.kept])
        self._keys = keys = array("q", [_HIDDEN]) * len(self.ids)
        match self.sort:
            case "plan":
                self._places = list(shown)
                for at in shown:
                    keys[at] = 0
            case "state":
                self._places = []
                for rank, status in enumerate(_RANKED):
                    group = [at for at in shown if tasks[at].status is status]
                    for at in group:
                        keys[at] = rank
                    self._places += [rank << _BITS | at for at in group]
            case "duration":
                for at in shown:
                    keys[at] = self._key(at, tasks[at], now)
                self._places = sorted([keys[at] << _BITS | at for at in shown])

    def _with_words(self, tasks: Sequence[TaskState]) -> Sequence[int]:
        words, either = self.filter.words, self.filter.either
        first = len(self.state.tasks) if self.filter.gates else 0
        if not words and not either:
            return range(first, len(self.ids))
        if not self._hay:
            self._hay = [f"{i}\n{title}" for i, title in zip(self.ids, self.titles, strict=True)]
            self._lower_hay = [text.lower() for text in self._hay]
        hay = self._hay if self.filter.by_case else self._lower_hay
        found: Sequence[int] = range(first, len(hay))
        for word in words:
            found = [at for at in found if word in hay[at]]
        for each in either:
            ids, blocked = self.ids, self.blocked
            found = [
                at for at in found if each.word in hay[at] or each.holds(tasks[at].status, blocked=ids[at] in blocked)
            ]
        return found

    def _wanted(self, position: int, task: TaskState) -> bool:
        if position == self.kept:
            return True
        blocked = self.ids[position] in self.blocked
        if not self.filter.wants(task.status, blocked=blocked):
            return False
        if self.filter.gates and position < len(self.state.tasks):
            return False
        text = f"{self.ids[position]}\n{self.titles[position]}"
        text = text if self.filter.by_case else text.lower()
        return all(word in text for word in self.filter.words) and all(
            each.word in text or each.holds(task.status, blocked=blocked) for each in self.filter.either
        )

    def _key(self, position: int, task: TaskState, now: int) -> int:
        match self.sort:
            case "plan":
                return 0
            case "state":
                return _RANKED.index(task.status)
            case "duration":
                ms = self.state.task_elapsed_until(task, now)
                return _NEVER_RUN if ms is None else _LONGEST_MS - min(ms, _LONGEST_MS)

    def moved(self, ids: Iterable[str], now: int) -> bool:
        """Put the rows of `ids` where they belong now; return whether any row came, went or moved."""
        if self._places is None:
            return False
        if self.filter.by_blocked and len(self.blocked) != self._blocked:
            # A failure blocks tasks that have not changed themselves.
            self.arrange(now)
            return True
        changed = False
        for task_id in ids:
            at = self.positions.get(task_id)
            if at is None:
                continue
            task, old = self.task(at), self._keys[at]
            new = self._key(at, task, now) if self._wanted(at, task) else _HIDDEN
            if old == new:
                continue
            changed = True
            if old != _HIDDEN:
                del self._places[bisect_left(self._places, old << _BITS | at)]
            if new != _HIDDEN:
                insort(self._places, new << _BITS | at)
            self._keys[at] = new
        return changed

    def position(self, row: int) -> int:
        """Return the position of a row."""
        return row if self._places is None else self._places[row] & _MASK

    def row(self, position: int | None) -> int | None:
        """Return the row of a position, or None if the filter hides it."""
        if position is None:
            return None
        if self._places is None:
            return position if position < len(self.ids) else None
        if position >= len(self._keys) or self._keys[position] == _HIDDEN:
            return None
        return bisect_left(self._places, self._keys[position] << _BITS | position)

    def find(self, status: TaskStatus, start: int, step: int) -> int | None:
        """Return the next row in `status` from `start` on, round the end; `start` itself comes last."""
        rows = len(self)
        state = self.state
        if not state.count(status) and not any(gate.status is status for gate in state.gates.values()):
            return None
        for away in range(1, rows + 1):
            row = (start + step * away) % rows
            if self.task(self.position(row)).status is status:
                return row
        return None

    # Text ------------------------------------------------------------------------------------------------------------

    def cells(self, position: int, now: int) -> Cells:
        """Return what the row of a position says."""
        task_id, state, task = self.ids[position], self.state, self.task(position)
        kind = KINDS[task.status]
        if kind == "pending" and task_id in self.blocked:
            kind = "blocked"
        expected = self._estimates.get(task_id)
        elapsed = estimate = ""
        over = False
        if kind == "running":
            ms = state.task_elapsed_until(task, now) or 0
            elapsed = running_time(ms)
            over = expected is not None and ms > expected * 1.25 + 1000
            if state.frozen_since is not None:
                kind = "frozen"
        elif task.duration_ms is not None and kind != "skipped":
            elapsed = humanise(task.duration_ms)
        if expected is not None and kind in ("pending", "blocked", "running", "frozen"):
            estimate = rough(expected)
        return Cells(
            kind,
            plain(task_id),
            self.titles[position],
            elapsed,
            estimate,
            over,
            str(task.attempt) if task.attempt > 1 else "",
            *self._detail(task_id, task),
        )

    def _detail(self, task_id: str, task: TaskState) -> tuple[str, str]:
        if task.status is TaskStatus.PENDING and (waits := self._waits_for(task_id)):
            return waits
        return plain(self._story(task)), ""

    def _story(self, task: TaskState) -> str:
        match task.status:
            case TaskStatus.PENDING:
                return _ended(task) if task.outcome == "failed" else task.reason or ""
            case TaskStatus.FAILED:
                return _ended(task) + (", allowed" if task.allowed else "")
            case TaskStatus.SKIPPED:
                return task.reason or ""
            case TaskStatus.COMPLETED | TaskStatus.IN_PROGRESS:
                return ""

    def _waits_for(self, task_id: str) -> tuple[str, str] | None:
        """Return the first need that is not met, one that failed before all others, and how many more there are."""
        if self.graph is None:
            return None
        needs, tasks = self.graph.needs.get(task_id, ()), self.state.tasks
        first, failed, count = "", "", 0
        for need in needs[:_NEEDS]:
            task = tasks.get(need)
            if task is None or task.status is TaskStatus.COMPLETED:
                continue
            if task.status is TaskStatus.FAILED:
                if task.allowed:
                    continue
                failed = failed or need
            first = first or need
            count += 1
        more = count + max(0, len(needs) - _NEEDS) - 1
        if more < 0:
            return None
        return (failed or first or needs[-1]), (f" +{more:,}" if more else "")


def _ended(task: TaskState) -> str:
    return ended(task.exit_code, task.signal, task.attempt_reason or task.reason)
