"""The server, with a small program in place of the application."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse, CookieJar, WSMsgType, WSServerHandshakeError, web
from aiohttp.test_utils import TestClient, TestServer

from specular_tui.serve import packets, peer, server
from specular_tui.serve import page as pages
from specular_tui.serve.access import TOKEN, Access
from specular_tui.serve.server import Server

Client = TestClient[web.Request, web.Application]
Socket = ClientWebSocketResponse
Make = Callable[..., Awaitable[Client]]

SECRET = "correct-horse-battery-staple"

#: Paints its size and its environment, then whatever is typed; ends when it is told to, or when nobody types.
ECHO = """
import json, os, sys
out = sys.stdout.buffer
def paint(data):
    out.write(b"D" + len(data).to_bytes(4, "big") + data)
    out.flush()
out.write(b"__GANGLION__\\n")
paint(json.dumps({"size": sys.argv[1], "pid": os.getpid(), "token": os.environ.get("SPECULAR_SERVE_TOKEN")}).encode())
while head := sys.stdin.buffer.read(5):
    data = sys.stdin.buffer.read(int.from_bytes(head[1:], "big"))
    if data == b"!":
        print("it went wrong: \\x1b[31mred", file=sys.stderr)
        sys.exit(3)
    if b"quit" in data:
        break
    paint(head[:1] + data)
"""
#: Neither asks nor answers, and does not end when it is asked to.
STUBBORN = """
import signal, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
sys.stdout.buffer.write(b"__GANGLION__\\nD\\0\\0\\0\\1.")
sys.stdout.buffer.flush()
while True:
    time.sleep(60)
"""


@pytest.fixture
def notices() -> list[str]:
    return []


@pytest.fixture
async def client(notices: list[str]) -> AsyncIterator[Make]:
    """Return what starts a server of a program, and gives a client of it."""
    clients: list[Client] = []

    async def make(program: str = ECHO, token: str | None = None) -> Client:
        made = Server([sys.executable, "-c", program], Access("127.0.0.1", token=token), notices.append)
        client = TestClient(TestServer(made.application()), cookie_jar=CookieJar(unsafe=True))
        await client.start_server()
        clients.append(client)
        return client

    yield make
    for each in clients:
        await each.close()


def own(client: Client) -> dict[str, str]:
    return {"Origin": f"http://127.0.0.1:{client.port}"}


@asynccontextmanager
async def page(client: Client, query: str = "?width=100&height=30") -> AsyncIterator[tuple[Socket, dict[str, Any]]]:
    async with client.ws_connect(f"/ws{query}", headers=own(client)) as socket:
        yield socket, json.loads(await socket.receive_bytes(timeout=10))


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


async def gone(pid: int) -> bool:
    for _ in range(500):
        if not alive(pid):
            return True
        await asyncio.sleep(0.02)
    return False


async def test_a_page_has_a_process_that_paints_what_is_typed(client: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, SECRET)
    async with page(await client()) as (socket, first):
        assert first["size"] == "100x30"
        assert first["token"] is None, "the application and its builds never see the token"
        await socket.send_str('["stdin", "j"]')
        assert await socket.receive_bytes(timeout=5) == b"Dj"
        await socket.send_str('["ping", 7]')
        assert await socket.receive_str(timeout=5) == '["pong", 7]'
        await socket.send_str("not JSON")
        await socket.send_bytes(b"\x00")
        await socket.send_str('["stdin", "k"]')
        assert await socket.receive_bytes(timeout=5) == b"Dk"


async def test_the_process_ends_with_its_page(client: Make, notices: list[str]) -> None:
    async with page(await client()) as (_, first):
        assert alive(first["pid"])
    assert await gone(first["pid"])
    assert notices == []


async def test_two_pages_have_a_process_each(client: Make) -> None:
    at = await client()
    async with page(at) as (_, one):
        async with page(at) as (_, other):
            assert one["pid"] != other["pid"]
        assert await gone(other["pid"])
        assert alive(one["pid"])


async def test_a_process_that_does_not_end_is_killed(client: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages, "GRACE", (0.1, 0.1))
    at = await client(STUBBORN)
    async with at.ws_connect("/ws", headers=own(at)) as socket:
        assert await socket.receive_bytes(timeout=10) == b"."
        children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
        pid = next(int(each) for each in children if b"time.sleep(60)" in Path(f"/proc/{each}/cmdline").read_bytes())
    assert await gone(pid)


async def test_a_process_that_fails_is_told_of_and_its_words_are_harmless(client: Make, notices: list[str]) -> None:
    async with page(await client()) as (socket, _):
        await socket.send_str('["stdin", "!"]')
        assert (await socket.receive(timeout=10)).type == WSMsgType.CLOSE
    assert notices == ["the application ended with exit code 3: it went wrong: \\x1b[31mred"]


async def test_a_program_that_cannot_be_started_is_told_of(notices: list[str]) -> None:
    made = Server(["/no/such/program"], Access("127.0.0.1", token=None), notices.append)
    async with TestClient(TestServer(made.application())) as at, at.ws_connect("/ws", headers=own(at)) as socket:
        assert (await socket.receive(timeout=10)).type == WSMsgType.CLOSE
    assert "cannot be started" in notices[0]


async def test_no_more_pages_than_this_machine_bears(
    client: Make, notices: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "MOST_PAGES", 1)
    at = await client()
    async with page(at):
        with pytest.raises(WSServerHandshakeError) as caught:
            await at.ws_connect("/ws", headers=own(at))
        assert caught.value.status == 503
        assert notices == ["a page was refused: 1 are open"]
    for _ in range(100):  # the place is free when the process has ended
        try:
            async with page(at):
                break
        except WSServerHandshakeError:
            await asyncio.sleep(0.05)
    else:
        raise AssertionError("the place was never free again")


@pytest.mark.parametrize("path", ["/", "/ws", "/assets/textual.js", "/nothing"])
async def test_a_foreign_host_is_refused_everywhere(client: Make, path: str) -> None:
    at = await client()
    answer = await at.get(path, headers={"Host": "rebound.example"})
    assert answer.status == 403
    assert "--allow-host" in await answer.text()


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://127.0.0.1:1", ""])
async def test_a_foreign_origin_is_refused(client: Make, origin: str) -> None:
    at = await client()
    with pytest.raises(WSServerHandshakeError) as caught:
        await at.ws_connect("/ws", headers={"Origin": origin})
    assert caught.value.status == 403


async def test_a_websocket_without_an_origin_is_refused(client: Make) -> None:
    with pytest.raises(WSServerHandshakeError) as caught:
        await (await client()).ws_connect("/ws")
    assert caught.value.status == 403


async def test_another_user_of_this_machine_is_refused(client: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    at = await client()
    assert (await at.get("/")).status == 200
    monkeypatch.setattr(peer, "is_ours", lambda there, here: False)
    answer = await at.get("/")
    assert answer.status == 403
    assert TOKEN in await answer.text()


async def test_without_the_token_there_is_a_sign_in_page_and_nothing_else(client: Make) -> None:
    at = await client(token=SECRET)
    assert (await at.get("/")).status == 401
    assert (await at.get(f"/?token={SECRET}")).status == 401, "a token in an address would be in every log on the way"
    assert (await at.get("/assets/textual.js")).status == 401
    assert (await at.get("/assets/page.css")).status == 200
    for headers in ({}, {"Cookie": f"specular-0={SECRET}"}, {"Cookie": "specular-0="}):
        with pytest.raises(WSServerHandshakeError) as caught:
            await at.ws_connect("/ws", headers=own(at) | headers)
        assert caught.value.status == 401


async def test_the_token_opens_the_page_and_its_websocket(client: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_PENALTY", 0)
    monkeypatch.setattr(peer, "is_ours", lambda there, here: False)
    at = await client(token=SECRET)
    wrong = await at.post("/sign-in", data={"token": SECRET + "x"}, headers=own(at))
    assert wrong.status == 401
    assert "not the token" in await wrong.text()
    assert not wrong.cookies

    right = await at.post("/sign-in", data={"token": SECRET}, headers=own(at), allow_redirects=False)
    assert right.status == 303
    cookie = right.cookies["specular-0"]
    assert SECRET not in cookie.value
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert (await at.get("/")).status == 200
    async with page(at) as (_, first):
        assert first["size"] == "100x30"


async def test_another_sites_page_cannot_sign_in(client: Make) -> None:
    at = await client(token=SECRET)
    answer = await at.post("/sign-in", data={"token": SECRET}, headers={"Origin": "http://evil.example"})
    assert answer.status == 403


async def test_the_browser_is_told_to_load_nothing_from_elsewhere(client: Make) -> None:
    at = await client()
    answer = await at.get("/")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy
    assert "script-src 'self';" in policy
    assert answer.headers["Cache-Control"] == "no-store"
    for name in ("", "assets/page.css", "assets/start.js", "assets/sign-in.js", "assets/xterm.css"):
        found = await at.get(f"/{name}")
        assert found.status == 200, name
        assert not re.search(r"(?:src|href|url|import)\W{1,3}(?:https?:)?//", await found.text()), name


@pytest.mark.parametrize("name", ["../access.py", "..%2faccess.py", "index.html", "__init__.py", ""])
async def test_only_the_assets_are_served(client: Make, name: str) -> None:
    at = await client()
    assert (await at.get(f"/assets/{name}")).status == 404


def test_a_packet_is_what_the_driver_reads() -> None:
    from textual.drivers._byte_stream import ByteStream

    assert list(ByteStream().feed(packets.packet(b"D", b"j"))) == [("D", b"j")]
