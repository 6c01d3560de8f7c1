"""Starting programs: posix_spawn with all that is the same for every task prepared once.

Python's own `os.posix_spawn` translates environment, signals and files anew at each call, which takes longer than the
rest of what the engine does to start a quick task. So libc is called itself where it is known what its types are like;
elsewhere Python does it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from specular_tui.engine.environment import Environment
from specular_tui.engine.executor import PASSING, StartError

#: Python ignores these for itself; a task gets them as a shell would give them.
DEFAULT_SIGNALS: Final = (
    *(signal.SIGPIPE, signal.SIGXFSZ, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP, signal.SIGIO),
)
#: posix_spawnattr_setflags: a group of its own, default signals, a mask. The same in glibc and musl.
_FLAGS: Final = 0x02 | 0x04 | 0x08
#: Bytes that are enough for each of the types that libc keeps to itself (glibc needs 336 at most, musl as many).
_ROOM: Final = 512
#: Lists of what is done to files are kept for so many descriptors.
_KEPT: Final = 256


class Spawner(Protocol):
    """Starts programs as leaders of process groups, in the folder that this process stands in."""

    def spawn(self, program: bytes, argv: Sequence[bytes], env: Mapping[bytes, bytes], log_fd: int) -> int:
        """Return the number of the new process; `env` comes on top of what it inherits.

        It reads nothing and writes to `log_fd`. A name without a slash is looked for where this process's PATH says,
        for each task anew: one task may install another's program.

        Raises:
            OSError: it could not be started.
            ValueError: there is a zero byte in a word, or no name in front of a variable's `=`.
        """


def make_spawner(environ: Mapping[bytes, bytes]) -> Spawner:
    """Return what starts programs on this system; all of them inherit `environ`."""
    if sys.platform.startswith("linux"):
        try:
            return LibcSpawner(environ)
        except (AttributeError, OSError):  # a libc that lets nobody look into it
            pass
    return PythonSpawner(environ)


class PythonSpawner:
    """Leaves it to Python."""

    def __init__(self, environ: Mapping[bytes, bytes]) -> None:
        """Let all inherit `environ`."""
        self._inherited = dict(environ)

    def spawn(self, program: bytes, argv: Sequence[bytes], env: Mapping[bytes, bytes], log_fd: int) -> int:
        """As the protocol says."""
        return os.posix_spawnp(
            program,
            list(argv),
            {**self._inherited, **env},
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, log_fd, 1),
                (os.POSIX_SPAWN_DUP2, log_fd, 2),
            ],
            setpgroup=0,
            setsigmask=[],
            setsigdef=DEFAULT_SIGNALS,
        )


class LibcSpawner:
    """Calls libc. The interpreter's lock is free while it does."""

    def __init__(self, environ: Mapping[bytes, bytes]) -> None:
        """Let all inherit `environ`.

        Raises:
            AttributeError, OSError: libc cannot be called so.
        """
        self._libc = ctypes.CDLL(None)
        self._spawn = self._libc.posix_spawnp
        self._spawn.argtypes = [
            *(ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p),
        ]
        self._attributes = self._prepare_attributes()
        #: What is done to the files of a new process, by the descriptor of its log; the same few come again and again.
        self._actions: dict[int, ctypes.Array[ctypes.c_char]] = {}
        self._environment = Environment(environ)
        self._pid = ctypes.c_int()
        #: The folders of PATH, each with its slash; none where one of them is not absolute.
        folders = [folder.rstrip(b"/") + b"/" for folder in os.environb.get(b"PATH", b"").split(b":")]
        self._folders = folders if all(folder.startswith(b"/") and len(folder) > 1 for folder in folders) else []

    def spawn(self, program: bytes, argv: Sequence[bytes], env: Mapping[bytes, bytes], log_fd: int) -> int:
        """As the protocol says."""
        if not argv or not argv[0]:
            raise ValueError("argv first element cannot be empty")
        for word in argv:
            if b"\0" in word:
                raise ValueError("embedded null byte")
        rest = (
            self._actions.get(log_fd) or self._prepare_actions(log_fd),
            self._attributes,
            (ctypes.c_char_p * (len(argv) + 1))(*argv),
            self._environment.array(env),
        )
        found = program if b"/" in program else self._find(program)
        code = self._spawn(ctypes.byref(self._pid), found, *rest)
        if code and found != program:
            code = self._spawn(ctypes.byref(self._pid), program, *rest)
        if code:
            raise OSError(code, os.strerror(code), os.fsdecode(program))
        return self._pid.value

    def _find(self, name: bytes) -> bytes:
        """Return the path of the program that `name` most likely means, or `name` itself where libc had better look.

        libc has the new process try one folder after the other, which takes several times as long as to ask. What is
        found may be a folder of that name; it cannot be run, and then libc looks.
        """
        for folder in self._folders:
            path = folder + name
            if os.access(path, os.X_OK):
                return path
        return name

    def _prepare_attributes(self) -> ctypes.Array[ctypes.c_char]:
        libc = self._libc
        attributes = ctypes.create_string_buffer(_ROOM)
        signals = ctypes.create_string_buffer(_ROOM)
        _check(libc.posix_spawnattr_init(attributes))
        _check(libc.sigemptyset(signals))
        _check(libc.posix_spawnattr_setsigmask(attributes, signals))
        for number in DEFAULT_SIGNALS:
            _check(libc.sigaddset(signals, int(number)))
        _check(libc.posix_spawnattr_setsigdefault(attributes, signals))
        _check(libc.posix_spawnattr_setpgroup(attributes, 0))
        _check(libc.posix_spawnattr_setflags(attributes, ctypes.c_short(_FLAGS)))
        return attributes

    def _prepare_actions(self, log_fd: int) -> ctypes.Array[ctypes.c_char]:
        libc = self._libc
        if len(self._actions) >= _KEPT:
            for actions in self._actions.values():
                libc.posix_spawn_file_actions_destroy(actions)
            self._actions = {}
        actions = ctypes.create_string_buffer(_ROOM)
        _check(libc.posix_spawn_file_actions_init(actions))
        _check(libc.posix_spawn_file_actions_addopen(actions, 0, b"/dev/null", os.O_RDONLY, 0))
        _check(libc.posix_spawn_file_actions_adddup2(actions, log_fd, 1))
        _check(libc.posix_spawn_file_actions_adddup2(actions, log_fd, 2))
        self._actions[log_fd] = actions
        return actions


def _check(code: int) -> None:
    if code:
        raise OSError(code, os.strerror(code))


def cannot_run(program: str, error: Exception) -> StartError:
    """Return what to tell of a program that could not be started."""
    if isinstance(error, FileNotFoundError):
        return StartError(f"program not found: {program}")
    if not isinstance(error, OSError):
        return StartError(f"cannot run {program}: {error}", 126)
    reason = (error.strerror or "").lower()
    return StartError(f"cannot run {program}: {reason}", 126, passing=error.errno in PASSING)
