"""The line of a failed task's log that most likely says why it failed.

The last line rarely does: it is what make, cargo or npm say of a command that had said it before them. Pure; a guess
that is made by how compilers, test runners and languages write errors, and never hides the log itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from specular_tui.model.cause_rules import Rule

#: So many bytes at the end of a log are looked at; where they only say that something failed, so many more: of a
#: build that goes on behind an error, a compiler's own line may be far from the end.
WINDOWS: Final = (64 << 10, 1 << 20)
#: So many lines of them.
MOST_LINES: Final = 20_000
#: No line is looked at, or repeated, any further.
_LONGEST: Final = 400


class Cause(NamedTuple):
    """A line that says why."""

    #: Its number among the lines that were looked at, from 0.
    at: int
    text: str
    #: It is written as tools write a cause, and no mere mention of one.
    strong: bool = False
    #: It only repeats that something failed, or has no word of trouble at all.
    vague: bool = False
    #: It has none: it is the last line that says anything, and no reason.
    last: bool = False
    #: How many lines stand below it.
    below: int = 0


_TRACEBACK: Final = "Traceback (most recent call last):"


def find_cause(read: Callable[[int], Sequence[str]]) -> tuple[Cause, int] | None:
    """Return the line that most likely says why a task failed, and how many bytes had to be read for it.

    `read` returns the last lines of the log for a number of bytes, free of escapes; `at` is a place among those.
    """
    best: tuple[Cause, int] | None = None
    for window in WINDOWS:
        lines = read(window)
        left_out = max(0, len(lines) - MOST_LINES)
        found = likely_cause(lines[left_out:])
        if found is not None and (best is None or found.strong):
            best = found._replace(at=found.at + left_out), window
        if best is not None and not best[0].vague:
            break
    return best


def likely_cause(lines: Sequence[str]) -> Cause | None:
    """Return the line that most likely says why a task failed; without any such line the last that says anything.

    `lines` are the last ones of its log, free of escapes. A line that ends with a colon is given with the next one.
    """
    for look in (_strong, _weak, _worded, _last):
        if (found := look(lines)) is not None:
            break
    else:
        return None
    text = lines[found][:_LONGEST].strip()
    vague = look is _last or (look is _worded and _is_verdict(text))
    if text.endswith(":"):
        following = next((line.strip() for line in lines[found + 1 : found + 4] if line.strip()), "")
        text = f"{text} {following}"[:_LONGEST].strip()
    return Cause(found, text, look is _strong, vague, look is _last, len(lines) - 1 - found)


def _is_verdict(text: str) -> bool:
    from specular_tui.model.cause_rules import VERDICT

    return VERDICT.match(text) is not None


def _strong(lines: Sequence[str]) -> int | None:
    from specular_tui.model.cause_rules import STRONG

    return _matching(STRONG, lines, _uncaught(lines))


def _weak(lines: Sequence[str]) -> int | None:
    from specular_tui.model.cause_rules import WEAK

    return _matching(WEAK, lines)


def _matching(rules: Sequence[Rule], lines: Sequence[str], known: int | None = None) -> int | None:
    """Return what the rule says whose latest line is the latest of all; `known` is a line that counts as well."""
    latest, chosen = (known, known) if known is not None else (-1, None)
    for rule in rules:
        matching = [index for index, line in enumerate(lines) if rule.pattern.match(line, 0, _LONGEST)]
        if matching and matching[-1] > latest:
            latest, chosen = matching[-1], matching[0 if rule.first else -1]
    return chosen


def _uncaught(lines: Sequence[str]) -> int | None:
    """Return the line that ends the last traceback of Python: an exception, whatever its name."""
    started = next((index for index in reversed(range(len(lines))) if lines[index].startswith(_TRACEBACK)), None)
    if started is None:
        return None
    behind = range(started + 1, len(lines))
    return next((index for index in behind if lines[index].strip() and not lines[index][0].isspace()), None)


def _worded(lines: Sequence[str]) -> int | None:
    """Return the last line with a word of trouble; a verdict only where nothing else has one."""
    from specular_tui.model.cause_rules import HARMLESS, WORDS

    verdict = None
    for index in reversed(range(len(lines))):
        line = lines[index][:_LONGEST]
        if not WORDS.search(line) or HARMLESS.search(line):
            continue
        if not _is_verdict(line.strip()):
            return index
        verdict = index if verdict is None else verdict
    return verdict


def _last(lines: Sequence[str]) -> int | None:
    return next((index for index in reversed(range(len(lines))) if lines[index].strip()), None)
