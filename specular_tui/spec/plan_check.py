"""What no single field of a plan can be blamed for: ids used twice, dependencies that are not there, cycles.

Works on the plan's data as it was read, whatever else is wrong with it, so that all mistakes are shown at once.
Nothing recurses: a chain or a ring may be as long as a plan.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from specular_tui.model.nearest import Names
from specular_tui.model.quote import plain, quote
from specular_tui.spec.complaint import MAX_COMPLAINTS, Complaint, did_you_mean, dotted
from specular_tui.spec.source import Path, Place

#: So many cycles are looked for, and so many ids of one are shown.
_MAX_CYCLES = 20
_MAX_SHOWN = 12
#: A shorter way round is looked for from so many tasks of a cycle, over so many dependencies in all.
_SHORTEN_FROM = 64
_SHORTEN_STEPS = 200_000


def check(data: object) -> list[Complaint]:
    """Return the complaints about the tasks of the plan `data` as a whole, in no order; not many more than needed."""
    tasks = data.get("tasks") if isinstance(data, dict) else None
    if not isinstance(tasks, list):
        return []
    complaints: list[Complaint] = []
    number_of: dict[str, int] = {}
    for number, task in enumerate(tasks):
        task_id = task.get("id") if isinstance(task, dict) else None
        if isinstance(task_id, str):
            first = number_of.setdefault(task_id, number)
            if first != number and len(complaints) < MAX_COMPLAINTS:
                complaints.append(_used_twice(data, first, number))
    known = _Known(number_of)
    needs: list[dict[int, None]] = []
    for number, task in enumerate(tasks):
        depends_on = task.get("depends_on") if isinstance(task, dict) else None
        found: dict[int, None] = {}
        needs.append(found)
        if not isinstance(depends_on, list):
            continue
        for index, need in enumerate(depends_on):
            if not isinstance(need, str) or len(complaints) >= MAX_COMPLAINTS:
                continue
            target = number_of.get(need)
            if target is None:
                complaints.append(_unknown(data, number, index, need, known))
            elif target in found:
                complaints.append(_needed_twice(data, number, index, need))
            else:
                found[target] = None
    complaints.extend(_in_cycle(data, tasks, cycle) for cycle in cycles(needs))
    return complaints


def subject(path: Path, data: object) -> str:
    """Return what the value at `path` of the plan `data` is called: `task 'build': env.CI`."""
    if len(path) < 2 or path[0] != "tasks":
        return dotted(path)
    tasks = data["tasks"] if isinstance(data, dict) else None
    number = path[1]
    if not isinstance(tasks, list) or not isinstance(number, int):
        return dotted(path)
    task = tasks[number]
    task_id = task.get("id") if isinstance(task, dict) else None
    name = f"task {quote(task_id, 128)}" if task_id and isinstance(task_id, str) else f"task #{number + 1}"
    return f"{name}: {dotted(path[2:])}" if path[2:] else name


def cycles(needs: Sequence[Collection[int]]) -> Iterator[list[int]]:
    """Yield cycles that have no member in common, each a list of numbers in which each needs the next one.

    `needs[n]` are the numbers that n needs. At most `_MAX_CYCLES`, at least one where there is any, short ones where
    that is cheap to find.
    """
    rest = _Rest(needs)
    for _ in range(_MAX_CYCLES):
        start = rest.any()
        if start is None:
            return
        cycle = rest.shorten(rest.walk_round(start))
        lowest = cycle.index(min(cycle))
        yield cycle[lowest:] + cycle[:lowest]
        rest.remove(cycle)


class _Rest:
    """The part of a graph in which every node needs a node and is needed by one; empty if there is no cycle."""

    def __init__(self, needs: Sequence[Collection[int]]) -> None:
        self.needs = needs
        self.needed_by: list[list[int]] = [[] for _ in needs]
        for number, targets in enumerate(needs):
            for target in targets:
                self.needed_by[target].append(number)
        self.out = [len(targets) for targets in needs]
        self.into = [len(sources) for sources in self.needed_by]
        self.here = bytearray(b"\1") * len(needs)
        self.lowest = 0
        self.remove([n for n in range(len(needs)) if not self.out[n] or not self.into[n]])

    def any(self) -> int | None:
        """Return the first node that is left."""
        found = self.here.find(1, self.lowest)
        self.lowest = max(found, 0)
        return None if found < 0 else found

    def remove(self, numbers: Sequence[int]) -> None:
        """Take `numbers` away, and everything that then needs nothing or is needed by nothing."""
        queue = deque(numbers)
        for number in numbers:
            self.here[number] = 0
        while queue:
            number = queue.popleft()
            for neighbours, count in ((self.needed_by[number], self.out), (self.needs[number], self.into)):
                for neighbour in neighbours:
                    count[neighbour] -= 1
                    if count[neighbour] == 0 and self.here[neighbour]:
                        self.here[neighbour] = 0
                        queue.append(neighbour)

    def walk_round(self, start: int) -> list[int]:
        """Return a cycle that is reached from `start`."""
        step_of: dict[int, int] = {}
        way: list[int] = []
        at = start
        while at not in step_of:
            step_of[at] = len(way)
            way.append(at)
            at = next(need for need in self.needs[at] if self.here[need])
        return way[step_of[at] :]

    def shorten(self, cycle: list[int]) -> list[int]:
        """Return a cycle that shares a node with `cycle` and is no longer, where one is found soon."""
        steps = _SHORTEN_STEPS
        for start in sorted(cycle)[:_SHORTEN_FROM]:
            came_from = {start: start}
            queue = deque([start])
            while queue and steps > 0:
                at = queue.popleft()
                for need in self.needs[at]:
                    steps -= 1
                    if need == start:
                        way = [at]
                        while way[-1] != start:
                            way.append(came_from[way[-1]])
                        if len(way) < len(cycle):
                            cycle = way[::-1]
                        queue.clear()
                        break
                    if self.here[need] and need not in came_from:
                        came_from[need] = at
                        queue.append(need)
        return cycle


class _Known:
    """The ids of the plan, prepared for looking up what was meant when that is first asked."""

    def __init__(self, ids: Collection[str]) -> None:
        self.ids = ids
        self.names: Names | None = None

    def nearest(self, name: str) -> str | None:
        if self.names is None:
            self.names = Names(self.ids)
        return self.names.nearest(name)


def _used_twice(data: object, first: int, number: int) -> Complaint:
    def text() -> str:
        return f"{subject(('tasks', number), data)}: this id is already used"

    return Complaint(Place(("tasks", number, "id")), text, Place(("tasks", first, "id")))


def _unknown(data: object, number: int, index: int, need: str, known: _Known) -> Complaint:
    def text() -> str:
        task = subject(("tasks", number), data)
        return f"{task}: depends on {quote(need, 128)}, which does not exist{did_you_mean(known.nearest(need))}"

    return Complaint(Place(("tasks", number, "depends_on", index)), text)


def _needed_twice(data: object, number: int, index: int, need: str) -> Complaint:
    def text() -> str:
        return f"{subject(('tasks', number), data)}: depends on {quote(need, 128)} twice"

    return Complaint(Place(("tasks", number, "depends_on", index)), text)


def _in_cycle(data: object, tasks: list[dict[str, Any]], cycle: list[int]) -> Complaint:
    first = tasks[cycle[0]]
    following = tasks[cycle[1 % len(cycle)]]["id"]

    def text() -> str:
        ids = [plain(tasks[number]["id"][:128]) for number in cycle]
        if len(ids) > _MAX_SHOWN:
            half = _MAX_SHOWN // 2
            ids[half:-half] = [f"… ({len(ids) - 2 * half:,} more) …"]
        way = " → ".join([*ids, ids[0]])
        return f"{subject(('tasks', cycle[0]), data)}: dependency cycle {way}"

    index = first["depends_on"].index(following)
    return Complaint(Place(("tasks", cycle[0], "depends_on", index)), text)
