"""The guard: a child of the engine that ends its tasks when the engine is killed.

It sleeps on a pipe that nobody writes to; the kernel closes the other end when the engine dies, however it dies. Which
process groups live then stands in memory that both share, so that guarding a task costs two stores and no call.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import signal
import struct
import time
from types import TracebackType
from typing import Final, Self

from specular_tui.engine import freezer, processes

_ENTRY: Final = struct.Struct("=i")
#: Bytes in front of the groups: the marker, padded with zeros, and in the last of them whether a task is just starting.
_MARKER_SIZE: Final = 8_192
_STARTING: Final = _MARKER_SIZE - 1
#: Seconds for a task that was just starting to be one that can be told by its mark, and those between two looks.
_PATIENCE: Final = 2.0
_LOOK: Final = 0.025


class Guard:
    """Guards up to `slots` process groups. Make it before any thread is started: it is a fork of this process."""

    def __init__(self, slots: int = 10_240) -> None:
        """Start the guard."""
        self._table = mmap.mmap(-1, _MARKER_SIZE + slots * _ENTRY.size)
        self._free = list(range(slots))
        self._slots: dict[int, int] = {}
        reading, self._writing = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            self._guard(reading)
        os.close(reading)

    def mark(self, marker: str, engine: str = "") -> None:
        """Say how the tasks of the run are marked: so those are found that left their group, or are containers.

        `engine` is the command of the container engine, where one is used.
        """
        data = os.fsencode(f"{marker}\0{engine}")
        if len(data) < _STARTING:
            self._table[: len(data)] = data

    def expect(self) -> None:
        """Guard the task that is about to start, whose group nobody knows yet, until `add` or `settle`."""
        self._table[_STARTING] = 1

    def settle(self) -> None:
        """Say that no task is just starting: what was to start has been added, or has not come to it."""
        self._table[_STARTING] = 0

    def add(self, group: int) -> None:
        """Guard a process group from now on."""
        if self._free:
            slot = self._slots[group] = self._free.pop()
            _ENTRY.pack_into(self._table, _MARKER_SIZE + slot * _ENTRY.size, group)

    def remove(self, group: int) -> None:
        """Guard it no more; call this before its leader is reaped, while its number is still its own."""
        slot = self._slots.pop(group, None)
        if slot is not None:
            _ENTRY.pack_into(self._table, _MARKER_SIZE + slot * _ENTRY.size, 0)
            self._free.append(slot)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Send the guard home; twice is harmless."""
        if self._writing >= 0:
            os.close(self._writing)
            self._writing = -1
            with contextlib.suppress(ChildProcessError):
                os.waitpid(self._pid, 0)
            self._table.close()

    @staticmethod
    def _remove_containers(engine: str, marker: str) -> None:
        from specular_tui.engine.container.engine import Engine

        for _ in range(3):  # the descriptors 0 to 2 were closed, and a program expects them
            os.open(os.devnull, os.O_RDWR)
        Engine(engine).remove_all(marker)

    def _guard(self, reading: int) -> None:
        """Be the guard. Never returns."""
        try:
            os.setsid()
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP, signal.SIGUSR1):
                signal.signal(number, signal.SIG_IGN)
            _call_itself(processes.GUARD)
            # Held open here, a pipe or a terminal of the engine would not end with it.
            _close_all_but(reading)
            os.read(reading, 1)
            ended = processes.tick()
            groups = [group for (group,) in _ENTRY.iter_unpack(self._table[_MARKER_SIZE:]) if group > 1]
            starting = self._table[_STARTING] != 0
            for group in groups:
                processes.send_group(group, signal.SIGKILL)
            marker, _, engine = os.fsdecode(self._table[:_STARTING].rstrip(b"\0")).partition("\0")
            if (groups or starting) and marker:
                _kill_marked(marker, ended, _PATIENCE if starting else 0)
                freezer.remove_left(marker)
            if groups and engine:
                self._remove_containers(engine, marker)
        finally:
            os._exit(0)


def _kill_marked(marker: str, ended: float, patience: float) -> None:
    """Kill what carries the mark of a run, and what comes to carry it within `patience` seconds.

    A process that was being started when the engine was killed has the engine's environment until it runs its program.
    What was started after the clock tick at which the engine had `ended` belongs to one that goes on with the run,
    unless it descends from what goes.
    """
    deadline = time.monotonic() + patience
    while True:
        found = processes.marked(marker)
        left = [process for process in found if process.start <= ended]
        below = {child for process in left for child in processes.descendants(process.pid)}
        processes.send([process for process in found if process in below or process.start <= ended], signal.SIGKILL)
        if time.monotonic() >= deadline:
            return
        time.sleep(_LOOK)


def _call_itself(name: bytes) -> None:
    """Let whoever lists processes, and other guards, see what this one is; where there is no /proc, nobody can."""
    with contextlib.suppress(OSError), open("/proc/self/comm", "wb", buffering=0) as file:
        file.write(name)


def _close_all_but(kept: int) -> None:
    """Close every descriptor but one; their limit may be no number at all, so those that are open are looked up."""
    try:
        found = [int(name) for name in os.listdir("/dev/fd") if name.isdigit()]
    except OSError:
        found = list(range(4_096))
    for fd in found:
        if fd != kept:
            with contextlib.suppress(OSError):
                os.close(fd)
