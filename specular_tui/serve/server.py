"""The web server: the wire, its scripts, and a websocket for each page that is open."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import socket
from collections.abc import Awaitable, Callable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Final

import textual_serve
from aiohttp import WSCloseCode, WSMsgType, web

from specular_tui.errors import SpecularError
from specular_tui.model.quote import plain
from specular_tui.serve import packets, peer
from specular_tui.serve.access import Access
from specular_tui.serve.page import Page

#: So many pages may be open at a time: each is a process of its own.
MOST_PAGES: Final = 16
#: A message of a page is no longer than that; the largest is a text that is pasted.
_LONGEST: Final = 1 << 20
#: Seconds that a wrong token costs.
_PENALTY: Final = 0.5

#: The browser half of textual-serve: xterm.js with what binds it to a websocket, its style sheet, and a font.
_STATIC: Final = Path(textual_serve.__file__).parent / "static"
_ASSETS: Final = {
    "textual.js": (_STATIC / "js" / "textual.js", "text/javascript"),
    "xterm.css": (_STATIC / "css" / "xterm.css", "text/css"),
    "mono.ttf": (_STATIC / "fonts" / "RobotoMono-VariableFont_wght.ttf", "font/ttf"),
    "mono-italic.ttf": (_STATIC / "fonts" / "RobotoMono-Italic-VariableFont_wght.ttf", "font/ttf"),
}
#: What the sign-in page is made of; anybody may have it.
_OPEN_ASSETS: Final = {"page.css": "text/css", "sign-in.js": "text/javascript", "start.js": "text/javascript"}

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Server:
    """Serves `command`, to which the size of the screen is added, to whom `access` lets in."""

    def __init__(self, command: Sequence[str], access: Access, notice: Callable[[str], None]) -> None:
        """`notice` is told, in one line, of what goes wrong with a page."""
        self._command = command
        self._access = access
        self._notice = notice
        self._wires: set[web.WebSocketResponse] = set()
        self._starting = 0
        self._port = 0

    async def run(self, host: str, port: int, started: Callable[[int], None]) -> None:
        """Serve until SIGINT, SIGTERM or SIGHUP; then end every page's application, and return.

        `started` is called with the port when it listens.

        Raises:
            SpecularError: the address cannot be had.
        """
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup is obeyed.
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                loop.add_signal_handler(number, stop.set)
        # No access log: nothing of what is asked for is written anywhere.
        runner = web.AppRunner(self.application(), access_log=None, handle_signals=False, shutdown_timeout=10)
        await runner.setup()
        try:
            await self._listen(runner, host, port)
            self._port = runner.addresses[0][1]
            started(self._port)
            await stop.wait()
        finally:
            await runner.cleanup()

    async def _listen(self, runner: web.AppRunner, host: str, port: int) -> None:
        try:
            # The name has two addresses, and a free port of the one may be taken on the other.
            await web.TCPSite(runner, "127.0.0.1" if host == "localhost" else host, port).start()
        except OSError as error:
            raise _unavailable(host, port, error) from error

    def application(self) -> web.Application:
        """Return what answers to requests."""
        application = web.Application(middlewares=[self._guard], client_max_size=4096)
        application.add_routes(
            [
                web.get("/", self._page),
                web.post("/sign-in", self._sign_in),
                web.get("/assets/{name}", self._asset),
                web.get("/ws", self._socket),
            ]
        )
        application.on_response_prepare.append(self._harden)
        application.on_shutdown.append(self._close_all)
        return application

    # Who may

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        host, origin = request.headers.get("Host"), request.headers.get("Origin")
        if not self._access.knows_host(host):
            raise web.HTTPForbidden(
                text="This server does not go by that name. Whoever runs it can allow it: "
                "specular serve --allow-host NAME\n"
            )
        # A browser names the page's origin with every websocket and every form.
        if (origin is not None or request.path == "/ws") and not self._access.knows_origin(origin, host):
            raise web.HTTPForbidden(text="Requests of other sites' pages are refused.\n")
        if not self._access.needs_token and not self._is_ours(request):
            raise web.HTTPForbidden(
                text="Only the user who runs this server may use it without a token. "
                "With one, others may too: SPECULAR_SERVE_TOKEN=… specular serve\n"
            )
        return await handler(request)

    def _is_ours(self, request: web.Request) -> bool:
        transport = request.transport
        if transport is None:
            return False
        there, here = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        return bool(there and here) and peer.is_ours((there[0], there[1]), (here[0], here[1]))

    def _signed_in(self, request: web.Request) -> bool:
        return not self._access.needs_token or self._access.is_badge(request.cookies.get(self._cookie))

    @property
    def _cookie(self) -> str:
        # Cookies know no ports: two servers on one machine must not take each other's.
        return f"specular-{self._port}"

    async def _sign_in(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        token = form.get("token")
        if not isinstance(token, str) or not self._access.is_token(token.strip()):
            await asyncio.sleep(_PENALTY)
            return self._sign_in_page("That is not the token.")
        response = web.Response(status=303, headers={"Location": "./"})
        response.set_cookie(self._cookie, self._access.badge, httponly=True, samesite="Lax", path="/")
        return response

    # What is served

    async def _page(self, request: web.Request) -> web.StreamResponse:
        if not self._signed_in(request):
            return self._sign_in_page("")
        return web.Response(text=_own("index.html"), content_type="text/html")

    def _sign_in_page(self, problem: str) -> web.Response:
        return web.Response(
            status=401, text=_own("sign-in.html").replace("<!-- problem -->", problem), content_type="text/html"
        )

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if name in _OPEN_ASSETS:
            return web.Response(text=_own(name), content_type=_OPEN_ASSETS[name])
        if name not in _ASSETS:
            raise web.HTTPNotFound
        if not self._signed_in(request):
            raise web.HTTPUnauthorized
        path, kind = _ASSETS[name]
        return web.FileResponse(path, headers={"Content-Type": kind})

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if not self._signed_in(request):
            raise web.HTTPUnauthorized
        if len(self._wires) + self._starting >= MOST_PAGES:
            self._notice(f"a page was refused: {MOST_PAGES} are open")
            raise web.HTTPServiceUnavailable(text="Too many pages are open.\n")
        wire = web.WebSocketResponse(heartbeat=15, max_msg_size=_LONGEST)
        self._starting += 1
        try:
            await wire.prepare(request)
            self._wires.add(wire)
        finally:
            self._starting -= 1
        try:
            await self._serve(wire, packets.size_of(request.query.get("width"), request.query.get("height")))
        finally:
            self._wires.discard(wire)
        return wire

    async def _serve(self, wire: web.WebSocketResponse, size: tuple[int, int]) -> None:
        try:
            page = await Page.start(self._command, size, wire.send_bytes)
        except OSError as error:
            self._notice(f"the application cannot be started: {error}")
            await wire.close(code=WSCloseCode.INTERNAL_ERROR)
            return
        typing = asyncio.create_task(self._type(wire, page))
        try:
            await asyncio.wait(
                [typing, ending := asyncio.create_task(page.ended())], return_when=asyncio.FIRST_COMPLETED
            )
            ending.cancel()
        finally:
            # Also where this server ends: the application is never left behind.
            code, words = await asyncio.shield(page.end())
            typing.cancel()
        if code != 0:
            told = words.strip().splitlines()
            self._notice(f"the application ended with exit code {code}" + (f": {plain(told[-1])}" if told else ""))
        with contextlib.suppress(ConnectionError):
            await wire.close()

    async def _type(self, wire: web.WebSocketResponse, page: Page) -> None:
        async for message in wire:
            if message.type == WSMsgType.TEXT:
                packet, answer = packets.from_page(message.data)
                if packet:
                    await page.send(packet)
                if answer:
                    with contextlib.suppress(ConnectionError):
                        await wire.send_str(answer)

    async def _harden(self, request: web.Request, response: web.StreamResponse) -> None:
        """Have the browser load nothing from elsewhere, keep nothing, and show this in no other page's frame."""
        host = request.headers.get("Host", "")
        # Older browsers do not count a websocket as 'self'. A Host that is not known has been refused before.
        sockets = f" ws://{host} wss://{host}" if self._access.knows_host(host) else ""
        response.headers.update(
            {
                "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
                f"font-src 'self'; img-src 'self' data:; connect-src 'self'{sockets}; form-action 'self'; "
                "base-uri 'none'; frame-ancestors 'none'",
                "X-Content-Type-Options": "nosniff",
                "X-Frame-Options": "DENY",
                # Not "no-referrer": a form would then name no origin either.
                "Referrer-Policy": "same-origin",
                "Cross-Origin-Opener-Policy": "same-origin",
                "Cross-Origin-Resource-Policy": "same-origin",
                "Cache-Control": "no-store",
                "Server": "Specular",
            }
        )

    async def _close_all(self, application: web.Application) -> None:
        await asyncio.gather(
            *(wire.close(code=WSCloseCode.GOING_AWAY) for wire in set(self._wires)), return_exceptions=True
        )


def _own(name: str) -> str:
    return files("specular_tui.serve").joinpath("web", name).read_text(encoding="utf-8")


def _unavailable(host: str, port: int, error: OSError) -> SpecularError:
    """Return what to tell of an address that cannot be listened on."""
    if error.errno == errno.EADDRINUSE:
        return SpecularError(
            f"port {port} of {host} is in use",
            hint=f"another one: --port {port + 1 if port < 65535 else port - 1}; any that is free: --port 0",
        )
    if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
        return SpecularError(f"{host} is no address of this machine", hint="every address: --host 0.0.0.0")
    if error.errno in (errno.EACCES, errno.EPERM):
        return SpecularError(f"port {port} needs rights that this user does not have", hint="a port from 1024 on")
    return SpecularError(f"{host}, port {port}, cannot be listened on: {(error.strerror or str(error)).lower()}")
