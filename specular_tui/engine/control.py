"""The socket through which a live build is steered: one JSON line in, one out.

    {"command": "pause"}  ->  {"ok": true, "message": "paused"}

It lies in a folder of the user's own (0700) in the runtime directory, or in the temporary one where a socket's path
there would be longer than the system takes; the run's metadata.json says where. Only this user is answered.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import socket
import stat
import struct
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from blake3 import blake3

from specular_tui.errors import NotLiveError, SpecularError
from specular_tui.model.quote import is_utf8

#: A request is one short line.
_LONGEST: Final = 64 << 10
#: Seconds after which a steering command that nobody answers is given up.
TIMEOUT: Final = 10.0

#: Bytes of the longest path that a socket can have, and of a slash and a socket's name.
_LONGEST_PATH: Final = 103 if sys.platform == "darwin" else 107
_NAME_BYTES: Final = 1 + 24 + len(".sock")

#: A socket of this age (seconds) has been listened on, if its build is alive.
_YOUNG: Final = 60

Handler = Callable[[str, dict[str, Any]], str]


def socket_folder() -> Path:
    """Return the folder of this user's sockets, made if it is missing.

    Raises:
        OSError: it cannot be made, or something that is not this user's own folder stands there.
    """
    # metadata.json says where the socket is, and holds UTF-8.
    fitting = (f for f in _candidates() if len(os.fsencode(f)) + _NAME_BYTES <= _LONGEST_PATH and is_utf8(str(f)))
    folder = next(fitting, None)
    if folder is None:
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG))
    with contextlib.suppress(FileExistsError):
        folder.mkdir(0o700)
        folder.chmod(0o700)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o077:
        raise OSError(None, f"{folder} is not a private folder of this user")
    return folder


def _candidates() -> Iterator[Path]:
    """Name the folders that may hold this user's sockets, the best one first."""
    base = os.environ.get("XDG_RUNTIME_DIR")
    if base and os.path.isabs(base) and os.access(base, os.W_OK):
        yield Path(base, "specular")
    import tempfile  # brings random numbers and hashes along: late

    for folder in (tempfile.gettempdir(), "/tmp"):
        yield Path(folder, f"specular-{os.geteuid()}")


def socket_path(run: Path) -> Path:
    """Return where the build of the run in the folder `run` listens."""
    return socket_folder() / f"{blake3(os.fsencode(run)).hexdigest(length=12)}.sock"


class ControlServer:
    """Listens for steering commands while a build is live."""

    def __init__(self, path: Path, handler: Handler) -> None:
        """`handler(command, request)` carries a command out and returns what to tell; it raises SpecularError."""
        self.path = path
        self._handler = handler
        self._server: asyncio.AbstractServer | None = None

    async def start(self) -> None:
        """Begin to listen. What a killed build left at the path is replaced: the run's lock says that it is dead."""
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
        _remove_dead(self.path.parent)
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            listener.bind(str(self.path))
            self.path.chmod(0o600)
        except BaseException:
            listener.close()
            raise
        self._server = await asyncio.start_unix_server(self._serve, sock=listener, limit=_LONGEST)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if not _is_own(writer.get_extra_info("socket")):
                return
            try:
                line = await asyncio.wait_for(reader.readline(), TIMEOUT)
            except ValueError:
                return  # a line that is too long is no steering command
            writer.write(json.dumps(self._answer(line)).encode() + b"\n")
            await writer.drain()
        except (ConnectionError, TimeoutError):
            pass
        finally:
            writer.close()

    def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
            command = request["command"]
            if not isinstance(command, str):
                raise TypeError
        except (ValueError, KeyError, TypeError, RecursionError):
            return {"ok": False, "error": "not a steering command"}
        try:
            return {"ok": True, "message": self._handler(command, request)}
        except SpecularError as error:
            return {"ok": False, "error": error.message, "hint": error.hint}

    def close(self) -> None:
        """Stop listening and remove the socket."""
        if self._server is not None:
            self._server.close()
        with contextlib.suppress(OSError):
            self.path.unlink()


def _remove_dead(folder: Path) -> None:
    """Remove the sockets that killed builds have left: nobody listens there."""
    for path in folder.glob("*.sock"):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            status = path.lstat()
            if not stat.S_ISSOCK(status.st_mode) or time.time() - status.st_mtime < _YOUNG:
                continue
            probe.setblocking(False)
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()


def _is_own(connection: socket.socket) -> bool:
    if not hasattr(socket, "SO_PEERCRED"):
        return True  # the folder's mode lets nobody else in
    data = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, uid, _ = struct.unpack("3i", data)
    return bool(uid == os.geteuid())


def send(path: str, request: dict[str, Any]) -> str:
    """Send one steering command to the build that listens at `path` and return what it answers.

    Raises:
        NotLiveError: nobody listens there. SpecularError: the build refuses, and says why.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(TIMEOUT)
        try:
            connection.connect(path)
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as file:
                line = file.readline(_LONGEST)
        except TimeoutError:
            raise SpecularError("the build does not answer", hint="is its process stopped (Ctrl+Z)?") from None
        except OSError:
            raise NotLiveError("the build is not running any more") from None
    if not line:
        raise NotLiveError("the build ended before it answered")
    answer = json.loads(line)
    if answer.get("ok"):
        return str(answer.get("message", ""))
    raise SpecularError(str(answer.get("error", "refused")), hint=answer.get("hint"))
