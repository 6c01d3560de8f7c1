"""The limit of open files: raised for the engine, as it was for tasks."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator

import pytest

from specular_tui.engine.open_files import OpenFiles, affordable

LIMIT = resource.RLIMIT_NOFILE


@pytest.fixture(autouse=True)
def limit() -> Iterator[tuple[int, int]]:
    """Start each test with a soft limit of 256, and give the old one back."""
    own = resource.getrlimit(LIMIT)
    resource.setrlimit(LIMIT, (256, own[1]))
    yield 256, own[1]
    resource.setrlimit(LIMIT, own)


def soft_limit_of_a_child() -> int:
    line = "import resource; print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    return int(subprocess.run([sys.executable, "-c", line], capture_output=True, check=True).stdout)


def test_few_tasks_need_no_more_than_there_is(limit: tuple[int, int]) -> None:
    files = OpenFiles(8)

    assert not files.is_raised
    assert resource.getrlimit(LIMIT) == limit
    fd = os.open(os.devnull, os.O_RDONLY)
    assert files.put_away(fd) == fd
    with files.lowered(fd) as same:
        assert same == fd
    os.close(fd)


def test_many_tasks_raise_it_and_see_nothing_of_that(limit: tuple[int, int]) -> None:
    files = OpenFiles(200)
    try:
        assert resource.getrlimit(LIMIT)[0] > 256
        fd = files.put_away(os.open(os.devnull, os.O_RDONLY))
        assert fd >= 256
        assert not os.get_inheritable(fd)
        with files.lowered(fd) as low:
            assert low < 256
            assert soft_limit_of_a_child() == 256
            os.close(os.open(os.devnull, os.O_RDONLY))  # as a thread would, meanwhile
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(low)
        assert resource.getrlimit(LIMIT)[0] > 256
        os.close(fd)
    finally:
        files.close()
    assert resource.getrlimit(LIMIT) == limit


def test_the_hard_limit_bounds_how_many_tasks_run_at_once() -> None:
    line = "from specular_tui.engine.open_files import affordable; print(affordable(8), affordable(5_000))"
    for hard, shown in ((256, "8 25"), (20, "1 1")):
        found = subprocess.run(
            ["sh", "-c", f'ulimit -n {hard} && exec "$0" -c "$1"', sys.executable, line], capture_output=True, text=True
        )
        assert found.stdout.strip() == shown, found.stderr


def test_what_is_affordable_is_never_more_than_what_is_wanted() -> None:
    assert affordable(1) == 1
