"""How lines look that say why a task failed, as the tools that write them put it.

Compiling these patterns takes longer than a start can spare, so they are loaded when a failed task is looked at.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple


class Rule(NamedTuple):
    """What a telling line looks like."""

    pattern: re.Pattern[str]
    #: Of several, the first one: what a compiler says later often follows from that. Else the last one.
    first: bool = True


def _rule(pattern: str, *, first: bool = True, flags: int = 0) -> Rule:
    return Rule(re.compile(pattern, flags), first)


_PLACE: Final = r"(?:[A-Za-z]:)?[^\s:()]+"
#: Lines that name a cause as their tool writes it. Where several kinds are there, the one that was written last counts:
#: a program that goes on after a traceback did not fail of it.
STRONG: Final = (
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
WEAK: Final = (
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
#: Words of trouble, and what takes them back: counts of nothing, options, names of files.
WORDS: Final = re.compile(
    r"(?<![\w/.-])(?:errors?|fatal|fail(?:ed|ure|s)?|panic(?:ked)?|exception|cannot|could not|unable to|denied|refused|"
    r"timed out|not found|abort(?:ed|ing)?|killed|invalid|missing)\b(?![\w/.-]*[/=])(?!\.\w)",
    re.IGNORECASE,
)
HARMLESS: Final = re.compile(
    r"\b(?:0|no|without|ignor\w+) (?:errors?|failures?|failed)\b|\b(?:errors?|failures?|failed|fail)[:=] ?0\b"
    r"|\bwarning\b|^\s*(?:cc|gcc|g\+\+|clang|c\+\+|ld|ar|rustc|javac|node|python\d?|echo|\+|#) ",
    re.IGNORECASE,
)
#: What is said of a failure by whoever ran what failed.
VERDICT: Final = re.compile(
    r"make(?:\[\d+\])?: |ninja: build stopped|npm (?:ERR!|error)|collect2: "
    r"|error: (?:could not compile|test failed|aborting)|={3,} .*={3,}$"
    r"|FAILED(?: \(.*\))?$|FAIL\b|exit (?:status|code) \d|test result: |-- Configuring incomplete"
    r"|\d+ (?:errors?|failed)\b|Aborted|error Command failed|failures:|# fail \d|Process completed with",
)
