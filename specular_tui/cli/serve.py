"""`specular serve`: the full-screen app in a browser."""

from __future__ import annotations

import importlib.util
import os
import sys
from typing import Final

import click

from specular_tui.cli import output
from specular_tui.cli.options import checkpoint_root
from specular_tui.cli.values import FILE, WholeNumber
from specular_tui.errors import SpecularError

#: What runs for each page.
_APPLICATION: Final = "specular_tui.tui.browser"
#: A free one that other servers do not take by habit.
PORT: Final = 8470


@click.command("serve")
@click.option("--host", metavar="ADDRESS", default="127.0.0.1", help="The address to listen on (127.0.0.1).")
@click.option(
    "--port", type=WholeNumber(0, 65535), metavar="N", default=PORT, help=f"The port ({PORT}); 0: a free one."
)
@click.option("--token-file", type=FILE, metavar="FILE", help="Whoever comes must show the token in this file.")
@click.option(
    "--allow-host", "names", metavar="NAME", multiple=True, help="A further name of this server, as a proxy's."
)
def serve_command(host: str, port: int, token_file: str | None, names: tuple[str, ...]) -> int:
    """Open the full-screen app in a browser, for each page that is opened.

    On the loopback address (the default) only the user who runs this may use it. On any other address a token is
    needed: that of --token-file or SPECULAR_SERVE_TOKEN, else a new one, which is part of the address that is printed.
    """
    if any(importlib.util.find_spec(name) is None for name in ("aiohttp", "textual_serve")):
        raise SpecularError(
            "the full-screen app in a browser needs packages that are not installed",
            hint="get them: pip install '.[serve]' in a checkout of it, else pip install 'specular-tui[serve]'",
        )
    import asyncio

    from specular_tui.serve import access, peer
    from specular_tui.serve.server import Server

    root = checkpoint_root()
    token = access.given_token(token_file, os.environ)
    new = token is None and not (access.is_loopback(host) and peer.can_tell())
    if new:
        token = access.new_token()

    def started(port: int) -> None:
        address = f"http://{_shown(host)}:{port}/"
        output.emit(f"{address}#token={token}" if new else address)
        output.flush()
        if not access.is_loopback(host):
            output.tell(
                "whoever has the token can run commands here, and what is sent is not encrypted: see docs/cli.md"
            )
        output.tell("Ctrl+C ends it; builds go on")

    # -P: no module that lies in the folder of the build is to stand in for one of Python's.
    command = [sys.executable, "-P", "-m", _APPLICATION, str(root)]
    server = Server(command, access.Access(host, token=token, names=names), output.tell)
    asyncio.run(server.run(host, port, started))
    return 0


def _shown(host: str) -> str:
    """Return the host as it stands in an address that a browser can open."""
    import socket

    if host in ("0.0.0.0", "::", ""):
        return socket.gethostname()
    return f"[{host}]" if ":" in host else host
