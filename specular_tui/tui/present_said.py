"""How messages are shown: in the line that they have, and in the list of all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from specular_tui.tui import glyphs, keys, present
from specular_tui.tui.clock import Clock
from specular_tui.tui.present import Line
from specular_tui.tui.said import Message, Said

_ROLES: Final = {"warning": "paused", "error": "failed-strong"}


def _first(message: Message) -> Line:
    role = _ROLES.get(message.severity)
    head: Line = [(f"{message.severity}: ", role)] if role is not None else []
    line: Line = [*head, (message.lines[0] if message.lines else "", "plain")]
    if message.count > 1:
        line.append((f"  {message.count:,} times", "muted"))
    return line


def _body(message: Message, room: int) -> list[Line]:
    lines = present.wrapped(_first(message), room)
    for line in message.lines[1:]:
        lines += present.wrapped([("  ", "plain"), (line, "muted")], room, indent=2)
    return lines


def shown(said: Said, room: int, most: int) -> list[Line]:
    """Return what is on show in lines of at most `room` cells, at most `most` of them; none where nothing is.

    What is not said whole names the key that lists it, and an error that stands the one that closes it.
    """
    message = said.shown
    if message is None:
        return []
    hint: Line = []
    if message.lasting is None:
        hint = [("  ", "plain"), keys.cap("said.close_message"), (" close", "muted")]
        if said.standing > 1:
            hint = [("  ", "plain"), keys.cap("app.messages"), (f" {said.standing - 1:,} more", "muted"), *hint]
    lines = _body(message, room - present.width(hint))
    if len(lines) > most:
        rest: Line = [(f"{glyphs.ELLIPSIS}  ", "muted"), keys.cap("app.messages"), (" all of it", "muted")]
        last = present.cut(lines[most - 1], room - present.width(rest) - present.width(hint) - 1)
        lines = [*lines[: most - 1], [*last, (" ", "plain"), *rest]]
    return [[*lines[0], *hint], *lines[1:]]


def listed(messages: Sequence[Message], clock: Clock, room: int) -> list[Line]:
    """Return messages in full, each with its time."""
    if not messages:
        return [[("Nothing has been said yet.", "muted")]]
    lines: list[Line] = []
    for message in messages:
        at = clock.time(message.at)
        indent = len(at) + 2
        first, *others = _body(message, room - indent)
        lines += [[(f"{at}  ", "muted"), *first], *([(" " * indent, "plain"), *line] for line in others)]
    return lines
