"""The socket through which a live build is steered."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from specular_tui.engine import control
from specular_tui.engine.control import ControlServer
from specular_tui.errors import NotLiveError, SpecularError


@pytest.fixture
def runtime(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A runtime directory with a short name: the path of a socket has at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="sp-") as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


@contextlib.asynccontextmanager
async def listening(path: Path) -> AsyncIterator[list[tuple[str, dict[str, Any]]]]:
    heard: list[tuple[str, dict[str, Any]]] = []

    def answer(command: str, request: dict[str, Any]) -> str:
        if command == "refuse":
            raise SpecularError("not now", hint="later")
        heard.append((command, request))
        return f"did {command}"

    server = ControlServer(path, answer)
    await server.start()
    try:
        yield heard
    finally:
        server.close()


async def send(path: Path, request: dict[str, Any]) -> str:
    return await asyncio.to_thread(control.send, str(path), request)


async def raw(path: Path, data: bytes) -> bytes:
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        writer.write(data)
        with contextlib.suppress(ConnectionError):
            writer.write_eof()
        return await asyncio.wait_for(reader.read(), 5)
    finally:
        writer.close()


async def test_a_command_is_carried_out_and_answered(runtime: Path) -> None:
    path = control.socket_path(runtime / "run")
    async with listening(path) as heard:
        assert await send(path, {"command": "skip", "task": "a", "run_dependents": True}) == "did skip"
        assert heard == [("skip", {"command": "skip", "task": "a", "run_dependents": True})]
        with pytest.raises(SpecularError, match="not now") as refused:
            await send(path, {"command": "refuse"})
        assert refused.value.hint == "later"
        answers = await asyncio.gather(*(send(path, {"command": f"c{i}"}) for i in range(20)))
        assert answers == [f"did c{i}" for i in range(20)]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"pause\n",
        b"[1]\n",
        b'"x"\n',
        b'{"command": 1}\n',
        b'{"no": "command"}\n',
        b"\xff\xfe\n",
        b"[" * 60_000 + b"\n",
        b'{"command": "pause"',
    ],
)
async def test_nonsense_is_answered_and_does_no_harm(runtime: Path, data: bytes) -> None:
    path = control.socket_path(runtime / "run")
    async with listening(path) as heard:
        assert json.loads(await raw(path, data)) == {"ok": False, "error": "not a steering command"}
        assert heard == []
        assert await send(path, {"command": "pause"}) == "did pause"


async def test_a_line_without_end_is_hung_up_on(runtime: Path) -> None:
    path = control.socket_path(runtime / "run")
    async with listening(path):
        with contextlib.suppress(ConnectionError):
            assert await raw(path, b"x" * 1_000_000) == b""
        assert await send(path, {"command": "pause"}) == "did pause"


async def test_who_hangs_up_before_the_answer_does_no_harm(runtime: Path) -> None:
    path = control.socket_path(runtime / "run")
    async with listening(path) as heard:
        for _ in range(5):
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(path))
                client.sendall(b'{"command": "pause"}\n')
        while len(heard) < 5:
            await asyncio.sleep(0.005)
        assert await send(path, {"command": "stop"}) == "did stop"


async def test_it_is_this_users_alone_at_any_umask(runtime: Path) -> None:
    before = os.umask(0)
    try:
        path = control.socket_path(runtime / "run")
        async with listening(path):
            assert path.parent.stat().st_mode & 0o777 == 0o700
            assert path.stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(before)
    assert not path.exists()


async def test_what_a_killed_build_left_is_replaced(runtime: Path) -> None:
    path = control.socket_path(runtime / "run")
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
    with pytest.raises(NotLiveError, match="not running any more"):
        await send(path, {"command": "pause"})
    async with listening(path):
        assert await send(path, {"command": "pause"}) == "did pause"


async def test_who_does_not_answer_is_given_up(runtime: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "TIMEOUT", 0.1)
    path = control.socket_path(runtime / "run")
    with socket.socket(socket.AF_UNIX) as stopped:
        stopped.bind(str(path))
        stopped.listen()
        with pytest.raises(SpecularError, match="does not answer"):
            await send(path, {"command": "pause"})


def test_a_folder_that_others_can_enter_is_refused(runtime: Path) -> None:
    folder = runtime / "specular"
    folder.mkdir(0o755)
    folder.chmod(0o755)
    with pytest.raises(OSError, match="not a private folder"):
        control.socket_path(runtime / "run")
    folder.rmdir()
    (runtime / "elsewhere").mkdir(0o700)
    folder.symlink_to("elsewhere")
    with pytest.raises(OSError, match="not a private folder"):
        control.socket_path(runtime / "run")


def test_without_a_runtime_folder_the_temporary_one_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    with tempfile.TemporaryDirectory(prefix="s-", dir="/tmp") as short:
        monkeypatch.setattr("tempfile.tempdir", short)
        assert control.socket_folder() == Path(short, f"specular-{os.geteuid()}")
        assert control.socket_folder().stat().st_mode & 0o777 == 0o700


async def test_what_killed_builds_have_left_goes(runtime: Path) -> None:
    folder = control.socket_path(runtime / "run").parent
    dead, young = folder / "dead.sock", folder / "young.sock"
    for path in (dead, young):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(str(path))
    (folder / "file.sock").touch()
    live = control.socket_path(runtime / "live")
    async with listening(live):
        for path in (dead, live, folder / "file.sock"):
            os.utime(path, (0, 0))
        async with listening(control.socket_path(runtime / "run")):
            assert not dead.exists()
            assert young.exists()
            assert (folder / "file.sock").exists()
            assert await send(live, {"command": "pause"}) == "did pause"


def test_a_runtime_folder_whose_path_is_too_long_for_a_socket_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(deep))
    monkeypatch.setattr("tempfile.tempdir", str(deep))

    path = control.socket_path(Path("/a/run"))

    assert path.parent == Path(f"/tmp/specular-{os.geteuid()}")
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert len(os.fsencode(path)) <= 107
    assert list(deep.iterdir()) == []


def test_a_socket_just_fits_where_its_folder_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    short = Path(tempfile.mkdtemp(prefix="s", dir="/tmp"))
    try:
        for length in (60, 61, 62, 63, 64, 65, 66, 67, 68, 69):
            base = short / ("b" * (length - len(str(short)) - 1))
            base.mkdir()
            monkeypatch.setenv("XDG_RUNTIME_DIR", str(base))
            path = control.socket_path(Path("/a/run"))
            assert len(os.fsencode(path)) <= 107
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
                listener.bind(str(path))
            path.unlink()
            assert (path.parent.parent == base) == (length <= 68)
    finally:
        shutil.rmtree(short)


def test_two_runs_never_share_a_socket(runtime: Path) -> None:
    paths = {control.socket_path(Path(name)) for name in ("/a/run", "/b/run", "/a/run-2")}
    assert len(paths) == 3
    assert all(len(str(path)) - len(str(runtime)) < 60 for path in paths)
