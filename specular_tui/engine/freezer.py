"""The kernel's own way to make processes stand still: the freezer of control groups, version 2.

SIGSTOP can be undone by anybody who may send SIGCONT, and does not reach a process that has become another user's
(`sudo make install`). Where this user may make a control group below the one that the engine is in, the processes of a
task that is frozen are moved into a group of their own for that time, and back afterwards. Elsewhere SIGSTOP has to do.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from blake3 import blake3

#: Seconds to wait for killed processes to leave a group that is to be removed.
_PATIENCE: Final = 1.0


def own_group() -> Path | None:
    """Return the folder of the control group that this process is in, or None where there is no version 2."""
    try:
        lines = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        path = _path_of("self")
    except OSError:
        return None
    for line in lines:
        fields, _, rest = line.partition(" - ")
        if rest.startswith("cgroup2 ") and path is not None:
            root, place = fields.split(" ")[3:5]
            if path == root or path.startswith(root.rstrip("/") + "/"):
                return Path(place, os.path.relpath(path, root))
    return None


def _path_of(pid: int | str) -> str | None:
    for line in Path(f"/proc/{pid}/cgroup").read_text(encoding="utf-8", errors="surrogateescape").splitlines():
        if line.startswith("0::"):
            return line[3:]
    return None


def _prefix(marker: str) -> str:
    return f"specular-{blake3(os.fsencode(marker)).hexdigest(length=8)}-"


class FrozenGroup:
    """A control group that stands still."""

    def __init__(self, folder: Path) -> None:
        """`folder` is the group's."""
        self._folder = folder

    def thaw(self) -> None:
        """Let its processes go on, where they came from."""
        # Each step for itself: a process that cannot be moved back must go on all the same.
        with contextlib.suppress(OSError):
            _write(self._folder / "cgroup.freeze", "0")
        with contextlib.suppress(OSError):
            for pid in (self._folder / "cgroup.procs").read_text(encoding="ascii").split():
                _move(pid, self._folder.parent)
        with contextlib.suppress(OSError):
            self._folder.rmdir()


def freeze(marker: str, name: int, pids: Iterable[int]) -> FrozenGroup | None:
    """Make the processes `pids` of the run `marker` stand still in a group called `name`; None where that cannot be.

    A process that is not in the engine's own control group has been put elsewhere by somebody else, and stays there.
    """
    base = own_group()
    if base is None:
        return None
    folder = base / f"{_prefix(marker)}{name}"
    try:
        folder.mkdir()
    except OSError:
        return None
    try:
        if not (folder / "cgroup.freeze").exists():
            raise FileNotFoundError
        path = _path_of("self")
        for pid in pids:
            with contextlib.suppress(OSError):  # it has ended
                if _path_of(pid) == path:
                    _move(str(pid), folder)
        _write(folder / "cgroup.freeze", "1")
    except OSError:
        FrozenGroup(folder).thaw()
        return None
    return FrozenGroup(folder)


def remove_left(marker: str) -> None:
    """Kill what a killed engine of the run `marker` has left frozen, and remove its groups."""
    base = own_group()
    if base is None:
        return
    for folder in base.glob(f"{_prefix(marker)}*"):
        deadline = time.monotonic() + _PATIENCE
        with contextlib.suppress(OSError):
            _write(folder / "cgroup.kill", "1")
        with contextlib.suppress(OSError):
            while (folder / "cgroup.procs").read_text(encoding="ascii") and time.monotonic() < deadline:
                time.sleep(0.002)
            folder.rmdir()


def _move(pid: str, folder: Path) -> None:
    with contextlib.suppress(ProcessLookupError):
        _write(folder / "cgroup.procs", pid)


def _write(path: Path, text: str) -> None:
    # As one call: these files are orders to the kernel. A file of this name that is not there is not to be made.
    fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(fd, text.encode("ascii"))
    finally:
        os.close(fd)
