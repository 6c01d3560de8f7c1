"""What `/` asks for in the task table. Pure."""

from __future__ import annotations

from typing import Final

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


class Filter:
    """What `/` asks for: words that id or title contain, and states; words in lower case match any case."""

    def __init__(self, text: str) -> None:
        """Read `text`: `unit :failed` is each failed task with `unit` in its id or title."""
        self.text = text
        self.statuses: set[TaskStatus] = set()
        #: Tasks that cannot run because of a failed one; with `statuses`: these too.
        self.blocked = False
        #: Gates alone.
        self.gates = False
        self.words: list[str] = []
        for word in text.split():
            found = [status for name, status in _WORDS.items() if name.startswith(word)] if len(word) > 1 else []
            if word.startswith(":") and found:
                self.statuses.update(found)
            elif len(word) > 1 and _GATES.startswith(word):
                self.gates = True
            elif len(word) > 1 and _BLOCKED.startswith(word):
                self.blocked = True
            elif word != ":":
                self.words.append(word)
        self.by_case = any(word != word.lower() for word in self.words)

    def __bool__(self) -> bool:
        return bool(self.by_state or self.words or self.gates)

    @property
    def by_state(self) -> bool:
        """Whether it matters how a task stands."""
        return bool(self.statuses) or self.blocked

    def wants(self, status: TaskStatus, *, blocked: bool) -> bool:
        """Tell whether a task that stands so is asked for."""
        return not self.by_state or status in self.statuses or (self.blocked and blocked)
