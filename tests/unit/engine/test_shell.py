"""Which commands need a shell: whatever is in doubt does."""

from __future__ import annotations

import shlex
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from specular_tui.engine.shell import plain_words


@pytest.mark.parametrize(
    "command",
    [
        "gcc -O2 -c src/main.c -o build/main.o",
        "./configure --prefix=/usr/local",
        "true",
        "make   -j4  all",
        "/bin/echo a=b,c:d@e%f+g",
    ],
)
def test_plain_words_need_none(command: str) -> None:
    assert plain_words(command) == shlex.split(command)


@pytest.mark.parametrize(
    "command",
    [
        "",
        " ls",
        "ls ",
        "ls\n",
        "ls\tx",
        "CC=gcc make",
        "ls *",
        "ls ~",
        "echo hello",
        "true --help",
        "cd /tmp",
        "exit 3",
        ". ./env.sh",
        ":",
        "exec make",
        "if true",
        "time make",
        "make && ls",
        "make; ls",
        "make|ls",
        "make &",
        "make >log",
        "echo $HOME",
        "echo `id`",
        "echo 'a b'",
        'echo "a"',
        "echo a\\ b",
        "ls {a,b}",
        "ls [ab]",
        "! false",
        "make # all",
        "ls é",
        "ls !1",
        "ls ^a",
    ],
)
def test_all_that_a_shell_may_make_something_of_is_left_to_it(command: str) -> None:
    assert plain_words(command) is None


@given(st.text(alphabet=st.sampled_from("abZ09_@%+=:,./-~*?[]{}()<>|&;$`'\"\\!#^ \t\n"), max_size=12))
def test_a_shell_passes_the_same_words(text: str) -> None:
    words = plain_words(f"/usr/bin/printf %s_ {text}")
    if words is not None:
        shown = subprocess.run(["sh", "-c", f"/usr/bin/printf '%s\\n' {text}"], capture_output=True, check=False).stdout
        assert shown.decode().split("\n")[:-1] == (words[2:] or [""])
