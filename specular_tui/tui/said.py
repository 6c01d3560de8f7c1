"""What has been said to the user: the message on show, the errors that nobody has closed yet, and all before them."""

from __future__ import annotations

from collections import deque
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

#: So many messages can be read again.
KEPT: Final = 200
#: Seconds for which a message is shown at least, by its severity; an error stays until it is closed.
_SHOWN: Final = {"information": 4.0, "warning": 6.0}
#: Characters that are read in a second.
_READ: Final = 20


class Message(Struct, frozen=True):
    """Something that was said, as often as it was said in a row."""

    lines: tuple[str, ...]
    #: `information`, `warning` or `error`.
    severity: str
    #: When it was said last, in milliseconds since the epoch.
    at: int
    #: Seconds for which it is shown; None: until it is closed.
    lasting: float | None
    count: int = 1

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.lines)

    def same(self, other: Message) -> bool:
        """Tell whether the other one says nothing else."""
        return (self.lines, self.severity) == (other.lines, other.severity)


class Said:
    """The messages; the newest takes the place of the one on show, but an error comes back until it is closed."""

    def __init__(self) -> None:
        """Nothing has been said."""
        self._all: deque[Message] = deque(maxlen=KEPT)
        self._passing: Message | None = None
        self._standing: list[Message] = []

    def add(self, lines: tuple[str, ...], severity: str, at: int, lasting: float | None = None) -> Message:
        """Note a message and show it; what is said once more is counted. `lasting`: see `Message`, None as usual."""
        if lasting is None and severity in _SHOWN:
            lasting = max(_SHOWN[severity], sum(map(len, lines)) / _READ)
        message = Message(lines, severity, at, lasting)
        if self._all and self._all[-1].same(message):
            message = replace(message, count=self._all.pop().count + 1)
        self._all.append(message)
        if message.lasting is None:
            self._passing = None
            self._standing = [*(each for each in self._standing if not each.same(message)), message]
        else:
            self._passing = message
        return message

    @property
    def shown(self) -> Message | None:
        """The one that is on show."""
        return self._passing or (self._standing[-1] if self._standing else None)

    @property
    def standing(self) -> int:
        """How many errors nobody has closed yet."""
        return len(self._standing)

    @property
    def all(self) -> list[Message]:
        """All that can be read again, newest first."""
        return list(reversed(self._all))

    def expire(self, message: Message) -> None:
        """Its time is over."""
        if self._passing is message:
            self._passing = None

    def close(self) -> None:
        """Show none of them any more."""
        self._passing = None
        self._standing.clear()
