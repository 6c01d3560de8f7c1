"""What `/` asks for in the task table. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from specular_tui.model.run import TaskStatus

_WORDS: Final[dict[str, TaskStatus]] = {
    ":failed": TaskStatus.FAILED,
    ":running": TaskStatus.IN_PROGRESS,
    ":pending": TaskStatus.PENDING,
    ":completed": TaskStatus.COMPLETED,
    ":done": TaskStatus.COMPLETED,
    ":skipped": TaskStatus.SKIPPED,
}
_GATES: Final = ":gates"
_BLOCKED: Final = ":blocked"


class Either(NamedTuple):
    """The name of a state, written without its colon: an id or a title may have it, or a task may stand so."""

    word: str
    #: None: blocked.
    status: TaskStatus | None

    def holds(self, status: TaskStatus, *, blocked: bool) -> bool:
        """Tell whether a task stands so."""
        return blocked if self.status is None else status is self.status


class Filter:
    """What `/` asks for: words that id or title contain, and states; words in lower case match any case.

    The name of a state is both, unless it has its colon: `failed` finds what failed, and `test/failed-login`.
    """

    def __init__(self, text: str) -> None:
        """Read `text`: `unit :failed` is each failed task with `unit` in its id or title."""
        self.text = text
        self.statuses: set[TaskStatus] = set()
        #: Tasks that cannot run because of a failed one; with `statuses`: these too.
        self.blocked = False
        #: Gates alone.
        self.gates = False
        self.words: list[str] = []
        self.either: list[Either] = []
        for word in text.split():
            found = [status for name, status in _WORDS.items() if name.startswith(word)] if len(word) > 1 else []
            if word.startswith(":") and found:
                self.statuses.update(found)
            elif len(word) > 1 and _GATES.startswith(word):
                self.gates = True
            elif len(word) > 1 and _BLOCKED.startswith(word):
                self.blocked = True
            elif (named := f":{word}") in _WORDS or named == _BLOCKED:
                self.either.append(Either(word, _WORDS.get(named)))
            elif word != ":":
                self.words.append(word)
        self.by_case = any(word != word.lower() for word in self.words)

    def __bool__(self) -> bool:
        return bool(self.by_state or self.words or self.gates)

    @property
    def by_state(self) -> bool:
        """Whether it matters how a task stands."""
        return bool(self.statuses) or self.blocked or bool(self.either)

    @property
    def by_blocked(self) -> bool:
        """Whether it matters whether a failure blocks a task."""
        return self.blocked or any(each.status is None for each in self.either)

    def wants(self, status: TaskStatus, *, blocked: bool) -> bool:
        """Tell whether a task that stands so is asked for, whatever it is called."""
        return not (self.statuses or self.blocked) or status in self.statuses or (self.blocked and blocked)
