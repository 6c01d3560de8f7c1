"""Reading what is typed, on a terminal of its own."""

from __future__ import annotations

import os
import pty
import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from textual.events import Key
from textual.message import Message

from specular_tui.tui.terminal.keyboard import Bell, read_keys


class Keyboard:
    """A thread that reads, and what it has read."""

    def __init__(self) -> None:
        self.leader, self.follower = pty.openpty()
        self.end = Bell()
        self.heard: queue.Queue[Message] = queue.Queue()
        self.answer: list[bool] = []
        self.thread = threading.Thread(target=self._read, daemon=True)

    def _read(self) -> None:
        self.answer.append(read_keys(self.follower, self.heard.put, self.end))

    def key(self) -> str:
        """Return the next key."""
        message = self.heard.get(timeout=5)
        assert isinstance(message, Key)
        return message.key


@contextmanager
def typing() -> Iterator[Keyboard]:
    board = Keyboard()
    import tty

    tty.setraw(board.follower)
    board.thread.start()
    yield board
    board.end.set()
    board.thread.join(timeout=5)
    assert not board.thread.is_alive()
    assert board.answer == [True]
    os.close(board.leader)
    os.close(board.follower)


def test_keys_are_heard_and_the_end_wakes_it() -> None:
    with typing() as board:
        os.write(board.leader, b"j\x1b[Aq")
        assert [board.key() for _ in range(3)] == ["j", "up", "q"]


def test_an_escape_by_itself_is_a_key_after_a_moment() -> None:
    with typing() as board:
        os.write(board.leader, b"\x1b")
        assert board.key() == "escape"


def test_a_letter_may_come_in_parts_and_noise_is_no_error() -> None:
    with typing() as board:
        euro = "€".encode()
        os.write(board.leader, euro[:1])
        with pytest.raises(queue.Empty):
            board.heard.get(timeout=0.1)
        os.write(board.leader, euro[1:] + b"\xff" + b"k")
        assert [board.heard.get(timeout=5).character for _ in range(3)] == ["€", "\ufffd", "k"]  # type: ignore[attr-defined]


def test_a_bell_can_be_rung_again() -> None:
    bell = Bell()
    for _ in range(2):
        bell.set()
        bell.set()
        assert bell.is_set()
        bell.clear()
        assert not bell.is_set()
        with pytest.raises(BlockingIOError):
            os.read(bell.fd, 1)
