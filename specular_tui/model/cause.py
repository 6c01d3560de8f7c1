"""The line of a failed task's log that most likely says why it failed.

The last line rarely does: it is what make, cargo or npm say of a command that had said it before them. Pure; a guess
that is made by how compilers, test runners and languages write errors, and never hides the log itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

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


class _Rule(NamedTuple):
    pattern: re.Pattern[str]
    #: Of several, the first one: what a compiler says later often follows from that. Else the last one.
    first: bool = True


def _rule(pattern: str, *, first: bool = True, flags: int = 0) -> _Rule:
    return _Rule(re.compile(pattern, flags), first)


_PLACE: Final = r"(?:[A-Za-z]:)?[^\s:()]+"
#: Lines that name a cause as their tool writes it. Where several kinds are there, the one that was written last counts:
#: a program that goes on after a traceback did not fail of it.
_STRONG: Final = (
    # pytest's summary: `FAILED tests/test_a.py::test_b - assert 3 == 4`; what it marks where there is none.
    _rule(r"(?:FAILED|ERROR) \S+(?:::\S.*| - .+)$"),
    _rule(r"E {3,7}\S"),
    # gcc, clang, javac, tsc, go, linters: a place, and what is wrong there.
    _rule(rf"{_PLACE}:\d+(?::\d+)?: (?:fatal |internal compiler )?[Ee]rror\b"),
    _rule(rf"{_PLACE}\(\d+(?:,\d+)?\): (?:fatal )?error\b"),
    _rule(r"(?:\./)?\S+\.go:\d+(?::\d+)?: \S"),
    _rule(r"[^\s:]+\.(?:py|pyi|js|ts|rb|sh):\d+(?::\d+)?: [A-Z]{1,4}\d+ "),
    _rule(r".*\b(?:undefined reference to|multiple definition of|cannot find -l)"),
    # rustc and cargo, but not what they say at the end.
    _rule(r"error(?:\[E\d+\])?: (?!could not compile|test failed|aborting due|process didn't exit|build failed)"),
    _rule(r"thread '[^']*' (?:\(\d+\) )?panicked at "),
    # go test, under its `--- FAIL`; a panic.
    _rule(r"\s+\S+_test\.go:\d+: \S"),
    _rule(r"panic: "),
    # Exceptions of Python, JavaScript, Java, Ruby; the last one of a chain is what nobody caught.
    _rule(
        r"(?:Uncaught |Exception in thread \S+ )?(?:[A-Za-z_$][\w$]*[.:]+)*(?:[A-Z]\w*)?(?:Error|Exception)\b(?::|$)",
        first=False,
    ),
    _rule(r".*\bAssertion .+ failed\b"),
    _rule(r"(?:not ok \d+ |\s*● |\s*[✖✗✕] )"),
    _rule(r"CMake Error\b"),
    _rule(r"(?:fatal|FATAL)(?: error)?: ", first=False),
)
#: The same, of lines that programs also write which then go on.
_WEAK: Final = (
    _rule(r"make(?:\[\d+\])?: \*\*\* No rule to make target"),
    _rule(
        r"npm (?:ERR!|error) (?!code |errno |path |command |syscall |signal |workspace |location |A complete log|\s|$)"
    ),
    _rule(r"(?:FAIL|ERROR): "),
    _rule(r".*: (?:command )?not found$", first=False),
    _rule(r".*\b(?:Segmentation fault|Bus error|[Oo]ut of memory|OOMKilled|No space left on device)\b", first=False),
    _rule(
        r".*: (?:No such file or directory|Permission denied|Connection refused|"
        r"Temporary failure in name resolution)\b",
        first=False,
    ),
)
_TRACEBACK: Final = "Traceback (most recent call last):"
#: Words of trouble, and what takes them back: counts of nothing, options, names of files.
_WORDS: Final = re.compile(
    r"(?<![\w/.-])(?:errors?|fatal|fail(?:ed|ure|s)?|panic(?:ked)?|exception|cannot|could not|unable to|denied|refused|"
    r"timed out|not found|abort(?:ed|ing)?|killed|invalid|missing)\b(?![\w/.-]*[/=])(?!\.\w)",
    re.IGNORECASE,
)
_HARMLESS: Final = re.compile(
    r"\b(?:0|no|without|ignor\w+) (?:errors?|failures?|failed)\b|\b(?:errors?|failures?|failed|fail)[:=] ?0\b"
    r"|\bwarning\b|^\s*(?:cc|gcc|g\+\+|clang|c\+\+|ld|ar|rustc|javac|node|python\d?|echo|\+|#) ",
    re.IGNORECASE,
)
#: What is said of a failure by whoever ran what failed.
_VERDICT: Final = re.compile(
    r"make(?:\[\d+\])?: |ninja: build stopped|npm (?:ERR!|error)|collect2: "
    r"|error: (?:could not compile|test failed|aborting)|={3,} .*={3,}$"
    r"|FAILED(?: \(.*\))?$|FAIL\b|exit (?:status|code) \d|test result: |-- Configuring incomplete"
    r"|\d+ (?:errors?|failed)\b|Aborted|error Command failed|failures:|# fail \d|Process completed with",
)


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
    vague = look is _last or (look is _worded and _VERDICT.match(text) is not None)
    if text.endswith(":"):
        following = next((line.strip() for line in lines[found + 1 : found + 4] if line.strip()), "")
        text = f"{text} {following}"[:_LONGEST].strip()
    return Cause(found, text, look is _strong, vague)


def _strong(lines: Sequence[str]) -> int | None:
    return _matching(_STRONG, lines, _uncaught(lines))


def _weak(lines: Sequence[str]) -> int | None:
    return _matching(_WEAK, lines)


def _matching(rules: Sequence[_Rule], lines: Sequence[str], known: int | None = None) -> int | None:
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
    verdict = None
    for index in reversed(range(len(lines))):
        line = lines[index][:_LONGEST]
        if not _WORDS.search(line) or _HARMLESS.search(line):
            continue
        if not _VERDICT.match(line.strip()):
            return index
        verdict = index if verdict is None else verdict
    return verdict


def _last(lines: Sequence[str]) -> int | None:
    return next((index for index in reversed(range(len(lines))) if lines[index].strip()), None)
