"""Which command strings need a shell, and which are plain words that can be run without one.

To run `gcc -c a.c`, `sh -c` would do nothing but find `gcc` and become it; that costs as much again as a quick command
itself. So a string of plain words is run at once, where the first of them is a program and nothing that a shell does
by itself. A task cannot tell, and where a program is not found or cannot be run, the shell is asked after all: what it
says is what users know.
"""

from __future__ import annotations

import re
from typing import Final

#: Characters that no shell makes anything of. `~`, `=` in the first word, quotes and all else are left to the shell.
_PLAIN: Final = re.compile(r"[A-Za-z0-9_@%+:,./-]+(?: +[A-Za-z0-9_@%+=:,./-]+)*", re.ASCII)

#: What sh, dash, bash and ksh do by themselves, and their reserved words.
_OWN: Final = frozenset(
    """
    . : alias autoload bg bind break builtin caller case cd chdir command compgen complete compopt continue coproc
    declare dirs disown do done echo elif else enable esac eval exec exit export fc fg fi float for function functions
    getopts hash help hist history if in integer jobs kill let local logout mapfile nameref newgrp popd print printf
    pushd pwd read readarray readonly redirect return select set shift shopt source stop suspend test then time times
    trap type typeset ulimit umask unalias unset until wait whence while
    """.split()  # noqa: SIM905  a table of words reads better so
)

#: Of these the program of that name is the same as what a shell does by itself, as long as no word follows.
_SAME_ALONE: Final = frozenset({"false", "true"})


def plain_words(command: str) -> list[str] | None:
    """Return the words of a command that needs no shell, the program first; None for one that needs it."""
    if _PLAIN.fullmatch(command) is None:
        return None
    words = command.split()
    if words[0] in _OWN or (words[0] in _SAME_ALONE and len(words) > 1):
        return None
    return words
